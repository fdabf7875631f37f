"""Trials that were asked for and not yet told."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from fidelity.history.trial import Trial


class TrialQueue:
    """Which trials are running, which wait for one of them, and which are to be run again.

    Of trials of one network at one budget and seed, which have the same outcome, only one runs
    at a time; the others, its twins, wait for what comes of it.

    Attributes:
        queue: to be evaluated before anything else: twins of a trial that has ended, what could
            not be run, and what a process that is gone had asked for.
        running: by number.
    """

    def __init__(self, queue: Iterable[Trial] = ()) -> None:
        self.queue = deque(queue)
        self.running: dict[int, Trial] = {}
        self._twins: dict[tuple[str, float, int], list[Trial]] = {}
        self._waiting = 0

    def __len__(self) -> int:
        """How many evaluations will come of what is running and what waits for it."""
        return len(self.running) + self._waiting

    def start(self, trial: Trial) -> None:
        """Lets a trial run, or wait for its twin."""
        if (twins := self._twins.get(_identity(trial))) is not None:
            twins.append(trial)
            self._waiting += 1
        else:
            self.running[trial.number] = trial
            self._twins[_identity(trial)] = []

    def end(self, trial: Trial) -> None:
        """What has waited for a running trial comes next."""
        del self.running[trial.number]
        twins = self._twins.pop(_identity(trial))
        self._waiting -= len(twins)
        self.queue.extendleft(reversed(twins))

    def put_back(self, trial: Trial) -> None:
        """A running trial does not run after all: it comes next."""
        self.end(trial)
        self.queue.appendleft(trial)


def _identity(trial: Trial) -> tuple[str, float, int]:
    return trial.key, trial.budget, trial.seed
