from __future__ import annotations

import math

import numpy as np

from bonas.strategies.bayesian import BayesianOptimization
from bonas.strategies.random_search import RandomSearch
from bonas.strategies.strategy import Again
from bonas.surrogates.observations import observations, repeatable, repeatable_at_budget
from fidelity.history.history import History
from fidelity.history.trial import Status
from tests.bonas.strategies.contract import MEDIUM, cost, record, run


def noisy(evaluations: int, seed: int = 0) -> History:
    """A search whose costs have noise of the size of the differences between networks."""
    history = History(MEDIUM.configuration_space)
    strategy = BayesianOptimization(initial=5).start(MEDIUM)
    noise = np.random.default_rng(seed)
    for number in range(evaluations):
        proposal = strategy.propose(MEDIUM, history, np.random.default_rng([seed, number]))
        again = isinstance(proposal, Again)
        chosen = proposal.trial.configuration if isinstance(proposal, Again) else proposal
        record(history, MEDIUM, proposal, cost(chosen) + noise.normal(0, 0.1))
        assert not again or history.trials[-1].seed > 0
    return history


def test_contenders_are_evaluated_again_where_there_is_noise() -> None:
    history = noisy(25)
    assert 0 < len(history) - len(history.keys()) < 20


def test_networks_that_repeat_their_cost_are_not_evaluated_again() -> None:
    history = run(BayesianOptimization(initial=8), MEDIUM, 8)
    observed = observations(history, 5)
    assert set(repeatable(history, observed, most=8)) == history.keys()
    for trial in list(history.trials)[:3]:
        record(history, MEDIUM, Again(trial))
    assert repeatable(history, observations(history, 5), most=8) == {}


class Deterministic(History):
    deterministic = True


def test_a_deterministic_objective_is_not_repeated() -> None:
    history = run(BayesianOptimization(initial=8), MEDIUM, 8)
    same = Deterministic(MEDIUM.configuration_space)
    for trial in history.trials:
        record(same, MEDIUM, trial.configuration)
    observed = observations(history, 5)
    assert repeatable(history, observed, most=8)
    assert repeatable(same, observed, most=8) == {}
    assert repeatable_at_budget(same, observed, most=8) == {}


def test_failures_and_networks_with_enough_evaluations_are_not_repeated() -> None:
    history = History(MEDIUM.configuration_space)
    trials = list({t.key: t for t in run(RandomSearch(), MEDIUM, 12).trials}.values())[:3]
    for trial, outcome in zip(trials, (1.0, Status.CRASHED, 2.0), strict=True):
        record(history, MEDIUM, trial.configuration, outcome)
    record(history, MEDIUM, Again(history.trials[0]), 1.5)
    allowed = repeatable(history, observations(history, 3), most=2)
    assert set(allowed) == {trials[2].key}


def test_nothing_is_repeated_when_several_budgets_are_in_use() -> None:
    history = run(RandomSearch(), MEDIUM, 6)
    record(history, MEDIUM, history.trials[0].configuration, budget=3.0)
    assert repeatable(history, observations(history, 3), most=8) == {}


def test_a_lucky_observation_of_a_repeated_network_is_not_recommended() -> None:
    history = run(RandomSearch(), MEDIUM, 12, seed=1)
    poor = max(history.evaluations, key=lambda e: e.cost).trial
    record(history, MEDIUM, Again(poor), 0.5)
    for _ in range(4):
        record(history, MEDIUM, Again(poor), 1.1)
    trusted = BayesianOptimization(initial=5).recommend(MEDIUM, history)
    assert trusted is not None
    assert history.incumbent is not None
    assert history.incumbent.trial.key == poor.key != trusted.trial.key


def test_there_is_no_recommendation_before_a_success() -> None:
    history = History(MEDIUM.configuration_space)
    strategy = BayesianOptimization(initial=5)
    assert strategy.recommend(MEDIUM, history) is None
    for trial in run(RandomSearch(), MEDIUM, 6).trials:
        record(history, MEDIUM, trial.configuration, Status.DIVERGED)
    assert strategy.recommend(MEDIUM, history) is None


def test_costs_that_are_no_numbers_count_as_the_worst() -> None:
    history = run(RandomSearch(), MEDIUM, 8)
    for trial, outcome in zip(history.trials[:2], (math.nan, math.inf), strict=False):
        record(history, MEDIUM, trial.configuration, outcome)
    costs = observations(history, 5).costs
    assert np.isfinite(costs).all()
    assert costs[-1] == costs[-2] == costs.max()
