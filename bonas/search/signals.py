"""Ctrl-C and SIGTERM: the first lets running trials finish, the second ends the run at once."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Self

SIGNALS = (signal.SIGINT, signal.SIGTERM)

log = logging.getLogger(__name__)


class Signals:
    """Counts the signals of one run; a context manager around it.

    Signals that the process ignores, such as those of a background job of a shell, stay ignored.
    Outside the main thread, which receives the signals, nothing is handled.

    Attributes:
        requested: whether a signal asked that nothing more starts.
    """

    def __init__(self) -> None:
        self.requested = False
        self._signals = 0
        self._allowed = False
        self._handlers: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    self._handlers[number] = signal.signal(number, self._receive)
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        if self.requested and kind is None:
            raise KeyboardInterrupt

    @contextmanager
    def allowed(self) -> Iterator[None]:
        """Let a second signal end the run at once in here; elsewhere a record is being written."""
        self._allowed = True
        try:
            if self._signals > 1:
                raise KeyboardInterrupt
            yield
        finally:
            self._allowed = False

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
        self._signals += 1
        name = signal.Signals(number).name
        if self._signals == 1:
            log.warning(f"{name}: running trials finish first; a second {name} stops at once")
        elif self._allowed or self._signals > 2:
            raise KeyboardInterrupt
