"""Faults that end the process of a worker, or would have it go on for ever."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ConfigSpace import Configuration

from bonas.runners.local_processes import LocalProcesses
from bonas.runners.trial_limits import TrialLimits
from fidelity.objective import Context
from tests.bonas.runners.fakes import run, trial
from tests.bonas.runners.worker_objectives import eventually, failing_once, gone, starting
from tests.faults.searches import FAULTY, ROOT, faulty, script, searching, survived


@pytest.fixture(scope="module")
def once() -> Iterator[LocalProcesses]:
    """A worker whose trial is not tried again if it dies."""
    with LocalProcesses(1, retries=0) as runner:
        yield runner


@pytest.fixture(scope="module")
def limited() -> Iterator[LocalProcesses]:
    with LocalProcesses(1, limits=TrialLimits(seconds=1.5)) as runner:
        yield runner


def kill(number: signal.Signals) -> Callable[[], None]:
    return lambda: os.kill(os.getpid(), number)


def close_everything() -> None:
    os.closerange(3, 200)
    raise ValueError("nobody will hear of this")


def die_beside_a_child() -> None:
    """The child keeps the pipes of its parent open, and lives on."""
    if os.fork() == 0:
        time.sleep(600)
    os.kill(os.getpid(), signal.SIGKILL)


DEATHS: dict[str, tuple[Callable[[], Any], str]] = {
    "SIGKILL": (kill(signal.SIGKILL), "it was killed by signal 9, SIGKILL"),
    "segmentation fault": (lambda: ctypes.string_at(0), "it was killed by signal 11, SIGSEGV"),
    "abort": (os.abort, "it was killed by signal 6, SIGABRT"),
    "alarm": (lambda: [signal.alarm(1), time.sleep(60)], "it was killed by signal 14, SIGALRM"),
    "os._exit": (lambda: os._exit(3), "it exited with code 3"),
    "a closed pipe": (close_everything, "it "),
    "a child that lives on": (die_beside_a_child, "it was killed by signal 9, SIGKILL"),
}


@pytest.mark.parametrize("death", DEATHS)
def test_a_worker_that_dies_costs_one_trial(
    tmp_path: Path, once: LocalProcesses, death: str
) -> None:
    fault, message = DEATHS[death]
    evaluation = survived(tmp_path, faulty(fault), once)
    assert evaluation.status == "lost"
    assert f"the worker of trial {FAULTY} was lost (1 time): {message}" in str(evaluation.error)


def test_a_trial_whose_worker_died_is_tried_again(tmp_path: Path) -> None:
    objective = failing_once(tmp_path / "marker", kill(signal.SIGKILL), FAULTY)
    with LocalProcesses(1) as runner:
        assert survived(tmp_path / "search", objective, runner).cost == FAULTY


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_for_the_search_do_not_end_a_worker(
    tmp_path: Path, once: LocalProcesses, number: signal.Signals
) -> None:
    def struck() -> float:
        os.kill(os.getpid(), number)
        return 1.0

    assert survived(tmp_path, faulty(struck), once).cost == 1.0


def hold_the_interpreter() -> None:
    """Sleeps in C without letting any other thread of the process run."""
    ctypes.PyDLL(None).sleep(600)


def run_for_ever() -> None:
    while True:
        pass


@pytest.mark.parametrize(
    "fault", [run_for_ever, hold_the_interpreter, kill(signal.SIGSTOP)],
    ids=["endless loop", "endless C", "stopped"],
)  # fmt: skip
def test_what_never_returns_is_ended_at_its_limit(
    tmp_path: Path, limited: LocalProcesses, fault: Callable[[], Any]
) -> None:
    evaluation = survived(tmp_path, faulty(fault), limited)
    assert evaluation.status == "timeout"
    assert "its limit is 1.5" in str(evaluation.error)


def test_what_takes_all_memory_is_ended_at_its_limit(tmp_path: Path) -> None:
    def greedy() -> None:
        kept = []
        while True:
            kept.append(bytearray(b"x") * 2**23)
            time.sleep(0.005)

    with LocalProcesses(1, limits=TrialLimits(memory=2**30)) as runner:
        evaluation = survived(tmp_path, faulty(greedy), runner)
    assert evaluation.status == "memory"
    assert "its limit is 1024 MiB" in str(evaluation.error)


def test_what_a_trial_has_started_ends_with_it(tmp_path: Path, limited: LocalProcesses) -> None:
    child = tmp_path / "child"

    def parent() -> None:
        if os.fork() == 0:
            child.write_text(str(os.getpid()), encoding="utf-8")
            time.sleep(600)
        time.sleep(600)

    assert survived(tmp_path / "search", faulty(parent), limited).status == "timeout"
    eventually(lambda: gone(int(child.read_text(encoding="utf-8"))), "the end of the child")


def test_what_a_trial_started_in_a_session_of_its_own_ends_with_it(
    tmp_path: Path, limited: LocalProcesses
) -> None:
    limited.submit(starting(tmp_path), trial(0), Context())
    assert limited.wait().status == "timeout"
    child = int((tmp_path / "child").read_text(encoding="utf-8"))
    eventually(lambda: gone(child), "the end of the child", seconds=60)


KILLED = """
from pathlib import Path
from bonas.runners import LocalProcesses
from fidelity.objective import Context
from tests.bonas.runners.worker_objectives import starting
from tests.bonas.runners.fakes import trial

