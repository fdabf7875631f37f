from __future__ import annotations

import numpy as np
import pytest
import torch
from botorch.utils.multi_objective.hypervolume import Hypervolume
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fidelity.history.pareto import best_first, crowding, fronts, hypervolume, non_dominated


def points(costs: st.SearchStrategy[int]) -> st.SearchStrategy[np.ndarray]:
    # Few different numbers, so that there are ties and equal points.
    small = st.integers(0, 5).map(float)
    return st.tuples(st.integers(0, 25), costs).flatmap(lambda s: arrays(float, s, elements=small))


def dominates(one: np.ndarray, other: np.ndarray) -> bool:
    return bool((one <= other).all() and (one < other).any())


@settings(deadline=None)
@given(points(st.integers(1, 4)))
def test_nothing_dominates_what_is_non_dominated(costs: np.ndarray) -> None:
    expected = [not any(dominates(other, point) for other in costs) for point in costs]
    assert non_dominated(costs).tolist() == expected


@settings(deadline=None)
@given(points(st.integers(1, 4)))
def test_fronts_are_what_is_left_when_those_before_are_taken_away(costs: np.ndarray) -> None:
    numbers = fronts(costs)
    for number in range(int(numbers.max(initial=-1)) + 1):
        left = costs[numbers >= number]
        expected = [not any(dominates(other, point) for other in left) for point in left]
        assert (numbers[numbers >= number] == number).tolist() == expected


@settings(deadline=None)
@given(points(st.just(2)))
def test_two_costs_have_the_fronts_that_they_have_beside_a_constant_one(costs: np.ndarray) -> None:
    assert fronts(costs).tolist() == fronts(np.c_[costs, np.zeros(len(costs))]).tolist()


@settings(deadline=None)
@given(points(st.integers(1, 3)))
def test_the_best_come_first(costs: np.ndarray) -> None:
    order = best_first(costs)
    assert sorted(order) == list(range(len(costs)))
    assert (np.diff(fronts(costs)[order]) >= 0).all()


@settings(deadline=None)
@given(points(st.integers(2, 4)), st.integers(1, 6))
def test_hypervolumes_are_those_of_botorch(costs: np.ndarray, highest: int) -> None:
    reference = [float(highest)] * costs.shape[1]
    inside = costs[(costs < highest).all(axis=1)]
    expected = Hypervolume(-torch.tensor(reference, dtype=torch.float64)).compute(
        -torch.from_numpy(inside[non_dominated(inside)])
    )
    assert hypervolume(costs, reference) == pytest.approx(expected)


@settings(deadline=None)
@given(points(st.integers(1, 3)))
def test_one_more_point_never_takes_volume_away(costs: np.ndarray) -> None:
    reference = [6.0] * costs.shape[1]
    volumes = [hypervolume(costs[:n], reference) for n in range(len(costs) + 1)]
    assert volumes[0] == 0
    assert (np.diff(volumes) >= -1e-9).all()


def test_crowding_by_hand() -> None:
    # Neighbours of the second are 2 of 4 apart in the first cost and 5 of 10 in the second.
    costs = np.array([[0.0, 10.0], [1.0, 6.0], [2.0, 5.0], [4.0, 0.0]])
    assert crowding(costs).tolist() == [np.inf, 2 / 4 + 5 / 10, 3 / 4 + 6 / 10, np.inf]
    assert best_first(np.vstack([costs, [5.0, 11.0]])).tolist() == [0, 3, 2, 1, 4]


def test_a_cost_that_is_the_same_everywhere_adds_no_room() -> None:
    costs = np.array([[0.0, 1.0], [1.0, 1.0], [2.0, 1.0]])
    assert crowding(costs)[1] == 1.0


def test_a_hypervolume_by_hand() -> None:
    costs = np.array([[1.0, 3.0], [2.0, 1.0], [2.5, 2.5], [9.0, 0.0]])
    assert hypervolume(costs, [4.0, 4.0]) == 3 * 1 + 2 * 2


def test_a_reference_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="the reference has 3 costs, the points 2"):
        hypervolume(np.zeros((1, 2)), [1.0, 1.0, 1.0])


HUGE = st.sampled_from([-1.7e308, -1e300, 0.1, 0.2, 0.3, 1e300, 1.7e308])


@settings(deadline=None)
@given(
    st.tuples(st.integers(1, 9), st.integers(1, 4)).flatmap(
        lambda s: arrays(float, s, elements=HUGE)
    )
)
def test_huge_costs_dominate_and_are_dominated_like_others(costs: np.ndarray) -> None:
    expected = [not any(dominates(other, point) for other in costs) for point in costs]
    assert non_dominated(costs).tolist() == expected
    assert not np.isnan(crowding(costs)).any()
    assert (np.diff(fronts(costs)[best_first(costs)]) >= 0).all()


@pytest.mark.parametrize("penalty", [1e300, 1.7e308])
def test_a_penalty_adds_no_hypervolume(penalty: float) -> None:
    front = np.array([[0.1, 0.5], [0.5, 0.1], [penalty, 0.01], [0.01, penalty], [0.1, 0.5]])
    assert hypervolume(front, (1, 1)) == pytest.approx(0.65)
    assert hypervolume(np.c_[front, front[:, 0]], (1, 1, 1)) == pytest.approx(0.505)


def test_hypervolumes_are_finite_where_they_are_no_larger_than_numbers() -> None:
    assert hypervolume(np.array([[0.5, 0.0]]), (1.0, 1e300)) == pytest.approx(5e299)
    # The first extent is above the largest number, the volume is not.
    assert hypervolume(np.array([[-1e308, 0.5]]), (1e308, 1.0)) == pytest.approx(1e308)
    points = np.array([[-1e300, 0.25, 0.5], [-1e300, 0.5, 0.25]])
    assert hypervolume(points, (1e300, 1.0, 1.0)) == pytest.approx(2e300 * 0.5)
    assert hypervolume(points, (1e300, 1e300, 1.0)) == np.inf
    tiny = np.array([[1e-200, 1e-200, -1e300]])
    assert hypervolume(tiny, (2e-200, 2e-200, 1e300)) == pytest.approx(2e-100)
