"""The transformed costs that surrogates are fitted to."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MAX_COST = 1e100
"""The largest magnitude of a measured cost; a larger one is a penalty."""

Transform = Callable[[Floats], Floats]
"""Maps finite costs to targets that are maximised."""


def imputed(costs: Sequence[float]) -> Floats:
    """Return the costs with the worst finite one for those that are not finite; 0 if none is."""
    values = np.array(costs, dtype=np.float64)
    finite = np.isfinite(values)
    values[~finite] = values[finite].max() if finite.any() else 0.0
    return values


def tamed(costs: Floats) -> Floats:
    """Return the costs with penalties moved to just beyond the others.

    A penalty such as 1e300 would overflow in every variance, and its scale would hide the
    differences between the ordinary costs. A cost above `MAX_COST` becomes the highest
    ordinary cost plus their range, a cost below `-MAX_COST` the lowest minus their range.
    """
    ordinary = costs[np.abs(costs) <= MAX_COST]
    if len(ordinary) == len(costs):
        return costs
    if not len(ordinary):
        return np.sign(costs)
    low, high = ordinary.min(), ordinary.max()
    margin = high - low or 1.0
    bounded = np.where(costs > MAX_COST, high + margin, costs)
    return np.where(costs < -MAX_COST, low - margin, bounded)


def negative(costs: Floats) -> Floats:
    """Return minus the costs; penalties are `tamed`."""
    return -tamed(costs)


def normal_scores(costs: Floats) -> Floats:
    """Return normal quantiles of the ranks (van der Waerden 1952), robust to outliers and scale.

    The lowest cost has the highest score; equal costs share the mean of their ranks.
    """
    from scipy.special import ndtri

    _, indices, counts = np.unique(costs, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    return np.asarray(-ndtri((ranks[indices] - 0.5) / len(costs)), dtype=np.float64)


def balanced_scores(costs: Floats) -> Floats:
    """Return the mean of the normal scores and of the standardised costs or their logarithms.

    Ranks are robust, but every gap between two costs is one step, in which an expected
    hypervolume improvement finds nothing to gain. Logarithms, which have no unit, are taken where
    all costs are positive. Penalties are `tamed`.
    """
    values = tamed(costs)
    values = np.log(values) if values.min() > 0 else values
    spread = float(values.std())
    scale = spread if spread > 1e-12 * (1 + float(np.abs(values).max())) else 1.0
    return np.asarray((normal_scores(costs) - (values - values.mean()) / scale) / 2)
