"""Whether a surrogate is as sure as it may be."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from bonas.analysis.cross_validation import Predictions
from bonas.analysis.sources import wrong
from bonas.plot.style import GRID, axes, labels, legend, line, nothing


def calibration(
    predictions: Predictions | Mapping[str, Predictions], ax: Axes | None = None
) -> Axes:
    """Draws which share of observations lies in central intervals of each probability.

    Below the diagonal a surrogate is too sure of itself, above it not sure enough. Kuleshov,
    Fenner and Ermon 2018, "Accurate uncertainties for deep learning using calibrated regression",
    section 3.1, for central intervals.

    Args:
        predictions: of `bonas.surrogates.cross_validated`, or several by the names of surrogates.
        ax: where to draw; by default a new figure.

    Returns:
        The axes.

    Raises:
        TypeError: what was given holds no predictions.
    """
    given = predictions if isinstance(predictions, Mapping) else {"": predictions}
    for found in given.values():
        if not isinstance(found, Predictions):
            raise wrong("what `bonas.surrogates.cross_validated` returns", found)
    ax = axes(ax, 4.8, 4.4)
    ax.plot([0, 1], [0, 1], color="#999999", linewidth=1)
    for index, (name, found) in enumerate(zip(labels(given), given.values(), strict=True)):
        levels = np.sort(found.levels)
        shares = np.arange(1, len(levels) + 1) / len(levels)
        steps = np.concatenate([[0], levels, [1]]), np.concatenate([[0], shares, [1]])
        ax.step(*steps, where="post", label=name, **line(index))
    ax.set_xlabel("probability of the predicted interval")
    ax.set_ylabel("share of observations within it")
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    ax.grid(alpha=GRID)
    if not any(len(found.observed) for found in given.values()):
        nothing(ax, "there are no predictions")
    legend(ax, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False)
    return ax