if __name__ == "__main__":
    with LocalProcesses(1) as runner:
        runner.submit(starting(Path(sys.argv[1])), trial(0), Context())
        runner.wait()
"""


def test_what_a_trial_started_does_not_outlive_a_search_that_is_killed(tmp_path: Path) -> None:
    with script(KILLED, tmp_path) as process:
        eventually((tmp_path / "child").exists, "the child")
        process.kill()
    child = int((tmp_path / "child").read_text(encoding="utf-8"))
    eventually(lambda: gone(child), "the end of the child", seconds=60)
    assert gone(child)


def test_a_worker_that_is_killed_before_it_begins_gets_no_advice_about_the_script() -> None:
    with LocalProcesses(1, retries=0) as runner:
        runner.submit(lambda configuration: 1.0, trial(0), Context())
        os.kill(runner.pids[0], signal.SIGKILL)
        error = str(runner.wait().error)
    assert error.endswith("it was killed by signal 9, SIGKILL before it began")


UNGUARDED = """
import sys
sys.path.insert(0, {root!r})
from bonas.runners import LocalProcesses
from fidelity.objective import Context
from tests.bonas.runners.fakes import trial

data = bytes({size})
with LocalProcesses(1, retries=0) as runner:
    runner.submit(lambda configuration: float(len(data)), trial(0), Context())
    print(runner.wait().error)
