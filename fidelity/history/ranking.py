"""Several costs and limits as one cost, for strategies and schedules that know of nothing else."""

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


# A cache and no more: what a view holds follows from the history that it is of.
_views: WeakKeyDictionary[History, _View] = WeakKeyDictionary()


def ranked(history: History) -> History:
    """The same trials and evaluations, each with one cost that says how good it is for the goal.

    With one objective, the cost of an evaluation that keeps all limits is its own, and that of
    another one is above all these by how far it is beyond the limits (Deb 2000, "An efficient
    constraint handling method for genetic algorithms"). With several objectives it is the place
    in the order of NSGA-II among the evaluations at the same budget, from 0 to 1: limits that are
    kept before others, then the number of the front, then the room around it (Deb et al. 2002,
    "A fast and elitist multiobjective genetic algorithm").

    So every strategy learns, and every schedule promotes, by the goal. Who knows of several
    objectives finds their values in the metrics: see `Goal.costs`.

    Returns:
        `history` itself if it has one objective and no limits. What is returned is not to be
        changed; it may grow when `history` grows.
    """
    if history.goal.plain:
        return history
    view = _views.get(history)
    if view is None or view.evaluations != len(history):
        view = _View(_rebuilt(history), len(history))
        _views[history] = view
    seen = view.history
    for trial in history.trials[len(seen.trials) :]:
        seen.add_trial(trial)
    for key in history.refused - seen.refused:
        seen.refuse(key)
    return seen


def _rebuilt(history: History) -> History:
    seen = History(history.space, resumes=history.resumes, goal=history.goal)
    for trial in history.trials:
        seen.add_trial(trial)
    costs: dict[int, float] = {}
    for budget in history.budgets:
        costs |= _costs(history, [e for e in history.at(budget) if e.succeeded])
    for evaluation in history.evaluations:
        if evaluation.succeeded:
            metrics = {**evaluation.metrics, COST: evaluation.cost}
            cost = costs[evaluation.trial.number]
            evaluation = replace(evaluation, cost=cost, metrics=metrics)
        seen.add_evaluation(evaluation)
    return seen


def _costs(history: History, evaluations: Sequence[Evaluation]) -> dict[int, float]:
    """One cost for each of the evaluations at one budget that succeeded."""
    goal = history.goal
    beyond = {e.trial.number: goal.violation(e) for e in evaluations}
    kept = [e for e in evaluations if not beyond[e.trial.number]]
    if len(goal.objectives) == 1:
        worst = max((e.cost for e in kept), default=max((e.cost for e in evaluations), default=0))
        # Beside a huge cost the sum alone may be no higher.
        least = math.nextafter(worst, math.inf)
        return {
            e.trial.number: max(worst + by, least) if (by := beyond[e.trial.number]) else e.cost
            for e in evaluations
        }
    points = np.array([goal.costs(e) for e in kept]).reshape(-1, len(goal.objectives))
    order = [kept[place] for place in best_first(points)]
    order += sorted(
        (e for e in evaluations if beyond[e.trial.number]), key=lambda e: beyond[e.trial.number]
    )
    return {e.trial.number: place / len(order) for place, e in enumerate(order)}
