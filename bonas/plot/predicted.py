"""Predictions of a surrogate against observations."""

from __future__ import annotations

from math import isnan

import numpy as np
from matplotlib.axes import Axes

from bonas.analysis.cross_validation import Predictions
from bonas.analysis.sources import wrong
from bonas.plot.spearman import spearman
from bonas.plot.style import COLOURS, GRID, axes, legend, nothing
from spaces.display.palette import INK


def predicted(predictions: Predictions, ax: Axes | None = None, *, label: str = "cost") -> Axes:
    """Draw predicted costs with standard deviations against observed costs.

    Args:
        predictions: of `bonas.analysis.cross_validated`.
        ax: the axes; by default a new figure.
        label: the predicted quantity, with the unit if there is one.

    Returns:
        The axes, with Spearman's rank correlation as title.

    Raises:
        TypeError: `predictions` is not the predictions of one surrogate.
    """
    if not isinstance(predictions, Predictions):
        raise wrong("the result of `bonas.analysis.cross_validated`", predictions)
    ax = axes(ax, 4.8, 4.4)
    ax.errorbar(
        predictions.observed,
        predictions.mean,
        predictions.deviation,
        fmt="o",
        color=COLOURS[0],
        ecolor="#999999",
        elinewidth=0.8,
        markersize=4,
        alpha=0.8,
        label="± standard deviation",
    )
    both = np.concatenate([predictions.observed, predictions.mean])
    if len(both):
        ends = [both.min(), both.max()]
        ax.plot(ends, ends, "--", color=INK, linewidth=1)
    else:
        nothing(ax, "there are no predictions")
    ax.set_xlabel(f"observed {label}")
    ax.set_ylabel(f"predicted {label}")
    correlation = spearman(predictions.observed, predictions.mean)
    title = "no rank correlation" if isnan(correlation) else f"rank correlation {correlation:.2f}"
    ax.set_title(f"{title}, {len(predictions.observed)} evaluations", fontsize=10)
    ax.grid(alpha=GRID)
    if len(both):
        legend(ax, loc="upper left", fontsize=8)
    return ax
