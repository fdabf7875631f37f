from __future__ import annotations

from itertools import pairwise

import pytest

from fidelity.history.caps import MAX_CURVE_POINTS, MAX_ERROR_CHARACTERS, shortened, thinned
from fidelity.history.trial import Evaluation, Trial
from tests.fidelity.fakes import TinySpace


@pytest.mark.parametrize("length", [0, 1, MAX_ERROR_CHARACTERS])
def test_a_short_text_is_left_alone(length: int) -> None:
    assert shortened("x" * length) == "x" * length


@pytest.mark.parametrize("length", [MAX_ERROR_CHARACTERS + 1, 10**7])
def test_a_long_text_keeps_its_ends_and_counts_the_rest(length: int) -> None:
    text = ("0123456789" * (length // 10 + 1))[:length]
    found = shortened(text)
    assert len(found) <= MAX_ERROR_CHARACTERS
    head, note, tail = found.split("\n")
    assert text.startswith(head)
    assert text.endswith(tail)
    assert note == f"[... {length - len(head) - len(tail)} characters are left out here ...]"
    assert shortened(found) == found


def test_a_short_curve_is_left_alone() -> None:
    curve = tuple((float(step), 0.0) for step in range(MAX_CURVE_POINTS))
    assert thinned(curve) is curve


@pytest.mark.parametrize("points", [MAX_CURVE_POINTS + 1, 2 * MAX_CURVE_POINTS, 10**6])
def test_a_long_curve_keeps_its_ends_and_evenly_spaced_points(points: int) -> None:
    curve = tuple((step, 0) for step in range(points))
    found = thinned(curve)
    assert len(found) == MAX_CURVE_POINTS
    assert (found[0], found[-1]) == (curve[0], curve[-1])
    steps = [step for step, _ in found]
    gaps = {later - earlier for earlier, later in pairwise(steps)}
    assert max(gaps) - min(gaps) <= 1
    assert thinned(found) == found


def test_no_evaluation_is_larger_however_it_is_made() -> None:
    trial = Trial(0, TinySpace().of("convolution"), key="k", budget=9.0)
    made = Evaluation(trial, error="x" * 10**6, curve=tuple((float(s), 0.0) for s in range(5000)))
    assert len(str(made.error)) <= MAX_ERROR_CHARACTERS
    assert len(made.curve) == MAX_CURVE_POINTS


def test_half_a_character_becomes_an_escape() -> None:
    assert shortened("what \ud800 is") == r"what \ud800 is"
