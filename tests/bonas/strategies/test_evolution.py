from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from ConfigSpace import Configuration

from bonas.strategies.evolution import RegularizedEvolution
from bonas.strategies.random_search import RandomSearch
from fidelity.history.history import History
from fidelity.history.trial import Status
from spaces.cells.cell import CellSpace
from tests.bonas.strategies.anywhere import AnywhereContract
from tests.bonas.strategies.contract import MEDIUM, StrategyContract, record, run

LARGE = CellSpace.nasbench201(channels=4, cells=1)


class TestRegularizedEvolution(StrategyContract, AnywhereContract):
    def strategy(self) -> RegularizedEvolution:
        return RegularizedEvolution(population=8, sample_size=4)


def generations(outcomes: list[float | Status], budgets: list[float] | None = None) -> History:
    """Networks far from each other with these outcomes."""
    history = History(LARGE.configuration_space)
    for place, outcome in enumerate(outcomes):
        vector = np.full(6, place) if place < 5 else np.array([0, 1, 2, 3, 4, 0])
        chosen = Configuration(LARGE.configuration_space, vector=vector.astype(np.float64))
        record(history, LARGE, chosen, outcome, budgets[place] if budgets else 1.0)
    return history


def parents(strategy: RegularizedEvolution, history: History, children: int = 100) -> Counter[int]:
    """The numbers of the trials that proposals are one change away from, and how often."""
    found: Counter[int] = Counter()
    vectors = np.array([trial.configuration.get_array() for trial in history.trials])
    for seed in range(children):
        child = strategy.propose(LARGE, history, np.random.default_rng(seed)).get_array()
        found[int((vectors != child).sum(1).argmin())] += 1
    return found


def test_the_best_of_the_living_has_all_children_if_the_sample_is_everybody() -> None:
    history = generations([0.0, 0.1, 0.9, 0.8, 0.5, 0.7])
    found = parents(RegularizedEvolution(population=4, sample_size=4), history)
    assert set(found) == {4}


def test_the_sample_may_miss_the_best() -> None:
    found = parents(RegularizedEvolution(4, 1), generations([0.1, 0.2, 0.3, 0.4]), 200)
    assert min(found[number] for number in range(4)) > 25


def test_failures_lose() -> None:
    outcomes: list[float | Status] = [Status.CRASHED, 5.0, Status.DIVERGED, Status.INVALID]
    assert set(parents(RegularizedEvolution(4, 4), generations(outcomes))) == {1}


def test_the_population_lives_at_the_largest_budget_that_fills_it() -> None:
    strategy = RegularizedEvolution(2, 2)
    budgets = [1.0, 1.0, 3.0, 1.0, 3.0, 9.0]
    found = parents(strategy, generations([0.1, 0.2, 0.9, 0.1, 0.8, 0.0], budgets))
    assert set(found) == {4}


def test_a_population_larger_than_the_search_is_random_search() -> None:
    history = run(RegularizedEvolution(population=1000, sample_size=10), MEDIUM, 40)
    everywhere = run(RandomSearch(), MEDIUM, 40)
    shares = [
        Counter(value for trial in h.trials for value in dict(trial.configuration).values())
        for h in (history, everywhere)
    ]
    assert len(history.keys()) == 40
    assert all(abs(shares[0][value] - shares[1][value]) < 25 for value in shares[1])


@pytest.mark.parametrize(
    ("population", "sample_size", "message"),
    [(1, 1, "at least 2"), (10, 11, "1 to 10"), (10, 0, "1 to 10")],
)
def test_impossible_sizes_are_refused(population: int, sample_size: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RegularizedEvolution(population, sample_size)
