"""What a surrogate learns instead of raw costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

Transform = Callable[[Floats], Floats]
"""From finite costs to targets that are maximised."""


def imputed(costs: Sequence[float]) -> Floats:
    """The costs with the worst finite one in place of those that are not finite; 0 if none is."""
    values = np.array(costs, dtype=np.float64)
    finite = np.isfinite(values)
    values[~finite] = values[finite].max() if finite.any() else 0.0
    return values


def negative(costs: Floats) -> Floats:
    """Minus the cost."""
    return -costs


def normal_scores(costs: Floats) -> Floats:
    """Normal quantiles of the ranks (van der Waerden 1952): robust to outliers and to scale.

    The lowest cost has the highest score; equal costs share the mean of their ranks.
    """
    from scipy.special import ndtri

    _, places, counts = np.unique(costs, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    return np.asarray(-ndtri((ranks[places] - 0.5) / len(costs)), dtype=np.float64)


def balanced_scores(costs: Floats) -> Floats:
    """The mean of normal scores and of the standardised costs, or their logarithms.

    Ranks are robust, but a gap between two costs, however wide, is to them one step: there, an
    expected hypervolume improvement sees nothing to gain. Logarithms are taken where all costs
    are positive; then no unit matters.
    """
    values = np.log(costs) if costs.min() > 0 else costs
    spread = float(values.std())
    scale = spread if spread > 1e-12 * (1 + float(np.abs(values).max())) else 1.0
    return np.asarray((normal_scores(costs) - (values - values.mean()) / scale) / 2)
