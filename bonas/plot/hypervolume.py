"""The hypervolume that a search dominates, against what was spent."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from bonas.analysis.sources import Runs, Sources
from bonas.analysis.trajectory import LABELS, Clock, Curve, quantiles
from bonas.analysis.trajectory import times as clock_times
from bonas.plot.style import GRID, axes, labels, legend, line, logarithmic, nothing, steps, words
from fidelity.history import pareto
from fidelity.history.history import History


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
    objectives = history.goal.objectives
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
        if history.goal.feasible(evaluation):
            front = np.vstack([front, history.goal.costs(evaluation)])
            front = front[pareto.non_dominated(front)]
        volume = pareto.hypervolume(front, reference)
        if not volumes or volume > volumes[-1] or number == len(history):
            times.append(now)
            volumes.append(volume)
    return np.array(times), np.array(volumes)


def hypervolume(
    histories: Sources,
    reference: Sequence[float],
    ax: Axes | None = None,
    *,
    clock: Clock | None = None,
    best: float | None = None,
) -> Axes:
    """Draws the hypervolume so far of one or several searches.

    Args:
        histories: by name, or a comparison; of several (seeds) the median and the quartiles are
            drawn. A search or its directory stands for its history.
        reference: the highest value of interest of each objective, the same for all.
        ax: where to draw; by default a new figure.
        clock: what the horizontal axis counts: by default epochs, or what a comparison counts.
        best: the hypervolume of the true front, where that is known: drawn is then what is
            lacking, in percent of it, on a logarithmic axis.

    Returns:
        The axes.

    Raises:
        ValueError: the reference has another number of objectives than a search, or the best
            hypervolume is not above zero.
        TypeError: what was given stands for no histories.
        JournalError: a directory has no history, or it cannot be read.
    """
    if best is not None and not best > 0:
        raise ValueError(f"the hypervolume of the true front is above 0, not {best:g}")
    compared = Runs.of(histories)
    clock = clock or compared.clock
    ax = axes(ax)
    lowest = np.inf
    unit = ""
    names = labels(compared.histories)
    for index, (name, runs) in enumerate(zip(names, compared.histories.values(), strict=True)):
        unit = next((" x ".join(run.goal.objectives) for run in runs), unit)
        curves = [curve for run in runs if len((curve := trajectory(run, reference, clock))[0])]
        if not curves:
            continue
        grid, values = quantiles(curves)
        if best is not None:
            values = 100 * np.maximum(1 - values / best, 0.0)
            lowest = values[values > 0].min(initial=lowest)
        low, middle, high = values
        steps(ax, index, name, grid, middle)
        if len(curves) > 1:
            colour = line(index)["color"]
            ax.fill_between(grid, low, high, step="post", color=colour, alpha=0.2, lw=0)
    ax.set_xlabel(LABELS[clock])
    known = "hypervolume lacking (percent)"
    ax.set_ylabel(known if best is not None else f"hypervolume ({words(unit) or 'no unit'})")
    ax.grid(alpha=GRID)
    legend(ax)
    if not ax.lines:
        nothing(ax, "nothing has been evaluated yet")
    if best is not None:
        logarithmic(ax, lowest)
    return ax
