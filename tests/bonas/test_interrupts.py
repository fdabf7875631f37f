from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from bonas.interrupts import Interrupts


@pytest.fixture(autouse=True)
def _heard() -> Iterator[None]:
    """A shell that runs the tests in the background has them ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_without_a_signal_nothing_happens() -> None:
    with Interrupts() as interrupts, interrupts.allowed():
        assert not interrupts.requested


def test_the_first_is_only_noted_until_the_end() -> None:
    steps = []
    with pytest.raises(KeyboardInterrupt), Interrupts() as interrupts:
        with interrupts.allowed():
            signal.raise_signal(signal.SIGTERM)
            steps.append("the trial goes on")
        assert interrupts.requested
    assert steps


def test_the_second_waits_for_what_is_being_recorded() -> None:
    steps = []
    with pytest.raises(KeyboardInterrupt), Interrupts() as interrupts:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        steps.append("recorded")
        with interrupts.allowed():
            steps.append("never reached")
    assert steps == ["recorded"]


def test_the_third_waits_for_nothing() -> None:
    steps = []
    with pytest.raises(KeyboardInterrupt), Interrupts():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
        steps.append("two")
        signal.raise_signal(signal.SIGINT)
        steps.append("three")
    assert steps == ["two"]


def test_another_error_goes_before_the_interrupt() -> None:
    with pytest.raises(ValueError, match="first"), Interrupts():
        signal.raise_signal(signal.SIGINT)
        raise ValueError("first")
