"""Anytime performance: the best cost so far against what was spent to find it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

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

Curve = tuple[Float[np.ndarray, " steps"], Float[np.ndarray, " steps"]]


def trajectory(history: History, clock: Clock = "epochs") -> Curve:
    """When the lowest cost so far fell, and to what.

    The cost of a network after few epochs is the true cost of that network, so that costs at
    all budgets count. A failure spends what its trial was given and improves nothing; a reused
    result is one more evaluation, but spends no epochs.

    Returns:
        Ascending times at which the best cost fell, and that cost; last the end of the history
        with the final cost once more. Both are empty if nothing succeeded.
    """
    times: list[float] = []
    costs: list[float] = []
    spent, latest, best = 0.0, 0.0, np.inf
    for number, evaluation in enumerate(history.evaluations, start=1):
        spent += history.spent(evaluation)
        latest = max(latest, evaluation.started + evaluation.seconds)
        if evaluation.cost < best:
            best = evaluation.cost
            times.append({"evaluations": float(number), "epochs": spent, "seconds": latest}[clock])
            costs.append(best)
    if costs:
        end = {"evaluations": float(len(history)), "epochs": spent, "seconds": latest}
        times.append(end[clock])
        costs.append(best)
    return np.array(times), np.array(costs)


def anytime(
    histories: Mapping[str, History | Sequence[History]],
    ax: Axes | None = None,
    *,
    clock: Clock = "epochs",
    label: str = "lowest cost so far",
    log: bool = False,
) -> Axes:
    """Draws the best cost so far of one or several searches.

    Args:
        histories: by name; of several (seeds) the median and the quartiles are drawn.
        ax: where to draw; by default a new figure.
        clock: what the horizontal axis counts.
        label: of the vertical axis.
        log: makes the vertical axis logarithmic, with plain numbers at its ticks.

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
    if ax.get_legend_handles_labels()[0]:
        ax.legend()
    if log:
        _logarithmic(ax)
    return ax


def _logarithmic(ax: Axes) -> None:
    ax.set_yscale("log")
    low, high = ax.get_ylim()
    few = high / low < 30  # matplotlib's own ticks would be one or two powers of ten
    ax.yaxis.set_major_locator(
        MaxNLocator(7, steps=[1, 2, 5, 10]) if few else LogLocator(subs=(1, 2, 5))
    )
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())


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
