"""Learning curves across promotions."""

from __future__ import annotations

from collections import defaultdict

from fidelity.history.history import History

Points = list[tuple[float, float]]


def curves(history: History) -> dict[float, list[Points]]:
    """Return the learning curve of each configuration across all its promotions.

    Returns:
        For each budget, the curves that end there: ascending steps and their costs, both the
        intermediate costs that were reported and the costs at the budgets. Failures have no cost.
    """
    root: dict[int, int] = {}
    points: dict[int, dict[float, float]] = defaultdict(dict)
    highest: dict[int, float] = {}
    for trial in history.trials:
        root[trial.number] = trial.number if trial.parent is None else root[trial.parent]
    for evaluation in history.evaluations:
        if not evaluation.succeeded:
            continue
        origin, budget = root[evaluation.trial.number], evaluation.trial.budget
        points[origin] |= {**dict(evaluation.curve), budget: evaluation.cost}
        highest[origin] = max(highest.get(origin, budget), budget)
    ending: dict[float, list[Points]] = defaultdict(list)
    for origin, costs in points.items():
        ending[highest[origin]].append(sorted(costs.items()))
    return dict(sorted(ending.items()))
