from __future__ import annotations

import logging
from pathlib import Path

import pytest

from bonas.callbacks import Callback, StopRun
from bonas.callbacks.callback import Listeners
from bonas.search.progress import Silent
from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Trial
from tests.bonas.search.test_search import search
from tests.faults.searches import plain, searching


class Noting(Callback):
    def __init__(self) -> None:
        self.said: list[str] = []

    def on_run_start(self, history: History) -> None:
        self.said.append(f"run {len(history)}")

    def on_trial_start(self, history: History, trial: Trial) -> None:
        assert trial in history.pending
        self.said.append(f"start {trial.number}")

    def on_trial_end(self, history: History, evaluation: Evaluation) -> None:
        assert history.evaluations[-1] == evaluation
        self.said.append(f"end {evaluation.trial.number}")

    def on_run_end(self, history: History) -> None:
        self.said.append(f"ended {len(history)}")


def test_a_run_is_told_in_order(tmp_path: Path) -> None:
    noting = Noting()
    with searching(tmp_path, plain) as made:
        for evaluations in (2, 3):
            made.run(evaluations=evaluations, progress=Silent(), callbacks=[noting])
    assert noting.said == [
        "run 0", "start 0", "end 0", "start 1", "end 1", "ended 2",
        "run 2", "start 2", "end 2", "ended 3",
    ]  # fmt: skip


def test_known_results_end_without_a_start() -> None:
    noting = Noting()
    with search(nodes=2, objective=lambda configuration: 1.0) as made:
        history = made.run(evaluations=30, progress=Silent(), callbacks=[noting])
    reused = [e.trial.number for e in history.evaluations if e.reused is not None]
    assert reused
    assert [f"end {e.trial.number}" for e in history.evaluations] == [
        said for said in noting.said if said.startswith("end ")
    ]
    assert not {f"start {number}" for number in reused} & set(noting.said)


class Broken(Callback):
    def on_trial_end(self, history: History, evaluation: Evaluation) -> None:
        raise ValueError(f"no place for {evaluation.trial.number}")


def test_a_callback_that_raises_is_logged_and_the_run_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    noting = Noting()
    with searching(tmp_path, plain) as made:
        made.run(evaluations=3, progress=Silent(), callbacks=[Broken(), noting])
    assert len(History.load(tmp_path)) == 3
    assert noting.said[-1] == "ended 3"
    records = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [record.getMessage() for record in records] == [
        f"the callback Broken failed: ValueError('no place for {number}')" for number in range(3)
    ]
    assert [bool(record.exc_info) for record in records] == [True, False, False]


class Interrupting(Callback):
    def on_trial_end(self, history: History, evaluation: Evaluation) -> None:
        raise KeyboardInterrupt


def test_an_interrupt_in_a_callback_is_an_interrupt(tmp_path: Path) -> None:
    noting = Noting()
    with searching(tmp_path, plain) as made, pytest.raises(KeyboardInterrupt):
        made.run(evaluations=3, progress=Silent(), callbacks=[Interrupting(), noting])
    assert noting.said[-1] == "ended 1"
    assert len(History.load(tmp_path)) == 1


class Stopping(Callback):
    """Stops the run in one event."""

    def __init__(self, event: str) -> None:
        self.event = event

    def __getattribute__(self, name: str) -> object:
        if name != object.__getattribute__(self, "event"):
            return object.__getattribute__(self, name)

        def stop(*arguments: object) -> None:
            raise StopRun("good enough")

        return stop


EVENTS = {
    "on_run_start": lambda listeners, history: listeners.run_start(history),
    "on_trial_start": lambda listeners, history: listeners.trial_start(history, history.trials[0]),
    "on_trial_end": lambda listeners, history: listeners.trial_end(history, history.evaluations[0]),
    "on_run_end": lambda listeners, history: listeners.run_end(history),
}


@pytest.mark.parametrize("event", EVENTS)
def test_a_callback_stops_the_run_in_any_event(
    event: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with searching(tmp_path, plain) as made:
        history = made.run(evaluations=1, progress=Silent())
    heard: list[str] = []

    class Last(Callback):
        def __getattribute__(self, name: str) -> object:
            return lambda *arguments: heard.append(name)

    listeners = Listeners([Stopping(event), Last()])
    assert not listeners.stopped
    with caplog.at_level(logging.INFO, "bonas.callbacks"):
        EVENTS[event](listeners, history)
    assert listeners.stopped
    assert heard == [event]  # the callbacks after it are called all the same
    assert [record.getMessage() for record in caplog.records] == [
        "the callback Stopping stops the run: good enough"
    ]
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_another_exception_does_not_stop_the_run(tmp_path: Path) -> None:
    with searching(tmp_path, plain) as made:
        history = made.run(evaluations=1, progress=Silent())
    listeners = Listeners([Broken()])
    listeners.trial_end(history, history.evaluations[0])
    assert not listeners.stopped
