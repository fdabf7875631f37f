"""Anytime performance: the best that was found so far against what was spent to find it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from bonas.plot.style import GRID, axes, line, logarithmic
from bonas.trajectory import LABELS, Clock, Regret, quantiles, trajectory
from fidelity.history import History


def anytime(
    histories: Mapping[str, History | Sequence[History]],
    ax: Axes | None = None,
    *,
    clock: Clock = "epochs",
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
        histories: by name; of several (seeds) the median and a band are drawn.
        ax: where to draw; by default a new figure.
        clock: what the horizontal axis counts.
        label: of the vertical axis, with its unit if it has one.
        log: makes the vertical axis logarithmic, with plain numbers at its ticks; where zeros are
            drawn, it is linear below the lowest value above zero.
        log_clock: makes the horizontal axis logarithmic.
        regret: what is drawn instead of the lowest cost, of the incumbent: `table.regret`.
        band: the quantiles between which the band lies.

    Returns:
        The axes.
    """
    ax = axes(ax)
    above = np.inf  # the lowest that is drawn and above zero
    for index, (name, given) in enumerate(histories.items()):
        runs = [given] if isinstance(given, History) else list(given)
        curves = [curve for run in runs if len((curve := trajectory(run, clock, regret))[0])]
        if not curves:
            continue
        grid, (low, middle, high) = quantiles(curves, (band[0], 0.5, band[1]))
        drawn = line(index)
        ax.step(grid, middle, where="post", label=name, **drawn)
        if len(curves) > 1:
            colour = drawn["color"]
            ax.fill_between(grid, low, high, step="post", color=colour, alpha=0.2, linewidth=0)
        above = min(above, middle[middle > 0].min(initial=np.inf))
    ax.set_xlabel(LABELS[clock])
    ax.set_ylabel(label)
    ax.grid(alpha=GRID)
    if ax.get_legend_handles_labels()[0]:
        ax.legend()
    if log and np.isfinite(above):
        logarithmic(ax, above)
    if log_clock:
        ax.set_xscale("log")
    return ax
