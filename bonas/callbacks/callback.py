"""What a callback is, and how a run calls it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from bonas.roles import CALLBACK, check_role
from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Trial

log = logging.getLogger(__name__)


class Callback(Protocol):
    """Is told how a run goes, in the process of the search; a subclass says what it cares about.

    The history is to be read only. An exception is logged and harms nobody: the run goes on.
    """

    def on_run_start(self, history: History) -> None:
        """A run begins; `history` has what earlier runs brought."""

    def on_trial_start(self, history: History, trial: Trial) -> None:
        """A worker was given a trial; a known network is given to none."""

    def on_trial_end(self, history: History, evaluation: Evaluation) -> None:
        """An evaluation was recorded, of whatever status; a known result too."""

    def on_run_end(self, history: History) -> None:
        """The run has ended, also by an interrupt or an error."""


class Listeners:
    """The callbacks of a run, which can do it no harm.

    The first exception of each is logged with its traceback, later ones in a line.

    Args:
        callbacks: called in this order.

    Raises:
        TypeError: one is a class, or has none of the methods of a callback.
    """

    def __init__(self, callbacks: Sequence[Callback]) -> None:
        if not isinstance(callbacks, Sequence) or isinstance(callbacks, str):
            raise TypeError(
                f"callbacks is {callbacks!r}: a list is expected, such as [callbacks.MLflow()]"
            )
        for callback in callbacks:
            named = any(hasattr(callback, method) for method in CALLBACK)
            check_role("a callback", callback, () if named else CALLBACK, "callbacks.MLflow()")
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
        for number, callback in enumerate(self._callbacks):
            try:
                call(callback)
            except Exception as error:  # a display or a tracker is not worth a search
                again = number in self._failed
                self._failed.add(number)
                name = type(callback).__name__
                log.error(f"the callback {name} failed: {error!r}", exc_info=not again)
