"""Proposals that are made while workers are busy, and workers that are polled meanwhile."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Queue

import numpy as np
import pytest
from ConfigSpace import Configuration

import bonas.search.loop
from bonas.runners.in_process import InProcess
from bonas.runners.local_processes import LocalProcesses
from bonas.runners.runner import Pollable
from bonas.search.search import Search
from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Trial
from fidelity.objective import Context, Objective, evaluate
from fidelity.schedules import FullFidelity
from spaces.space import Space, configuration
from tests.bonas.runners.fakes import Numbers, run
from tests.bonas.runners.worker_objectives import eventually
from tests.faults.searches import plain


class Live:
    """Workers that go on by themselves: a trial ends when the test says so."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.submitted: dict[int, tuple[Objective, Trial, Context]] = {}
        self._ended: Queue[int | Exception] = Queue()

    def finish(self, *trials: int) -> None:
        for trial in trials:
            self._ended.put(trial)

    def fail(self, error: Exception) -> None:
        self._ended.put(error)

    def now(self) -> float:
        return 0.0

    def submit(self, objective: Objective, trial: Trial, context: Context) -> None:
        self.submitted[trial.number] = objective, trial, context

    def wait(self) -> Evaluation:
        found = self.poll(60)
        assert found is not None
        return found

    def poll(self, seconds: float) -> Evaluation | None:
        try:
            ended = self._ended.get(timeout=seconds)
        except Empty:
            return None
        if isinstance(ended, Exception):
            raise ended
        return evaluate(*self.submitted[ended])

    def cancel(self) -> None:
        pass


@dataclass
class Thinking:
    """Proposes the numbers in turn, and does something while it thinks of some of them."""

    meanwhile: dict[int, Callable[[History], object]] = field(default_factory=dict)

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Configuration:
        number = len(history.trials)
        known = len(history)
        self.meanwhile.get(number, lambda history: None)(history)
        assert len(history) == known
        return configuration(space.configuration_space, {"number": number})


