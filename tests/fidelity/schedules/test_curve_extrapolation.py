import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fidelity.schedules.curve_extrapolation import POINTS, Curve, extrapolate

HORIZON = 27
SHAPES = {
    "power law": lambda t: t**-0.7,
    "exponential": lambda t: math.exp(-t / 6),
    "logarithm": lambda t: 1 - math.log(t) / math.log(40),
    "line": lambda t: 1 - t / 30,
}
costs = st.floats(0.01, 1.0)


def drawn(shape: str, end: float, drop: float, points: int, noise: float = 0.0) -> Curve:
    rng = np.random.default_rng(points)
    return [(t, end + drop * SHAPES[shape](t) + noise * rng.normal()) for t in range(1, points + 1)]


@st.composite
def curves(draw: st.DrawFn) -> Curve:
    steps = draw(st.lists(st.integers(1, HORIZON - 1), min_size=1, max_size=20, unique=True))
    return [(step, draw(st.floats(-5, 5))) for step in steps]


class TestExtrapolation:
    @settings(max_examples=100, deadline=None)
    @given(curve=curves(), thresholds=st.lists(st.floats(-10, 10), min_size=2, max_size=9))
    def test_is_a_distribution(self, curve: Curve, thresholds: list[float]) -> None:
        belief = extrapolate(curve, HORIZON)
        assert math.isclose(belief.weights.sum(), 1.0)
        assert math.isfinite(belief.mean)
        assert belief.deviation > 0
        below = [belief.probability_below(threshold) for threshold in sorted(thresholds)]
        assert all(0 <= p <= 1 + 1e-12 for p in below)
        assert all(a <= b + 1e-12 for a, b in pairwise(below))
        assert belief.probability_below(math.inf) == pytest.approx(1)
        assert belief.probability_below(-math.inf) == 0

    @settings(max_examples=50, deadline=None)
    @given(curve=curves(), scale=st.floats(0.01, 100))
    def test_units_of_the_cost_do_not_matter(self, curve: Curve, scale: float) -> None:
        assume(max(abs(cost) for _, cost in curve) > 1e-3)
        one = extrapolate(curve, HORIZON)
        other = extrapolate([(step, scale * cost) for step, cost in curve], HORIZON)
        assert other.mean == pytest.approx(scale * one.mean, rel=1e-6, abs=1e-9)
        assert other.deviation == pytest.approx(scale * one.deviation, rel=1e-6)

    @settings(max_examples=50, deadline=None)
    @given(curve=curves())
    def test_the_same_curve_gives_the_same_whatever_its_order(self, curve: Curve) -> None:
        one, other = extrapolate(curve, HORIZON), extrapolate(curve[::-1], HORIZON)
        assert np.array_equal(one.means, other.means)
        assert np.array_equal(one.weights, other.weights)

    @settings(max_examples=80, deadline=None)
    @given(shape=st.sampled_from(sorted(SHAPES)), end=costs, drop=costs)
    def test_more_data_narrower(self, shape: str, end: float, drop: float) -> None:
        # A flat curve is not what was expected, which more points tell better than one.
        assume(drop > 0.1 * end)
        deviations = [
            extrapolate(drawn(shape, end, drop, points), HORIZON).deviation
            for points in (1, 6, 12, 24)
        ]
        assert deviations == sorted(deviations, reverse=True)

    @settings(max_examples=80, deadline=None)
    @given(shape=st.sampled_from(sorted(SHAPES)), end=costs, drop=costs)
    def test_the_truth_is_not_excluded(self, shape: str, end: float, drop: float) -> None:
        truth = end + drop * SHAPES[shape](HORIZON)
        for points in (1, 3, 9, 18, 26):
            belief = extrapolate(drawn(shape, end, drop, points, 0.005), HORIZON)
            assert abs(belief.mean - truth) < 3 * belief.deviation

    def test_an_exact_curve_is_carried_on(self) -> None:
        belief = extrapolate(drawn("power law", 0.1, 0.8, 18), HORIZON)
        assert belief.mean == pytest.approx(0.1 + 0.8 * HORIZON**-0.7, abs=0.01)
        assert belief.probability_below(0.05) < 0.01
        assert belief.probability_below(0.3) > 0.99

    @pytest.mark.parametrize("cost", [0.0, 0.9, -3.0, 1e-12, 1e9])
    def test_constant_curves(self, cost: float) -> None:
        belief = extrapolate([(step, cost) for step in range(1, 25)], HORIZON)
        unit = abs(cost) or 1.0
        assert belief.mean == pytest.approx(cost, abs=0.02 * unit)
        assert 0 < belief.deviation < 0.1 * unit

    def test_one_point_says_little(self) -> None:
        belief = extrapolate([(1, 0.8)], HORIZON)
        assert 0.1 < belief.mean < 0.8
        assert belief.probability_below(0.1) > 0.05

    @pytest.mark.parametrize(
        "costs", [[1e300, 0.5, 0.4], [0.6, 0.5, 1e300], [1.7e308] * 3, [-1.7e308, 1.7e308, 0.0]]
    )
    def test_huge_costs_are_no_obstacle(self, costs: list[float]) -> None:
        found = extrapolate(list(enumerate(costs, start=1)), 9)
        assert math.isfinite(found.mean)
        assert 0 < found.deviation < math.inf
        chances = [found.probability_below(cost) for cost in (-1.7e308, 0.4, 1e300, 1.7e308)]
        assert chances == sorted(chances)
        assert chances[0] >= 0
        assert chances[-1] == pytest.approx(1)

    def test_what_is_not_finite_is_left_out(self) -> None:
        curve = [(1, 0.8), (2, 0.6), (4, 0.5)]
        broken = [*curve, (3, math.nan), (5, math.inf), (0, 0.9)]
        assert np.array_equal(extrapolate(broken, HORIZON).means, extrapolate(curve, HORIZON).means)

    @pytest.mark.parametrize("curve", [[], [(1, math.nan), (2, math.inf)], [(0, 0.5)]])
    def test_nothing_seen_is_refused(self, curve: Curve) -> None:
        with pytest.raises(ValueError, match="no finite cost at a step above 0"):
            extrapolate(curve, HORIZON)

    def test_the_past_is_no_horizon(self) -> None:
        with pytest.raises(ValueError, match="goes to step 28, beyond the horizon 27"):
            extrapolate([(28, 0.5)], HORIZON)

    def test_at_the_horizon_it_is_known(self) -> None:
        belief = extrapolate([(3, 0.5), (HORIZON, 0.25)], HORIZON)
        assert (belief.mean, belief.deviation) == (0.25, 0.0)
        below = [belief.probability_below(t) for t in (0.2, 0.25, 0.3)]
        assert below == [0.0, 0.0, 1.0]

    def test_long_curves_are_thinned(self) -> None:
        curve = [(step, 0.1 + step**-0.7) for step in range(1, 20 * POINTS)]
        belief = extrapolate(curve, 30 * POINTS)
        assert belief.mean == pytest.approx(0.1 + (30 * POINTS) ** -0.7, abs=0.02)

    def test_a_threshold_is_a_number(self) -> None:
        with pytest.raises(ValueError, match="the threshold is NaN"):
            extrapolate([(1, 0.5)], HORIZON).probability_below(math.nan)