"""


@pytest.mark.parametrize("size", [1, 2**22])  # more than a pipe holds: the worker has to read
def test_a_script_that_begins_its_work_when_it_is_imported_is_said_to(
    tmp_path: Path, size: int
) -> None:
    path = tmp_path / "unguarded.py"
    path.write_text(UNGUARDED.format(root=str(ROOT), size=size), encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, path], capture_output=True, encoding="utf-8", timeout=300
    )
    assert "it exited with code 1 before it began, while it read the script" in ended.stdout
    assert "must start its work under 'if __name__ == \"__main__\":'" in ended.stdout


def test_an_objective_that_ends_python_when_it_is_loaded_is_a_failure() -> None:
    class Ending:
        def __reduce__(self) -> tuple[object, tuple[int]]:
            return sys.exit, (1,)

        def __call__(self, configuration: Configuration) -> float:
            return 1.0

    with LocalProcesses(1, retries=0) as runner:
        runner.submit(Ending(), trial(0), Context())
        evaluation = runner.wait()
    assert (evaluation.status, str(evaluation.error)[-14:]) == ("crashed", "SystemExit: 1\n")


def test_a_fork_that_returns_from_the_objective_is_no_second_worker(
    tmp_path: Path, once: LocalProcesses
) -> None:
    def forked() -> float:
        return 1.0 if os.fork() else 100.0

    assert survived(tmp_path, faulty(forked), once).cost == 1.0


def test_a_thread_that_lives_on_disturbs_nobody(tmp_path: Path, once: LocalProcesses) -> None:
    def threaded() -> float:
        threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
        return 1.0

    assert survived(tmp_path, faulty(threaded), once).cost == 1.0


def test_a_flood_of_output_is_only_output(tmp_path: Path, once: LocalProcesses) -> None:
    def talkative() -> float:
        with (
            open(os.devnull, "w", encoding="utf-8") as nowhere,
            contextlib.redirect_stdout(nowhere),
        ):
            for _ in range(200):
                print("x" * 2**20)
        os.write(1, b"x" * 2**20 + b"\n")
        return 1.0

    assert survived(tmp_path, faulty(talkative), once).cost == 1.0


def test_all_workers_may_die_at_once(tmp_path: Path) -> None:
    def together(configuration: Configuration) -> float:
        (tmp_path / f"started-{configuration['number']}").touch()
        if len(list(tmp_path.glob("started-*"))) == 2 and not (tmp_path / "marker").exists():
            (tmp_path / "marker").touch()
            for process in (tmp_path / "pids").read_text(encoding="utf-8").split():
                os.kill(int(process), signal.SIGKILL)
        eventually((tmp_path / "marker").exists, "the death of all")
        return float(configuration["number"])

    with LocalProcesses(2) as runner:
        for number in range(2):
            runner.submit(together, trial(number), Context())
            (tmp_path / "pids").write_text(" ".join(map(str, runner.pids)), encoding="utf-8")
        assert sorted(runner.wait().cost for _ in range(2)) == [0.0, 1.0]


def test_the_recursion_limit_is_an_exception(tmp_path: Path, once: LocalProcesses) -> None:
    def deep(depth: int = 0) -> int:
        return deep(depth + 1) + 1

    evaluation = survived(tmp_path, faulty(deep), once)
    assert evaluation.status == "crashed"
    assert "RecursionError" in str(evaluation.error)


def test_what_runs_out_of_a_shared_gpu_is_tried_again_alone(tmp_path: Path) -> None:
    """The error is torch's; the device is a name, for that no GPU is needed."""

    def crowded(configuration: Configuration, context: Context) -> float:
        import torch

        number = int(configuration["number"])
        assert context.device == "cuda:0"
        with (tmp_path / f"tries-{number}").open("a", encoding="utf-8") as file:
            file.write("x")
        if number == 0:
            eventually((tmp_path / "tries-1").exists, "the other trial")
            eventually((tmp_path / "failed").exists, "its failure")
        if number == 1 and not (tmp_path / "failed").exists():
            eventually((tmp_path / "tries-0").exists, "the other trial")
            (tmp_path / "failed").touch()
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return float(number)

    with (
        LocalProcesses(2, devices=("cuda:0",)) as runner,
        searching(tmp_path / "search", crowded) as made,
    ):
        history = run(made, runner, evaluations=4)
    assert sorted(e.cost for e in history.evaluations) == [0.0, 1.0, 2.0, 3.0]
    assert (tmp_path / "tries-1").read_text(encoding="utf-8") == "xx"


def test_what_runs_out_of_a_gpu_of_its_own_has_failed(tmp_path: Path, once: LocalProcesses) -> None:
    def greedy() -> None:
        import torch

        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    evaluation = survived(tmp_path, faulty(greedy), once)
    assert evaluation.status == "memory"
    assert "CUDA out of memory" in str(evaluation.error)
