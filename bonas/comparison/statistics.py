"""The statistics of a comparison, as functions of arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

Values = Float[np.ndarray, " runs"]
Blocks = Float[np.ndarray, "seeds names"]
"""Results of which those in one row are comparable: of the same seed. The lower the better."""

DRAWS = 10_000
"""Of a bootstrap."""


def bootstrap_mean(
    values: Values, confidence: float, rng: np.random.Generator
) -> tuple[float, float]:
    """A confidence interval of the mean: percentiles of the means of runs drawn anew.

    Efron 1979, "Bootstrap methods: another look at the jackknife".

    Returns:
        Its ends; both are the value itself if there is only one.
    """
    drawn = rng.integers(len(values), size=(DRAWS, len(values)))
    outside = (1 - confidence) / 2
    low, high = np.quantile(values[drawn].mean(axis=1), [outside, 1 - outside])
    return float(low), float(high)


def ranks(blocks: Blocks) -> Blocks:
    """The rank of each name among those of its seed, from 1; equals share the mean of theirs."""
    from scipy.stats import rankdata

    found: Blocks = rankdata(blocks, axis=1)
    return found


def friedman(blocks: Blocks) -> float:
    """The probability of ranks this different if all names were equal (Friedman 1937).

    Of fewer than three names, and of results that are all equal, it is 1: there is nothing to
    tell, or nothing that a test of a pair would not tell.
    """
    from scipy.stats import friedmanchisquare

    if blocks.shape[1] < 3 or len(blocks) < 2 or (blocks == blocks[:, :1]).all():
        return 1.0
    return float(friedmanchisquare(*blocks.T).pvalue)


def critical_difference(names: int, seeds: int, alpha: float) -> float:
    """From which difference of mean ranks on two of several names differ (Nemenyi 1963).

    Demšar 2006, "Statistical comparisons of classifiers over multiple data sets", section 3.2.2.
    """
    from scipy import stats

    # By its name: mypy sees the distributions of scipy at one time and not at another.
    studentized_range = vars(stats)["studentized_range"]
    quantile = float(studentized_range.ppf(1 - alpha, names, np.inf)) / np.sqrt(2)
    return float(quantile * np.sqrt(names * (names + 1) / (6 * seeds)))


@dataclass(frozen=True)
class Paired:
    """Two names compared seed by seed.

    Attributes:
        difference: the median of the first minus the second.
        wins: of how many seeds the first one had the lower value.
        losses: of how many the higher one.
        p: of Wilcoxon's signed-rank test (1945), two-sided: the probability of differences at
            least as one-sided if neither were better.
    """

    difference: float
    wins: int
    losses: int
    p: float


def paired(first: Values, second: Values) -> Paired:
    """Compares two names by their results on the same seeds."""
    difference = first - second
    wins, losses = int((difference < 0).sum()), int((difference > 0).sum())
    return Paired(float(np.median(difference)), wins, losses, signed_rank(difference))


def signed_rank(difference: Values) -> float:
    """The two-sided p-value of Wilcoxon's signed-rank test, exact also where there are ties.

    Differences of zero count for nothing. The distribution of the sum of the ranks of positive
    differences, of which each sign is as likely as the other, is convolved rank by rank; ranks
    are doubled, so that the mean of two is a whole number.
    """
    from scipy.stats import rankdata

    told = difference[difference != 0]
    doubled = (2 * rankdata(np.abs(told))).astype(int)
    sums = np.ones(1)
    for rank in doubled:
        longer = np.zeros(len(sums) + rank)
        longer[: len(sums)] += sums / 2
        longer[rank:] += sums / 2
        sums = longer
    positive = int(doubled[told > 0].sum())
    smaller = min(positive, len(sums) - 1 - positive)
    return min(1.0, 2 * float(sums[: smaller + 1].sum()))


def holm(p: Float[np.ndarray, " tests"]) -> Float[np.ndarray, " tests"]:
    """Probabilities of several tests, corrected for their number.

    Holm 1979, "A simple sequentially rejective multiple test procedure": to reject where they are
    at most alpha makes any wrong rejection as likely as alpha.
    """
    order = np.argsort(p, kind="stable")
    scaled = p[order] * np.arange(len(p), 0, -1)
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return corrected
