from __future__ import annotations

import numpy as np

from bonas.surrogates.transform import imputed, negative, normal_scores


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
