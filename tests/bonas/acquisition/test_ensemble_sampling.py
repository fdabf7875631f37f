from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from ConfigSpace import Configuration, ConfigurationSpace
from hypothesis import given, settings
from hypothesis import strategies as st

from bonas.acquisition.candidates import Candidates, Pool
from bonas.acquisition.ensemble_sampling import (
    MIN_EVALUATIONS,
    Ensemble,
    ensemble,
    new_network,
)
from bonas.acquisition.prior import Belief
from fidelity.history.history import History
from fidelity.history.trial import UNSCHEDULED, Evaluation, Status, Trial
from spaces.keys import Keys, trial_key
from spaces.space import sample
from tests.bonas.acquisition.test_prior import Always, OnlyDensity, belief
from tests.bonas.strategies.contract import MEDIUM, cost

SPACE = MEDIUM.configuration_space


def add(
    history: History,
    configuration: Configuration,
    budget: float,
    outcome: float | Status | None = None,
    parent: int | None = None,
    bracket: int = 0,
) -> Trial:
    """Add an evaluated trial; without an outcome it has the cost of the contract."""
    number = len(history.trials)
    key = trial_key(MEDIUM, configuration)
    trial = Trial(number, configuration, key, budget, 0, parent, bracket)
    history.add_trial(trial)
    if isinstance(outcome, Status):
        history.add_evaluation(Evaluation(trial, status=outcome))
    else:
        history.add_evaluation(
            Evaluation(trial, cost(configuration) if outcome is None else outcome)
        )
    return trial


def started_at(budgets: Sequence[float]) -> History:
    history = History(SPACE)
    for seed, budget in enumerate(budgets):
        [configuration] = sample(SPACE, 1, np.random.default_rng(seed))
        add(history, configuration, budget, Status.CRASHED)
    return history


def distinct(count: int) -> list[Configuration]:
    """Different networks, with few convolutions and with many."""
    networks: dict[str, Configuration] = {}
    for configuration in sample(SPACE, 200, np.random.default_rng(0)):
        networks.setdefault(trial_key(MEDIUM, configuration), configuration)
    return list(networks.values())[:count]


def evaluated(count: int, budget: float = 1.0) -> History:
    history = History(SPACE)
    for configuration in distinct(count):
        add(history, configuration, budget)
    return history


@pytest.mark.parametrize(
    ("budgets", "uniform"),
    [
        ([], 0.5),
        ([1], 1 / 2),
        ([1, 3], 1 / (1 + 3)),
        ([1, 3, 9], 1 / (1 + 9)),
        ([1, 3, 9, 27], 1 / (1 + 27)),
        ([1, 27, 1], 1 / 2),
        ([4, 16, 16], 1 / (1 + 4)),
        ([27, 27], 1 / 2),
    ],
)
def test_the_share_of_the_space_falls_with_the_rung(
    budgets: Sequence[float], uniform: float
) -> None:
    mixture = ensemble(belief("conv"), started_at(budgets))
    assert mixture.uniform == pytest.approx(uniform)
    assert mixture.prior == pytest.approx(1 - uniform)
    assert mixture.incumbent is None


def test_promotions_and_results_from_elsewhere_are_no_starts() -> None:
    history = started_at([3, 9])
    configuration = history.trials[0].configuration
    add(history, configuration, 27, Status.CRASHED, parent=0)
    add(history, configuration, 0.1, Status.CRASHED, bracket=UNSCHEDULED)
    assert ensemble(belief("conv"), history).uniform == pytest.approx(1 / (1 + 3))


def test_the_incumbent_takes_part_once_enough_others_are_evaluated() -> None:
    for count in (1, MIN_EVALUATIONS, MIN_EVALUATIONS + 1):
        mixture = ensemble(belief("conv"), evaluated(count))
        shared = count > MIN_EVALUATIONS
        assert (mixture.incumbent is not None) == shared
        assert (mixture.prior < 0.5) == shared


def test_a_right_belief_keeps_its_share_and_a_wrong_one_loses_it() -> None:
    history = evaluated(24)
    right, wrong = (ensemble(belief(favourite), history).prior for favourite in ("conv", "none"))
    assert wrong < 0.1
    assert right > 3 * wrong
    # Inverted: the more convolutions, the less likely.
    inverted = ensemble(Inverted(belief("conv")), history).prior
    assert inverted < 0.02


class Inverted:
    def __init__(self, belief: Belief) -> None:
        self.belief = belief

    def log_density(self, configuration: Configuration) -> float:
        return -self.belief.log_density(configuration)


def test_the_constant_of_a_density_does_not_matter() -> None:
    history = evaluated(24)
    one, other = (ensemble(b, history) for b in (belief("conv"), OnlyDensity(belief("conv"))))
    assert one.prior == pytest.approx(other.prior)


