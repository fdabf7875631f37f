from __future__ import annotations

import numpy as np
from ConfigSpace import Categorical, ConfigurationSpace

from bonas.acquisition.prior import SpaceBelief
from bonas.strategies.bayesian import BayesianOptimization
from spaces.space import sample
from tests.bonas.strategies.contract import MEDIUM, StrategyContract, run

CHOICES = ["none", "skip", "conv", "small", "pool"]


def belief(favourite: str) -> SpaceBelief:
    weights = [8.0 if choice == favourite else 1.0 for choice in CHOICES]
    names = list(MEDIUM.configuration_space)
    return SpaceBelief(
        ConfigurationSpace(space=[Categorical(name, CHOICES, weights=weights) for name in names])
    )


class TestBayesianOptimizationWithBelief(StrategyContract):
    def strategy(self) -> BayesianOptimization:
        return BayesianOptimization(initial=4, belief=belief("conv"))


def test_the_density_grows_with_what_is_believed() -> None:
    drawn = sample(MEDIUM.configuration_space, 30, np.random.default_rng(0))
    counts = [list(dict(chosen).values()).count("conv") for chosen in drawn]
    densities = [belief("conv").log_density(chosen) for chosen in drawn]
    assert np.corrcoef(counts, densities)[0, 1] > 0.99


def test_a_belief_decides_at_first() -> None:
    def convolutions(favourite: str) -> float:
        strategy = BayesianOptimization(initial=4, belief=belief(favourite))
        trials = run(strategy, MEDIUM, 6).trials
        return float(np.mean([list(dict(t.configuration).values()).count("conv") for t in trials]))

    assert convolutions("conv") > convolutions("skip") + 0.5


def test_a_wrong_belief_is_overcome() -> None:
    wrong = BayesianOptimization(initial=4, belief=belief("none"), confidence=2.0)
    costs = [e.cost for e in run(wrong, MEDIUM, 30).evaluations]
    assert min(costs) < min(costs[:4])
