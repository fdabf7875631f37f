from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bonas.comparison.statistics import (
    bootstrap_mean,
    critical_difference,
    friedman,
    holm,
    paired,
    ranks,
    signed_rank,
)

PROBABILITIES = st.lists(st.floats(0, 1), min_size=1, max_size=10)
DIFFERENCES = st.lists(st.integers(-6, 6), min_size=1, max_size=9)


def test_ranks_by_hand() -> None:
    blocks = np.array([[0.3, 0.1, 0.2], [0.5, 0.5, 0.1], [1.0, 1.0, 1.0]])
    assert ranks(blocks).tolist() == [[3, 1, 2], [2.5, 2.5, 1], [2, 2, 2]]


@pytest.mark.parametrize(
    ("difference", "p"),
    [
        # All of five have one sign: two of 32 sign patterns are as extreme.
        ([1, 2, 3, 4, 5], 2 / 32),
        # The smallest has the other sign: sums 0 and 1, on each side.
        ([-1, 2, 3, 4, 5], 4 / 32),
        # A zero counts for nothing.
        ([0, 1, 2, 3], 2 / 8),
        # All ranks are 2: patterns with none or one of the other sign, on each side.
        ([1, 1, -1], 1.0),
        ([1, 1, 1], 2 / 8),
        ([0, 0], 1.0),
    ],
)
def test_signed_ranks_by_hand(difference: list[float], p: float) -> None:
    assert signed_rank(np.array(difference, dtype=float)) == pytest.approx(p)
    assert signed_rank(-np.array(difference, dtype=float)) == pytest.approx(p)


def test_signed_ranks_are_those_of_scipy_without_ties() -> None:
    rng = np.random.default_rng(0)
    for size in (3, 8, 20, 45):
        difference = rng.normal(0.3, 1, size)
        wanted = stats.wilcoxon(difference, method="exact").pvalue
        assert signed_rank(difference) == pytest.approx(wanted)


@given(DIFFERENCES)
def test_signed_ranks_are_exact_with_ties(difference: list[int]) -> None:
    """Against every pattern of signs."""
    told = np.array([d for d in difference if d], dtype=float)
    places = stats.rankdata(np.abs(told))
    signs = (np.arange(2 ** len(told))[:, None] >> np.arange(len(told))) & 1
    sums = signs @ places
    middle = places.sum() / 2
    observed = abs(places[told > 0].sum() - middle)
    wanted = float((np.abs(sums - middle) >= observed - 1e-9).mean())
    assert signed_rank(np.array(difference, dtype=float)) == pytest.approx(wanted)


def test_a_pair_by_hand() -> None:
    found = paired(np.array([1.0, 2, 3, 4]), np.array([2.0, 4, 3, 1]))
    assert (found.difference, found.wins, found.losses) == (-0.5, 2, 1)
    # Differences -1, -2, 3: sums 3 and 3 of 6, so nothing is less extreme.
    assert found.p == 1.0


def test_holm_by_hand() -> None:
    # Sorted 0.01, 0.02, 0.03, 0.04: times 4, 3, 2, 1, and never falling.
    assert holm(np.array([0.03, 0.01, 0.04, 0.02])) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm(np.array([0.9, 0.8])).tolist() == [1.0, 1.0]
    assert holm(np.array([])).tolist() == []


@given(PROBABILITIES)
def test_holm_lies_between_nothing_and_bonferroni(p: list[float]) -> None:
    given_, corrected = np.array(p), holm(np.array(p))
    assert (corrected >= given_).all()
    assert (corrected <= np.minimum(1.0, len(p) * given_) + 1e-12).all()
    order = np.argsort(given_, kind="stable")
    assert (np.diff(corrected[order]) >= 0).all()


@pytest.mark.parametrize(
    ("names", "alpha", "quantile"),
    # Demšar 2006, table 5a.
    [(2, 0.05, 1.960), (4, 0.05, 2.569), (10, 0.05, 3.164), (5, 0.10, 2.459)],
)
def test_the_critical_difference_of_demsar(names: int, alpha: float, quantile: float) -> None:
    wanted = quantile * (names * (names + 1) / (6 * 14)) ** 0.5
    assert critical_difference(names, 14, alpha) == pytest.approx(wanted, rel=1e-3)


def test_friedman_by_hand() -> None:
    # Four seeds agree on the order of three: 12 / (4 * 3 * 4) * (4² + 8² + 12²) - 3 * 4 * 4 = 8.
    blocks = np.tile([1.0, 2.0, 3.0], (4, 1)) + np.arange(4)[:, None]
    assert friedman(blocks) == pytest.approx(float(stats.chi2.sf(8, 2)))


@pytest.mark.parametrize(
    "blocks", [np.ones((5, 3)), np.arange(10.0).reshape(5, 2), np.ones((1, 4))]
)
def test_friedman_has_nothing_to_say(blocks: np.ndarray) -> None:
    assert friedman(blocks) == 1.0


def test_the_bootstrap_interval_of_many_values() -> None:
    values = np.random.default_rng(1).normal(5, 2, 400)
    low, high = bootstrap_mean(values, 0.95, np.random.default_rng(0))
    error = 1.96 * values.std() / 20
    assert low == pytest.approx(values.mean() - error, abs=0.02)
    assert high == pytest.approx(values.mean() + error, abs=0.02)


def test_the_bootstrap_interval_of_one_value() -> None:
    assert bootstrap_mean(np.array([3.0]), 0.95, np.random.default_rng(0)) == (3.0, 3.0)
