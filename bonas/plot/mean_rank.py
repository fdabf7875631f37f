"""The mean rank of several searches against what was spent."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from scipy.stats import rankdata

from bonas.analysis.sources import Runs, Sources
from bonas.analysis.trajectory import Clock, Regret, at, trajectory
from bonas.plot.style import GRID, axes, clock_axis, labels, legend, nothing, steps


def mean_rank(
    histories: Sources,
    ax: Axes | None = None,
    *,
    clock: Clock | None = None,
    regret: Regret | None = None,
) -> Axes:
    """Draw the mean rank of each setup over the seeds.

    Rank 1 has the lowest cost so far; ties share the mean of their ranks, and setups without a
    success rank last. The band is the standard error of the mean.

    Args:
        histories: by name, the histories, searches or directories of the same seeds in the same
            order; or a comparison, of which only the seeds with a success of every setup count.
        ax: the axes; by default a new figure.
        clock: the unit of the horizontal axis; by default epochs, or the clock of a comparison.
        regret: of a configuration, such as `table.regret`; if given, the regret of the incumbent
            is ranked instead of the lowest cost. By default the regret of a comparison, if known.

    Raises:
        ValueError: there are fewer than two names, or names with different numbers of histories.
        TypeError, JournalError: a source has no readable history.
    """
    compared = Runs.of(histories, paired=True)
    clock, regret = clock or compared.clock, regret or compared.regret
    sizes = {name: len(runs) for name, runs in compared.histories.items()}
    if len(sizes) < 2 or len({*sizes.values()}) > 1 or not all(sizes.values()):
        raise ValueError(
            "ranks need two names or more, and of each name a history of each seed in the same "
            f"order; the numbers of histories are {sizes}"
        )
    ax = axes(ax)
    curves = [
        [trajectory(run, clock, regret) for run in runs] for runs in compared.histories.values()
    ]
    moments = np.unique(np.concatenate([times for runs in curves for times, _ in runs]))
    values = np.array([[at(curve, moments) for curve in runs] for runs in curves])
    ranks = rankdata(values, axis=0)  # (names, seeds, moments)
    seeds = ranks.shape[1]
    for index, (name, of) in enumerate(zip(labels(sizes), ranks, strict=True)):
        mean, band = of.mean(axis=0), None
        if seeds > 1:
            error = of.std(axis=0, ddof=1) / seeds**0.5
            band = mean - error, mean + error
        if len(moments):
            steps(ax, index, name, moments, mean, band)
    clock_axis(ax, clock)
    ax.set_ylabel("mean rank (1 is best)")
    ax.set_ylim(len(sizes) + 0.2, 0.8)
    ax.grid(alpha=GRID)
    if not len(moments):
        nothing(ax)
    explained = "standard error" if ax.collections else ""
    above: dict[str, Any] = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0)}
    legend(ax, explained, ncols=2, fontsize=9, frameon=False, **above)
    return ax
