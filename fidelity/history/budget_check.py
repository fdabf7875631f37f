"""Detection of objectives that ignore their budget, for which a schedule is useless."""

from __future__ import annotations

from fidelity.history.history import History

NETWORKS = 5
"""The number of promoted networks with unchanged costs; fewer may be chance where few images are
counted."""


def ignores_budget(history: History) -> bool:
    """Return whether the newest evaluation shows that the objective ignores its budget.

    It does if it belongs to the fifth network that was evaluated at a second budget, and the costs
    of all five are the same at both. So this is true at most once per history.
    """
    networks: set[str] = set()
    for evaluation in history.evaluations:
        parent = evaluation.trial.parent
        if parent is None or evaluation.reused is not None or not evaluation.succeeded:
            continue
        before = history.evaluation(parent)
        if before is None or before.cost != evaluation.cost:
            return False
        networks.add(evaluation.trial.key)
        if len(networks) == NETWORKS:
            return evaluation is history.evaluations[-1]
    return False
