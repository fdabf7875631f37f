"""One run of a search: trials go to workers and results to the engine, until it is time to stop."""

from __future__ import annotations

import logging
import time
from collections import deque
from dataclasses import replace

from bonas.callbacks.callback import Listeners
from bonas.search.dispatcher import Dispatcher
from bonas.search.engine import Engine
from bonas.search.failures import Failures
from bonas.search.progress import Silent
from bonas.search.proposer import Postponed
from bonas.search.signals import Signals
from bonas.search.stop import Stop
from bonas.strategies.strategy import Exhausted
from fidelity.history.trial import Evaluation, Trial

PREFETCH_ABOVE_SECONDS = 0.05
"""Proposals that take longer are prefetched, so that no free worker waits for them."""

MAX_PREFETCHED = 4
"""Trials that are prefetched at most: each knows less than one that is proposed later."""

log = logging.getLogger(__name__)


class Loop:
    """A run of a search: one process, one history, one journal.

    Where proposals take longer than `PREFETCH_ABOVE_SECONDS` and several workers are busy, the next
    trials are proposed before a worker is free, and recorded as requested. They lack the results of
    what ends before they start: asynchronous optimization with a few more pending trials. With one
    worker nothing is prefetched, so that its history is the same with every runner.

    Args:
        engine: of the search.
        dispatcher: hands trials to the runner.
        stop: when the run ends.
        signals: of the operating system, which may end it sooner.
        progress: the display.
        listeners: the callbacks.
        first_failures: when the run gives up, see `Failures`.
    """

    def __init__(
        self,
        engine: Engine,
        dispatcher: Dispatcher,
        stop: Stop,
        signals: Signals,
        progress: Silent,
        listeners: Listeners,
        first_failures: int,
    ) -> None:
        self._engine = engine
        self._dispatcher = dispatcher
        self._stop = stop
        self._signals = signals
        self._progress = progress
        self._listeners = listeners
        self._history = engine.history
        self._failures = Failures(engine.history, first_failures)
        self._proposal_seconds: deque[float] = deque(maxlen=10)  # of the last proposals

    def run(self) -> None:
        """Run until it is time to stop, or nothing is left to evaluate.

        Raises:
            NothingWorks: the first evaluations have all failed, or all of the run.
            KeyboardInterrupt: after a second signal.
        """
        log.info(f"a run begins with {len(self._history)} evaluations, to {self._stop}")
        self._listeners.run_start(self._history)
        self._show()
        try:
            while self._fill():
                self._prefetch()
                with self._signals.allowed():
                    evaluation = self._dispatcher.wait()
                self._collect(evaluation)
        finally:
            self._abandon()
            self._listeners.run_end(self._history)
            log.info(f"the run ends with {len(self._history)} evaluations")
        if not self._ending:  # then the run is not at its end
            self._failures.end()

    def may_start(self) -> bool:
        """Return whether the time and the signals allow another trial; any thread may call it."""
        late = self._stop.late(self._engine.clock.now())
        return not (late or self._ending)

    @property
    def _ending(self) -> bool:
        return self._signals.requested or self._listeners.stopped

    def _fill(self) -> bool:
        """Give trials to free workers; return whether there is anything to wait for."""
        while self._dispatcher.free and self.may_start():
            if self._dispatcher.prefetched:
                self._dispatcher.start_prefetched()
            elif (trial := self._next()) is not None:
                self._dispatcher.start(trial, self._engine.context(trial))
            else:
                break
            self._announce()
        return self._dispatcher.busy

    def _prefetch(self) -> None:
        """Propose what workers will need, as long as nothing else is to be done."""
        if max(self._proposal_seconds, default=0.0) <= PREFETCH_ABOVE_SECONDS:
            return
        room = min(MAX_PREFETCHED, self._dispatcher.room)
        while len(self._dispatcher.prefetched) < room and not self._dispatcher.arrived:
            if (trial := self._next()) is None:
                break
            self._dispatcher.prefetch(trial, self._engine.context(trial))

    def _next(self) -> Trial | None:
        """Return the next trial within the totals of this run; None if nothing can start now."""
        begun = time.monotonic()
        try:
            with self._dispatcher.attended(self.may_start):
                trial = self._engine.next(
                    stop=self._reached, refused=self._refused, reused=self._reused
                )
        except Exhausted:
            return None
        except Postponed as reason:
            if reason.args:
                log.warning(reason)
            return None
        self._proposal_seconds.append(time.monotonic() - begun)
        if trial is None:
            return None
        if self._stop.exceeded_by(self._history, self._engine.queue.running.values()):
            self._engine.put_back(trial)
            return None
        return trial

    def _reached(self) -> bool:
        seconds, running = self._engine.clock.now(), len(self._engine.queue)
        return self._ending or self._stop.reached(self._history, seconds, running)

    def _refused(self) -> bool:
        self._show()
        return not self.may_start()

    def _reused(self, evaluation: Evaluation) -> None:
        self._listeners.trial_end(self._history, evaluation)
        self._show()

    def _collect(self, evaluation: Evaluation) -> None:
        """Hand the result of a runner to the engine."""
        trial = evaluation.trial
        self._announce()
        context = self._dispatcher.contexts[trial.number]
        evaluation = replace(evaluation, started=self._engine.clock.at(evaluation.started))
        evaluation = self._engine.tell(trial, evaluation, context)
        del self._dispatcher.contexts[trial.number]
        log.debug(f"trial {trial.number}: {evaluation.status}, cost {evaluation.cost:g}")
        self._listeners.trial_end(self._history, evaluation)
        self._failures.count(evaluation)
        self._show()

    def _announce(self) -> None:
        """Report what was started, in this thread: another one may have started it."""
        while self._dispatcher.started:
            trial = self._dispatcher.started.popleft()
            log.debug(f"trial {trial.number} begins at budget {trial.budget:g}")
            self._listeners.trial_start(self._history, trial)

    def _show(self) -> None:
        self._progress.update(self._history, self._stop)

    def _abandon(self) -> None:
        """Put back what is running or prefetched: it is evaluated when the search resumes."""
        numbers = sorted(self._dispatcher.contexts, reverse=True)
        self._dispatcher.cancel()
        for number in numbers:
            if trial := self._engine.queue.running.get(number):
                self._engine.put_back(trial)
