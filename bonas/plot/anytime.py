"""Anytime performance: the best cost so far against what was spent to find it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes

from fidelity.history import History

Clock = Literal["evaluations", "epochs", "seconds"]
LABELS: dict[Clock, str] = {
    "evaluations": "evaluations",
    "epochs": "epochs trained",
    "seconds": "seconds since the search began",
}
# Okabe & Ito (2008): told apart by colour-blind eyes; line styles tell them apart in print.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
STYLES = ("-", "--", "-.", ":")


def trajectory(
    history: History, clock: Clock = "epochs"
) -> tuple[Float[np.ndarray, " steps"], Float[np.ndarray, " steps"]]:
    """When the lowest cost so far improved, and to what; over all budgets.

    The cost of a network that was trained for a few epochs is the true cost of that network, so
    that costs at all budgets count here. Failures and reused results spend, but don't improve.

    Returns:
        Ascending times at which the best cost fell, and that cost. The last time is the end of
        the history.
    """
    times, costs, spent, best = [], [], 0.0, np.inf
    moments = [
        (evaluation.started + evaluation.seconds, evaluation) for evaluation in history.evaluations
    ]
    for index, (ended, evaluation) in enumerate(moments, start=1):
        if evaluation.reused is None:
            spent += history.increment(evaluation.trial)
        if evaluation.cost < best:
            best = evaluation.cost
            times.append({"evaluations": float(index), "epochs": spent, "seconds": ended}[clock])
            costs.append(best)
    if times:
        last = max((moment for moment, _ in moments), default=0.0)
        times.append({"evaluations": float(len(moments)), "epochs": spent, "seconds": last}[clock])
        costs.append(best)
    return np.array(times), np.array(costs)


def anytime(
    histories: Mapping[str, History | Sequence[History]],
    ax: Axes | None = None,
    *,
    clock: Clock = "epochs",
    label: str = "lowest cost so far",
) -> Axes:
    """Draws the best cost so far of one or several searches.

    Args:
        histories: by name; of several (seeds) the median and the quartiles are drawn.
        ax: where to draw; by default a new figure.
        clock: what the horizontal axis counts.
        label: of the vertical axis.

    Returns:
        The axes.
    """
    if ax is None:
        _, ax = plt.subplots(figsize=(6.4, 4), layout="constrained")
    for index, (name, given) in enumerate(histories.items()):
        runs = [given] if isinstance(given, History) else list(given)
        curves = [curve for run in runs if len((curve := trajectory(run, clock))[0])]
        if not curves:
            continue
        grid, low, middle, high = quartiles(curves)
        colour = COLOURS[index % len(COLOURS)]
        style = STYLES[index % len(STYLES)]
        ax.step(grid, middle, style, where="post", color=colour, label=name)
        if len(curves) > 1:
            ax.fill_between(grid, low, high, step="post", color=colour, alpha=0.2, linewidth=0)
    ax.set_xlabel(LABELS[clock])
    ax.set_ylabel(label)
    ax.grid(alpha=0.3)
    if histories:
        ax.legend()
    return ax


Curve = tuple[Float[np.ndarray, " steps"], Float[np.ndarray, " steps"]]


def quartiles(curves: Sequence[Curve]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Lower quartile, median and upper quartile of right-continuous step functions.

    The grid is the union of all times from the moment at which every run has found something.
    A run that ended keeps its best cost.

    Returns:
        Times, lower quartiles, medians and upper quartiles, each of shape (times,).
    """
    start = max(times[0] for times, _ in curves)
    union = np.unique(np.concatenate([times for times, _ in curves]))
    grid = union[union >= start]
    values = np.stack(
        [costs[np.searchsorted(times, grid, side="right") - 1] for times, costs in curves]
    )
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75], axis=0)
    return grid, low, middle, high
