"""Spearman's rank correlation where it means something."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.stats import spearmanr

ENOUGH = 3
"""Fewer pairs have no correlation worth a number."""


def spearman(first: Float[np.ndarray, " n"], second: Float[np.ndarray, " n"]) -> float:
    """Return the rank correlation of finite values.

    Returns:
        A number within [-1, 1]; not a number where there are fewer than three pairs, or where one
        side has the same value everywhere.
    """
    if len(first) < ENOUGH or not (np.ptp(first) and np.ptp(second)):
        return float("nan")
    return float(spearmanr(first, second).statistic)
