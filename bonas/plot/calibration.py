"""Calibration of surrogates."""

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
    """Draw the share of observations within central intervals of each probability.

    A surrogate below the diagonal is overconfident, one above it underconfident. Kuleshov, Fenner
    and Ermon 2018, "Accurate uncertainties for deep learning using calibrated regression", section
    3.1, here for central intervals.

    Args:
        predictions: of `bonas.analysis.cross_validated`; for several surrogates, by name.
        ax: the axes; by default a new figure.

    Raises:
        TypeError: `predictions` holds no predictions.
    """
    by_name = predictions if isinstance(predictions, Mapping) else {"": predictions}
    for each in by_name.values():
        if not isinstance(each, Predictions):
            raise wrong("the result of `bonas.analysis.cross_validated`", each)
    ax = axes(ax, 4.8, 4.4)
    ax.plot([0, 1], [0, 1], color="#999999", linewidth=1)
    for index, (name, each) in enumerate(zip(labels(by_name), by_name.values(), strict=True)):
        levels = np.sort(each.levels)
        shares = np.arange(1, len(levels) + 1) / len(levels)
        steps = np.concatenate([[0], levels, [1]]), np.concatenate([[0], shares, [1]])
        ax.step(*steps, where="post", label=name, **line(index))
    ax.set_xlabel("probability of the predicted interval")
    ax.set_ylabel("share of observations inside")
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    ax.grid(alpha=GRID)
    if not any(len(each.observed) for each in by_name.values()):
        nothing(ax, "there are no predictions")
    legend(ax, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False)
    return ax
