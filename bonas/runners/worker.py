"""A process of this machine that evaluates one trial after another."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from multiprocessing import connection, get_context, parent_process
from multiprocessing.connection import Connection
from typing import Any

from bonas.runners import messages, process_tree
from bonas.runners.device_memory import Usage, start_measuring, usage
from bonas.runners.trial_limits import restrict_device
from fidelity.checkpoint import CheckpointWarning

READY, BEGAN, USED, ANSWER = "ready", "began", "used", "answer"

FAILED_IMPORT = 1
"""The exit code of a Python process that an exception has ended."""

ENDING_SECONDS = 1.0
"""The time in which a process that has closed its pipe usually ends, and has an exit code."""


class Worker:
    """A worker process, as the process of the search sees it.

    It is killed, never asked to stop: whatever it writes is written whole or not at all.

    Args:
        device: for `context.device`.
        threads: that torch uses in it.
        device_memory: bytes that torch may allocate on the device; None is no limit.
    """

    def __init__(self, device: str | None, threads: int, device_memory: int | None) -> None:
        self.device = device
        self.began: float | None = None  # of the current trial, on the monotonic clock
        self.usage: Usage | None = None  # of its device, by the last trial
        self.ready = False  # it has read the script of the search, and waits for a request
        self._payload: bytes | None = None  # what the process holds
        self._broken = False
        self._mark = secrets.token_hex(16)
        context = get_context("spawn")
        self._pipe, other = context.Pipe()
        arguments = (other, device, threads, device_memory, self._mark)
        self._process = context.Process(target=serve, args=arguments, name="bonas-worker")
        with _signals_blocked():
            self._process.start()
        other.close()

    @property
    def pid(self) -> int:
        """The number of the process."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def alive(self) -> bool:
        """True while it can still answer."""
        return not self._broken and self._process.is_alive()

    @property
    def seconds(self) -> float:
        """The seconds that the current trial has been evaluated for."""
        return 0.0 if self.began is None else time.monotonic() - self.began

    @property
    def waitables(self) -> tuple[Any, ...]:
        """Objects for `connection.wait`, ready when the worker sends something or dies."""
        return self._pipe, self._process.sentinel

    def start(self, payload: bytes, request: dict[str, Any]) -> bool:
        """Start an evaluation; return whether the worker was alive to receive it.

        Args:
            payload: of the search, which is sent only if the worker does not hold it.
            request: as `messages.request` returned it.
        """
        self.began = None
        try:
            self._pipe.send((None if payload is self._payload else payload, request))
        except OSError:
            self._broken = True
            return False
        self._payload = payload
        return True

    def answer(self) -> str | None:
        """Return the answer to the last request; None while there is none."""
        try:
            while self._pipe.poll():
                kind, value = self._pipe.recv()
                if kind == ANSWER:
                    return str(value)
                if kind == READY:
                    self.ready = True
                elif kind == USED:
                    self.usage = value
                else:
                    self.began = float(value)
        except Exception:  # the pipe is closed, or the trial wrote something else into it
            self._broken = True
        return None

    def memory(self) -> int:
        """Return the bytes of host memory of the process and all that it has started."""
        return process_tree.memory(self.pid)

    def end(self) -> str:
        """Kill it and its descendants; return how it ended if it had already."""
        self._process.join(ENDING_SECONDS if self._broken else 0)
        code = self._process.exitcode
        started = process_tree.descendants(self.pid) if code is None else ()
        process_tree.kill_group(self.pid)  # of its own, see `serve`
        self._process.kill()
        process_tree.kill(started)
        self._process.join()
        process_tree.kill(process_tree.marked(self._mark))  # orphans of a worker that had died
        self._pipe.close()
        return self._cause(code)

    def _cause(self, code: int | None) -> str:
        """Describe an exit code; None is that of a process that was still running."""
        if code is None:
            cause = "it could not be reached any more"
        elif code < 0:
            cause = f"it was killed by {_signal(-code)}"
        else:
            cause = f"it exited with code {code}"
        if self.began is not None:
            return cause
        if self.ready or code != FAILED_IMPORT:
            return f"{cause} before it began"
        return (
            f"{cause} before it began, while it read the script of the search (its error is on the "
            "standard error): a script that uses worker processes must start its work under "
            "'if __name__ == \"__main__\":'"
        )


def _signal(number: int) -> str:
    try:
        return f"signal {number}, {signal.Signals(number).name}"
    except ValueError:
        return f"signal {number}"


@contextlib.contextmanager
def _signals_blocked() -> Iterator[None]:
    """Let a process that starts here receive signals only once it has set its handlers."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def serve(
    pipe: Connection, device: str | None, threads: int, device_memory: int | None, mark: str
) -> None:
    """Answer requests in the worker process until the other end of the pipe closes.

    The objective is kept from one trial to the next, and with it the data set on its device.

    Args:
        pipe: to the process of the search.
        device: for `context.device`.
        threads: that torch uses.
        device_memory: bytes that torch may allocate on the device; None is no limit.
        mark: is inherited by the programs that a trial starts, see `process_tree.marked`.
    """
    os.environ[process_tree.MARK] = mark
    _prepare(pipe, threads)
    payload: messages.Payload | None = None
    with contextlib.suppress(EOFError, OSError):
        pipe.send((READY, None))
        while True:
            packed, request = pipe.recv()
            try:
                if packed is not None:
                    payload = messages.Payload.unpacked(packed)
                    _use_threads(threads)
                    restrict_device(device, device_memory)
                assert payload is not None
                pipe.send((BEGAN, time.monotonic()))
                start_measuring(device)
                answer = messages.answer(payload, request)
                pipe.send((USED, usage(device)))
            except BaseException as error:  # of the payload, whose packages may be missing here
                answer = messages.crash_answer(error)
            pipe.send((ANSWER, answer))


def _prepare(pipe: Connection, threads: int) -> None:
    os.environ["OMP_NUM_THREADS"] = str(threads)
    # The process of the search repeats these, see `messages.read_answer`.
    warnings.filterwarnings("ignore", category=CheckpointWarning)
    # A process group of its own: Ctrl-C in a terminal reaches the search alone, and whatever a
    # trial has started can be killed with the worker.
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)
    # Slurm and others send SIGTERM to every process; the search decides when a trial ends.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _ignore)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=lambda: _forked(pipe))
    threading.Thread(target=_follow_parent, daemon=True).start()


def _ignore(number: int, frame: object) -> None:
    """Do nothing; unlike SIG_IGN, child programs do not inherit this."""


def _forked(pipe: Connection) -> None:
    """Make a process that an objective has forked a normal one, not a worker."""
    pipe.close()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _use_threads(threads: int) -> None:
    if (torch := sys.modules.get("torch")) is not None:
        torch.set_num_threads(threads)


def _follow_parent() -> None:
    """End this process once the process of the search has ended for any reason."""
    parent = parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    process_tree.kill(process_tree.descendants(os.getpid()))
    process_tree.kill_group(os.getpid())
    os._exit(1)
