from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from ConfigSpace import Categorical, Configuration, ConfigurationSpace, Constant, Float
from torch import nn

from bonas.acquisition.candidates import every
from bonas.strategies.bayesian import BayesianOptimization
from bonas.strategies.random_search import RandomSearch
from bonas.strategies.strategy import Exhausted
from bonas.surrogates.observations import observations
from fidelity.history.history import History
from spaces.architecture.architecture import Architecture, chain
from spaces.space import InputShape
from tests.bonas.strategies.contract import MEDIUM, SMALL, StrategyContract, cost, record, run


@dataclass(frozen=True)
class OneNetwork:
    """Two names for one network, and perhaps a real hyperparameter that does not change it."""

    real: bool = False
    unlabelled: ClassVar[tuple[str, ...]] = ()  # what the choices change is no training either

    @property
    def configuration_space(self) -> ConfigurationSpace:
        choices = Categorical("operation", ["identity", "also_identity"])
        return ConfigurationSpace(space=[choices, *([Float("x", (0, 1))] if self.real else [])])

    def architecture(self, configuration: Configuration) -> Architecture:
        return chain(["conv"])

    def build(
        self, configuration: Configuration, input_shape: InputShape, outputs: int
    ) -> nn.Module:
        raise NotImplementedError


class TestBayesianOptimization(StrategyContract):
    def strategy(self) -> BayesianOptimization:
        return BayesianOptimization(initial=5)

    def test_every_network_is_proposed_once_and_then_it_says_so(self) -> None:
        networks = {SMALL.architecture(c).key for c in every(SMALL.configuration_space)}
        strategy = self.strategy()
        history = run(strategy, SMALL, len(networks))
        assert {trial.key for trial in history.trials} == networks
        with pytest.raises(Exhausted):
            strategy.propose(SMALL, history, np.random.default_rng(0))

    @pytest.mark.parametrize("real", [False, True])
    def test_a_space_of_one_network_is_exhausted_after_one(self, real: bool) -> None:
        space = OneNetwork(real)
        history = History(space.configuration_space)
        rng = np.random.default_rng(0)
        record(history, space, self.strategy().propose(space, history, rng), 1.0)
        with pytest.raises(Exhausted):
            self.strategy().propose(space, history, rng)

    def test_it_needs_fewer_evaluations_than_random_search(self) -> None:
        def reached(strategy: BayesianOptimization | RandomSearch, seed: int) -> float:
            history = run(strategy, MEDIUM, 18, seed)
            return min(cost(trial.configuration) for trial in history.trials)

        strategy = self.strategy()
        ours = [reached(strategy, seed) for seed in range(3)]
        random = [reached(RandomSearch(), seed) for seed in range(3)]
        assert np.mean(ours) < np.mean(random)

    def test_it_learns_from_the_largest_budget_with_enough_evaluations(self) -> None:
        history = run(RandomSearch(), MEDIUM, 8)
        for trial in list(history.trials)[:5]:
            record(history, MEDIUM, trial.configuration, budget=3.0)
        record(history, MEDIUM, history.trials[6].configuration, budget=9.0)
        observed = observations(history, 5)
        assert {evaluation.trial.budget for evaluation in observed.evaluations} == {3.0}


def test_a_listed_constant_has_the_vector_of_a_sampled_one() -> None:
    space = ConfigurationSpace({"fixed": 3, "choice": ["a", "b"]}, seed=0)
    space.add(Constant("constant", "always"))
    sampled = {chosen.get_array().tobytes() for chosen in space.sample_configuration(20)}
    assert {chosen.get_array().tobytes() for chosen in every(space)} == sampled
