"""Configurations with all their promotions."""

from __future__ import annotations

from collections import defaultdict

from fidelity.history.history import History

Points = list[tuple[float, float]]


def curves(history: History) -> dict[float, list[Points]]:
    """The learning curve of each configuration with all its promotions.

    Returns:
        By the highest budget that it was evaluated at: ascending steps and costs, those that were
        reported on the way and those at its budgets. Failures have no cost.
    """
    root: dict[int, int] = {}
    points: dict[int, dict[float, float]] = defaultdict(dict)
    last: dict[int, float] = {}
    for trial in history.trials:
        root[trial.number] = trial.number if trial.parent is None else root[trial.parent]
    for evaluation in history.evaluations:
        if not evaluation.succeeded:
            continue
        origin, budget = root[evaluation.trial.number], evaluation.trial.budget
        points[origin] |= {**dict(evaluation.curve), budget: evaluation.cost}
        last[origin] = max(last.get(origin, budget), budget)
    found: dict[float, list[Points]] = defaultdict(list)
    for origin, known in points.items():
        found[last[origin]].append(sorted(known.items()))
    return dict(sorted(found.items()))
