"""What a runner is: the part of a search that evaluates trials, and whose clock it goes by."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Trial
from fidelity.objective import Context, Objective


class Runner(Protocol):
    """Workers that evaluate trials, and a clock."""

    @property
    def workers(self) -> int:
        """How many trials may be evaluated at once; it may change while a search runs."""
        ...

    def now(self) -> float:
        """Seconds on the runner's clock since it began; it never goes back."""
        ...

    def submit(self, objective: Objective, trial: Trial, context: Context) -> None:
        """Starts an evaluation on a free worker.

        Args:
            objective: what is called, by `fidelity.objective.evaluate`.
            trial: what is evaluated.
            context: what the objective may use.

        Raises:
            RuntimeError: no worker is free.
        """
        ...

    def wait(self) -> Evaluation:
        """The next evaluation that ends, with `started` and `seconds` on the runner's clock.

        Raises:
            RuntimeError: nothing is running.
        """
        ...

    def cancel(self) -> None:
        """Forgets everything that is running, so that the runner may be used again."""
        ...


@runtime_checkable
class Attended(Runner, Protocol):
    """A runner whose workers go on in real time while the search thinks."""

    def poll(self, seconds: float) -> Evaluation | None:
        """The next evaluation that ends; None if none does within `seconds`.

        It may be called by another thread, while no other method is.

        Raises:
            RuntimeError: nothing is running.
        """
        ...


def busy_share(history: History, workers: int) -> float:
    """How busy the workers were, until the last evaluation was started.

    What comes after that is left out: a run ends by letting its workers finish.

    Args:
        history: of one run.
        workers: of its runner.

    Returns:
        Seconds of evaluation by all seconds of all workers, in [0, 1]; 1 for an empty history.
    """
    done = [(e.started, e.started + e.seconds) for e in history.evaluations if e.reused is None]
    last = max((started for started, _ in done), default=0.0)
    busy = sum(min(ended, last) - started for started, ended in done)
    return busy / (workers * last) if last else 1.0
