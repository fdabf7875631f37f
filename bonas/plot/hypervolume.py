"""The hypervolume that a search dominates, against what was spent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from bonas.plot.style import GRID, axes, line, logarithmic
from bonas.trajectory import LABELS, Clock, Curve, quantiles
from bonas.trajectory import times as clock_times
from fidelity import pareto
from fidelity.history import History


def trajectory(history: History, reference: Sequence[float], clock: Clock = "epochs") -> Curve:
    """When the hypervolume grew, and to what.

    As the best cost in `plot.anytime`, it counts evaluations at all budgets: a network after few
    epochs is a network with these costs. What failed or is beyond a limit spends and adds nothing.

    Args:
        history: of a search.
        reference: the highest value of interest of each objective.
        clock: what is counted.

    Returns:
        Ascending times at which it grew, and the hypervolume; first the first evaluation and last
        the end of the history. Both are empty if nothing was evaluated.

    Raises:
        ValueError: the reference has another number of objectives than the search.
    """
    objectives = history.target.objectives
    if len(reference) != len(objectives):
        raise ValueError(
            f"the reference has {len(reference)} costs, the search the {len(objectives)} "
            f"objectives {', '.join(objectives)}: give the highest value of interest of each"
        )
    times: list[float] = []
    volumes: list[float] = []
    front = np.empty((0, len(reference)))
    ends = clock_times(history, clock)
    for number, evaluation in enumerate(history.evaluations, start=1):
        now = float(ends[number - 1])
        if history.target.feasible(evaluation):
            front = np.vstack([front, history.target.costs(evaluation)])
            front = front[pareto.non_dominated(front)]
        volume = pareto.hypervolume(front, reference)
        if not volumes or volume > volumes[-1] or number == len(history):
            times.append(now)
            volumes.append(volume)
    return np.array(times), np.array(volumes)


def hypervolume(
    histories: Mapping[str, History | Sequence[History]],
    reference: Sequence[float],
    ax: Axes | None = None,
    *,
    clock: Clock = "epochs",
    best: float | None = None,
) -> Axes:
    """Draws the hypervolume so far of one or several searches.

    Args:
        histories: by name; of several (seeds) the median and the quartiles are drawn.
        reference: the highest value of interest of each objective, the same for all.
        ax: where to draw; by default a new figure.
        clock: what the horizontal axis counts.
        best: the hypervolume of the true front, where that is known: drawn is then what is
            lacking, in percent of it, on a logarithmic axis.

    Returns:
        The axes.

    Raises:
        ValueError: the reference has another number of objectives than a search.
    """
    ax = axes(ax)
    lowest = 100.0
    unit = ""
    for index, (name, given) in enumerate(histories.items()):
        runs = [given] if isinstance(given, History) else list(given)
        unit = next((" x ".join(run.target.objectives) for run in runs), unit)
        curves = [curve for run in runs if len((curve := trajectory(run, reference, clock))[0])]
        if not curves:
            continue
        grid, values = quantiles(curves)
        if best is not None:
            values = 100 * np.maximum(1 - values / best, 0.0)
            lowest = min(lowest, *values[values > 0])
        low, middle, high = values
        style = line(index)
        ax.step(grid, middle, where="post", label=name, **style)
        if len(curves) > 1:
            ax.fill_between(grid, low, high, step="post", color=style["color"], alpha=0.2, lw=0)
    ax.set_xlabel(LABELS[clock])
    known = "hypervolume lacking (percent)"
    ax.set_ylabel(known if best is not None else f"hypervolume ({unit or 'no unit'})")
    ax.grid(alpha=GRID)
    if ax.get_legend_handles_labels()[0]:
        ax.legend()
    if best is not None:
        logarithmic(ax, lowest)
    return ax
