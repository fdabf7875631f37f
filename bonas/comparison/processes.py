"""Several runs at once, in processes of one thread each."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, MutableSequence, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

from bonas.comparison.one_run import ERROR, OneRun
from bonas.comparison.setup import ComparisonError

POLL_SECONDS = 0.5
"""The interval between two reports of the progress."""

REASONS = (
    "they were killed or ran out of memory, or the script that compares does so outside of "
    "`if __name__ == '__main__':`, which processes of jobs > 1 need"
)

Report = Callable[[Sequence[float]], object]
"""Receives the finished fraction of each run."""


@contextmanager
def one_thread() -> Iterator[None]:
    """Let numpy and torch compute with one thread.

    So a run gives the same numbers in every process, and several runs do not slow each other down.
    """
    import threadpoolctl
    import torch

    before = torch.get_num_threads()
    with threadpoolctl.threadpool_limits(1):
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(before)


def carry_out(runs: Sequence[OneRun], jobs: int, report: Report) -> None:
    """Carry out `runs`, `jobs` at a time; the results do not depend on `jobs`.

    Args:
        runs: with the same conditions.
        jobs: the number of processes; 1 is this one.
        report: receives the finished fraction of each run.

    Raises:
        ComparisonError: the runs cannot be sent to another process, or kill every process.
    """
    if jobs == 1 or len(runs) < 2:
        with one_thread():
            fractions = [0.0] * len(runs)
            for index, run in enumerate(runs):
                run.carry_out(_setter(fractions, index, lambda: report(fractions)))
                fractions[index] = 1.0
                report(fractions)
        return
    packed = _packed(runs)
    with tempfile.TemporaryDirectory(prefix="bonas-") as folder:
        # Each process reads it once: a data set may be large.
        file = Path(folder) / "runs"
        file.write_bytes(packed)
        # Shared memory without a lock, which a process that dies could hold for ever.
        shared: MutableSequence[float] = get_context("spawn").RawArray("d", len(runs))
        _Pool(runs, file, jobs, shared, report).carry_out()


def _setter(
    fractions: MutableSequence[float], index: int, then: Callable[[], object]
) -> Callable[[float], None]:
    def set_fraction(fraction: float) -> None:
        fractions[index] = min(fraction, 0.999)  # it has not ended before its files are written
        then()

    return set_fraction


@dataclass(frozen=True)
class _Pool:
    """Carries out runs in processes.

    Attributes:
        runs: packed in `file`.
        file: that each process reads once.
        jobs: the number of processes.
        fractions: of each run, in shared memory.
        report: receives the fractions.
    """

    runs: Sequence[OneRun]
    file: Path
    jobs: int
    fractions: MutableSequence[float]
    report: Report

    def carry_out(self) -> None:
        """Carry out all runs."""
        left = list(range(len(self.runs)))
        while left:
            done, suspects = self._attempt(left, self.jobs)
            # Alone, each of those that were running shows whether it kills its process.
            lost = [index for index in suspects if not self._attempt([index], 1)[0]]
            if len(left) == len(self.runs) and not done and len(lost) == len(suspects):
                raise ComparisonError(f"all processes have died at once: {REASONS}")
            for index in lost:
                self.runs[index].write(ERROR, f"the process of this run died: {REASONS}\n")
                self._end(index)
            left = [index for index in left if index not in {*done, *suspects}]

    def _attempt(self, indices: Sequence[int], jobs: int) -> tuple[list[int], list[int]]:
        """Carry out some runs.

        Returns:
            Those that have ended, and those that were running when a process died.
        """
        done: list[int] = []
        # Fresh processes: a fork of one with threads may hang.
        pool = ProcessPoolExecutor(
            jobs,
            mp_context=get_context("spawn"),
            initializer=_prepare,
            initargs=(self.fractions,),
        )
        try:
            futures = {pool.submit(_carry_out, self.file, index): index for index in indices}
            running: set[Future[None]] = set(futures)
            while running:
                ended, running = wait(running, POLL_SECONDS, FIRST_COMPLETED)
                for future in ended:
                    future.result()
                    done.append(futures[future])
                    self._end(futures[future])
                self.report(self.fractions)
        except BrokenProcessPool:
            # They begin in the order in which they came, so the first of the others were running.
            return done, [index for index in indices if index not in done][:jobs]
        finally:
            pool.shutdown(cancel_futures=True)
        return done, []

    def _end(self, index: int) -> None:
        self.fractions[index] = 1.0
        self.report(self.fractions)


def _packed(runs: Sequence[OneRun]) -> bytes:
    from bonas.runners import pickled

    try:
        return pickled.dumps(list(runs))
    except Exception as error:  # a foreign object may raise anything
        raise ComparisonError(
            f"the runs cannot be sent to another process ({error}): remove what belongs to this "
            "process from objective, strategies and runner, such as open files and locks, or "
            "compare with jobs=1"
        ) from error


# The process of a run ------------------------------------------------------------------------

_fractions: MutableSequence[float] = []
"""Of each run, in memory that is shared with the comparison."""


def _prepare(fractions: MutableSequence[float]) -> None:
    global _fractions
    _fractions = fractions
    os.environ["OMP_NUM_THREADS"] = "1"


@lru_cache(maxsize=1)
def _unpacked(file: Path) -> list[OneRun]:
    """Return the runs, unpacked once per process, so that all share what strategies cache."""
    import cloudpickle

    runs: list[OneRun] = cloudpickle.loads(file.read_bytes())
    return runs


def _carry_out(file: Path, index: int) -> None:
    with one_thread():
        _unpacked(file)[index].carry_out(_setter(_fractions, index, lambda: None))
