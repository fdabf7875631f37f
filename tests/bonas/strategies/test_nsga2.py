from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from bonas.strategies.nsga2 import NSGA2
from fidelity.history.trial import Status
from tests.bonas.strategies.anywhere import AnywhereContract
from tests.bonas.strategies.contract import StrategyContract
from tests.bonas.strategies.test_evolution import LARGE, generations


class TestNSGA2(StrategyContract, AnywhereContract):
    def strategy(self) -> NSGA2:
        return NSGA2(population=8)


def test_mutants_are_of_the_best_of_all_time_and_more_of_the_better() -> None:
    history = generations([0.9, 0.8, 0.0, 0.1, Status.CRASHED, 0.7])
    vectors = np.array([trial.configuration.get_array() for trial in history.trials])
    strategy, found = NSGA2(population=2, crossover=0.0), Counter[int]()
    for seed in range(200):
        child = strategy.propose(LARGE, history, np.random.default_rng(seed)).get_array()
        found[int((vectors != child).sum(1).argmin())] += 1
    assert set(found) == {2, 3}
    assert found[2] > 2 * found[3]  # three of four tournaments


def test_a_child_has_the_choices_of_two_parents() -> None:
    history = generations([0.9, 0.9, 0.0, 0.1, 0.9, 0.9])
    strategy = NSGA2(population=2, crossover=1.0)
    mixed = 0
    for seed in range(50):
        child = strategy.propose(LARGE, history, np.random.default_rng(seed)).get_array()
        mixed += bool((child == 2).any() and (child == 3).any())
    assert mixed > 15


@pytest.mark.parametrize(
    ("population", "crossover", "message"),
    [(1, 0.9, "at least 2"), (10, 1.5, "no probability|not 1.5"), (10, float("nan"), "not nan")],
)
def test_impossible_settings_are_refused(population: int, crossover: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        NSGA2(population, crossover)
