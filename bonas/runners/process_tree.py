"""A process with all its descendants: their memory and end, including those in other sessions."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Sequence

import psutil

MARK = "BONAS_WORKER"
"""The environment variable that the programs inherit which a worker starts."""


def descendants(pid: int) -> Sequence[psutil.Process]:
    """Return all descendants of process `pid`; none if it has ended.

    Record them before the process is killed: afterwards they have another parent.
    """
    try:
        return list(psutil.Process(pid).children(recursive=True))
    except (psutil.Error, OSError):
        return ()


def memory(pid: int) -> int:
    """Return the bytes of host memory of process `pid` and its descendants; 0 if it has ended.

    A descendant counts with what is its own: a forked one shares the rest with its parent.
    """
    try:
        total = int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0
    for process in descendants(pid):
        with contextlib.suppress(psutil.Error):  # it has just ended
            total += int(process.memory_full_info().uss)
    return total


def marked(mark: str) -> Sequence[psutil.Process]:
    """The programs of this user that were started with `mark` as their `MARK` variable.

    They are found whichever process is their parent now.
    """
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):  # of another user, or just ended
            if process.environ().get(MARK) == mark:
                found.append(process)
    return found


def kill_group(pid: int) -> None:
    """Kill the process group that process `pid` leads, if any."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


def kill(processes: Sequence[psutil.Process]) -> None:
    """Kill those that still run; psutil notices when a number belongs to a new process."""
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()
