"""The mean rank of several searches among each other, against what was spent."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from scipy.stats import rankdata

from bonas.analysis.sources import Runs, Sources
from bonas.analysis.trajectory import LABELS, Clock, Regret, at, trajectory
from bonas.plot.style import GRID, axes, labels, legend, line, nothing, steps


def mean_rank(
    histories: Sources,
    ax: Axes | None = None,
    *,
    clock: Clock | None = None,
    regret: Regret | None = None,
) -> Axes:
    """Draws the rank of each setup among all of them, its mean over the seeds.

    Rank 1 has the lowest cost so far; equals share the mean of their ranks, and whoever has found
    nothing yet is last. The band is the standard error of the mean.

    Args:
        histories: by name, of each name as many, in the order of the same seeds; or a comparison,
            of which the seeds count with which every setup found something. A search or its
            directory stands for its history.
        ax: where to draw; by default a new figure.
        clock: what the horizontal axis counts: by default epochs, or what a comparison counts.
        regret: what is ranked instead of the lowest cost, of the incumbent: `table.regret`; by
            default that of a comparison.

    Returns:
        The axes.

    Raises:
        ValueError: there are fewer than two names, or not as many histories of each.
        TypeError: what was given stands for no histories.
        JournalError: a directory has no history, or it cannot be read.
    """
    compared = Runs.of(histories, paired=True)
    clock, regret = clock or compared.clock, regret or compared.regret
    sizes = {name: len(runs) for name, runs in compared.histories.items()}
    if len(sizes) < 2 or len({*sizes.values()}) > 1 or not all(sizes.values()):
        raise ValueError(
            "ranks need two names or more, and of each name a history of each seed in the same "
            f"order; there are {sizes}"
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
        mean = of.mean(axis=0)
        if len(moments):
            steps(ax, index, name, moments, mean)
        if seeds > 1:
            error = of.std(axis=0, ddof=1) / seeds**0.5
            ax.fill_between(
                moments,
                mean - error,
                mean + error,
                step="post",
                color=line(index)["color"],
                alpha=0.2,
                linewidth=0,
            )
    ax.set_xlabel(LABELS[clock])
    ax.set_ylabel("mean rank (1 is the best)")
    ax.set_ylim(len(sizes) + 0.2, 0.8)
    ax.grid(alpha=GRID)
    if not len(moments):
        nothing(ax)
    legend(ax, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False)
    return ax
