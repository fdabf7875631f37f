"""What a surrogate learns instead of raw costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PENALTY = 1e100
"""No measured cost is larger: a cost beyond it, of either sign, is taken for a penalty."""

Transform = Callable[[Floats], Floats]
"""From finite costs to targets that are maximised."""


def imputed(costs: Sequence[float]) -> Floats:
    """The costs with the worst finite one in place of those that are not finite; 0 if none is."""
    values = np.array(costs, dtype=np.float64)
    finite = np.isfinite(values)
    values[~finite] = values[finite].max() if finite.any() else 0.0
    return values


def tamed(costs: Floats) -> Floats:
    """Return the costs with penalties pulled to just beyond the others.

    A penalty such as 1e300 would overflow in every variance, and its scale would leave nothing of
    the differences between the ordinary costs. What is above `PENALTY` is replaced by the highest
    ordinary cost plus their range, what is below `-PENALTY` by the lowest minus their range.
    """
    ordinary = costs[np.abs(costs) <= PENALTY]
    if len(ordinary) == len(costs):
        return costs
    if not len(ordinary):
        return np.sign(costs)
    low, high = ordinary.min(), ordinary.max()
    margin = high - low or 1.0
    bounded = np.where(costs > PENALTY, high + margin, costs)
    return np.where(costs < -PENALTY, low - margin, bounded)


def negative(costs: Floats) -> Floats:
    """Minus the cost; penalties are `tamed`."""
    return -tamed(costs)


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
    are positive; then no unit matters. Penalties are `tamed`.
    """
    values = tamed(costs)
    values = np.log(values) if values.min() > 0 else values
    spread = float(values.std())
    scale = spread if spread > 1e-12 * (1 + float(np.abs(values).max())) else 1.0
    return np.asarray((normal_scores(costs) - (values - values.mean()) / scale) / 2)
