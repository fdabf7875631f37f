"""The dominated hypervolume of a search against what was spent."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from bonas.analysis.sources import Runs, Sources
from bonas.analysis.trajectory import Clock, Curve, quantiles
from bonas.analysis.trajectory import times as clock_times
from bonas.plot.line_ends import label_ends
from bonas.plot.logarithmic import logarithmic
from bonas.plot.style import GRID, axes, clock_axis, labels, legend, nothing, steps, words
from fidelity.history import pareto
from fidelity.history.history import History


def trajectory(history: History, reference: Sequence[float], clock: Clock = "epochs") -> Curve:
    """Return the steps of the hypervolume so far.

    Evaluations at all budgets count, as in `plot.anytime`: the costs after a few epochs are the
    true costs of that network. Failures and violated constraints add nothing.

    Args:
        history: of a search.
        reference: the reference point, one value per objective.
        clock: the unit of time.

    Returns:
        Ascending times at which the hypervolume grew, and its values, from the first evaluation
        to the end of the history. Both are empty if nothing was evaluated.

    Raises:
        ValueError: the reference point does not have one value per objective.
    """
    objectives = history.goal.objectives
    if len(reference) != len(objectives):
        raise ValueError(
            f"the reference has {len(reference)} values, but the search has {len(objectives)} "
            f"objectives ({', '.join(objectives)}): give one value for each"
        )
    times: list[float] = []
    volumes: list[float] = []
    front = np.empty((0, len(reference)))
    ends = clock_times(history, clock)
    for number, evaluation in enumerate(history.evaluations, start=1):
        if history.goal.feasible(evaluation):
            front = np.vstack([front, history.goal.costs(evaluation)])
            front = front[pareto.non_dominated(front)]
        volume = pareto.hypervolume(front, reference)
        if not volumes or volume > volumes[-1] or number == len(history):
            times.append(float(ends[number - 1]))
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
    """Draw the hypervolume so far of one or several searches.

    Args:
        histories: histories, searches or directories by name, or a comparison. Several of one name
            (seeds) are drawn as their median and quartiles.
        reference: the reference point, one value per objective, the same for all searches.
        ax: the axes; by default a new figure.
        clock: the unit of the horizontal axis; by default epochs, or the clock of a comparison.
        best: the hypervolume of the true front, if known: the plot then shows the hypervolume
            still missing, in percent of it, on a logarithmic axis.

    Raises:
        ValueError: the reference point does not have one value per objective of each search, or
            the best hypervolume is not positive.
        TypeError, JournalError: a source has no readable history.
    """
    if best is not None and not best > 0:
        raise ValueError(f"the hypervolume of the true front must be above 0, not {best:g}")
    compared = Runs.of(histories)
    clock = clock or compared.clock
    ax = axes(ax)
    lowest = np.inf
    unit = ""
    names = labels(compared.histories)
    for index, (name, runs) in enumerate(zip(names, compared.histories.values(), strict=True)):
        unit = next((" × ".join(run.goal.objectives) for run in runs), unit)
        curves = [curve for run in runs if len((curve := trajectory(run, reference, clock))[0])]
        if not curves:
            continue
        grid, values = quantiles(curves)
        if best is not None:
            values = 100 * np.maximum(1 - values / best, 0.0)
            lowest = values[values > 0].min(initial=lowest)
        low, middle, high = values
        steps(ax, index, name, grid, middle, (low, high) if len(curves) > 1 else None)
    clock_axis(ax, clock)
    own = f"hypervolume ({words(unit.replace('_', ' ')) or 'no unit'})"
    ax.set_ylabel(own if best is None else "missing hypervolume (%)")
    ax.grid(alpha=GRID)
    if not ax.lines:
        nothing(ax, "nothing has been evaluated yet")
    if best is not None:
        logarithmic(ax, lowest)
    legend(ax, "quartiles" if ax.collections else "", named=not label_ends(ax))
    return ax
