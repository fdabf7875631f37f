from __future__ import annotations

import numpy as np

from bonas.strategies.bayesian import BayesianOptimization
from bonas.strategies.random_search import RandomSearch
from bonas.strategies.warm_start import StartFrom, best_of
from spaces.cells.cell import CellSpace
from spaces.space import sample
from tests.bonas.strategies.contract import MEDIUM, StrategyContract, cost, run

FIRST = tuple(sample(MEDIUM.configuration_space, 2, np.random.default_rng(5)))


class TestStartFrom(StrategyContract):
    def strategy(self) -> StartFrom:
        return StartFrom(FIRST, BayesianOptimization(initial=5))

    def test_the_given_configurations_come_first_and_once(self) -> None:
        history = run(self.strategy(), MEDIUM, 6)
        assert tuple(trial.configuration for trial in history.trials[:2]) == FIRST
        assert not {trial.configuration for trial in history.trials[2:]} & set(FIRST)

    def test_it_recommends_what_its_strategy_does(self) -> None:
        history = run(self.strategy(), MEDIUM, 8)
        inner = BayesianOptimization(initial=5).recommend(MEDIUM, history)
        assert self.strategy().recommend(MEDIUM, history) == inner


def test_the_best_of_an_earlier_search_in_order_and_each_network_once() -> None:
    history = run(RandomSearch(), MEDIUM, 30)
    best = best_of(history, MEDIUM, 5)
    costs = [cost(configuration) for configuration in best]
    assert costs == sorted(costs)
    assert costs[0] == min(cost(trial.configuration) for trial in history.trials)
    assert len({MEDIUM.architecture(chosen).key for chosen in best}) == 5


def test_what_another_space_does_not_have_is_left_out() -> None:
    history = run(RandomSearch(), MEDIUM, 5)
    assert best_of(history, CellSpace(nodes=4), 5) == ()