@pytest.fixture
def _slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any proposal is a slow one."""
    monkeypatch.setattr(bonas.search.loop, "PREFETCH_ABOVE_SECONDS", -1.0)


@pytest.fixture
def _heard() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def thinking(
    meanwhile: dict[int, Callable[[History], object]], directory: Path | None = None
) -> Search:
    return Search(
        Numbers(), plain, strategy=Thinking(meanwhile), schedule=FullFidelity(),
        directory=directory,
    )  # fmt: skip


def numbers(history: History) -> list[int]:
    return [evaluation.trial.number for evaluation in history.evaluations]


@pytest.mark.usefixtures("_slow")
def test_a_worker_gets_its_trial_while_the_search_still_thinks() -> None:
    runner = Live(2)
    assert isinstance(runner, Pollable)

    def third(history: History) -> None:
        runner.finish(0)
        eventually(lambda: 2 in runner.submitted, "the start of trial 2")
        runner.finish(1, 2, 3)

    history = run(thinking({3: third}), runner, evaluations=4)
    assert numbers(history) == [0, 1, 2, 3]
    assert sorted(runner.submitted) == [0, 1, 2, 3]


class Idle(Exception):
    """Nothing is left to do but to wait."""


def trials_before_the_first_wait(made: Search, workers: int) -> int:
    runner = Live(workers)

    def waiting() -> Evaluation:
        raise Idle

    runner.wait = waiting  # type: ignore[method-assign]
    with pytest.raises(Idle):
        run(made, runner, evaluations=1000)
    assert len(runner.submitted) == workers
    return len(made.history.trials)


@pytest.mark.usefixtures("_slow")
@pytest.mark.parametrize(
    ("workers", "ahead"), [(1, 0), (2, 2), (3, 3), (9, bonas.search.loop.MAX_PREFETCHED)]
)
def test_so_many_are_prepared(workers: int, ahead: int) -> None:
    assert trials_before_the_first_wait(thinking({}), workers) == workers + ahead


def test_quick_proposals_are_not_made_ahead() -> None:
    assert trials_before_the_first_wait(thinking({}), 2) == 2


@pytest.mark.usefixtures("_slow", "_heard")
def test_after_an_interrupt_what_is_prepared_waits_for_the_next_run(tmp_path: Path) -> None:
    runner = Live(2)

    def interrupted(history: History) -> None:
        signal.raise_signal(signal.SIGINT)
        runner.finish(0, 1)

    with thinking({3: interrupted}, tmp_path) as made, pytest.raises(KeyboardInterrupt):
        run(made, runner, evaluations=10)
    assert numbers(made.history) == [0, 1]
    assert sorted(runner.submitted) == [0, 1]
    with thinking({}, tmp_path) as again:
        history = run(again, InProcess(), evaluations=6)
    assert numbers(history) == [0, 1, 2, 3, 4, 5]
    assert numbers(History.load(tmp_path)) == numbers(history)


@pytest.mark.usefixtures("_slow")
def test_nothing_is_prepared_beyond_the_limits() -> None:
    runner = Live(2)
    runner.finish(0, 1, 2)
    history = run(thinking({}), runner, evaluations=3)
    assert len(history.trials) == 3
    other = Live(2)
    other.finish(0, 1, 2)
    history = run(thinking({}), other, epochs=3)
    assert sorted(other.submitted) == [0, 1, 2]


@pytest.mark.usefixtures("_slow")
def test_an_error_of_the_runner_ends_the_run_where_it_is_waited_for(tmp_path: Path) -> None:
    runner = Live(2)

    def broken(history: History) -> None:
        runner.fail(RuntimeError("the cluster is gone"))

    with thinking({3: broken}, tmp_path) as made, pytest.raises(RuntimeError, match="is gone"):
        run(made, runner, evaluations=10)
    with thinking({}, tmp_path) as again:
        assert numbers(run(again, InProcess(), evaluations=4)) == [0, 1, 2, 3]


@pytest.mark.usefixtures("_slow")
def test_an_interrupt_while_it_thinks_leaves_no_thread_behind(tmp_path: Path) -> None:
    runner = Live(2)

    def interrupted(history: History) -> None:
        raise KeyboardInterrupt

    before = threading.active_count()
    with thinking({3: interrupted}, tmp_path) as made, pytest.raises(KeyboardInterrupt):
        run(made, runner, evaluations=10)
    assert threading.active_count() == before
    with thinking({}, tmp_path) as again:
        assert numbers(run(again, InProcess(), evaluations=4)) == [0, 1, 2, 3]


def test_what_a_run_does_is_logged_and_no_handler_is_there(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "bonas")
    run(thinking({}), InProcess(), evaluations=1)
    said = [record.getMessage() for record in caplog.records if record.name == "bonas.search.loop"]
    assert said == [
        "a run begins with 0 evaluations, to Stop(evaluations=1, seconds=None, epochs=None)",
        "trial 0 begins at budget 1",
        "trial 0: success, cost 0",
        "the run ends with 1 evaluations",
    ]
    assert not logging.getLogger("bonas").handlers


@pytest.mark.usefixtures("_slow")
def test_real_workers_are_given_what_was_prepared(tmp_path: Path) -> None:
    def third(history: History) -> None:
        eventually((tmp_path / "prepared").exists, "the start of what was prepared")

    def marking(configuration: Configuration) -> float:
        number = int(configuration["number"])
        if number == 2:
            (tmp_path / "prepared").touch()
        if number == 1:
            eventually((tmp_path / "prepared").exists, "the start of what was prepared")
        return float(number)

    strategy = Thinking({3: third})
    with (
        LocalProcesses(2) as runner,
        Search(Numbers(), marking, strategy=strategy, schedule=FullFidelity()) as made,
    ):
        history = run(made, runner, evaluations=8)
    assert sorted(e.cost for e in history.evaluations) == [float(n) for n in range(8)]
