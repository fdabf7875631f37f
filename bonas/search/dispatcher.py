"""Trials on the workers of a runner, and trials that are ready for the next free worker."""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bonas.runners.runner import Attended, Runner
from fidelity.history.trial import Evaluation, Trial
from fidelity.objective import Context, Objective

LOOK = 0.02
"""Seconds within which the thread that attends to the workers notices that it is to stop."""

TURN = 0.0005
"""Seconds after which Python lets another thread go on while the workers are attended to."""


class Dispatcher:
    """Hands trials to a runner; what is prepared goes to a worker as soon as it gets free.

    Args:
        runner: evaluates the trials.
        objective: what is evaluated.
        may_start: whether a prepared trial may still be started; another thread asks too.

    Attributes:
        prepared: trials that wait for a worker, the next one first.
        contexts: of the trials that are prepared, running, or have ended and not been taken.
        begun: what was started and not been announced; whoever announces it takes it out.
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
        """Whether a worker has nothing to do."""
        return self._running < self._runner.workers

    @property
    def busy(self) -> bool:
        """Whether something is running or has ended and not been taken."""
        return self._running > 0 or self.arrived

    @property
    def arrived(self) -> bool:
        """Whether something can be taken without waiting for it."""
        return bool(self._arrived) or self._error is not None

    @property
    def room(self) -> int:
        """How many trials may be prepared: one a worker, if there are several workers.

        With a single worker the next trial is to know the result of the last, and with a runner
        that cannot be attended to nothing would be gained.
        """
        workers = self._runner.workers if isinstance(self._runner, Attended) else 1
        return workers if workers > 1 else 0

    def start(self, trial: Trial, context: Context) -> None:
        """Gives a trial to a free worker."""
        self.contexts[trial.number] = context
        self._runner.submit(self._objective, trial, context)
        self._running += 1
        self.started.append(trial)

    def prefetch(self, trial: Trial, context: Context) -> None:
        """Keeps a trial ready for the next worker that gets free."""
        self.contexts[trial.number] = context
        self.prefetched.append(trial)

    def start_prefetched(self) -> None:
        """Gives the next prepared trial to a free worker."""
        trial = self.prefetched.popleft()
        self.start(trial, self.contexts[trial.number])

    def wait(self) -> Evaluation:
        """The next evaluation that ends, or that has ended already."""
        if self._arrived:
            return self._arrived.popleft()
        if self._error is not None:
            raise self._error
        evaluation = self._runner.wait()
        self._running -= 1
        return evaluation

    def cancel(self) -> None:
        """Forgets everything that is prepared, running, or not taken yet."""
        self._settle()
        if self._running:
            self._runner.cancel()
        self._running = 0
        self.prefetched.clear()
        self.contexts.clear()
        self._arrived.clear()

    @contextmanager
    def attended(self, may_start: Callable[[], bool]) -> Iterator[None]:
        """While the search thinks in here, prepared trials go to workers that get free.

        A thread of its own does that, so that no worker is idle for as long as a proposal takes;
        nothing but the runner is touched by it, and nobody else touches the runner meanwhile.
        """
        runner = self._runner
        if not self.prefetched or not self._running or not isinstance(runner, Attended):
            yield
            return
        self._stop.clear()
        # A thread that computes in Python keeps the others waiting for that long each time, and
        # to serve a worker takes several turns.
        before = sys.getswitchinterval()
        sys.setswitchinterval(min(before, TURN))
        self._thread = threading.Thread(target=self._attend, args=(runner, may_start), daemon=True)
        self._thread.start()
        try:
            yield
        finally:
            self._settle()
            sys.setswitchinterval(before)

    def _attend(self, runner: Attended, may_start: Callable[[], bool]) -> None:
        try:
            while self.prefetched and self._running and not self._stop.is_set():
                evaluation = runner.poll(LOOK)
                if evaluation is None:
                    continue
                self._running -= 1
                self._arrived.append(evaluation)
                if may_start():
                    self.start_prefetched()
        except BaseException as error:  # for the thread that waits
            self._error = error

    def _settle(self) -> None:
        """From here on this thread has the runner to itself."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
