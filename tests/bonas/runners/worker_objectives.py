"""Objectives for workers in other processes, which report through files."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from ConfigSpace import Configuration

from fidelity.objective import Context

Fault = Callable[[], Any]


def failing_on(numbers: set[int], fault: Fault) -> Callable[[Configuration], float]:
    """An objective whose cost is the number, but that does `fault` for some numbers."""

    def objective(configuration: Configuration) -> float:
        number = int(configuration["number"])
        if number in numbers:
            fault()
        return float(number)

    return objective


def failing_once(marker: Path, fault: Fault, number: int = 1) -> Callable[[Configuration], float]:
    """The same for one number, and only at the first attempt."""

    def objective(configuration: Configuration) -> float:
        if int(configuration["number"]) == number and not marker.exists():
            marker.touch()
            fault()
        return float(configuration["number"])

    return objective


def stuck(marker: Path) -> Callable[[Configuration], float]:
    """Says its process in a file, and never returns."""

    def objective(configuration: Configuration) -> float:
        (marker / f"{int(configuration['number'])}").write_text(str(os.getpid()), encoding="utf-8")
        while True:
            time.sleep(0.01)

    return objective


def starting(marker: Path) -> Callable[[Configuration], float]:
    """Starts a process in a session of its own, says which in a file, and never returns."""

    def objective(configuration: Configuration) -> float:
        child = subprocess.Popen(["sleep", "600"], start_new_session=True)
        (marker / "child.new").write_text(str(child.pid), encoding="utf-8")
        (marker / "child.new").rename(marker / "child")
        while True:
            time.sleep(0.01)

    return objective


def orphaning(marker: Path) -> Callable[[Configuration], float]:
    """Starts a process in a session of its own, says which in a file, and dies."""

    def objective(configuration: Configuration) -> float:
        child = subprocess.Popen(["sleep", "600"], start_new_session=True)
        (marker / "child").write_text(str(child.pid), encoding="utf-8")
        os._exit(3)

    return objective


def resuming(marker: Path, steps: int, fault: Fault) -> Callable[..., float]:
    """Counts its steps in its checkpoint, and breaks in the middle of the first attempt."""

    def objective(configuration: Configuration, context: Context) -> float:
        state = context.checkpoint.load() or {"step": 0}
        for step in range(state["step"], steps):
            with (marker / f"steps-{int(configuration['number'])}").open(
                "a", encoding="utf-8"
            ) as file:
                file.write(f"{step}\n")
            context.checkpoint.save({"step": step + 1})
            if step == steps // 2 and not (marker / "broken").exists():
                (marker / "broken").touch()
                fault()
        return float(configuration["number"])

    return objective


def eventually(condition: Callable[[], object], what: str, seconds: float = 200.0) -> None:
    """Waits for something that is to happen."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.02)


def gone(pid: int) -> bool:
    """Whether a process has ended."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
