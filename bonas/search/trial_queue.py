"""Trials that are running, that wait for a running one, and that come before any new one."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from fidelity.history.trial import Trial


class TrialQueue:
    """Keeps the trials that were requested and have no result yet.

    Trials of one network at one budget and seed have the same outcome. Only one of them runs at a
    time; the others, its duplicates, wait for its result.

    Args:
        waiting: trials that a process which has ended had requested.

    Attributes:
        running: the running trials by number.
    """

    def __init__(self, waiting: Iterable[Trial] = ()) -> None:
        self.running: dict[int, Trial] = {}
        self._next = deque(waiting)
        self._duplicates: dict[tuple[str, float, int], list[Trial]] = {}
        self._waiting = 0

    def __len__(self) -> int:
        """Return the number of evaluations that running trials and their duplicates will add."""
        return len(self.running) + self._waiting

    def pop(self) -> Trial | None:
        """Remove and return the trial that comes before any new one; None if there is none."""
        return self._next.popleft() if self._next else None

    def start(self, trial: Trial) -> bool:
        """Return whether the trial runs from here on; if not, it waits for its duplicate."""
        if (duplicates := self._duplicates.get(_identity(trial))) is not None:
            duplicates.append(trial)
            self._waiting += 1
            return False
        self.running[trial.number] = trial
        self._duplicates[_identity(trial)] = []
        return True

    def end(self, trial: Trial) -> None:
        """Remove a running trial; its duplicates come next."""
        del self.running[trial.number]
        duplicates = self._duplicates.pop(_identity(trial))
        self._waiting -= len(duplicates)
        self._next.extendleft(reversed(duplicates))

    def put_back(self, trial: Trial) -> None:
        """Remove a running trial that was not run after all; it comes next."""
        self.end(trial)
        self._next.appendleft(trial)


def _identity(trial: Trial) -> tuple[str, float, int]:
    return trial.key, trial.budget, trial.seed
