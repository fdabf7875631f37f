"""Histories of true learning curves that depend only on numpy's generator."""

from __future__ import annotations

from functools import cache

from bonas.runners.simulated import Simulated
from bonas.search.progress import Silent
from bonas.search.search import Search
from bonas.strategies import RandomSearch
from fidelity.history.history import History
from fidelity.schedules import AsynchronousHyperband, FullFidelity, Hyperband, Schedule
from fidelity.tables import MNIST1DCells

TABLE = MNIST1DCells()


@cache
def hyperband(seed: int = 0) -> History:
    return _run(Hyperband(1, 27), 357, seed)


@cache
def parallel() -> History:
    return _run(AsynchronousHyperband(1, 27), 200, 0, workers=4)


@cache
def full(seed: int = 0, evaluations: int = 40) -> History:
    return _run(FullFidelity(27), 27 * evaluations, seed)


@cache
def two_objectives(seed: int = 0) -> History:
    """Validation error and the computed number of multiply-adds of each network."""
    return _run(FullFidelity(27), 27 * 60, seed, objectives=("cost", "multiply_adds"))


def _run(
    schedule: Schedule,
    epochs: int,
    seed: int,
    workers: int = 1,
    objectives: tuple[str, ...] = ("cost",),
) -> History:
    with Search(
        TABLE.space,
        TABLE,
        strategy=RandomSearch(),
        schedule=schedule,
        seed=seed,
        objectives=objectives,
    ) as search:
        return search.run(epochs=epochs, runner=Simulated(workers), progress=Silent())
