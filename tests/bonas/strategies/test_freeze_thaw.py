from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from botorch.models.model import Model
from ConfigSpace import Configuration
from torch import Tensor

from bonas import Search
from bonas.runners import Simulated
from bonas.search.progress import Silent
from bonas.strategies.freeze_thaw import FreezeThaw
from bonas.strategies.random_search import RandomSearch
from bonas.surrogates.gaussian_process import GaussianProcess
from bonas.surrogates.kernel import Hyperparameters
from fidelity.history.history import History
from fidelity.schedules.schedule import Promote, ScheduleError, Start
from fidelity.tables import MNIST1DCells
from spaces.encoding import Layout
from tests.bonas.strategies.contract import MEDIUM, SMALL, StrategyContract, cost, run


def objective(configuration: Configuration, budget: float) -> dict[str, float]:
    """Falls to its value at budget 9, by the same for every network."""
    return {"cost": cost(configuration) + 0.3 / budget, "seconds": budget}


def search(evaluations: int, seed: int = 0, first: float = 1) -> History:
    both = FreezeThaw(1, 9, initial=6, first=first).start(MEDIUM)
    with Search(MEDIUM, objective, strategy=both, schedule=both, seed=seed) as found:
        return found.run(evaluations=evaluations, progress=Silent())


class TestFreezeThaw(StrategyContract):
    def strategy(self) -> FreezeThaw:
        return FreezeThaw(1, 9, initial=5)


@pytest.mark.parametrize("first", [0, 1, 3])
def test_the_best_of_the_initial_networks_is_trained_to_the_end_at_once(first: float) -> None:
    history = search(7, first=first)
    assert [trial.budget for trial in history.trials] == [1.0] * 6 + [9.0]
    best = min(history.evaluations[:6], key=lambda e: e.cost)
    assert history.trials[6].parent == best.trial.number


def test_something_is_trained_to_the_end_within_two_trainings_on_real_curves() -> None:
    table = MNIST1DCells()
    for seed in range(3):
        both = FreezeThaw(1, 27).start(table.space)
        with Search(table.space, table, strategy=both, schedule=both, seed=seed) as found:
            history = found.run(epochs=2 * 27, runner=Simulated(), progress=Silent())
        assert history.at(27)


def misleading(configuration: Configuration, budget: float) -> dict[str, float]:
    """At low budgets the costs have nothing to do with those at the highest."""
    key = str(sorted(dict(configuration).items()))
    luck = np.random.default_rng(list(key.encode())).normal()
    return {"cost": cost(configuration) if budget == 9 else luck}


def started_at_the_lowest(told: Callable[[Configuration, float], dict[str, float]]) -> float:
    """Return the share of the spending that the lowest budget received."""
    both = FreezeThaw(1, 9, initial=6).start(MEDIUM)
    with Search(MEDIUM, told, strategy=both, schedule=both) as found:
        history = found.run(epochs=135, progress=Silent())
    lowest = sum(trial.budget == 1 for trial in history.trials)
    return lowest / sum(history.spent(e) for e in history.evaluations)


def test_the_lowest_budget_receives_less_where_it_has_told_less() -> None:
    assert started_at_the_lowest(misleading) < 0.7 * started_at_the_lowest(objective)


def test_after_the_first_whole_training_both_budgets_are_used() -> None:
    budgets = [trial.budget for trial in search(24).trials]
    assert {1.0, 9.0} <= set(budgets[10:])
    assert 1 < budgets.count(9.0) < len(budgets)


@pytest.mark.parametrize("first", [-1, math.nan, math.inf])
def test_first_is_a_finite_number_of_trainings(first: float) -> None:
    with pytest.raises(ValueError, match="first"):
        FreezeThaw(1, 9, first=first)


class Noisy:
    """Takes half of what differs to be noise, without a choice."""

    @property
    def reads_paths(self) -> bool:
        return False

    def fit(self, inputs: Tensor, targets: Tensor, layout: Layout) -> Model:
        chosen = Hyperparameters((1.2, 1.2), (0.5, 0.5), 1.0, 3.0)
        return GaussianProcess(hyperparameters=chosen).fit(inputs, targets, layout)


def test_contenders_are_trained_to_the_end_again_where_there_is_noise() -> None:
    noise = np.random.default_rng(3)

    def disturbed(configuration: Configuration, budget: float) -> dict[str, float]:
        found = objective(configuration, budget)
        return found | {"cost": found["cost"] + noise.normal(0, 0.2)}

    for repeats, expected in ((8, True), (1, False)):
        both = FreezeThaw(1, 3, surrogate=Noisy(), initial=4, repeats=repeats).start(MEDIUM)
        with Search(MEDIUM, disturbed, strategy=both, schedule=both) as found:
            history = found.run(evaluations=25, progress=Silent())
        again = [trial for trial in history.trials if trial.seed > 0]
        assert bool(again) == expected
        assert all(trial.budget == 3 and trial.parent is None for trial in again)
        assert both.recommend(MEDIUM, history) in history.at(3)


def test_every_promotion_continues_a_paused_trial_once() -> None:
    history = search(24, seed=1)
    parents = [trial.parent for trial in history.trials if trial.parent is not None]
    assert len(parents) == len(set(parents))
    for trial in history.trials:
        if trial.parent is not None:
            assert history.trials[trial.parent].budget < trial.budget
            assert history.trials[trial.parent].key == trial.key


def test_it_finds_a_good_network() -> None:
    history = search(30)
    best = min(cost(t.configuration) for t in run(RandomSearch(), MEDIUM, 90).trials)
    assert history.incumbent is not None
    assert cost(history.incumbent.trial.configuration) <= best + 0.051


def test_a_fresh_object_decides_the_same() -> None:
    history = search(16)
    decisions = [FreezeThaw(1, 9, initial=6).start(MEDIUM).next(history) for _ in range(2)]
    assert decisions[0] == decisions[1]
    assert isinstance(decisions[0], Start | Promote)


def test_what_is_paused_stays_continuable() -> None:
    history = search(16)
    both = FreezeThaw(1, 9, initial=6).start(MEDIUM)
    parents = {trial.parent for trial in history.trials}
    paused = {t.number for t in history.trials if t.budget < 9 and t.number not in parents}
    assert both.continuable(history) == paused


def test_when_the_space_is_exhausted_the_paused_are_trained_to_the_end() -> None:
    both = FreezeThaw(1, 9, initial=4).start(SMALL)
    with Search(SMALL, objective, strategy=both, schedule=both) as found:
        history = found.run(evaluations=500, progress=Silent())
    assert not both.continuable(history)
    assert both.next(history, exhausted=True) is None


def test_it_needs_the_highest_budget_to_start() -> None:
    assert replace(FreezeThaw(1), max_budget=27).start(SMALL).budgets == (1.0, 3.0, 9.0, 27.0)
    with pytest.raises(ScheduleError, match="max_budget is None: give FreezeThaw the highest"):
        FreezeThaw(1).start(SMALL)


def test_the_space_must_be_the_same() -> None:
    both = FreezeThaw(1, 9).start(SMALL)
    with pytest.raises(ValueError, match="another space"):
        both.propose(MEDIUM, History(MEDIUM.configuration_space), np.random.default_rng(0))


def test_budgets_are_powers_of_eta_below_the_highest() -> None:
    assert FreezeThaw(1, 27).start(SMALL).budgets == (1.0, 3.0, 9.0, 27.0)
    assert FreezeThaw(2, 27).start(SMALL).budgets == (3.0, 9.0, 27.0)
    with pytest.raises(ScheduleError):
        FreezeThaw(9, 1)
