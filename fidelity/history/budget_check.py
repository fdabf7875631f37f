"""Objectives that do not look at their budget, on which a schedule is wasted."""

from __future__ import annotations

from fidelity.history.history import History

# A network that is promoted may cost what it did before by chance, where few images are counted;
# the first five different ones do not.
NETWORKS = 5


def ignores_budget(history: History) -> bool:
    """Whether the newest evaluation shows that the objective ignores its budget.

    It does if it is of the fifth network that was evaluated at a second budget, and all of them
    have cost exactly the same at both. So this is the case once in a history at most.
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
