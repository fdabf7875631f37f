"""Faults of objectives that leave their process alive."""

from __future__ import annotations

import math
import os
import resource
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ConfigSpace import Configuration

from bonas.runners.in_process import InProcess
from bonas.search.failures import NothingWorks
from fidelity.history.history import History
from tests.bonas.runners.fakes import run
from tests.faults.searches import faulty, goes_on, plain, searching, survived


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise ValueError("not even this can be said")


def raising(error: BaseException) -> Callable[[], None]:
    def fault() -> None:
        raise error

    return fault


def out_of_memory() -> int:
    """At a limit that the kernel holds the process to."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (2**30, hard))
    try:
        return len(bytearray(2**33))
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def out_of_files() -> None:
    """At a limit that the kernel holds the process to."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
    files = []
    try:
        while True:
            files.append(os.open(os.devnull, os.O_RDONLY))
    finally:
        for file in files:
            os.close(file)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


FAULTS: dict[str, tuple[Callable[[], Any], str, str]] = {
    "an exception": (raising(ValueError("broken")), "crashed", "ValueError: broken"),
    "an exception without words": (raising(Unspeakable()), "crashed", "Unspeakable"),
    "half a character": (raising(ValueError("\ud800")), "crashed", "ValueError"),
    "sys.exit": (lambda: sys.exit(3), "crashed", "SystemExit: 3"),
    "out of memory": (out_of_memory, "memory", "MemoryError"),
    "out of files": (out_of_files, "crashed", "Too many open files"),
    "a string": (lambda: "good", "crashed", "it returned 'good'"),
    "nothing": (lambda: None, "crashed", "it returned None"),
    "no cost": (lambda: {"loss": 1.0}, "crashed", "a mapping without 'cost': ['loss']"),
    "a complex number": (lambda: 1j, "crashed", "it returned 1j"),
    "NaN": (lambda: math.nan, "diverged", "the cost is nan"),
    "infinity": (lambda: math.inf, "diverged", "the cost is inf"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_costs_one_trial_and_says_why(tmp_path: Path, fault: str) -> None:
    happens, status, message = FAULTS[fault]
    evaluation = survived(tmp_path, faulty(happens))
    assert evaluation.status == status
    assert evaluation.cost == math.inf
    assert message in str(evaluation.error)


def test_a_metric_that_is_no_value_is_kept_as_text(tmp_path: Path) -> None:
    assert survived(tmp_path, faulty(lambda: {"cost": 1.0, "what": object()})).cost == 1.0
    kept = History.load(tmp_path).evaluations[1].metrics["what"]
    assert kept.startswith("<object object")


def test_a_configuration_that_is_changed_is_recorded_unchanged(tmp_path: Path) -> None:
    def changing(configuration: Configuration) -> float:
        number = float(configuration["number"])
        configuration["number"] = 77
        return number

    assert survived(tmp_path, changing).cost == 1.0
    numbers = [t.configuration["number"] for t in History.load(tmp_path).trials]
    assert numbers == [0, 1, 2, 3]


def test_a_fork_that_returns_is_no_second_search(tmp_path: Path) -> None:
    children = []

    def forked() -> float:
        children.append(child := os.fork())
        return 1.0 if child else 100.0

    assert survived(tmp_path, faulty(forked)).cost == 1.0
    assert os.waitstatus_to_exitcode(os.waitpid(children[0], 0)[1]) == 0


def test_another_working_directory_does_not_lose_the_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    def moving() -> float:
        os.chdir("/")
        return 1.0

    with searching(Path("search"), faulty(moving)) as search:
        assert len(run(search, InProcess(), evaluations=4)) == 4
    assert len(History.load(tmp_path / "search")) == 4


def test_a_clock_that_is_set_back_changes_no_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = iter(range(10**9, 0, -3600))
    monkeypatch.setattr(time, "time", lambda: float(next(now)))
    survived(tmp_path, plain)
    found = History.load(tmp_path).evaluations
    starts = [e.started for e in found]
    assert starts == sorted(starts)
    assert all(e.seconds >= 0 for e in found)


def test_when_nothing_works_the_run_stops_with_the_first_traceback(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(configuration: Configuration) -> float:
        raise ValueError(f"number {configuration['number']} is broken")

    with (
        searching(tmp_path, broken) as search,
        pytest.raises(NothingWorks, match=r"(?s)the first 5 evaluations.*number 0 is broken"),
    ):
        run(search, InProcess(), evaluations=1000)
    assert "number 2 is broken" in caplog.text
    goes_on(tmp_path, 5)


def test_checkpoints_that_are_removed_are_trained_anew(tmp_path: Path) -> None:
    def removing() -> float:
        shutil.rmtree(tmp_path / "checkpoints", ignore_errors=True)
        return 1.0

    assert survived(tmp_path, faulty(removing)).cost == 1.0
