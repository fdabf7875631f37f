from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ConfigSpace import Configuration

from bonas.runners.local_processes import LocalProcesses
from bonas.runners.runner import Runner
from bonas.runners.trial_limits import TrialLimits
from fidelity.checkpoint import Checkpoint
from fidelity.objective import Context, ObjectiveError
from tests.bonas.runners.contract import PollableContract
from tests.bonas.runners.fakes import made, run, taking, trial
from tests.bonas.runners.worker_objectives import eventually, gone, orphaning, resuming, stuck


@pytest.fixture(scope="module")
def one() -> Iterator[LocalProcesses]:
    """A runner with one worker, for all tests that need no other: to start one takes a second."""
    with LocalProcesses(1) as runner:
        yield runner


@pytest.fixture
def _idle(one: LocalProcesses) -> Iterator[None]:
    yield
    one.cancel()


@pytest.mark.usefixtures("_idle")
class TestLocalProcesses(PollableContract):
    @pytest.fixture(autouse=True)
    def _one(self, one: LocalProcesses) -> None:
        self.one = one

    def make(self) -> Runner:
        return self.one


class Loading:
    """Counts how often it is brought to a process."""

    def __init__(self) -> None:
        self.loaded = 0

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.loaded = state["loaded"] + 1
        self.calls = 0

    def __getstate__(self) -> dict[str, Any]:
        return {"loaded": self.loaded}

    def __call__(self, configuration: Configuration) -> dict[str, float]:
        self.calls += 1
        return {"cost": 1.0, "loaded": self.loaded, "calls": self.calls, "process": os.getpid()}


def test_a_worker_keeps_the_objective_between_trials(one: LocalProcesses) -> None:
    history = run(made(Loading()), one, evaluations=4)
    assert [e.metrics["loaded"] for e in history.evaluations] == [1] * 4
    assert [e.metrics["calls"] for e in history.evaluations] == [1, 2, 3, 4]
    assert {e.metrics["process"] for e in history.evaluations} == set(one.pids)
    other = run(made(Loading()), one, evaluations=1)
    assert other.evaluations[0].metrics["calls"] == 1


def where(configuration: Configuration, context: Context) -> dict[str, Any]:
    return {"cost": 1.0, "device": context.device, "process": os.getpid()}


def test_workers_take_the_devices_in_turn() -> None:
    with LocalProcesses(3, devices=("cuda:0", "cuda:1")) as runner:
        for number in range(3):
            runner.submit(where, trial(number), Context())
        found = [runner.wait().metrics for _ in range(3)]
    assert sorted(metrics["device"] for metrics in found) == ["cuda:0", "cuda:0", "cuda:1"]
    assert len({metrics["process"] for metrics in found}) == 3
    assert LocalProcesses(devices=("cuda:0", "cuda:1")).workers == 2


def test_several_run_at_once(tmp_path: Path) -> None:
    def together(configuration: Configuration) -> float:
        (tmp_path / str(configuration["number"])).touch()
        eventually(lambda: len(list(tmp_path.iterdir())) == 2, "the other trial")
        return 1.0

    with LocalProcesses(2) as runner:
        history = run(made(together), runner, evaluations=2)
    assert all(e.succeeded for e in history.evaluations)


def test_workers_join_and_leave() -> None:
    with LocalProcesses(1) as runner:
        runner.submit(taking(1.0), trial(0), Context())
        runner.resize(3)
        assert runner.workers == 3
        runner.submit(taking(1.0), trial(1), Context())
        runner.submit(taking(1.0), trial(2), Context())
        assert len(runner.pids) == 3
        assert {runner.wait().trial.number for _ in range(2)} <= {0, 1, 2}
        runner.resize(1)
        runner.wait()
        assert len(runner.pids) == 1
        with pytest.raises(ValueError, match="at least 1 worker, not 0"):
            runner.resize(0)


def test_what_is_cancelled_is_killed(tmp_path: Path) -> None:
    with LocalProcesses(2) as runner:
        for number in range(2):
            runner.submit(stuck(tmp_path), trial(number), Context())
        eventually(lambda: len(list(tmp_path.iterdir())) == 2, "both trials")
        eventually(
            lambda: all(p.read_text(encoding="utf-8") for p in tmp_path.iterdir()),
            "their processes",
        )
        processes = [int(path.read_text(encoding="utf-8")) for path in tmp_path.iterdir()]
        runner.cancel()
        assert all(map(gone, processes))
        assert runner.pids == ()


def test_closing_leaves_no_process() -> None:
    runner = LocalProcesses(2)
    run(made(taking(0.0)), runner, evaluations=4)
    processes = runner.pids
    assert len(processes) == 2
    runner.close()
    assert all(map(gone, processes))


def test_workers_end_with_a_runner_that_is_forgotten() -> None:
    runner = LocalProcesses(1)
    runner.submit(taking(0.0), trial(0), Context())
    runner.wait()
    (process,) = runner.pids
    del runner
    eventually(lambda: gone(process), "the end of the worker")
    assert gone(process)


def test_a_worker_that_is_killed_gives_its_trial_back(one: LocalProcesses, tmp_path: Path) -> None:
    fault = resuming(tmp_path, 6, lambda: os.kill(os.getpid(), signal.SIGKILL))
    one.submit(fault, trial(0), Context(Checkpoint(target=tmp_path / "trial-0.pt")))
    assert one.wait().cost == 0.0
    # The step at which it broke had been saved: none is done twice.
    assert (tmp_path / "steps-0").read_text(encoding="utf-8").split() == [
        "0",
        "1",
        "2",
        "3",
        "4",
        "5",
    ]


