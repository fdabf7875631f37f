from __future__ import annotations

import numpy as np
import pytest
from ConfigSpace import Configuration, ConfigurationSpace, Float

from bonas.strategies.differential_evolution import DifferentialEvolution
from bonas.strategies.random_search import RandomSearch
from bonas.strategies.strategy import Strategy, started
from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Status, Trial
from spaces import JointSpace
from spaces.space import values
from tests.bonas.strategies.anywhere import AnywhereContract
from tests.bonas.strategies.contract import SMALL, StrategyContract, record

RATES = JointSpace(
    SMALL, ConfigurationSpace(space={name: Float(name, (0.0, 1.0)) for name in ("x", "y", "z")})
)


class TestDifferentialEvolution(StrategyContract, AnywhereContract):
    def strategy(self) -> DifferentialEvolution:
        return DifferentialEvolution(population=8)


def at(configuration: Configuration) -> np.ndarray:
    return np.array([values(configuration)[f"training:{name}"] for name in "xyz"])


def sphere(configuration: Configuration) -> float:
    return float(((at(configuration) - 0.3) ** 2).sum())


def searched(strategy: Strategy, evaluations: int, seed: int = 0) -> History:
    strategy = started(strategy, RATES)
    history = History(RATES.configuration_space)
    for number in range(evaluations):
        rng = np.random.default_rng([seed, number])
        proposal = strategy.propose(RATES, history, rng)
        assert isinstance(proposal, Configuration)
        trial = Trial(number, proposal, RATES.key(proposal), 1.0)
        history.add_trial(trial)
        history.add_evaluation(Evaluation(trial, sphere(proposal)))
    return history


def test_it_converges_on_continuous_hyperparameters() -> None:
    def best(strategy: Strategy, seed: int) -> float:
        history = searched(strategy, 120, seed)
        return min(evaluation.cost for evaluation in history.evaluations)

    ours = [best(DifferentialEvolution(10), seed) for seed in range(4)]
    random = [best(RandomSearch(), seed) for seed in range(4)]
    assert np.mean(ours) < 0.3 * np.mean(random)


def test_a_child_takes_its_place_if_it_is_not_worse() -> None:
    strategy = DifferentialEvolution(4).start(RATES)
    history = searched(RandomSearch(), 4)
    chosen = [trial.configuration for trial in searched(RandomSearch(), 7, seed=1).trials]
    worst = max(e.cost for e in history.evaluations)
    for configuration, outcome in zip(chosen, (worst + 1, 0.0, Status.CRASHED), strict=False):
        record(history, RATES, configuration, outcome)
    begun, populations = strategy._populations(history)
    assert begun == 7
    assert [populations[0][place].trial.number for place in range(4)] == [0, 5, 2, 3]


def promoted(history: History, parents: list[int], budget: float) -> None:
    for parent in parents:
        earlier = history.trials[parent]
        number = len(history.trials)
        trial = Trial(number, earlier.configuration, earlier.key, budget, 0, parent)
        history.add_trial(trial)
        history.add_evaluation(Evaluation(trial, history.evaluations[parent].cost - 0.1))


def test_a_promotion_takes_the_place_of_its_network_at_the_higher_budget() -> None:
    strategy = DifferentialEvolution(6).start(RATES)
    history = searched(RandomSearch(), 6)
    promoted(history, [1, 3, 4, 5], 3.0)
    promoted(history, [6, 7], 9.0)
    begun, populations = strategy._populations(history)
    assert begun == 6
    assert [sorted(population) for population in populations] == [list(range(6)), [1, 3, 4, 5]]


def test_children_are_bred_for_the_highest_budget_from_the_best_below() -> None:
    history = searched(RandomSearch(), 12)
    order = sorted(range(12), key=lambda number: history.evaluations[number].cost)
    promoted(history, order[:4], 3.0)
    strategy = DifferentialEvolution(12, scale=1e-9, crossover=1.0)
    good = [at(history.trials[number].configuration) for number in order[:4]]
    for seed in range(20):
        child = at(strategy.propose(RATES, history, np.random.default_rng(seed)))
        assert min(np.abs(child - parent).max() for parent in good) < 1e-6


def test_without_enough_successes_it_goes_on_at_random() -> None:
    history = History(RATES.configuration_space)
    for trial in searched(RandomSearch(), 8).trials:
        record(history, RATES, trial.configuration, Status.DIVERGED)
    rngs = [np.random.default_rng(seed) for seed in range(5)]
    found = {RATES.key(DifferentialEvolution(4).propose(RATES, history, rng)) for rng in rngs}
    assert len(found) == 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((3, 0.5, 0.5), "at least 4"),
        ((10, 0.0, 0.5), "scale"),
        ((10, 0.5, 1.5), "probability"),
    ],
)
def test_impossible_settings_are_refused(arguments: tuple[int, float, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DifferentialEvolution(*arguments)
