"""What a search had found when: right-continuous step functions of what it has spent."""

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
"""Ascending times, and the values from each of them on."""

Regret = Callable[[Configuration], float]
"""How much a network costs above the best one: `Table.regret`, for instance."""

LABELS: Mapping[Clock, str] = {
    "evaluations": "evaluations",
    "epochs": "epochs trained",
    "seconds": "seconds since the search began",
}
"""Of axes."""


def times(history: History, clock: Clock) -> Float[np.ndarray, " evaluations"]:
    """What had been spent when each evaluation ended; it never falls.

    A failure spends what its trial was given; a reused result is one more evaluation, but spends
    no epochs. Of evaluations that overlap, the clock in seconds shows the latest end so far.
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
    """The lowest cost so far, after each evaluation; infinite as long as nothing succeeded.

    The cost of a network after few epochs is the true cost of that network, so that costs at
    all budgets count. Failures, and networks beyond a limit of the search, improve nothing.
    """
    kept = [e.cost if history.goal.feasible(e) else np.inf for e in history.evaluations]
    lowest: Float[np.ndarray, " evaluations"] = np.minimum.accumulate(np.array(kept, dtype=float))
    return lowest


def incumbents(history: History) -> list[Evaluation | None]:
    """What `History.incumbent` was after each evaluation."""
    found: list[Evaluation | None] = []
    best: Evaluation | None = None
    for evaluation in history.evaluations:
        if history.goal.feasible(evaluation) and (best is None or _better(evaluation, best)):
            best = evaluation
        found.append(best)
    return found


def _better(evaluation: Evaluation, best: Evaluation) -> bool:
    if evaluation.trial.budget == best.trial.budget:
        return evaluation.cost < best.cost
    return evaluation.trial.budget > best.trial.budget


def regrets(history: History, regret: Regret) -> Float[np.ndarray, " evaluations"]:
    """The regret of the incumbent after each evaluation; infinite as long as there is none.

    It may rise, when what looked better is worse.
    """
    known: dict[str, float] = {}
    values = []
    for best in incumbents(history):
        if best is not None and best.trial.key not in known:
            known[best.trial.key] = regret(best.trial.configuration)
        values.append(np.inf if best is None else known[best.trial.key])
    return np.array(values, dtype=float)


def trajectory(history: History, clock: Clock = "epochs", regret: Regret | None = None) -> Curve:
    """When the lowest cost so far fell, and to what.

    Args:
        history: of a search.
        clock: what is counted.
        regret: what is followed instead of the lowest cost: the regret of the incumbent.

    Returns:
        Ascending times at which the value changed, and that value; last the end of the history
        with the final value once more. Both are empty if nothing succeeded.
    """
    spent = times(history, clock)
    values = lowest_costs(history) if regret is None else regrets(history, regret)
    before = np.concatenate([[np.inf], values[:-1]])[: len(values)]
    changed = np.flatnonzero((values != before) & np.isfinite(values))
    if not len(changed):
        return np.array([]), np.array([])
    places = np.append(changed, len(values) - 1)
    return spent[places], values[places]


def at(curve: Curve, moments: Float[np.ndarray, " moments"]) -> Float[np.ndarray, " moments"]:
    """The values of a curve: infinite before it begins, its last one after it has ended."""
    known, values = curve
    padded = np.concatenate([[np.inf], values])
    found: Float[np.ndarray, " moments"] = padded[np.searchsorted(known, moments, side="right")]
    return found


def reached(curve: Curve, target: float) -> float:
    """The time from which on a curve is at most `target`; infinite if its end is not."""
    known, values = curve
    above = np.flatnonzero(values > target)
    first = int(above[-1]) + 1 if len(above) else 0
    return float(known[first]) if first < len(known) else float("inf")


def union(curves: Sequence[Curve]) -> Float[np.ndarray, " moments"]:
    """All times of all curves from the moment at which every one of them has begun."""
    start = max(known[0] for known, _ in curves)
    every = np.unique(np.concatenate([known for known, _ in curves]))
    later: Float[np.ndarray, " moments"] = every[every >= start]
    return later


def quantiles(
    curves: Sequence[Curve], levels: Sequence[float] = (0.25, 0.5, 0.75)
) -> tuple[Float[np.ndarray, " moments"], Float[np.ndarray, "levels moments"]]:
    """Quantiles over several curves, none of which is empty.

    A run that ended keeps what it had.

    Returns:
        The union of all times from the moment at which every curve has begun, and there the
        quantile of each level.
    """
    moments = union(curves)
    values = np.stack([at(curve, moments) for curve in curves])
    return moments, np.quantile(values, levels, axis=0)
