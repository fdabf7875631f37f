"""Spending of evaluations: the unit in which a strategy compares gains with prices."""

from __future__ import annotations

from bonas.surrogates.multi_fidelity import Spending as Spending
from fidelity.history.history import History
from fidelity.history.trial import Evaluation


def budget_spent(history: History, evaluation: Evaluation) -> float:
    """Return the budget that an evaluation spent: the same in every run.

    Every network then costs the same per unit of budget.

    Args:
        history: knows which evaluation this one continued.
        evaluation: of this history.
    """
    return history.spent(evaluation)


def seconds_spent(history: History, evaluation: Evaluation) -> float:
    """Return the seconds that an evaluation took.

    Fast networks are then preferred to slow ones. Measured seconds differ from run to run, so a
    search with the same seed does not repeat its history; on the simulated clock of a table
    (`bonas.runners.Simulated`) it does.

    Args:
        history: unused.
        evaluation: of this history.
    """
    return evaluation.seconds
