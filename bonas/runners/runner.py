"""The runner protocol: the workers that evaluate the trials of a search, and its clock."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Trial
from fidelity.objective import Context, Objective


class Runner(Protocol):
    """Workers that evaluate trials, and a clock."""

    @property
    def workers(self) -> int:
        """The number of trials that may run at once; it may change during a search."""
        ...

    def now(self) -> float:
        """Return the seconds since the runner was made, on a monotonic clock."""
        ...

    def submit(self, objective: Objective, trial: Trial, context: Context) -> None:
        """Start an evaluation on a free worker.

        Args:
            objective: called by `fidelity.objective.evaluate`.
            trial: to evaluate.
            context: of the evaluation.

        Raises:
            RuntimeError: no worker is free.
        """
        ...

    def wait(self) -> Evaluation:
        """Return the next evaluation that ends; its times are on the runner's clock.

        Raises:
            RuntimeError: nothing is running.
        """
        ...

    def cancel(self) -> None:
        """Drop everything that is running, so that the runner can be used again."""
        ...


@runtime_checkable
class Pollable(Runner, Protocol):
    """A runner whose workers run in real time while the search computes a proposal."""

    def poll(self, seconds: float) -> Evaluation | None:
        """Return the next evaluation that ends; None if none does within `seconds`.

        Another thread may call this while it calls no other method.

        Raises:
            RuntimeError: nothing is running.
        """
        ...


Attended = Pollable
"""The name of `Pollable` in version 0.1."""


def no_free_worker(workers: int) -> RuntimeError:
    """Return the error of a trial that is submitted while all workers are busy."""
    return RuntimeError(f"all {workers} workers are busy: wait before the next trial is submitted")


def nothing_running() -> RuntimeError:
    """Return the error of a wait that would never end."""
    return RuntimeError("nothing is running: submit a trial before you wait")


def busy_share(history: History, workers: int) -> float:
    """Return the share of worker time spent on evaluations, until the last one was started.

    The time after that is left out, because a run ends by letting its workers finish.

    Args:
        history: of one run.
        workers: of its runner.

    Returns:
        Seconds of evaluation divided by the seconds of all workers, in [0, 1]; 1 for an empty
        history.
    """
    spans = [(e.started, e.started + e.seconds) for e in history.evaluations if e.reused is None]
    last = max((started for started, _ in spans), default=0.0)
    busy = sum(min(ended, last) - started for started, ended in spans)
    return busy / (workers * last) if last else 1.0
