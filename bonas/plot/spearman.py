"""Spearman's rank correlation, undefined for too few or constant values."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.stats import spearmanr

MIN_PAIRS = 3
"""The number of pairs from which a correlation is meaningful."""


def spearman(first: Float[np.ndarray, " n"], second: Float[np.ndarray, " n"]) -> float:
    """Return the rank correlation of pairs of finite values.

    Args:
        first: the first value of each pair.
        second: the second value of each pair.

    Returns:
        A number within [-1, 1]; NaN for fewer than three pairs or constant values.
    """
    if len(first) < MIN_PAIRS or not (np.ptp(first) and np.ptp(second)):
        return float("nan")
    return float(spearmanr(first, second).statistic)
