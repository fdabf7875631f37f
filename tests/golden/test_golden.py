"""Golden histories of what `tests/test_pairs.py` has no pair for: schedule and runner."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from bonas import Search
from bonas.runners import InProcess, LocalProcesses, Simulated
from bonas.runners.runner import Runner
from bonas.search.progress import Silent
from bonas.strategies import BayesianOptimization, FreezeThaw
from fidelity.history.history import History
from fidelity.schedules import Hyperband
from fidelity.tables import MNIST1DCells
from tests.golden import check

EVALUATIONS = 14
RUNNERS: Mapping[str, Callable[[], Runner]] = {
    "InProcess": InProcess,
    "Simulated": Simulated,
    "LocalProcesses": lambda: LocalProcesses(1),
}


def alone() -> History:
    """`FreezeThaw`, which is its own schedule."""
    table = MNIST1DCells()
    both = FreezeThaw(3, table.max_budget).start(table.space)
    with Search(table.space, table, strategy=both, schedule=both) as search:
        return search.run(evaluations=EVALUATIONS, runner=Simulated(2), progress=Silent())


def one_worker(runner: Runner) -> History:
    """The same search with any runner that has one worker."""
    table = MNIST1DCells()
    strategy = BayesianOptimization(initial=4)
    schedule = Hyperband(3, table.max_budget)
    with Search(table.space, table, strategy=strategy, schedule=schedule, seed=5) as search:
        return search.run(evaluations=EVALUATIONS, runner=runner, progress=Silent())


def test_freeze_thaw() -> None:
    check("FreezeThaw", alone())


@pytest.mark.parametrize("runner", RUNNERS)
def test_every_runner_with_one_worker(runner: str) -> None:
    check("one worker", one_worker(RUNNERS[runner]()))
