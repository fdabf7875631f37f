"""Anytime performance: the best that was found so far against what was spent to find it."""

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
    line,
    logarithmic,
    logarithmic_clock,
    nothing,
    steps,
)


def anytime(
    histories: Sources,
    ax: Axes | None = None,
    *,
    clock: Clock | None = None,
    label: str = "lowest cost so far",
    log: bool = False,
    log_clock: bool = False,
    regret: Regret | None = None,
    band: tuple[float, float] = (0.25, 0.75),
) -> Axes:
    """Draws the best cost so far, or the regret, of one or several searches.

    Right-continuous steps over the union of all times, from the moment at which every run has
    found something; a run that ended keeps what it had.

    Args:
        histories: by name, or a comparison; of several (seeds) the median and a band are drawn. A
            search or its directory stands for its history.
        ax: where to draw; by default a new figure.
        clock: what the horizontal axis counts: by default epochs, or what a comparison counts.
        label: of the vertical axis, with its unit if it has one.
        log: makes the vertical axis logarithmic, with plain numbers at its ticks; where zeros are
            drawn, it is linear below the lowest value above zero, and where negative values are
            drawn, everywhere.
        log_clock: makes the horizontal axis logarithmic; where zeros are drawn, it is linear below
            the first time above zero.
        regret: what is drawn instead of the lowest cost, of the incumbent: `table.regret`; by
            default that of a comparison.
        band: the quantiles between which the band lies.

    Returns:
        The axes.

    Raises:
        TypeError: what was given stands for no histories.
        JournalError: a directory has no history, or it cannot be read.
    """
    compared = Runs.of(histories)
    clock, regret = clock or compared.clock, regret or compared.regret
    ax = axes(ax)
    above = after = np.inf  # the lowest value and the first time that are drawn and above zero
    names = labels(compared.histories)
    for index, (name, runs) in enumerate(zip(names, compared.histories.values(), strict=True)):
        curves = [curve for run in runs if len((curve := trajectory(run, clock, regret))[0])]
        if not curves:
            continue
        grid, (low, middle, high) = quantiles(curves, (band[0], 0.5, band[1]))
        steps(ax, index, name, grid, middle)
        if len(curves) > 1:
            colour = line(index)["color"]
            ax.fill_between(grid, low, high, step="post", color=colour, alpha=0.2, linewidth=0)
        above = middle[middle > 0].min(initial=above)
        after = grid[grid > 0].min(initial=after)
    ax.set_xlabel(LABELS[clock])
    ax.set_ylabel(label)
    ax.grid(alpha=GRID)
    legend(ax)
    if not ax.lines:
        nothing(ax)
    if log:
        logarithmic(ax, above)
    if log_clock:
        logarithmic_clock(ax, after)
    return ax
