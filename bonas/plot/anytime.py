"""Anytime performance: the best result so far against what was spent on it."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from bonas.analysis.sources import Runs, Sources
from bonas.analysis.trajectory import LABELS, Clock, Regret, quantiles, trajectory
from bonas.plot.style import (
    GRID,
    axes,
    labels,
    legend,
    logarithmic,
    logarithmic_clock,
    nothing,
    percent,
    steps,
)


def anytime(
    histories: Sources,
    ax: Axes | None = None,
    *,
    clock: Clock | None = None,
    label: str | None = None,
    log: bool = False,
    log_clock: bool = False,
    regret: Regret | None = None,
    band: tuple[float, float] = (0.25, 0.75),
) -> Axes:
    """Draw the lowest cost so far, or the regret, of one or several searches.

    The curves are right-continuous steps, from the moment at which all runs of a name have had a
    success; a run keeps its final value after its end.

    Args:
        histories: histories, searches or directories by name, or a comparison. Several of one name
            (seeds) are drawn as their median and a band.
        ax: the axes; by default a new figure.
        clock: the unit of the horizontal axis; by default epochs, or the clock of a comparison.
        label: of the vertical axis, with the unit if there is one; by default the measure of the
            cost, a fraction in percent, or the regret.
        log: makes the vertical axis logarithmic, with plain numbers at the ticks. With zeros in the
            data, it is linear below the lowest positive value; with negative values, everywhere.
        log_clock: makes the horizontal axis logarithmic; with a zero in the data, it is linear
            below the lowest positive time.
        regret: of a configuration, such as `table.regret`; if given, the regret of the incumbent
            is drawn instead of the lowest cost. By default the regret of a comparison, if known.
        band: the quantiles at the edges of the band.

    Raises:
        TypeError, JournalError: a source has no readable history.
    """
    compared = Runs.of(histories)
    clock, regret = clock or compared.clock, regret or compared.regret
    ax = axes(ax)
    lowest = earliest = np.inf  # of the positive values and times in the plot
    names = labels(compared.histories)
    for index, (name, runs) in enumerate(zip(names, compared.histories.values(), strict=True)):
        curves = [curve for run in runs if len((curve := trajectory(run, clock, regret))[0])]
        if not curves:
            continue
        grid, (low, middle, high) = quantiles(curves, (band[0], 0.5, band[1]))
        steps(ax, index, name, grid, middle, (low, high) if len(curves) > 1 else None)
        lowest = middle[middle > 0].min(initial=lowest)
        earliest = grid[grid > 0].min(initial=earliest)
    ax.set_xlabel(LABELS[clock])
    ax.set_ylabel(label or _own_label(compared, regret))
    ax.grid(alpha=GRID)
    legend(ax)
    if not ax.lines:
        nothing(ax)
    if log:
        logarithmic(ax, lowest)
    if log_clock:
        logarithmic_clock(ax, earliest)
    if label is None and regret is None and compared.measure.fraction:
        percent(ax.yaxis)
    return ax


def _own_label(compared: Runs, regret: Regret | None) -> str:
    return f"lowest {compared.measure.name} so far" if regret is None else "regret of the incumbent"