def test_the_highest_budget_with_enough_evaluations_decides() -> None:
    """At budget 1 networks without convolutions are the best, at budget 3 the others."""
    history = History(SPACE)
    for configuration in distinct(20):
        add(history, configuration, 1.0, -cost(configuration))
    low = ensemble(belief("conv"), history).prior
    for parent in history.trials[: MIN_EVALUATIONS + 1]:
        add(history, parent.configuration, 3.0, parent=parent.number)
    assert ensemble(belief("conv"), history).prior > low


def test_failures_are_not_scored() -> None:
    history = evaluated(8)
    expected = ensemble(belief("conv"), history).prior
    for configuration in distinct(14)[8:]:
        add(history, configuration, 1.0, Status.CRASHED)
    assert ensemble(belief("conv"), history).prior == expected


@given(
    st.lists(st.sampled_from([1.0, 3.0, 9.0]), min_size=1, max_size=30),
    st.lists(st.sampled_from([0.0, 1.0, -1e308, 1e308, Status.DIVERGED]), min_size=30, max_size=30),
    st.sampled_from([belief("conv"), belief("none"), Always(0.0), Always(-np.inf)]),
)
@settings(max_examples=60, deadline=None)
def test_probabilities_are_probabilities_whatever_happened(
    budgets: list[float], outcomes: list[float | Status], believed: Belief
) -> None:
    history = History(SPACE)
    for configuration, budget, outcome in zip(distinct(30), budgets, outcomes, strict=False):
        add(history, configuration, budget, outcome)
    mixture = ensemble(believed, history)
    assert 0 < mixture.uniform <= 0.5
    assert 0 <= mixture.prior <= 1 - mixture.uniform
    drawn = [mixture.draw(SPACE, np.random.default_rng(1)) for _ in range(2)]
    assert drawn[0] == drawn[1]
    drawn[0].check_valid_configuration()


def test_draws_come_from_the_three_distributions() -> None:
    names = list(SPACE)
    incumbent = Configuration(SPACE, values=dict.fromkeys(names, "pool"))
    only = belief("conv")
    rng = np.random.default_rng(0)

    def share(mixture: Ensemble, choice: str) -> float:
        drawn = [list(dict(mixture.draw(SPACE, rng)).values()) for _ in range(600)]
        return float(np.mean([values.count(choice) / len(names) for values in drawn]))

    assert share(Ensemble(only, 1.0, 0.0, incumbent), "conv") == pytest.approx(0.2, abs=0.04)
    assert share(Ensemble(only, 0.0, 1.0, incumbent), "conv") == pytest.approx(8 / 12, abs=0.04)
    around = share(Ensemble(only, 0.0, 0.0, incumbent), "pool")
    assert around == pytest.approx(0.5 - 1 / 24, abs=0.05)  # one choice at least changes
    mixed = share(Ensemble(only, 0.5, 0.5, incumbent), "conv")
    assert mixed == pytest.approx((0.2 + 8 / 12) / 2, abs=0.05)


@pytest.mark.parametrize("exact", [True, False])
def test_the_first_networks_are_new(*, exact: bool) -> None:
    pool = Pool(MEDIUM, Candidates(), Keys(MEDIUM))
    believed = belief("conv") if exact else OnlyDensity(belief("conv"))
    history, rng = evaluated(150), np.random.default_rng(0)
    for _ in range(8):
        network = new_network(pool, believed, history, rng)
        asked = history.keys()
        assert pool.keys.key(network) not in asked
        add(history, network, 1.0)
    assert new_network(pool, None, history, np.random.default_rng(3)) == pool.random(
        history.keys(), np.random.default_rng(3)
    )


def test_a_certain_belief_leaves_half_of_the_first_networks_to_the_space() -> None:
    pool = Pool(MEDIUM, Candidates(), Keys(MEDIUM))
    [favourite] = sample(SPACE, 1, np.random.default_rng(5))
    nothing, rng = History(SPACE), np.random.default_rng(0)
    drawn = [new_network(pool, Only(favourite), nothing, rng) for _ in range(200)]
    assert drawn.count(favourite) / 200 == pytest.approx(0.5, abs=0.1)


@dataclass(frozen=True)
class Only:
    favourite: Configuration

    def log_density(self, configuration: Configuration) -> float:
        return 0.0

    def sample(self, space: ConfigurationSpace, rng: np.random.Generator) -> Configuration:
        return self.favourite


def test_where_the_belief_draws_nothing_new_the_space_does() -> None:
    pool = Pool(MEDIUM, Candidates(), Keys(MEDIUM))
    history, rng = History(SPACE), np.random.default_rng(0)
    add(history, sample(SPACE, 1, rng)[0], 1.0)
    only, asked = Only(history.trials[0].configuration), history.keys()
    for _ in range(20):
        assert pool.keys.key(new_network(pool, only, history, rng)) not in asked
