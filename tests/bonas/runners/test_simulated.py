from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ConfigSpace import Configuration
from hypothesis import given
from hypothesis import strategies as st

from bonas.runners.runner import Runner
from bonas.runners.simulated import Simulated
from bonas.search.failures import NothingWorks
from bonas.search.search import Search
from fidelity.history.history import History
from fidelity.objective import Context, ObjectiveError
from fidelity.schedules import FullFidelity, Hyperband, SuccessiveHalving
from spaces.space import Space
from tests.bonas.runners.contract import RunnerContract
from tests.bonas.runners.fakes import Counting, Numbers, made, run, spans, taking, trial
from tests.bonas.search.test_search import told

DURATIONS = st.lists(st.integers(0, 20), min_size=1, max_size=40)


class TestSimulated(RunnerContract):
    def make(self) -> Runner:
        return Simulated()


def resuming(configuration: Configuration, budget: float, context: Context) -> dict[str, float]:
    """A second for each epoch that is trained."""
    number = int(configuration["number"])
    return {"cost": math.sin(number) + 1 / budget, "seconds": budget - context.resumed}


def test_two_workers_by_hand() -> None:
    # Worker A: trial 0 until 5, then trial 3 until 6; worker B: trial 1 until 3, trial 2 until 7.
    runner = Simulated(2)
    history = run(made(taking(5.0, 3.0, 4.0, 1.0)), runner, evaluations=4)
    assert spans(history) == [(1, 0, 3), (0, 0, 5), (3, 5, 6), (2, 3, 7)]
    assert runner.now() == 7.0
    assert runner.busy == 13.0


def test_of_those_that_end_together_the_lower_number_is_first() -> None:
    history = run(made(taking(4.0, 2.0, 2.0)), Simulated(3), evaluations=6)
    assert spans(history) == [(1, 0, 2), (2, 0, 2), (0, 0, 4), (4, 2, 4), (3, 2, 6), (5, 4, 6)]


def test_what_takes_no_time_takes_none() -> None:
    runner = Simulated(4)
    history = run(made(taking(0.0)), runner, evaluations=20)
    assert len(history) == 20
    assert runner.now() == runner.busy == 0.0


def test_busy_until_now() -> None:
    runner = Simulated(2)
    runner.submit(taking(5.0, 3.0), trial(0), Context())
    runner.submit(taking(5.0, 3.0), trial(1), Context())
    assert runner.busy == 0.0
    runner.wait()
    assert (runner.now(), runner.busy) == (3.0, 6.0)
    runner.cancel()
    assert runner.busy == 6.0


@given(DURATIONS, st.integers(1, 8))
def test_no_worker_is_idle_and_none_does_two_things(durations: list[int], workers: int) -> None:
    runner = Simulated(workers)
    history = run(made(taking(*map(float, durations))), runner, evaluations=30)
    assert sorted(number for number, _, _ in spans(history)) == list(range(30))
    ends = [end for _, _, end in spans(history)]
    assert ends == sorted(ends)
    assert {started for _, started, _ in spans(history)} <= {0.0, *ends}
    for moment in ends:
        assert sum(started <= moment < end for _, started, end in spans(history)) <= workers
    assert runner.busy == sum(end - started for _, started, end in spans(history))
    assert runner.busy <= workers * runner.now()


@pytest.mark.parametrize("workers", [1, 7])
def test_a_simulation_can_be_repeated(workers: int) -> None:
    histories = [
        run(made(resuming, Hyperband(1, 9)), Simulated(workers), evaluations=60) for _ in range(2)
    ]
    assert told(histories[0]) == told(histories[1])
    assert spans(histories[0]) == spans(histories[1])


def test_a_promotion_is_told_what_was_trained_before() -> None:
    history = run(made(resuming, Hyperband(1, 27)), Simulated(5), epochs=357)
    assert sum(e.seconds for e in history.evaluations) == history.resource
    promoted = [e for e in history.evaluations if e.trial.parent is not None]
    assert {(e.trial.budget, e.seconds) for e in promoted} == {(3, 2), (9, 6), (27, 18)}
    assert not any(e.retrained for e in history.evaluations)


# Stop


def test_nothing_is_started_beyond_the_number_of_evaluations() -> None:
    history = run(made(taking(5.0, 1.0, 3.0)), Simulated(4), evaluations=7)
    assert len(history) == len(history.trials) == 7
    assert not history.pending


@pytest.mark.parametrize("workers", [1, 4, 40])
def test_nothing_is_started_beyond_the_epochs(workers: int) -> None:
    history = run(made(resuming, FullFidelity(3.0)), Simulated(workers), epochs=20)
    assert history.resource == 18
    history = run(made(resuming, SuccessiveHalving(1, 9)), Simulated(workers), epochs=50)
    assert 41 < history.resource <= 50


def test_nothing_is_started_when_the_seconds_are_over() -> None:
    history = run(made(taking(4.0, 7.0)), Simulated(2), seconds=10)
    assert max(started for _, started, _ in spans(history)) < 10 <= spans(history)[-1][2]
    assert not history.pending


