from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from ConfigSpace import Configuration

from bonas import Search
from bonas.search.progress import Silent
from bonas.strategies.multi_fidelity import MultiFidelityBayesianOptimization
from bonas.strategies.random_search import RandomSearch
from bonas.strategies.spending import seconds_spent
from bonas.surrogates.gaussian_process import GaussianProcess
from bonas.surrogates.kernel import Hyperparameters
from bonas.surrogates.multi_fidelity import DECAY, JointTuning, fit, scaled
from bonas.surrogates.surrogate import mean
from bonas.surrogates.transform import negative
from fidelity import Hyperband
from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Trial
from spaces.encoding import Encoder
from tests.bonas.strategies.contract import MEDIUM, StrategyContract, cost, record, run


class TestMultiFidelityBayesianOptimization(StrategyContract):
    def strategy(self) -> MultiFidelityBayesianOptimization:
        return MultiFidelityBayesianOptimization(initial=5)


def two_budgets() -> History:
    """Twelve networks at budget 1, two of them at 9 too, where costs are lower by one half."""
    history = run(RandomSearch(), MEDIUM, 12)
    for parent in history.trials[:2]:
        trial = Trial(len(history.trials), parent.configuration, parent.key, 9.0, 0, parent.number)
        history.add_trial(trial)
        history.add_evaluation(Evaluation(trial, cost(trial.configuration) - 0.5))
    return history


def test_low_budgets_tell_about_the_highest() -> None:
    history = two_budgets()
    chosen = [trial.configuration for trial in history.trials[:12]]
    encoder = Encoder(MEDIUM, depth=1)
    surrogate = GaussianProcess()
    joint = fit(surrogate, negative, encoder, history, chosen, (1.0, 9.0), JointTuning())
    believed = mean(joint.model, joint.at(9.0))[:, 0].numpy()
    truth = np.array([0.5 - cost(configuration) for configuration in chosen])
    assert np.corrcoef(believed, truth)[0, 1] > 0.9
    assert np.abs(believed - truth).mean() < 0.2


@pytest.mark.parametrize("resumes", [True, False])
def test_a_learning_curve_counts_at_the_budgets_that_it_passed_where_training_resumes(
    resumes: bool,
) -> None:
    def passed(budgets: tuple[float, ...]) -> float:
        """Return how much the curve's values at these budgets move what is believed of one."""
        history = History(MEDIUM.configuration_space, resumes=resumes)
        drawn = run(RandomSearch(), MEDIUM, 6).trials
        for trial in drawn:
            value = cost(trial.configuration)
            curve = tuple((budget, value + 5.0) for budget in budgets)
            long = replace(trial, budget=9.0)
            history.add_trial(long)
            history.add_evaluation(Evaluation(long, value, curve=curve))
        chosen = [trial.configuration for trial in drawn]
        encoder = Encoder(MEDIUM, depth=1)
        surrogate = GaussianProcess(hyperparameters=Hyperparameters((1.0, 1.0), (0.5, 0.5), 1e-2))
        joint = fit(surrogate, negative, encoder, history, chosen, (1.0, 3.0, 9.0), JointTuning())
        return float(mean(joint.model, joint.at(3.0))[0])

    # A budget of a schedule is a quotient such as 3 times (1 + 1e-16); step 2 is none of them.
    assert passed((2.0, 9.0)) == passed(())
    assert (passed((3.0 * (1 + 2e-16), 9.0)) < passed(()) - 3.0) == resumes


def test_seconds_per_unit_of_budget_are_learned_where_they_are_asked_for() -> None:
    history = History(MEDIUM.configuration_space)
    for trial in run(RandomSearch(), MEDIUM, 20).trials:
        history.add_trial(trial)
        slow = list(dict(trial.configuration).values()).count("conv")
        history.add_evaluation(Evaluation(trial, 1.0, seconds=10.0 * 2.0**slow))
    chosen = [trial.configuration for trial in history.trials]
    encoder = Encoder(MEDIUM, depth=1)
    arguments: Any = (encoder, history, chosen, (1.0, 9.0), JointTuning())
    joint = fit(GaussianProcess(), negative, *arguments, seconds_spent)
    found = joint.log_rates
    wanted = torch.tensor([np.log(e.seconds) for e in history.evaluations])
    assert float((found - wanted).abs().max()) < 0.3
    # By default seconds are no part of any decision.
    assert fit(GaussianProcess(), negative, *arguments).log_rates.tolist() == [0.0] * 20


def test_without_seconds_every_network_is_taken_to_cost_the_same() -> None:
    history = run(RandomSearch(), MEDIUM, 8)
    chosen = [trial.configuration for trial in history.trials]
    encoder = Encoder(MEDIUM, depth=1)
    joint = fit(GaussianProcess(), negative, encoder, history, chosen, (1.0, 1.0), JointTuning())
    assert torch.allclose(joint.log_rates, torch.zeros(8).double(), atol=1e-6)


def test_the_scale_of_budgets_is_straight_along_a_power_law() -> None:
    positions = [scaled(budget, (1.0, 9.0)) for budget in (1.0, 3.0, 9.0)]
    errors = [budget**-DECAY for budget in (1.0, 3.0, 9.0)]
    assert positions[::2] == [0.0, 1.0]
    share = (errors[0] - errors[1]) / (errors[0] - errors[2])
    assert positions[1] == pytest.approx(share)
    assert scaled(5.0, (5.0, 5.0)) == 1.0


def test_with_hyperband_it_beats_random_search() -> None:
    def objective(configuration: Configuration, budget: float) -> float:
        return cost(configuration) + 0.2 / budget

    def reached(strategy: MultiFidelityBayesianOptimization | RandomSearch, seed: int) -> float:
        with Search(
            MEDIUM, objective, strategy=strategy, schedule=Hyperband(1, 9), seed=seed
        ) as search:
            history = search.run(evaluations=30, progress=Silent())
        return min(cost(trial.configuration) for trial in history.trials)

    ours = [reached(MultiFidelityBayesianOptimization(), seed) for seed in range(4)]
    random = [reached(RandomSearch(), seed) for seed in range(4)]
    assert np.mean(ours) < np.mean(random)


def test_pending_trials_at_any_budget_are_taken_into_account() -> None:
    history = two_budgets()
    parent = history.trials[5]
    trial = Trial(len(history.trials), parent.configuration, parent.key, 9.0, 0, parent.number)
    history.add_trial(trial)
    strategy = MultiFidelityBayesianOptimization()
    chosen = strategy.propose(MEDIUM, history, np.random.default_rng(0))
    assert MEDIUM.architecture(chosen).key not in history.keys()  # noqa: SIM118
    record(history, MEDIUM, chosen)
