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

import psutil

from bonas.runners import messages as orders
from bonas.runners import tree
from bonas.runners.trial_limits import restrict_device
from fidelity.checkpoint import CheckpointWarning

READY, BEGAN, ANSWER = "ready", "began", "answer"

FAILED_IMPORT = 1
"""The exit code of a Python process that an exception has ended."""


class Worker:
    """A worker process, as the process of the search sees it.

    It is killed, never asked to stop: what it has to leave is written whole or not at all.

    Args:
        device: for `context.device`.
        threads: that torch uses in it.
        device_memory: bytes that torch may allocate on the device; None is no limit.
    """

    def __init__(self, device: str | None, threads: int, device_memory: int | None) -> None:
        self.device = device
        self.began: float | None = None  # on the monotonic clock, of the trial that it evaluates
        self.ready = False  # it has read the script of the search, and waits for work
        self._work: bytes | None = None  # what it has
        self._broken = False
        self._mark = secrets.token_hex(16)
        context = get_context("spawn")
        self._pipe, other = context.Pipe()
        arguments = (other, device, threads, device_memory, self._mark)
        self._process = context.Process(target=serve, args=arguments, name="bonas-worker")
        with _signals_held():
            self._process.start()
        other.close()

    @property
    def pid(self) -> int:
        """The number of the process."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it can still answer."""
        return not self._broken and self._process.is_alive()

    @property
    def waitables(self) -> tuple[Any, ...]:
        """What becomes ready when it says something or dies."""
        return self._pipe, self._process.sentinel

    def give(self, work: bytes, order: dict[str, Any]) -> bool:
        """Has it evaluate; whether it was there to take it."""
        self.began = None
        try:
            self._pipe.send((None if work is self._work else work, order))
        except OSError:
            self._broken = True
            return False
        self._work = work
        return True

    def answer(self) -> str | None:
        """The answer to the last order, once it is there."""
        try:
            while self._pipe.poll():
                kind, value = self._pipe.recv()
                if kind == ANSWER:
                    return str(value)
                if kind == READY:
                    self.ready = True
                else:
                    self.began = float(value)
        except Exception:  # the pipe is closed, or something else was written into it
            self._broken = True
        return None

    def memory(self) -> int:
        """Bytes of host memory that it occupies."""
        try:
            return int(psutil.Process(self.pid).memory_info().rss)
        except psutil.Error:  # it has just died
            return 0

    def end(self) -> str:
        """Kills it and everything that it has started; how it ended, if it had already."""
        self._process.join(0.1 if self._broken else 0)
        code = self._process.exitcode
        started = tree.descendants(self.pid) if code is None else ()
        tree.kill_group(self.pid)  # of its own, see `serve`
        self._process.kill()
        tree.kill(started)
        self._process.join()
        tree.kill(tree.marked(self._mark))  # of a worker that had died, they are nobody's children
        self._pipe.close()
        return self._ended(code)

    def _ended(self, code: int | None) -> str:
        """In words, given the exit code; None is that of a process that was still there."""
        if code is None:
            how = "it could not be reached any more"
        elif code < 0:
            how = f"it was killed by {_signal(-code)}"
        else:
            how = f"it exited with code {code}"
        if self.began is not None:
            return how
        if self.ready or code != FAILED_IMPORT:
            return f"{how} before it began"
        return (
            f"{how} before it began, while it read the script of the search (its error is on the "
            "standard error): a script that uses worker processes must begin its work under "
            "'if __name__ == \"__main__\":'"
        )


def _signal(number: int) -> str:
    try:
        return f"signal {number}, {signal.Signals(number).name}"
    except ValueError:
        return f"signal {number}"


@contextlib.contextmanager
def _signals_held() -> Iterator[None]:
    """What is started here is not interrupted before it can say what it does with signals."""
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
    """The worker itself: evaluates what comes through the pipe until nobody is at its other end.

    The objective is kept from one trial to the next, and with it the data set on its device.

    Args:
        pipe: to the process of the search.
        device: for `context.device`.
        threads: that torch uses.
        device_memory: bytes that torch may allocate on the device; None is no limit.
        mark: is inherited by the programs that a trial starts, see `tree.marked`.
    """
    os.environ[tree.MARK] = mark
    _prepare(pipe, threads)
    work: orders.Work | None = None
    with contextlib.suppress(EOFError, OSError):
        pipe.send((READY, None))
        while True:
            packed, ordered = pipe.recv()
            try:
                if packed is not None:
                    work = orders.Work.unpacked(packed)
                    _use_threads(threads)
                    restrict_device(device, device_memory)
                assert work is not None
                pipe.send((BEGAN, time.monotonic()))
                answer = orders.carry_out(work, ordered)
            except BaseException as error:  # of what is sent, which may not be installed here
                answer = orders.failed(error)
            pipe.send((ANSWER, answer))


def _prepare(pipe: Connection, threads: int) -> None:
    os.environ["OMP_NUM_THREADS"] = str(threads)
    # The process of the search warns of these, see `orders.read`.
    warnings.filterwarnings("ignore", category=CheckpointWarning)
    # A process group of its own: Ctrl-C in a terminal goes to the search alone, and what a trial
    # has started can be killed with it.
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)
    # Slurm and others send SIGTERM to every process; the search says when a trial ends.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _ignore)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=lambda: _forked(pipe))
    threading.Thread(target=_follow_parent, daemon=True).start()


def _ignore(number: int, frame: object) -> None:
    """Does nothing; unlike SIG_IGN, programs that are started from here don't inherit it."""


def _forked(pipe: Connection) -> None:
    """A process that an objective has forked is no worker."""
    pipe.close()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _use_threads(threads: int) -> None:
    if (torch := sys.modules.get("torch")) is not None:
        torch.set_num_threads(threads)


def _follow_parent() -> None:
    """Ends this process when that of the search has ended, however it did."""
    parent = parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    tree.kill(tree.descendants(os.getpid()))
    tree.kill_group(os.getpid())
    os._exit(1)
