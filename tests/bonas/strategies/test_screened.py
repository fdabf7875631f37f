from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import pytest
from ConfigSpace import Configuration

from bonas import Search
from bonas.acquisition.candidates import Candidates
from bonas.search.progress import Silent
from bonas.strategies import (
    Again,
    BayesianOptimization,
    Exhausted,
    RandomSearch,
    Screened,
    StartFrom,
)
from bonas.strategies.strategy import Proposal
from bonas.surrogates.forest import RandomForest
from fidelity.history.history import History
from fidelity.objective import Diverged, InvalidArchitecture
from fidelity.proxies import NASWOT, Parameters, ProxyFeatures, Score, Synflow
from spaces.space import Space, sample
from tests.bonas.spaces import cells
from tests.bonas.strategies.contract import MEDIUM, SMALL, StrategyContract, cost, record, run
from tests.fidelity.trained import stripes


class TestScreened(StrategyContract):
    def strategy(self) -> Screened:
        return Screened(cost, samples=4)


class TestScreenedBayesianOptimization(StrategyContract):
    def strategy(self) -> Screened:
        return Screened(cost, BayesianOptimization(initial=5), samples=2)


@dataclass
class Scripted:
    """Proposes these one after another, and then nothing."""

    proposals: list[Proposal]
    asked: int = field(default=0)

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Proposal:
        if self.asked == len(self.proposals):
            raise Exhausted("that was all")
        self.asked += 1
        return self.proposals[self.asked - 1]


def drawn(count: int) -> list[Configuration]:
    """Different networks."""
    found = {
        MEDIUM.architecture(chosen).key: chosen
        for chosen in sample(MEDIUM.configuration_space, 40, np.random.default_rng(0))
    }
    return list(found.values())[:count]


def propose(screened: Screened, history: History | None = None) -> Proposal:
    history = history or History(MEDIUM.configuration_space)
    return screened.propose(MEDIUM, history, np.random.default_rng(0))


def test_the_cheapest_of_the_samples_is_proposed() -> None:
    chosen = drawn(5)
    prices = dict(zip(chosen, [3.0, 1.0, 2.0, 0.0, 0.0], strict=True))
    assert propose(Screened(prices.__getitem__, Scripted(list(chosen)), 3)) == chosen[1]
    assert propose(Screened(prices.__getitem__, Scripted(list(chosen)), 5)) == chosen[3]


def test_it_finds_better_networks_than_what_it_screens() -> None:
    found = [
        np.mean([cost(trial.configuration) for trial in run(strategy, MEDIUM, 10).trials])
        for strategy in (Screened(cost, samples=8), RandomSearch())
    ]
    assert found[0] < found[1]


def test_known_networks_come_only_where_there_is_nothing_else() -> None:
    first, second = drawn(2)
    history = History(MEDIUM.configuration_space)
    record(history, MEDIUM, first)
    prices = {first: 0.0, second: 1.0}
    assert propose(Screened(prices.__getitem__, Scripted([first, second]), 2), history) == second
    assert propose(Screened(prices.__getitem__, Scripted([first, first]), 2), history) == first


@pytest.mark.parametrize("failure", [math.nan, -math.inf, InvalidArchitecture(), Diverged()])
def test_networks_without_a_cost_come_last(failure: float | Exception) -> None:
    first, second = drawn(2)

    def measure(configuration: Configuration) -> float:
        if configuration == second:
            return 9.0
        if isinstance(failure, Exception):
            raise failure
        return failure

    assert propose(Screened(measure, Scripted([first, second]), 2)) == second
    assert propose(Screened(measure, Scripted([first, first]), 2)) == first


def test_a_measure_is_taken_once_a_network() -> None:
    asked = []

    def measure(configuration: Configuration) -> float:
        asked.append(SMALL.architecture(configuration).key)
        return 1.0

    run(Screened(measure, samples=10), SMALL, 10)
    assert len(asked) == len(set(asked))


def test_what_goes_wrong_in_a_measure_is_told() -> None:
    def measure(configuration: Configuration) -> float:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        propose(Screened(measure))


def test_the_end_of_the_other_strategy_is_its_end() -> None:
    only = drawn(1)[0]
    assert propose(Screened(cost, Scripted([only]), 3)) == only
    with pytest.raises(Exhausted, match="that was all"):
        propose(Screened(cost, Scripted([])))


def test_a_repetition_is_passed_on() -> None:
    first, second = drawn(2)
    history = History(MEDIUM.configuration_space)
    record(history, MEDIUM, first)
    again = Again(history.trials[0])
    assert propose(Screened(cost, Scripted([second, again]), 2), history) == again


def test_the_other_strategy_recommends() -> None:
    strategy = BayesianOptimization(initial=5)
    history = run(strategy, MEDIUM, 8)
    assert Screened(cost, strategy).recommend(MEDIUM, history) == strategy.recommend(
        MEDIUM, history
    )
    assert Screened(cost).recommend(MEDIUM, history) == history.incumbent


def test_it_nests_and_needs_a_sample() -> None:
    first, second = drawn(2)
    nested = StartFrom((first,), Screened(cost, Scripted([second]), 1))
    assert nested.propose(MEDIUM, History(MEDIUM.configuration_space), None) == first  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="samples is 0: a proposal needs one or more"):
        Screened(cost, samples=0)


def test_proxies_are_objectives_and_screens_of_a_search() -> None:
    space, dataset = cells(3), stripes(60)
    screen = Score(space, dataset, NASWOT(), images=8, device="cpu")
    objective = Score(space, dataset, Synflow(), images=8, device="cpu")
    with Search(space, objective, strategy=Screened(screen, samples=3), seed=1) as search:
        history = search.run(evaluations=6, progress=Silent())
    assert len(history) == 6
    for evaluation in history.evaluations:
        connected = space.architecture(evaluation.trial.configuration).connected
        assert evaluation.succeeded is connected
    assert Score(space, dataset, Parameters())(search.incumbent.trial.configuration) < 0


def test_proxies_are_features_of_a_surrogate() -> None:
    space = cells(3)
    features = ProxyFeatures(space, stripes(60), (NASWOT(), Synflow()), 8, device="cpu")
    found = [run(_forest(features), space, 6).trials[-1].configuration for _ in range(2)]
    assert found[0] == found[1]


def _forest(features: ProxyFeatures) -> BayesianOptimization:
    few = Candidates(samples=10, parents=1)
    return BayesianOptimization(RandomForest(), candidates=few, initial=4, features=features)
