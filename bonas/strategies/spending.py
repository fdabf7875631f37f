"""What evaluations spend: the unit in which a strategy compares a gain with its price."""

from __future__ import annotations

from collections.abc import Callable

from fidelity.history.history import History
from fidelity.history.trial import Evaluation

Spending = Callable[[History, Evaluation], float]
"""Returns what an evaluation spent, in any unit; 0 where it is not known.

A strategy learns from it what each network spends per unit of budget. Decisions depend on it, so a
search is reproducible only if it returns the same in every run. Besides the functions here, any
other is possible, for instance one that multiplies `history.spent(evaluation)` by the
multiply-adds in `evaluation.metrics`.
"""


def budget_spent(history: History, evaluation: Evaluation) -> float:
    """Return the budget that an evaluation spent: the same in every run.

    Every network then costs the same per unit of budget.

    Args:
        history: knows what the evaluation continued.
        evaluation: of this history.
    """
    return history.spent(evaluation)


def seconds_spent(history: History, evaluation: Evaluation) -> float:
    """Return the seconds that an evaluation took.

    Fast networks are then preferred to slow ones. Measured seconds differ from run to run, so a
    search with the same seed does not repeat its history; on the simulated clock of a table
    (`bonas.runners.Simulated`) it does.

    Args:
        history: is not used.
        evaluation: whose duration is returned.
    """
    return evaluation.seconds
