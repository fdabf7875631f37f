"""Numbers that trackers log about each evaluation."""

from __future__ import annotations

from fidelity.history.history import History
from fidelity.history.trial import Evaluation


def metrics_of(history: History, evaluation: Evaluation) -> dict[str, float]:
    """Return `budget` and `seconds`, the `cost` of a success, and `best`, the incumbent's cost.

    Args:
        history: of the search.
        evaluation: its latest one.
    """
    metrics = {"budget": evaluation.trial.budget, "seconds": evaluation.seconds}
    if evaluation.succeeded:
        metrics["cost"] = evaluation.cost
    if history.incumbent is not None:
        metrics["best"] = history.incumbent.cost
    return metrics
