"""The agreement of a prediction with what was evaluated, as a rank correlation."""

from __future__ import annotations

import numpy as np

from bonas.surrogates.transform import Floats


def agreement(predicted: Floats, costs: Floats, presumed: float, worth: float) -> float:
    """Return the rank correlation of predictions and minus costs, shrunk towards a presumed one.

    Args:
        predicted: one prediction per evaluation, the higher the better.
        costs: of the evaluations.
        presumed: the correlation before any evaluation.
        worth: the number of evaluations that the presumed one counts for.

    Returns:
        Between 0 and 1: 0 where the correlation is negative, and `presumed` where fewer than two
        evaluations differ.
    """
    n = len(costs)
    if n < 2 or np.ptp(predicted) == 0 or np.ptp(costs) == 0:
        return presumed
    from scipy.stats import spearmanr

    correlation = float(spearmanr(predicted, -costs).statistic)
    return max(0.0, (n * correlation + worth * presumed) / (n + worth))
