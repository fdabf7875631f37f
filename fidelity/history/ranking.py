"""The ranked view of a history: one cost per evaluation, for objectives and constraints."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

import numpy as np

from fidelity.history.goal import COST
from fidelity.history.history import History
from fidelity.history.pareto import best_first
from fidelity.history.trial import Evaluation


@dataclass
class _View:
    history: History
    evaluations: int


# Only a cache: a view follows from its history.
_views: WeakKeyDictionary[History, _View] = WeakKeyDictionary()


def ranked(history: History) -> History:
    """Return the ranked view: the same trials and evaluations with one cost each for the goal.

    With one objective, feasible evaluations keep their costs, and the costs of infeasible ones are
    above these by their constraint violations (Deb 2000, "An efficient constraint handling method
    for genetic algorithms"). With several objectives the cost is the NSGA-II rank among the
    evaluations at the same budget, scaled to [0, 1): feasible before infeasible, then the number of
    the front, then the crowding distance (Deb et al. 2002, "A fast and elitist multiobjective
    genetic algorithm").

    So all strategies learn, and all schedules promote, by the goal. The values of the objectives
    stay in the metrics: see `Goal.costs`.

    Returns:
        `history` itself if it has one objective and no constraint. The view is read-only, and may
        grow with `history`.
    """
    if history.goal.plain:
        return history
    view = _views.get(history)
    if view is None or view.evaluations != len(history):
        view = _View(_rebuilt(history), len(history))
        _views[history] = view
    for trial in history.trials[len(view.history.trials) :]:
        view.history.add_trial(trial)
    for key in history.refused - view.history.refused:
        view.history.refuse(key)
    return view.history


def _rebuilt(history: History) -> History:
    view = History(
        history.space,
        resumes=history.resumes,
        goal=history.goal,
        deterministic=history.deterministic,
    )
    view.scores = history.scores
    for trial in history.trials:
        view.add_trial(trial)
    costs: dict[int, float] = {}
    for budget in history.budgets:
        costs |= _costs(history, [e for e in history.at(budget) if e.succeeded])
    for evaluation in history.evaluations:
        if evaluation.succeeded:
            metrics = {**evaluation.metrics, COST: evaluation.cost}
            cost = costs[evaluation.trial.number]
            evaluation = replace(evaluation, cost=cost, metrics=metrics)
        view.add_evaluation(evaluation)
    return view


def _costs(history: History, evaluations: Sequence[Evaluation]) -> dict[int, float]:
    """Return the cost of each success at one budget, by the number of its trial."""
    goal = history.goal
    violation = {e.trial.number: goal.violation(e) for e in evaluations}
    feasible = [e for e in evaluations if not violation[e.trial.number]]
    if len(goal.objectives) == 1:
        worst = max((e.cost for e in feasible or evaluations), default=0)
        # Rounding may absorb a small violation added to a huge cost.
        least = math.nextafter(worst, math.inf)
        return {
            e.trial.number: max(worst + by, least) if (by := violation[e.trial.number]) else e.cost
            for e in evaluations
        }
    points = np.array([goal.costs(e) for e in feasible]).reshape(-1, len(goal.objectives))
    order = [feasible[index] for index in best_first(points)]
    infeasible = [e for e in evaluations if violation[e.trial.number]]
    order += sorted(infeasible, key=lambda e: violation[e.trial.number])
    return {e.trial.number: rank / len(order) for rank, e in enumerate(order)}
