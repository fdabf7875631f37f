"""Any number of workers on a simulated clock, for objectives that look up their results."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush

from bonas.runners.runner import no_free_worker, nothing_running
from fidelity.history.trial import Evaluation, Trial
from fidelity.objective import Context, Objective, ObjectiveError, evaluate


@dataclass
class Simulated:
    """A discrete-event simulation, whose clock jumps from the end of one evaluation to the next.

    The objective's metric `metric` is the duration of an evaluation. A failure without it, because
    the objective raised an exception, takes no time. Of evaluations that end at the same time, the
    one with the lower trial number comes first. A simulation therefore depends on the search alone,
    unless the real time of proposals is counted.

    Attributes:
        workers: the number of workers.
        metric: the name of the metric with the duration in seconds.
        thinking: a clock in real seconds, such as `time.perf_counter`. The time that the search
            takes between an answer of the runner and its next call is then added to the simulated
            time: meanwhile free workers are idle and the others continue. None counts proposals as
            free.

    Raises:
        ValueError: `workers` is below 1.
    """

    workers: int = 1
    metric: str = "seconds"
    thinking: Callable[[], float] | None = None
    _time: float = field(default=0.0, init=False, repr=False)
    _running: list[tuple[float, int, Evaluation]] = field(  # a heap
        default_factory=list, init=False, repr=False
    )
    _spent: float = field(default=0.0, init=False, repr=False)
    _answered: float | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise ValueError(f"a simulation has at least 1 worker, not {self.workers}")

    @property
    def busy(self) -> float:
        """The seconds that all workers together have spent on evaluations until now."""
        return self._spent - sum(max(0.0, end - self._time) for end, _, _ in self._running)

    def now(self) -> float:
        """See `Runner.now`: simulated seconds."""
        self._think()
        return self._time

    def submit(self, objective: Objective, trial: Trial, context: Context) -> None:
        """See `Runner.submit`.

        Raises:
            RuntimeError: no worker is free.
            ObjectiveError: the objective did not return its duration.
        """
        if len(self._running) >= self.workers:
            raise no_free_worker(self.workers)
        self._think()
        evaluation = evaluate(objective, trial, context)
        seconds = self._duration(evaluation)
        evaluation = replace(evaluation, started=self._time, seconds=seconds)
        heappush(self._running, (self._time + seconds, trial.number, evaluation))
        self._spent += seconds
        self._answer()

    def wait(self) -> Evaluation:
        """See `Runner.wait`."""
        if not self._running:
            raise nothing_running()
        self._think()
        end, _, evaluation = heappop(self._running)
        self._time = max(self._time, end)  # it may have ended during a proposal
        self._answer()
        return evaluation

    def cancel(self) -> None:
        """See `Runner.cancel`."""
        self._spent = self.busy
        self._running.clear()

    def _duration(self, evaluation: Evaluation) -> float:
        if self.metric not in evaluation.metrics and not evaluation.succeeded:
            return 0.0
        seconds = evaluation.metrics.get(self.metric)
        number = getattr(seconds, "item", lambda: seconds)()  # numpy and torch scalars
        if not isinstance(number, int | float) or not 0 <= number < math.inf:
            raise ObjectiveError(
                f"a simulation takes the duration of an evaluation from the objective's metric "
                f"'{self.metric}': a number of seconds from 0 on, not {seconds!r}; "
                f"return {{'cost': ..., '{self.metric}': ...}}, or run it without a simulated clock"
            )
        return float(number)

    def _think(self) -> None:
        """Add the real time since the last answer."""
        if self.thinking is not None:
            now = self.thinking()
            self._time += 0.0 if self._answered is None else now - self._answered
            self._answered = now

    def _answer(self) -> None:
        """Exclude the real time of the lookup, which stands for the work of the workers."""
        if self.thinking is not None:
            self._answered = self.thinking()
