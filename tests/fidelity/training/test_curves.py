from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fidelity.training.curves import Constant, Cosine, Curve, Linear, OneCycle


def test_a_cosine_rises_then_falls() -> None:
    shares = [Cosine(0.1)(step, 20) for step in range(20)]
    assert shares[:2] == pytest.approx([0.5, 1.0])
    assert shares[2] == pytest.approx(1.0)
    assert shares[11] == pytest.approx(0.5)  # half way down
    assert shares[-1] == pytest.approx((1 - 0.98480775) / 2)


def test_a_line_falls_to_its_end() -> None:
    assert [Linear()(step, 4) for step in range(4)] == [1.0, 0.75, 0.5, 0.25]


def test_a_constant_stays() -> None:
    assert [Constant(0.5)(step, 4) for step in range(4)] == [0.5, 1.0, 1.0, 1.0]


def test_one_cycle_starts_low_and_ends_near_zero() -> None:
    shares = [OneCycle()(step, 1000) for step in range(1000)]
    assert shares[0] == pytest.approx(0.04, abs=1e-3)
    assert max(shares) == shares[299] == pytest.approx(1.0)
    assert shares[-1] == pytest.approx(4e-6, abs=1e-5)


@pytest.mark.parametrize("kind", [Constant, Cosine, Linear, OneCycle])
@given(steps=st.integers(1, 500), warm_up=st.floats(0, 0.99))
def test_has_one_peak_and_stays_positive(kind: type, steps: int, warm_up: float) -> None:
    curve: Curve = kind(warm_up=warm_up)
    shares = [curve(step, steps) for step in range(steps)]
    assert all(0 < share <= 1 for share in shares)
    peak = shares.index(max(shares))
    assert shares[peak] == pytest.approx(1.0)
    assert shares[: peak + 1] == sorted(shares[: peak + 1])
    assert shares[peak:] == sorted(shares[peak:], reverse=True)


@pytest.mark.parametrize("kind", [Constant, Cosine, Linear, OneCycle])
@pytest.mark.parametrize("warm_up", [1.0, -0.1, float("nan")])
def test_a_warm_up_out_of_its_range_is_refused(kind: type, warm_up: float) -> None:
    with pytest.raises(ValueError, match=f"warm_up is {warm_up}: it must be in"):
        kind(warm_up=warm_up)


@pytest.mark.parametrize("bad", [{"start": 0.0}, {"end": 1.5}])
def test_shares_of_one_cycle_out_of_range_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="shares of the peak"):
        OneCycle(**bad)
