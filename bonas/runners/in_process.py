"""One trial after another, in the process of the search itself."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

from bonas.runners.runner import nothing_running
from fidelity.history.trial import Evaluation, Trial
from fidelity.objective import Context, Objective, evaluate


@dataclass
class InProcess:
    """One worker, which is the process of the search; its clock is the real, monotonic one.

    An exception of the objective becomes the status of the evaluation; an interrupt by the user
    reaches the caller of `wait`.
    """

    workers: int = field(default=1, init=False)
    _began: float = field(default_factory=time.monotonic, init=False, repr=False)
    _next: tuple[Objective, Trial, Context] | None = field(default=None, init=False, repr=False)

    def now(self) -> float:
        """See `Runner.now`."""
        return time.monotonic() - self._began

    def submit(self, objective: Objective, trial: Trial, context: Context) -> None:
        """See `Runner.submit`; `wait` makes the evaluation."""
        if self._next is not None:
            raise RuntimeError("the one worker is busy: wait before the next trial is submitted")
        self._next = objective, trial, context

    def wait(self) -> Evaluation:
        """See `Runner.wait`."""
        if self._next is None:
            raise nothing_running()
        objective, trial, context = self._next
        started = self.now()
        evaluation = evaluate(objective, trial, context)
        self._next = None
        return replace(evaluation, started=started)

    def cancel(self) -> None:
        """See `Runner.cancel`."""
        self._next = None
