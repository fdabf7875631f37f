"""Ctrl-C and SIGTERM: the first lets a run end in good order, the second ends it at once."""

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

    It leaves alone a signal that the process ignores, as a shell has it for a job in the
    background, and everything where it is not in the main thread, to which signals go.

    Attributes:
        requested: nothing more is to be started.
    """

    def __init__(self) -> None:
        self.requested = False
        self._signals = 0
        self._allowed = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    self._before[number] = signal.signal(number, self._receive)
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self.requested and kind is None:
            raise KeyboardInterrupt

    @contextmanager
    def allowed(self) -> Iterator[None]:
        """Where a second signal ends the run at once: elsewhere something is being recorded."""
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
            log.warning(f"{name}: what is running is finished; once more stops at once")
        elif self._allowed or self._signals > 2:
            raise KeyboardInterrupt
