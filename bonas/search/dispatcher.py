"""Hands trials to the workers of a runner, prefetched ones as soon as a worker is free."""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bonas.runners.runner import Attended, Runner
from fidelity.history.trial import Evaluation, Trial
from fidelity.objective import Context, Objective

POLL_SECONDS = 0.02
"""The wait for a result after which the attending thread checks whether it has to stop."""

SWITCH_SECONDS = 0.0005
"""Python's switch interval between threads while one of them attends to the workers."""


class Dispatcher:
    """Hands trials to a runner; a prefetched one goes to a worker as soon as it is free.

    Args:
        runner: evaluates the trials.
        objective: is evaluated.

    Attributes:
        prefetched: trials that wait for a worker, the next one first.
        contexts: by number, of the trials that are prefetched, running, or ended and not collected.
        started: trials that were started and not announced yet; the caller removes them.
    """

    def __init__(self, runner: Runner, objective: Objective) -> None:
        self.prefetched: deque[Trial] = deque()
        self.contexts: dict[int, Context] = {}
        self.started: deque[Trial] = deque()
        self._runner = runner
        self._objective = objective
        self._arrived: deque[Evaluation] = deque()
        self._running = 0
        self._error: BaseException | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def free(self) -> bool:
        """Whether a worker is idle."""
        return self._running < self._runner.workers

    @property
    def busy(self) -> bool:
        """Whether a trial is running, or has ended and was not collected."""
        return self._running > 0 or self.arrived

    @property
    def arrived(self) -> bool:
        """Whether `wait` returns at once."""
        return bool(self._arrived) or self._error is not None

    @property
    def room(self) -> int:
        """The number of trials that may be prefetched: one per worker, if there are several.

        With a single worker the next proposal needs the result of the last trial. With a runner
        that cannot be polled, prefetching gains nothing.
        """
        workers = self._runner.workers if isinstance(self._runner, Attended) else 1
        return workers if workers > 1 else 0

    def start(self, trial: Trial, context: Context) -> None:
        """Give a trial to a free worker.

        Args:
            trial: is evaluated.
            context: of the evaluation.
        """
        self.contexts[trial.number] = context
        self._runner.submit(self._objective, trial, context)
        self._running += 1
        self.started.append(trial)

    def prefetch(self, trial: Trial, context: Context) -> None:
        """Store a trial for the next free worker.

        Args:
            trial: is evaluated later.
            context: of the evaluation.
        """
        self.contexts[trial.number] = context
        self.prefetched.append(trial)

    def start_prefetched(self) -> None:
        """Give the next prefetched trial to a free worker."""
        trial = self.prefetched.popleft()
        self.start(trial, self.contexts[trial.number])

    def wait(self) -> Evaluation:
        """Return the next evaluation that ends, or one that has ended already."""
        if self._arrived:
            return self._arrived.popleft()
        if self._error is not None:
            raise self._error
        evaluation = self._runner.wait()
        self._running -= 1
        return evaluation

    def cancel(self) -> None:
        """Drop everything that is prefetched, running, or not collected."""
        self._settle()
        if self._running:
            self._runner.cancel()
        self._running = 0
        self.prefetched.clear()
        self.contexts.clear()
        self._arrived.clear()

    @contextmanager
    def attended(self, may_start: Callable[[], bool]) -> Iterator[None]:
        """Give prefetched trials to free workers while the caller computes a proposal in here.

        A separate thread does that, so that no worker is idle for as long as a proposal takes. It
        uses the runner alone, and the caller must not use the runner meanwhile.

        Args:
            may_start: whether another trial may start; that thread calls it.
        """
        runner = self._runner
        if not self.prefetched or not self._running or not isinstance(runner, Attended):
            yield
            return
        self._stop.clear()
        # A thread that computes in Python blocks the others for one switch interval at a time, and
        # serving a worker takes several of them.
        interval = sys.getswitchinterval()
        sys.setswitchinterval(min(interval, SWITCH_SECONDS))
        self._thread = threading.Thread(target=self._attend, args=(runner, may_start), daemon=True)
        self._thread.start()
        try:
            yield
        finally:
            self._settle()
            sys.setswitchinterval(interval)

    def _attend(self, runner: Attended, may_start: Callable[[], bool]) -> None:
        try:
            while self.prefetched and self._running and not self._stop.is_set():
                evaluation = runner.poll(POLL_SECONDS)
                if evaluation is None:
                    continue
                self._running -= 1
                self._arrived.append(evaluation)
                if may_start():
                    self.start_prefetched()
        except BaseException as error:  # raised in the thread that waits
            self._error = error

    def _settle(self) -> None:
        """End the attending thread: from here on the caller may use the runner."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
