from __future__ import annotations

import numpy as np
import pytest

from bonas.surrogates.transform import (
    Transform,
    balanced_scores,
    imputed,
    negative,
    normal_scores,
)


def test_failures_count_as_the_worst_cost() -> None:
    assert imputed([1.0, float("inf"), 2.0, float("nan")]).tolist() == [1.0, 2.0, 2.0, 2.0]
    assert imputed([float("inf")]).tolist() == [0.0]


def test_normal_scores_depend_on_the_order_alone() -> None:
    costs = np.array([3.0, 1.0, 2.0, 1e9])
    assert np.array_equal(normal_scores(costs), normal_scores(np.log(costs)))
    assert normal_scores(costs).argmax() == 1
    assert abs(normal_scores(costs).sum()) < 1e-12


def test_equal_costs_have_equal_scores() -> None:
    assert normal_scores(np.ones(4)).tolist() == [0.0] * 4
    scores = normal_scores(np.array([1.0, 2.0, 2.0, 3.0]))
    assert scores[1] == scores[2] == 0.0


def test_negative_turns_costs_round() -> None:
    assert negative(np.array([1.0, 2.0])).tolist() == [-1.0, -2.0]


def test_balanced_scores_see_a_gap_that_ranks_do_not() -> None:
    even, gap = np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.01, 2.0, 3.0, 4.0])
    assert np.array_equal(normal_scores(even), normal_scores(gap))
    steps = [-np.diff(balanced_scores(costs)) for costs in (even, gap)]
    assert (steps[0] > 0).all()
    assert steps[1][0] > 1.2 * steps[0][0]


def test_balanced_scores_know_no_unit() -> None:
    costs = np.array([0.5, 3.0, 7.0])
    assert np.allclose(balanced_scores(costs), balanced_scores(1e6 * costs))
    shifted = costs - 3.0  # not positive, so without logarithms
    assert np.allclose(balanced_scores(shifted), balanced_scores(1e6 * shifted))


def test_balanced_scores_of_equal_costs_are_zero() -> None:
    assert balanced_scores(np.zeros(3)).tolist() == [0.0] * 3
    assert balanced_scores(np.full(3, 0.1)).tolist() == [0.0] * 3


PENALTIES = [1e300, -1e300, 1.7e308, -1.7e308]


@pytest.mark.parametrize("transform", [negative, normal_scores, balanced_scores])
@pytest.mark.parametrize("penalty", PENALTIES)
def test_penalties_leave_the_order_of_the_others(transform: Transform, penalty: float) -> None:
    for costs in ([0.3, 0.1, penalty, 0.4, 0.2], [0.3, -0.1, penalty, 0.0, penalty], [penalty] * 2):
        found = transform(np.array(costs))
        assert np.isfinite(found).all()
        assert np.argsort(-found, kind="stable").tolist() == np.argsort(costs).tolist()
        assert np.ptp(found) < 5  # no scale but that of the ordinary costs


def test_a_penalty_is_one_range_beyond_the_others() -> None:
    assert negative(np.array([2.0, 5.0, 1e300, -1e300])).tolist() == [-2.0, -5.0, -8.0, 1.0]
    assert negative(np.array([1e300, -1e300])).tolist() == [-1.0, 1.0]
    assert negative(np.array([2.0, 1e300])).tolist() == [-2.0, -3.0]
