from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest
from ConfigSpace import (
    Categorical,
    Configuration,
    ConfigurationSpace,
    EqualsCondition,
    Float,
    ForbiddenAndConjunction,
    ForbiddenEqualsClause,
    Normal,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from bonas.acquisition.prior import (
    MIN_DENSITY,
    Belief,
    SpaceBelief,
    draw_believed,
    log_densities,
    log_prior,
    trust,
)
from bonas.strategies.bayesian import BayesianOptimization
from bonas.strategies.random_search import RandomSearch
from bonas.surrogates.observations import Observations
from spaces.space import sample
from tests.bonas.strategies.contract import MEDIUM, StrategyContract, run
from tests.spaces.configurations.test_properties import spaces

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


def test_a_choice_that_the_belief_does_not_know_has_the_lowest_density() -> None:
    partial = SpaceBelief(ConfigurationSpace({"a": ["x", "y"], "n": (0, 5), "f": (0.0, 1.0)}))
    space = ConfigurationSpace({"a": ["x", "y", "z"], "n": (0, 9), "f": (0.0, 2.0)})
    known = Configuration(space, values={"a": "x", "n": 3, "f": 0.5})
    for name, value in {"a": "z", "n": 8, "f": 1.5}.items():
        unknown = Configuration(space, values={**dict(known), name: value})
        lost = partial.log_density(known) - partial.log_density(unknown)
        assert lost > math.log(0.1 / (2 * MIN_DENSITY))


@given(spaces(), st.integers(0, 2**32 - 1))
@settings(max_examples=50, deadline=None)
def test_draws_of_a_belief_are_valid_in_every_space(space: ConfigurationSpace, seed: int) -> None:
    names = list(space)[::2]
    believed = SpaceBelief(ConfigurationSpace(space=[space[name] for name in names]))
    drawn = [draw_believed(believed, space, np.random.default_rng(seed)) for _ in range(2)]
    assert drawn[0] == drawn[1]
    drawn[0].check_valid_configuration()
    assert drawn[0].config_space is space


def counted(believed: Belief, space: ConfigurationSpace, draws: int) -> Counter[tuple[object, ...]]:
    rng = np.random.default_rng(0)
    drawn = (draw_believed(believed, space, rng) for _ in range(draws))
    return Counter(tuple(dict(configuration).values()) for configuration in drawn)


@dataclass(frozen=True)
class OnlyDensity:
    """The same density, without a method to draw from it."""

    belief: SpaceBelief

    def log_density(self, configuration: Configuration) -> float:
        return 5.0 + self.belief.log_density(configuration)


@pytest.mark.parametrize("exact", [True, False])
def test_draws_are_in_proportion_to_the_density(*, exact: bool) -> None:
    space = ConfigurationSpace({"a": ["x", "y"], "b": ["u", "v"], "c": ["p", "q"]})
    believed = SpaceBelief(
        ConfigurationSpace(
            space=[
                Categorical("a", ["x", "y"], weights=[4, 1]),
                Categorical("b", ["v", "u"], weights=[1, 3]),
            ]
        )
    )
    draws = 1500 if exact else 250
    counts = counted(believed if exact else OnlyDensity(believed), space, draws)
    for (a, b, _), count in counts.items():
        expected = {"x": 0.8, "y": 0.2}[str(a)] * {"u": 0.75, "v": 0.25}[str(b)] / 2
        assert count / draws == pytest.approx(expected, abs=0.04 if exact else 0.08)


def test_a_draw_obeys_conditions_and_forbidden_clauses() -> None:
    space = ConfigurationSpace()
    kind, rate, size = (
        Categorical("kind", ["a", "b"]),
        Float("rate", (0.0, 10.0)),
        Categorical("size", ["s", "l"]),
    )
    space.add(kind, rate, size)
    space.add(EqualsCondition(rate, kind, "b"))
    space.add(
        ForbiddenAndConjunction(ForbiddenEqualsClause(kind, "b"), ForbiddenEqualsClause(size, "l"))
    )
    believed = SpaceBelief(
        ConfigurationSpace(
            space=[
                Categorical("kind", ["a", "b"], weights=[1, 9]),
                Float("rate", (0.0, 10.0), distribution=Normal(3.0, 0.5)),
            ]
        )
    )
    rng = np.random.default_rng(0)
    drawn = [believed.sample(space, rng) for _ in range(400)]
    for configuration in drawn:
        configuration.check_valid_configuration()
    rates = [c["rate"] for c in drawn if c["kind"] == "b"]
    # Half of the nine in ten are forbidden.
    assert len(rates) / len(drawn) == pytest.approx(0.45 / 0.55, abs=0.06)
    assert np.mean(rates) == pytest.approx(3.0, abs=0.1)
    assert np.std(rates) == pytest.approx(0.5, abs=0.1)


def test_values_that_the_space_does_not_admit_are_not_drawn() -> None:
    space = ConfigurationSpace({"a": ["x", "y"], "b": ["u", "v"]})
    believed = SpaceBelief(
        ConfigurationSpace(
            space=[
                Categorical("a", ["z", "x"], weights=[3, 1]),
                Categorical("b", ["other", "another"]),
            ]
        )
    )
    counts = counted(believed, space, 300)
    assert {a for a, _ in counts} == {"x"}
    assert {b for _, b in counts} == {"u", "v"}  # from the space


@dataclass(frozen=True)
class Always:
    density: float

    def log_density(self, configuration: Configuration) -> float:
        return self.density


@pytest.mark.parametrize("density", [math.nan, math.inf])
def test_a_density_that_is_no_finite_number_is_refused(density: float) -> None:
    with pytest.raises(ValueError, match=r"log_density of .* is (nan|inf)"):
        log_densities(
            Always(density), sample(MEDIUM.configuration_space, 2, np.random.default_rng(0))
        )


def test_a_density_of_zero_excludes_nothing() -> None:
    nothing = Always(-math.inf)
    rng = np.random.default_rng(0)
    draw_believed(nothing, MEDIUM.configuration_space, rng).check_valid_configuration()
    history = run(BayesianOptimization(initial=4, belief=belief("conv")), MEDIUM, 4)
    bonus = log_prior(nothing, [t.configuration for t in history.trials], 2.0)
    assert bonus.isfinite().all()


def ranked(count: int) -> Observations:
    return Observations(list(run(RandomSearch(), MEDIUM, count).evaluations))


def test_a_belief_is_trusted_as_far_as_it_ranks_what_was_evaluated() -> None:
    observed = ranked(24)
    right, wrong = (trust(belief(choice), 10.0, observed) for choice in ("conv", "none"))
    assert right > 0.5
    assert wrong < 0.5 * right
    reversed_order = ByCost(observed)
    assert trust(reversed_order, 10.0, observed) == 0.0
    assert trust(Always(0.0), 10.0, observed) == 1.0  # a constant density ranks nothing


@dataclass(frozen=True)
class ByCost:
    """The worst evaluated networks are believed to be the best."""

    observed: Observations

    def log_density(self, configuration: Configuration) -> float:
        index = self.observed.configurations.index(configuration)
        return float(self.observed.costs[index])


def test_the_more_confident_a_belief_the_later_its_trust_falls() -> None:
    falling = [
        [trust(ByCost(observed), confidence, observed) for observed in map(ranked, (2, 6, 24))]
        for confidence in (10.0, 1e3)
    ]
    for values in falling:
        assert 1.0 >= values[0] > values[1] >= values[2]
    assert all(late > early for early, late in zip(*falling, strict=True))


def test_a_belief_that_ranks_the_wrong_way_round_does_not_change_a_proposal() -> None:
    history = run(RandomSearch(), MEDIUM, 24)
    wrong = Opposite(belief("conv"))
    proposals = [
        BayesianOptimization(belief=believed).propose(MEDIUM, history, np.random.default_rng(0))
        for believed in (wrong, None)
    ]
    assert proposals[0] == proposals[1]


@dataclass(frozen=True)
class Opposite:
    belief: SpaceBelief

    def log_density(self, configuration: Configuration) -> float:
        return -self.belief.log_density(configuration)
