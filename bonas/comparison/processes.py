"""Several runs at once, in processes of one thread each."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

from bonas.comparison.one_run import ERROR, ComparisonError, OneRun

REASONS = (
    "they were killed or ran out of memory, or the script that compares does so outside of "
    "`if __name__ == '__main__':`, which processes of jobs > 1 need"
)


@contextmanager
def one_thread() -> Iterator[None]:
    """Within it numpy and torch compute with one thread.

    So a run gives the same numbers wherever it is made, and several do not get in each other's
    way.
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


def carry_out(runs: Sequence[OneRun], jobs: int, ended: Callable[[OneRun], None]) -> None:
    """Carries out `runs`, `jobs` at a time; the results do not depend on how many.

    Args:
        runs: with the same conditions.
        jobs: how many processes; 1 is this one.
        ended: is told of each run that has ended.

    Raises:
        ComparisonError: the runs cannot be sent to another process, or kill every process.
    """
    if jobs == 1 or len(runs) < 2:
        with one_thread():
            for run in runs:
                run.carry_out()
                ended(run)
        return
    packed = _packed(runs)
    with tempfile.TemporaryDirectory(prefix="bonas-") as folder:
        # Each process reads it once: a data set may be large.
        file = Path(folder) / "runs"
        file.write_bytes(packed)
        _carry_out_all(runs, file, jobs, ended)


def _carry_out_all(
    runs: Sequence[OneRun], file: Path, jobs: int, ended: Callable[[OneRun], None]
) -> None:
    """Carries out `runs`, which are packed in `file`."""
    left = list(range(len(runs)))
    while left:
        done, suspects = _pooled(file, left, jobs, lambda place: ended(runs[place]))
        # Alone, each of those that were running shows whether it kills its process.
        lost = [
            place
            for place in suspects
            if not _pooled(file, [place], 1, lambda place: ended(runs[place]))[0]
        ]
        if len(left) == len(runs) and not done and len(lost) == len(suspects):
            raise ComparisonError(f"all processes have died at once: {REASONS}")
        for place in lost:
            runs[place].write(ERROR, f"the process of this run died: {REASONS}\n")
            ended(runs[place])
        left = [place for place in left if place not in {*done, *suspects}]


def _pooled(
    file: Path, places: Sequence[int], jobs: int, ended: Callable[[int], None]
) -> tuple[list[int], list[int]]:
    """Carries out some runs.

    Returns:
        Those that have ended, and those that were running when a process died.
    """
    done: list[int] = []
    # Fresh processes: a fork of one with threads may hang.
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_prepare)
    try:
        futures = {pool.submit(_carry_out, file, place): place for place in places}
        for future in as_completed(futures):
            future.result()
            done.append(futures[future])
            ended(futures[future])
    except BrokenProcessPool:
        # They begin in the order in which they came, so the first of the others were running.
        return done, [place for place in places if place not in done][:jobs]
    finally:
        pool.shutdown(cancel_futures=True)
    return done, []


def _packed(runs: Sequence[OneRun]) -> bytes:
    from bonas.runners import pickled

    try:
        packed: bytes = pickled.dumps(list(runs))
    except Exception as error:  # whatever a foreign object raises
        raise ComparisonError(
            f"the runs cannot be sent to another process ({error}): leave out of objective, "
            "strategies and runner what belongs to this one, such as open files and locks, or "
            "compare with jobs=1"
        ) from error
    return packed


def _prepare() -> None:
    os.environ["OMP_NUM_THREADS"] = "1"


@lru_cache(maxsize=1)
def _unpacked(file: Path) -> list[OneRun]:
    """The runs, once a process: what strategies remember of a space serves all of them."""
    import cloudpickle

    runs: list[OneRun] = cloudpickle.loads(file.read_bytes())
    return runs


def _carry_out(file: Path, place: int) -> None:
    with one_thread():
        _unpacked(file)[place].carry_out()