def test_twins_wait_and_count() -> None:
    calls: list[int] = []

    def counted(configuration: Configuration) -> dict[str, float]:
        calls.append(int(configuration["number"]))
        return {"cost": 1.0, "seconds": 2.0}

    history = run(made(counted, repeats=3), Simulated(2), evaluations=11)
    assert len(history) == 11
    assert calls == [0, 1, 2, 3]
    assert all(e.seconds == 0 for e in history.evaluations if e.reused is not None)


# Thinking


@dataclass
class Clock:
    """Real time that passes only when somebody says so."""

    time: float = 1000.0

    def __call__(self) -> float:
        return self.time


@dataclass(frozen=True)
class Pondering:
    """Takes ten seconds for a proposal."""

    clock: Clock
    inner: Counting = field(default_factory=Counting)

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Configuration:
        self.clock.time += 10
        return self.inner.propose(space, history, rng)


def test_thinking_is_counted_and_workers_wait_for_it() -> None:
    clock = Clock()

    def slow_to_look_up(configuration: Configuration) -> dict[str, float]:
        clock.time += 500
        return {"cost": 1.0, "seconds": 15.0}

    search = Search(Numbers(), slow_to_look_up, strategy=Pondering(clock), schedule=FullFidelity())
    runner = Simulated(2, thinking=clock)
    history = run(search, runner, evaluations=4)
    # Trial 0 ends at 25. Trial 1 ends at 35, while trial 2 is proposed, from 25 on.
    assert spans(history) == [(0, 10, 25), (1, 20, 35), (2, 35, 50), (3, 45, 60)]
    assert runner.busy == 60


def test_a_worker_that_ends_during_a_thought_is_idle_until_its_end() -> None:
    clock = Clock()
    search = Search(Numbers(), taking(4.0), strategy=Pondering(clock), schedule=FullFidelity())
    history = run(search, Simulated(2, thinking=clock), evaluations=3)
    # Trial 0 ends at 14, but until 20 the search thinks about trial 1, then of 2 until 30.
    assert spans(history) == [(0, 10, 14), (1, 20, 24), (2, 30, 34)]


# Faults


@pytest.mark.parametrize(
    "returned",
    [
        1.0,
        {"cost": 1.0},
        {"cost": 1.0, "seconds": -1.0},
        {"cost": 1.0, "seconds": math.nan},
        {"cost": 1.0, "seconds": math.inf},
        {"cost": 1.0, "seconds": "long"},
    ],
)
def test_a_duration_is_needed(returned: object) -> None:
    search = made(lambda configuration: returned)
    with pytest.raises(ObjectiveError, match="the objective's metric 'seconds'"):
        run(search, Simulated(3), evaluations=3)
    assert [t.number for t in search.history.pending] == [0]


def test_another_metric_may_be_the_duration() -> None:
    def objective(configuration: Configuration) -> Mapping[str, Any]:
        return {"cost": 1.0, "train_time": np.float32(2.5)}

    runner = Simulated(metric="train_time")
    history = run(made(objective), runner, evaluations=2)
    assert [e.seconds for e in history.evaluations] == [2.5, 2.5]
    assert runner.now() == 5.0


def test_a_failure_takes_what_it_says_or_nothing() -> None:
    def faulty(configuration: Configuration) -> dict[str, float]:
        if int(configuration["number"]) == 0:
            raise ValueError("broken")
        return {"cost": math.nan, "seconds": 3.0}

    search = made(faulty)
    with pytest.raises(NothingWorks):
        run(search, Simulated(), evaluations=2)
    assert [(e.status, e.seconds) for e in search.history.evaluations] == [
        ("crashed", 0.0),
        ("diverged", 3.0),
    ]


def test_there_is_a_worker() -> None:
    with pytest.raises(ValueError, match="at least 1 worker, not 0"):
        Simulated(0)


def test_what_several_workers_had_when_the_process_died_is_evaluated_first(tmp_path: Path) -> None:
    calls = iter(range(6))

    def dying(configuration: Configuration) -> dict[str, float]:
        if next(calls, None) == 5:
            raise KeyboardInterrupt
        return {"cost": float(configuration["number"]), "seconds": 1.0 + configuration["number"]}

    def searched() -> Search:
        return Search(
            Numbers(), dying, strategy=Counting(), schedule=FullFidelity(), directory=tmp_path
        )

    with searched() as first, pytest.raises(KeyboardInterrupt):
        run(first, Simulated(4), evaluations=8)
    with searched() as second:
        assert [e.trial.number for e in second.history.evaluations] == [0, 1]
        assert [t.number for t in second.history.pending] == [2, 3, 4, 5]
        history = run(second, Simulated(4), evaluations=8)
    assert [e.trial.number for e in history.evaluations] == list(range(8))
    ends = [end for _, _, end in spans(history)]
    assert ends == sorted(ends)
    assert not history.pending
