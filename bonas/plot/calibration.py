"""Whether a surrogate is as sure as it may be."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from bonas.plot.style import GRID, axes, line
from bonas.surrogates.validation import Predictions


def calibration(predictions: Mapping[str, Predictions], ax: Axes | None = None) -> Axes:
    """Draws which share of observations lies in central intervals of each probability.

    Below the diagonal a surrogate is too sure of itself, above it not sure enough. Kuleshov,
    Fenner and Ermon 2018, "Accurate uncertainties for deep learning using calibrated regression",
    section 3.1, for central intervals.

    Args:
        predictions: of `bonas.surrogates.cross_validated`, by the names of surrogates.
        ax: where to draw; by default a new figure.

    Returns:
        The axes.
    """
    ax = axes(ax, 4.8, 4.4)
    ax.plot([0, 1], [0, 1], color="#999999", linewidth=1)
    for index, (name, found) in enumerate(predictions.items()):
        levels = np.sort(found.levels)
        shares = np.arange(1, len(levels) + 1) / len(levels)
        steps = np.concatenate([[0], levels, [1]]), np.concatenate([[0], shares, [1]])
        ax.step(*steps, where="post", label=name, **line(index))
    ax.set_xlabel("probability of the predicted interval")
    ax.set_ylabel("share of observations within it")
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    ax.grid(alpha=GRID)
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False)
    return ax
