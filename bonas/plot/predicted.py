"""What a surrogate predicts against what was observed."""

from __future__ import annotations

from math import isnan

import numpy as np
from matplotlib.axes import Axes

from bonas.analysis.cross_validation import Predictions
from bonas.analysis.sources import wrong
from bonas.plot.spearman import spearman
from bonas.plot.style import COLOURS, GRID, INK, axes, nothing


def predicted(predictions: Predictions, ax: Axes | None = None, *, label: str = "cost") -> Axes:
    """Draws predictions with their standard deviations against what was observed.

    Args:
        predictions: of `bonas.surrogates.cross_validated`.
        ax: where to draw; by default a new figure.
        label: what is predicted, with its unit if it has one.

    Returns:
        The axes, with the rank correlation (Spearman) above.

    Raises:
        TypeError: what was given holds no predictions, or those of several surrogates.
    """
    if not isinstance(predictions, Predictions):
        raise wrong("what `bonas.surrogates.cross_validated` returns", predictions)
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
    told = "no rank correlation" if isnan(correlation) else f"rank correlation {correlation:.2f}"
    ax.set_title(f"{told}, {len(both) // 2} evaluations", fontsize=10)
    ax.grid(alpha=GRID)
    return ax
