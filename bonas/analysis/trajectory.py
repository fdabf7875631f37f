"""The best result of a search over time, as right-continuous step functions of what it spent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np
from ConfigSpace import Configuration
from jaxtyping import Float

from fidelity.history.history import History
from fidelity.history.trial import Evaluation

Clock = Literal["evaluations", "epochs", "seconds"]
Curve = tuple[Float[np.ndarray, " steps"], Float[np.ndarray, " steps"]]
"""Ascending times, and the value from each of them on."""

Regret = Callable[[Configuration], float]
"""The cost of a network above that of the best one, for example `Table.regret`."""

LABELS: Mapping[Clock, str] = {
    "evaluations": "evaluations",
    "epochs": "epochs trained",
    "seconds": "seconds since the search began",
}
"""Axis labels."""


def times(history: History, clock: Clock) -> Float[np.ndarray, " evaluations"]:
    """Return what had been spent when each evaluation ended, in non-descending order.

    A failure spends the budget of its trial. A reused result counts as an evaluation but spends no
    epochs. If evaluations overlap, the clock in seconds shows the latest end so far.

    Args:
        history: of a search.
        clock: the unit.
    """
    evaluations = history.evaluations
    if clock == "evaluations":
        return np.arange(1.0, len(evaluations) + 1)
    if clock == "epochs":
        return np.cumsum([history.spent(evaluation) for evaluation in evaluations], dtype=float)
    ends = np.array([e.started + e.seconds for e in evaluations], dtype=float)
    latest: Float[np.ndarray, " evaluations"] = np.maximum.accumulate(ends)
    return latest


def lowest_costs(history: History) -> Float[np.ndarray, " evaluations"]:
    """Return the lowest cost so far after each evaluation; infinite until something succeeds.

    Costs at all budgets count: the cost after a few epochs is the true cost of that network.
    Failures, and networks that violate a constraint, do not count.
    """
    costs = [e.cost if history.goal.feasible(e) else np.inf for e in history.evaluations]
    lowest: Float[np.ndarray, " evaluations"] = np.minimum.accumulate(np.array(costs, dtype=float))
    return lowest


def incumbents(history: History) -> list[Evaluation | None]:
    """Return the incumbent after each evaluation, as `History.incumbent` defines it."""
    bests: list[Evaluation | None] = []
    best: Evaluation | None = None
    for evaluation in history.evaluations:
        if history.goal.feasible(evaluation) and (best is None or _better(evaluation, best)):
            best = evaluation
        bests.append(best)
    return bests


def _better(evaluation: Evaluation, best: Evaluation) -> bool:
    if evaluation.trial.budget == best.trial.budget:
        return evaluation.cost < best.cost
    return evaluation.trial.budget > best.trial.budget


def regrets(history: History, regret: Regret) -> Float[np.ndarray, " evaluations"]:
    """Return the regret of the incumbent after each evaluation; infinite until there is one.

    The regret rises when a new incumbent only looked better.

    Args:
        history: of a search.
        regret: of a configuration.
    """
    cached: dict[str, float] = {}
    values = []
    for best in incumbents(history):
        if best is not None and best.trial.key not in cached:
            cached[best.trial.key] = regret(best.trial.configuration)
        values.append(np.inf if best is None else cached[best.trial.key])
    return np.array(values, dtype=float)


def trajectory(history: History, clock: Clock = "epochs", regret: Regret | None = None) -> Curve:
    """Return the steps of the lowest cost so far.

    Args:
        history: of a search.
        clock: the unit of time.
        regret: if given, the regret of the incumbent replaces the lowest cost.

    Returns:
        The ascending times at which the value changed, and the new values; the end of the history
        repeats the final value. Both are empty if nothing succeeded.
    """
    spent = times(history, clock)
    values = lowest_costs(history) if regret is None else regrets(history, regret)
    before = np.concatenate([[np.inf], values[:-1]])[: len(values)]
    changed = np.flatnonzero((values != before) & np.isfinite(values))
    if not len(changed):
        return np.array([]), np.array([])
    indices = np.append(changed, len(values) - 1)
    return spent[indices], values[indices]


def at(curve: Curve, moments: Float[np.ndarray, " moments"]) -> Float[np.ndarray, " moments"]:
    """Return the values of a curve: infinite before its start, constant after its end.

    Args:
        curve: not empty.
        moments: the times.
    """
    times, values = curve
    padded = np.concatenate([[np.inf], values])
    result: Float[np.ndarray, " moments"] = padded[np.searchsorted(times, moments, side="right")]
    return result


def reached(curve: Curve, target: float) -> float:
    """Return the time from which on a curve stays at or below a target; infinite if it never does.

    Args:
        curve: of a search.
        target: the highest value that counts.
    """
    times, values = curve
    above = np.flatnonzero(values > target)
    first = int(above[-1]) + 1 if len(above) else 0
    return float(times[first]) if first < len(times) else float("inf")


def union(curves: Sequence[Curve]) -> Float[np.ndarray, " moments"]:
    """Return the times of all curves, from the moment at which all of them have started."""
    start = max(times[0] for times, _ in curves)
    moments = np.unique(np.concatenate([times for times, _ in curves]))
    later: Float[np.ndarray, " moments"] = moments[moments >= start]
    return later


def quantiles(
    curves: Sequence[Curve], levels: Sequence[float] = (0.25, 0.5, 0.75)
) -> tuple[Float[np.ndarray, " moments"], Float[np.ndarray, "levels moments"]]:
    """Return quantiles over several curves; each curve keeps its final value after its end.

    Args:
        curves: none of them empty.
        levels: of the quantiles, within [0, 1].

    Returns:
        The times of all curves from the moment at which all of them have started, and the
        quantile of each level at each of these times.
    """
    moments = union(curves)
    values = np.stack([at(curve, moments) for curve in curves])
    return moments, np.quantile(values, levels, axis=0)
