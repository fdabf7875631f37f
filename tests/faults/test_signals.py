"""Signals to the process that searches."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from ConfigSpace import Configuration

from bonas.runners.in_process import InProcess
from fidelity.history.history import History
from tests.bonas.runners.fakes import run
from tests.bonas.runners.worker_objectives import eventually, gone
from tests.faults.searches import goes_on, plain, script, searching

BOTH = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])


@pytest.fixture(autouse=True)
def _heard() -> Iterator[None]:
    """A shell that runs the tests in the background has them ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def striking(number: signal.Signals, times: int) -> Any:
    def objective(configuration: Configuration) -> float:
        if int(configuration["number"]) == 2:
            for _ in range(times):
                os.kill(os.getpid(), number)
        return float(configuration["number"])

    return objective


@BOTH
def test_the_first_signal_lets_the_running_trial_finish(
    tmp_path: Path, number: signal.Signals, caplog: pytest.LogCaptureFixture
) -> None:
    with searching(tmp_path, striking(number, 1)) as search, pytest.raises(KeyboardInterrupt):
        run(search, InProcess(), evaluations=10)
    assert (
        f"{number.name}: running trials finish first; a second {number.name} stops at once"
        in caplog.text
    )
    assert [e.cost for e in History.load(tmp_path).evaluations] == [0.0, 1.0, 2.0]
    goes_on(tmp_path, 3)


@BOTH
def test_the_second_signal_stops_at_once(tmp_path: Path, number: signal.Signals) -> None:
    with searching(tmp_path, striking(number, 2)) as search, pytest.raises(KeyboardInterrupt):
        run(search, InProcess(), evaluations=10)
    assert [e.cost for e in History.load(tmp_path).evaluations] == [0.0, 1.0]
    goes_on(tmp_path, 2)


def test_signals_are_as_before_when_the_run_has_ended(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with searching(tmp_path, plain) as search:
        run(search, InProcess(), evaluations=2)
    assert signal.getsignal(signal.SIGTERM) is before
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_ignored_signal_stays_ignored(tmp_path: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with searching(tmp_path, striking(signal.SIGINT, 1)) as search:
        assert len(run(search, InProcess(), evaluations=4)) == 4


def test_a_search_in_a_thread_leaves_signals_alone(tmp_path: Path) -> None:
    with searching(tmp_path, plain) as search:
        thread = threading.Thread(target=lambda: run(search, InProcess(), evaluations=3))
        thread.start()
        thread.join()
        assert len(search.history) == 3


PARALLEL = """
import os, time
from pathlib import Path
from bonas.runners import LocalProcesses
from tests.bonas.runners.fakes import run
from tests.faults.searches import searching

directory = Path(sys.argv[1])

def objective(configuration):
    number = int(configuration["number"])
    (directory / f"pid-{number}").write_text(str(os.getpid()))
    while number >= 2 and not (directory / "free").exists():
        time.sleep(0.01)
    return float(number)

if __name__ == "__main__":
    with LocalProcesses(2) as runner, searching(directory, objective) as search:
        run(search, runner, evaluations=100)
"""


@pytest.fixture
def process(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A search whose first two trials have ended, and whose next two run."""
    started = script(
        PARALLEL,
        tmp_path,
        start_new_session=True,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    with started:
        try:
            _until_two_run(tmp_path, started)
            yield started
        finally:
            started.kill()


def _until_two_run(directory: Path, started: subprocess.Popen[str]) -> None:
    running = [directory / f"pid-{number}" for number in (2, 3)]
    eventually(lambda: all(map(_written, running)) or started.poll() is not None, "two trials")
    assert started.poll() is None
    eventually(lambda: len(History.load(directory)) == 2, "the first evaluations")


def _written(path: Path) -> bool:
    return path.exists() and bool(path.read_text(encoding="utf-8"))


def workers(directory: Path) -> list[int]:
    return [int((directory / f"pid-{number}").read_text(encoding="utf-8")) for number in (2, 3)]


def test_ctrl_c_lets_all_workers_finish(tmp_path: Path, process: subprocess.Popen[str]) -> None:
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    assert process.stderr is not None
    assert "a second SIGINT stops at once" in process.stderr.readline()
    (tmp_path / "free").touch()
    process.communicate(timeout=120)
    assert process.returncode != 0
    assert all(map(gone, workers(tmp_path)))
    assert sorted(e.cost for e in History.load(tmp_path).evaluations) == [0.0, 1.0, 2.0, 3.0]
    goes_on(tmp_path, 4)


def test_ctrl_c_twice_kills_all_workers(tmp_path: Path, process: subprocess.Popen[str]) -> None:
    os.killpg(process.pid, signal.SIGINT)
    assert process.stderr is not None
    process.stderr.readline()
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=120)
    assert all(map(gone, workers(tmp_path)))
    goes_on(tmp_path, 2)


def test_workers_do_not_outlive_a_search_that_is_killed(
    tmp_path: Path, process: subprocess.Popen[str]
) -> None:
    children = [child.pid for child in psutil.Process(process.pid).children(recursive=True)]
    assert set(workers(tmp_path)) <= set(children)
    process.kill()
    process.communicate(timeout=120)
    for child in children:
        eventually(lambda pid=child: gone(pid), "the end of a worker")  # type: ignore[misc]
    goes_on(tmp_path, 2)
