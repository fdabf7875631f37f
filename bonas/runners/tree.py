"""The end of a process and of everything that it has started, in sessions of their own too."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Sequence

import psutil

MARK = "BONAS_WORKER"
"""The environment variable that the programs inherit which a worker starts."""


def descendants(pid: int) -> Sequence[psutil.Process]:
    """The processes that process `pid` has started, theirs included; none if it is gone.

    Once it has ended they have another parent, so they are recorded before it is killed.
    """
    try:
        return list(psutil.Process(pid).children(recursive=True))
    except (psutil.Error, OSError):
        return ()


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
    """Kills the process group that process `pid` leads, if it leads one."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


def kill(processes: Sequence[psutil.Process]) -> None:
    """Kills those that still run; the number of one that has ended may be that of another now."""
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()
