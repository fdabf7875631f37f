from __future__ import annotations

import signal
from collections.abc import Callable, Iterator

import pytest

from bonas.search.signals import Signals


@pytest.fixture(autouse=True)
def _heard() -> Iterator[None]:
    """A shell that runs the tests in the background has them ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def within(body: Callable[[Signals], None]) -> None:
    with Signals() as interrupts:
        body(interrupts)


def test_without_a_signal_nothing_happens() -> None:
    with Signals() as interrupts, interrupts.allowed():
        assert not interrupts.requested


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_is_only_noted_until_the_end(number: signal.Signals) -> None:
    steps = []

    def struck(interrupts: Signals) -> None:
        with interrupts.allowed():
            signal.raise_signal(number)
            steps.append("the trial goes on")
        steps.append(str(interrupts.requested))

    with pytest.raises(KeyboardInterrupt):
        within(struck)
    assert steps == ["the trial goes on", "True"]


def test_the_second_waits_for_what_is_being_recorded() -> None:
    steps = []

    def struck(interrupts: Signals) -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        steps.append("recorded")
        with interrupts.allowed():
            steps.append("never reached")

    with pytest.raises(KeyboardInterrupt):
        within(struck)
    assert steps == ["recorded"]


def test_the_second_ends_a_trial_at_once() -> None:
    steps = []

    def struck(interrupts: Signals) -> None:
        with interrupts.allowed():
            signal.raise_signal(signal.SIGINT)
            steps.append("one")
            signal.raise_signal(signal.SIGTERM)
            steps.append("two")

    with pytest.raises(KeyboardInterrupt):
        within(struck)
    assert steps == ["one"]


def test_the_third_waits_for_nothing() -> None:
    steps = []

    def struck(interrupts: Signals) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
            signal.raise_signal(number)
            steps.append(number)

    with pytest.raises(KeyboardInterrupt):
        within(struck)
    assert steps == [signal.SIGINT, signal.SIGTERM]


def test_another_error_goes_before_the_interrupt() -> None:
    def struck(interrupts: Signals) -> None:
        signal.raise_signal(signal.SIGINT)
        raise ValueError("first")

    with pytest.raises(ValueError, match="first"):
        within(struck)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
