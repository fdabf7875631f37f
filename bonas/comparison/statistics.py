"""Statistics of a comparison, as functions of arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

Values = Float[np.ndarray, " runs"]
Blocks = Float[np.ndarray, "seeds names"]
"""Results; those in one row have the same seed and are comparable. Lower is better."""

BOOTSTRAP_SAMPLES = 10_000


def bootstrap_mean(
    values: Values, confidence: float, rng: np.random.Generator
) -> tuple[float, float]:
    """Return a percentile bootstrap confidence interval of the mean.

    Efron 1979, "Bootstrap methods: another look at the jackknife".

    Args:
        values: of the runs.
        confidence: level of the interval.
        rng: of the samples.

    Returns:
        Its bounds; both are the value itself if there is only one.
    """
    drawn = rng.integers(len(values), size=(BOOTSTRAP_SAMPLES, len(values)))
    outside = (1 - confidence) / 2
    low, high = np.quantile(values[drawn].mean(axis=1), [outside, 1 - outside])
    return float(low), float(high)


def ranks(blocks: Blocks) -> Blocks:
    """Return the rank of each name with each seed, from 1; ties share their mean rank."""
    from scipy.stats import rankdata

    ranked: Blocks = rankdata(blocks, axis=1)
    return ranked


def friedman(blocks: Blocks) -> float:
    """Return the p-value of the test of Friedman (1937) that all names are equal.

    It is 1 for fewer than three names, where a test of the pair says more, and for equal results.
    """
    from scipy.stats import friedmanchisquare

    if blocks.shape[1] < 3 or len(blocks) < 2 or (blocks == blocks[:, :1]).all():
        return 1.0
    return float(friedmanchisquare(*blocks.T).pvalue)


def critical_difference(names: int, seeds: int, alpha: float) -> float:
    """Return the smallest significant difference of mean ranks (Nemenyi 1963).

    Demšar 2006, "Statistical comparisons of classifiers over multiple data sets", section 3.2.2.

    Args:
        names: the number of names.
        seeds: the number of seeds.
        alpha: the significance level.
    """
    from scipy import stats

    # By name, because mypy does not always see the distributions of scipy.
    studentized_range = vars(stats)["studentized_range"]
    quantile = float(studentized_range.ppf(1 - alpha, names, np.inf)) / np.sqrt(2)
    return float(quantile * np.sqrt(names * (names + 1) / (6 * seeds)))


@dataclass(frozen=True)
class Paired:
    """The comparison of two names, seed by seed.

    Attributes:
        difference: the median of the first minus the second.
        wins: the number of seeds with which the first has the lower value.
        losses: the number with which it has the higher one.
        p: the two-sided p-value of Wilcoxon's signed-rank test (1945).
    """

    difference: float
    wins: int
    losses: int
    p: float


def paired(first: Values, second: Values) -> Paired:
    """Compare the results of two names with the same seeds.

    Args:
        first: results of the first name.
        second: results of the second name.
    """
    difference = first - second
    wins, losses = int((difference < 0).sum()), int((difference > 0).sum())
    return Paired(float(np.median(difference)), wins, losses, signed_rank(difference))


def signed_rank(difference: Values) -> float:
    """Return the two-sided p-value of Wilcoxon's signed-rank test, exact also with ties.

    Differences of zero are dropped. The null distribution of the sum of the positive differences'
    ranks, where both signs are equally likely, is convolved rank by rank; ranks are doubled to make
    mean ranks whole numbers.
    """
    from scipy.stats import rankdata

    nonzero = difference[difference != 0]
    doubled = (2 * rankdata(np.abs(nonzero))).astype(int)
    sums = np.ones(1)
    for rank in doubled:
        longer = np.zeros(len(sums) + rank)
        longer[: len(sums)] += sums / 2
        longer[rank:] += sums / 2
        sums = longer
    positive = int(doubled[nonzero > 0].sum())
    smaller = min(positive, len(sums) - 1 - positive)
    return min(1.0, 2 * float(sums[: smaller + 1].sum()))


def holm(p: Float[np.ndarray, " tests"]) -> Float[np.ndarray, " tests"]:
    """Return the p-values of several tests with Holm's correction for their number.

    Holm 1979, "A simple sequentially rejective multiple test procedure": rejecting where they are
    at most alpha bounds the probability of any false rejection by alpha.
    """
    order = np.argsort(p, kind="stable")
    scaled = p[order] * np.arange(len(p), 0, -1)
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return corrected
