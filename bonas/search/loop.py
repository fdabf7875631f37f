"""One run of a search: trials go to workers, results into the history, until a limit is reached."""

from __future__ import annotations

import logging
import time
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from bonas.callbacks.callback import Listeners
from bonas.runners.runner import Runner
from bonas.search.dispatcher import Dispatcher
from bonas.search.failures import Failures
from bonas.search.progress import Silent
from bonas.search.proposer import Postponed
from bonas.search.signals import Signals
from bonas.search.stop import Stop
from bonas.strategies.strategy import Exhausted
from fidelity.history.trial import Evaluation, Trial

if TYPE_CHECKING:
    from bonas.search.search import Search

# When this many proposals in a row were networks that are known already, the space is taken
# to be exhausted: a strategy that draws with replacement would go on for ever.
STALE_PROPOSALS = 1000

PROMPT = 0.05
"""Seconds that a free worker may wait for its proposal: slower ones are prepared ahead."""

AHEAD = 4
"""So many trials are prepared ahead at most: each knows less than one that is proposed later."""

log = logging.getLogger(__name__)


class Run:
    """A run of `search`, which it is a part of: one process, one history, one journal.

    Where proposals take longer than `PROMPT` and several workers are busy, the next trials are
    proposed before a worker is free, and recorded as asked. They know everything but what ends
    until they start: asynchronous optimization with a few more pending trials. With one worker
    nothing is prepared, so that its history is the same with every runner.

    Args:
        search: what is run.
        runner: evaluates the trials.
        limits: of the run.
        interrupts: says whether nothing more is to be started.
        shown: the progress display.
        listeners: the callbacks.
        first_failures: when the run gives up, see `Failures`.
    """

    def __init__(
        self,
        search: Search,
        runner: Runner,
        limits: Stop,
        interrupts: Signals,
        shown: Silent,
        listeners: Listeners,
        first_failures: int,
    ) -> None:
        self._search = search
        self._limits = limits
        self._interrupts = interrupts
        self._shown = shown
        self._listeners = listeners
        self._failures = Failures(search.history, first_failures)
        self._dispatch = Dispatcher(runner, search._evaluated, self._in_time)
        self._thought: deque[float] = deque(maxlen=10)  # seconds of the last proposals

    def go(self) -> None:
        """Runs to the end.

        Raises:
            NothingWorks: the first evaluations have all failed, or all of the run.
            KeyboardInterrupt: after a second signal.
        """
        history = self._search.history
        log.info(f"a run begins with {len(history)} evaluations, to {self._limits}")
        self._listeners.run_start(history)
        self._shown.update(history, self._limits)
        try:
            while self._fill():
                self._prepare()
                with self._interrupts.allowed():
                    evaluation = self._dispatch.wait()
                self._collect(evaluation)
        finally:
            self._abandon()
            self._listeners.run_end(history)
            log.info(f"the run ends with {len(history)} evaluations")
        if not self._interrupts.requested:  # then the run is not at its end
            self._failures.end()

    def _in_time(self) -> bool:
        """Whether something may be started that the other limits allow."""
        seconds = self._limits.seconds
        late = seconds is not None and self._search._clock() >= seconds
        return not (late or self._interrupts.requested)

    def _over(self) -> bool:
        """Whether refused proposals are to end; shows how many there are so far."""
        self._shown.update(self._search.history, self._limits)
        return not self._in_time()

    def _fill(self) -> bool:
        """Gives work to free workers as far as the limits go; whether there is any."""
        while self._dispatch.free and self._in_time():
            if self._dispatch.prepared:
                self._dispatch.start_prepared()
            elif (trial := self._think()) is not None:
                self._dispatch.start(trial, self._search._checkpoints.context(trial))
            else:
                break
            self._announce()
        return self._dispatch.busy

    def _prepare(self) -> None:
        """Proposes ahead what workers will need, as long as nothing else is to be done."""
        if max(self._thought, default=0.0) <= PROMPT:
            return
        room = min(AHEAD, self._dispatch.room)
        while len(self._dispatch.prepared) < room and not self._dispatch.arrived:
            if (trial := self._think()) is None:
                break
            self._dispatch.prepare(trial, self._search._checkpoints.context(trial))

    def _think(self) -> Trial | None:
        """The next trial to evaluate; None if there is nothing to start now."""
        search, limits = self._search, self._limits
        for _ in range(STALE_PROPOSALS):
            running = len(search._in_flight)
            if self._interrupts.requested or limits.reached(
                search.history, search._clock(), running
            ):
                return None
            begun = time.monotonic()
            try:
                with self._dispatch.attended():
                    trial = search._next(self._over)
            except Exhausted:
                return None
            except Postponed as reason:
                if reason.args:
                    log.warning(reason)
                return None
            self._thought.append(time.monotonic() - begun)
            if trial is None:
                return None
            if trial.number in search._in_flight.running:
                if limits.exceeded_by(search.history, search._in_flight.running.values()):
                    search._in_flight.put_back(trial)
                    return None
                return trial
            if (known := search.history.evaluation(trial.number)) is not None:
                self._listeners.trial_end(search.history, known)
            self._shown.update(search.history, limits)
        return None

    def _collect(self, evaluation: Evaluation) -> None:
        """Tells what a runner has evaluated."""
        search, trial = self._search, evaluation.trial
        self._announce()
        context = self._dispatch.contexts[trial.number]
        anew = trial.parent is not None and not context.resumed
        started = search._before + evaluation.started
        evaluation = replace(evaluation, started=started, retrained=anew or evaluation.retrained)
        evaluation = search.tell(trial, evaluation)
        del self._dispatch.contexts[trial.number]
        log.debug(f"trial {trial.number}: {evaluation.status}, cost {evaluation.cost:g}")
        self._listeners.trial_end(search.history, evaluation)
        self._failures.see(evaluation)
        self._shown.update(search.history, self._limits)

    def _announce(self) -> None:
        """Says what was started, in this thread: another one may have started it."""
        while self._dispatch.begun:
            trial = self._dispatch.begun.popleft()
            log.debug(f"trial {trial.number} begins at budget {trial.budget:g}")
            self._listeners.trial_start(self._search.history, trial)

    def _abandon(self) -> None:
        """What was running or prepared is to be evaluated when the search goes on."""
        in_flight = self._search._in_flight
        numbers = sorted(self._dispatch.contexts, reverse=True)
        self._dispatch.cancel()
        for number in numbers:
            if trial := in_flight.running.get(number):
                in_flight.put_back(trial)
