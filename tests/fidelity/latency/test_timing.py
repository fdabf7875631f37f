from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fidelity.latency import Timing


@given(st.lists(st.floats(0, 1e6), min_size=1))
def test_the_quartiles_enclose_the_median(seconds: list[float]) -> None:
    timing = Timing.of(seconds)
    assert min(seconds) <= timing.lower <= timing.median <= timing.upper <= max(seconds)
    assert timing.repeats == len(seconds)
    assert timing.spread >= 0


def test_one_slow_repeat_changes_nothing() -> None:
    assert Timing.of([2.0, 1.0, 3.0, 2.0, 90.0]) == Timing(2.0, 2.0, 3.0, 5)
    assert Timing.of([2.0, 1.0, 3.0, 2.0, 90.0]).spread == 0.5
    assert Timing.of([0.0]).spread == 0


@pytest.mark.parametrize("bad", [-1e-9, math.nan, math.inf])
def test_no_time_is_negative_or_nan(bad: float) -> None:
    with pytest.raises(ValueError, match=r"a repeat is .* seconds: a latency is a finite number"):
        Timing.of([1.0, bad])
    with pytest.raises(ValueError, match="the median of a timing is"):
        Timing(bad, 0.0, 1e9, 1)


def test_repeats_are_needed() -> None:
    with pytest.raises(ValueError, match="0 repeats: at least 1 is needed"):
        Timing.of([])
    with pytest.raises(ValueError, match="0 repeats: at least 1 is needed"):
        Timing(1.0, 1.0, 1.0, 0)
    with pytest.raises(ValueError, match="do not enclose the median"):
        Timing(1.0, 2.0, 3.0, 1)
