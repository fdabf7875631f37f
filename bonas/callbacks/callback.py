"""The callback protocol, and the calls that a run makes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from bonas.roles import CALLBACK, check_role
from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Trial

log = logging.getLogger(__name__)


class StopRun(Exception):
    """Raised by a callback to end the run: no trial starts any more, running ones finish."""


class Callback(Protocol):
    """Follows a run in the process of the search; a subclass overrides the events it needs.

    The history is read-only. A callback ends the run by raising `StopRun` in any event. Any other
    exception is logged, and the run continues.
    """

    def on_run_start(self, history: History) -> None:
        """Handle the start of a run; `history` holds the results of earlier runs."""

    def on_trial_start(self, history: History, trial: Trial) -> None:
        """Handle the start of a trial on a worker; a cached result starts none.

        Args:
            history: of the search.
            trial: that the worker received.
        """

    def on_trial_end(self, history: History, evaluation: Evaluation) -> None:
        """Handle a recorded evaluation of any status, cached results included.

        Args:
            history: of the search, with the evaluation.
            evaluation: the last one.
        """

    def on_run_end(self, history: History) -> None:
        """Handle the end of a run, also after an interrupt or an error."""


class Listeners:
    """The callbacks of one run, whose exceptions do not reach the run.

    The first exception of each callback is logged with its traceback, later ones in one line.

    Args:
        callbacks: called in this order.

    Attributes:
        stopped: whether a callback has raised `StopRun`.

    Raises:
        TypeError: one is a class, or has none of the methods of a callback.
    """

    def __init__(self, callbacks: Sequence[Callback]) -> None:
        if not isinstance(callbacks, Sequence) or isinstance(callbacks, str):
            raise TypeError(
                f"callbacks is {callbacks!r}: a list is expected, such as [callbacks.MLflow()]"
            )
        for callback in callbacks:
            has_event = any(hasattr(callback, method) for method in CALLBACK)
            check_role("a callback", callback, () if has_event else CALLBACK, "callbacks.MLflow()")
        self.stopped = False
        self._callbacks = tuple(callbacks)
        self._failed: set[int] = set()

    def run_start(self, history: History) -> None:
        """See `Callback.on_run_start`."""
        self._each(lambda callback: callback.on_run_start(history))

    def trial_start(self, history: History, trial: Trial) -> None:
        """See `Callback.on_trial_start`."""
        self._each(lambda callback: callback.on_trial_start(history, trial))

    def trial_end(self, history: History, evaluation: Evaluation) -> None:
        """See `Callback.on_trial_end`."""
        self._each(lambda callback: callback.on_trial_end(history, evaluation))

    def run_end(self, history: History) -> None:
        """See `Callback.on_run_end`."""
        self._each(lambda callback: callback.on_run_end(history))

    def _each(self, call: Callable[[Callback], None]) -> None:
        for index, callback in enumerate(self._callbacks):
            name = type(callback).__name__
            try:
                call(callback)
            except StopRun as request:
                self.stopped = True
                log.info(f"the callback {name} stops the run: {request}")
            except Exception as error:  # a display or a tracker must not end a search
                logged_before = index in self._failed
                self._failed.add(index)
                log.error(f"the callback {name} failed: {error!r}", exc_info=not logged_before)
