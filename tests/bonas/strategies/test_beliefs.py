"""A belief in each strategy that draws random networks; `BayesianOptimization`: `test_prior.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
import pytest

from bonas.acquisition.prior import Belief
from bonas.strategies import (
    NSGA2,
    BayesianOptimization,
    DifferentialEvolution,
    FreezeThaw,
    LocalSearch,
    MultiFidelityBayesianOptimization,
    MultiObjectiveBayesianOptimization,
    ParEGO,
    RandomSearch,
    RegularizedEvolution,
    Screened,
    StartFrom,
    Strategy,
)
from bonas.strategies.strategy import started
from fidelity.history.history import History
from tests.bonas.acquisition.test_prior import Always, belief
from tests.bonas.strategies.contract import MEDIUM, StrategyContract, cost, record, run


class Made(Protocol):
    def __call__(self, believed: Belief | None) -> Strategy: ...


MADE: Mapping[str, Made] = {
    "RandomSearch": RandomSearch,
    "RegularizedEvolution": lambda b: RegularizedEvolution(8, 4, belief=b),
    "NSGA2": lambda b: NSGA2(8, belief=b),
    "DifferentialEvolution": lambda b: DifferentialEvolution(8, belief=b),
    "LocalSearch": lambda b: LocalSearch(8, belief=b),
    "MultiFidelityBayesianOptimization": lambda b: MultiFidelityBayesianOptimization(
        initial=8, belief=b
    ),
    "MultiObjectiveBayesianOptimization": lambda b: MultiObjectiveBayesianOptimization(
        initial=8, belief=b
    ),
    "FreezeThaw": lambda b: FreezeThaw(1, 9, initial=8, belief=b).start(MEDIUM),
    "ParEGO": lambda b: ParEGO(BayesianOptimization(initial=8, belief=b)),
    "Screened": lambda b: Screened(lambda c: 0.0, RandomSearch(b), samples=2),
    "StartFrom": lambda b: StartFrom((), RandomSearch(b)),
}


class TestRegularizedEvolution(StrategyContract):
    def strategy(self) -> RegularizedEvolution:
        return RegularizedEvolution(8, 4, belief=belief("conv"))


class TestNSGA2(StrategyContract):
    def strategy(self) -> NSGA2:
        return NSGA2(8, belief=belief("conv"))


class TestDifferentialEvolution(StrategyContract):
    def strategy(self) -> DifferentialEvolution:
        return DifferentialEvolution(8, belief=belief("conv"))


class TestLocalSearch(StrategyContract):
    def strategy(self) -> LocalSearch:
        return LocalSearch(4, belief=belief("conv"))


class TestMultiFidelityBayesianOptimization(StrategyContract):
    def strategy(self) -> MultiFidelityBayesianOptimization:
        return MultiFidelityBayesianOptimization(initial=5, belief=belief("conv"))


class TestMultiObjectiveBayesianOptimization(StrategyContract):
    def strategy(self) -> MultiObjectiveBayesianOptimization:
        return MultiObjectiveBayesianOptimization(initial=5, belief=belief("conv"))


class TestFreezeThaw(StrategyContract):
    def strategy(self) -> FreezeThaw:
        return FreezeThaw(1, 9, initial=5, belief=belief("conv"))


class TestParEGO(StrategyContract):
    def strategy(self) -> ParEGO:
        return ParEGO(BayesianOptimization(initial=5, repeats=1, belief=belief("conv")))


def convolutions(strategy: Strategy) -> float:
    """Return the mean number of convolutions among the first eight networks of four searches."""
    history = History(MEDIUM.configuration_space)
    numbers = []
    for seed in range(4):
        history, begun = History(MEDIUM.configuration_space), started(strategy, MEDIUM)
        for number in range(8):
            proposal: Any = begun.propose(MEDIUM, history, np.random.default_rng([seed, number]))
            numbers.append(list(proposal.values()).count("conv"))
            record(history, MEDIUM, proposal)
    return float(np.mean(numbers))


@pytest.mark.parametrize("name", MADE)
def test_the_first_networks_follow_the_belief(name: str) -> None:
    right, wrong = (convolutions(MADE[name](belief(choice))) for choice in ("conv", "skip"))
    assert right > wrong + 0.3


JOINT: Mapping[str, Callable[[Belief | None, float], Strategy]] = {
    "MultiFidelityBayesianOptimization": lambda b, c: MultiFidelityBayesianOptimization(
        belief=b, confidence=c
    ),
    "MultiObjectiveBayesianOptimization": lambda b, c: MultiObjectiveBayesianOptimization(
        belief=b, confidence=c
    ),
}


@pytest.mark.parametrize("name", JOINT)
def test_a_confident_belief_decides_after_the_first_networks(name: str) -> None:
    history = run(RandomSearch(), MEDIUM, 12)

    def proposed(believed: Belief | None, confidence: float) -> Any:
        strategy = JOINT[name](believed, confidence)
        return strategy.propose(MEDIUM, history, np.random.default_rng(0))

    plain = proposed(None, 10.0)
    assert proposed(belief("skip"), 1e-9) == plain
    assert proposed(Always(0.0), 1e3) == plain  # a constant density says nothing
    assert list(proposed(belief("skip"), 1e3).values()).count("skip") >= 2


@pytest.mark.parametrize("name", ["MultiFidelityBayesianOptimization"])
def test_a_wrong_belief_is_overcome(name: str) -> None:
    history = run(JOINT[name](belief("none"), 2.0), MEDIUM, 30)
    costs = [cost(trial.configuration) for trial in history.trials]
    assert min(costs) < min(costs[:5])