def test_one_that_does_not_resume_begins_anew(one: LocalProcesses, tmp_path: Path) -> None:
    fault = resuming(tmp_path, 6, lambda: os.kill(os.getpid(), signal.SIGKILL))
    fault.resumes = False  # type: ignore[attr-defined]
    one.submit(fault, trial(0), Context())
    assert one.wait().cost == 0.0
    assert (tmp_path / "steps-0").read_text(encoding="utf-8").split() == [*"0123", *"012345"]


@pytest.mark.parametrize("retries", [0, 2])
def test_a_trial_that_kills_its_workers_is_lost_in_the_end(retries: int) -> None:
    with LocalProcesses(1, retries=retries) as runner:
        runner.submit(lambda configuration: os._exit(7), trial(0), Context())
        evaluation = runner.wait()
    times = f"{retries + 1} times" if retries else "1 time"
    assert evaluation.status == "lost"
    assert evaluation.error == f"the worker of trial 0 was lost ({times}): it exited with code 7"


def test_what_a_worker_started_in_a_session_of_its_own_ends_though_it_died_by_itself(
    tmp_path: Path,
) -> None:
    with LocalProcesses(1, retries=0) as runner:
        runner.submit(orphaning(tmp_path), trial(0), Context())
        assert runner.wait().status == "lost"
    child = int((tmp_path / "child").read_text(encoding="utf-8"))
    eventually(lambda: gone(child), "the end of the child", seconds=60)


def test_a_worker_that_dies_while_it_is_idle_is_replaced(one: LocalProcesses) -> None:
    one.submit(taking(1.0), trial(0), Context())
    one.wait()
    (process,) = one.pids
    os.kill(process, signal.SIGKILL)
    eventually(lambda: gone(process), "its death")
    one.submit(taking(1.0), trial(1), Context())
    assert one.wait().cost == 1.0


def test_a_trial_over_its_seconds_is_ended(tmp_path: Path) -> None:
    with LocalProcesses(1, limits=TrialLimits(seconds=0.2)) as runner:
        runner.submit(stuck(tmp_path), trial(0), Context())
        evaluation = runner.wait()
        assert evaluation.status == "timeout"
        assert "its limit is 0.2" in str(evaluation.error)
        assert gone(int((tmp_path / "0").read_text(encoding="utf-8")))
        runner.submit(taking(1.0), trial(1), Context())
        assert runner.wait().cost == 1.0


def test_a_trial_over_its_memory_is_ended() -> None:
    def greedy(configuration: Configuration) -> float:
        if int(configuration["number"]) == 1:
            return 1.0
        kept = []
        while True:
            kept.append(bytearray(b"x") * 2**23)
            time.sleep(0.01)

    with LocalProcesses(1, limits=TrialLimits(memory=2**30)) as runner:
        runner.submit(greedy, trial(0), Context())
        evaluation = runner.wait()
        assert evaluation.status == "memory"
        assert "its limit is 1024 MiB" in str(evaluation.error)
        runner.submit(greedy, trial(1), Context())
        assert runner.wait().cost == 1.0


def test_the_processes_of_a_trial_count_towards_its_memory() -> None:
    def delegating(configuration: Configuration) -> float:
        subprocess.run(
            [sys.executable, "-c", "kept = bytearray(b'x') * 2**30; import time; time.sleep(60)"],
            check=True,
        )
        return 1.0

    with LocalProcesses(1, limits=TrialLimits(memory=2**30)) as runner:
        runner.submit(delegating, trial(0), Context())
        assert runner.wait().status == "memory"


def test_what_ran_out_of_memory_on_a_shared_device_is_tried_again_alone(tmp_path: Path) -> None:
    def crowded(configuration: Configuration) -> float:
        mine = tmp_path / str(configuration["number"])
        mine.touch()
        try:
            if int(configuration["number"]) == 0:
                return 0.0 if len(list(tmp_path.iterdir())) == 1 else _out_of_memory()
            eventually(lambda: not (tmp_path / "0").exists(), "the end of the other")
            return 1.0
        finally:
            mine.unlink()

    with LocalProcesses(2, devices=("cpu",)) as runner:
        runner.submit(crowded, trial(1), Context())
        runner.submit(crowded, trial(0), Context())
        assert {runner.wait().cost for _ in range(2)} == {0.0, 1.0}


def _out_of_memory() -> float:
    raise MemoryError


def test_an_objective_that_cannot_be_sent_is_refused(one: LocalProcesses) -> None:
    lock = threading.Lock()

    def locked(configuration: Configuration) -> float:
        with lock:
            return 1.0

    with pytest.raises(ObjectiveError, match="cannot be sent to another process"):
        one.submit(locked, trial(0), Context())


class Foreign:
    """Cannot be loaded where it arrives."""

    def __call__(self, configuration: Configuration) -> float:
        return 1.0

    def __setstate__(self, state: object) -> None:
        raise ModuleNotFoundError("No module named 'foreign'")

    def __getstate__(self) -> dict[str, int]:
        return {"something": 1}


def test_an_objective_that_cannot_be_loaded_is_a_crash_with_its_traceback(
    one: LocalProcesses,
) -> None:
    for number in range(2):
        one.submit(Foreign(), trial(number), Context())
        evaluation = one.wait()
        assert evaluation.status == "crashed"
        assert "No module named 'foreign'" in str(evaluation.error)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"workers": 0}, "at least 1 worker, not 0"),
        ({"devices": ()}, "devices is empty"),
        ({"retries": -1}, "retries is 0 or more"),
        ({"threads": 0}, "threads 1 or more"),
    ],
)
def test_bad_numbers_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LocalProcesses(**arguments)
