from __future__ import annotations

import math

import numpy as np
import pytest
from ConfigSpace import (
    Categorical,
    Configuration,
    ConfigurationSpace,
    Constant,
    EqualsCondition,
    Float,
    ForbiddenAndConjunction,
    ForbiddenEqualsClause,
    OrdinalHyperparameter,
)
from hypothesis import given, settings

from spaces.configurations.perturbation import log_closeness, perturb
from spaces.space import SpaceError, sample
from tests.spaces.configurations.test_properties import SEEDS, spaces

CELL = ConfigurationSpace({f"edge {index}": ["none", "skip", "conv"] for index in range(6)})


def changes(one: Configuration, other: Configuration) -> int:
    return int((one.get_array() != other.get_array()).sum())


def test_each_choice_changes_with_probability_one_half() -> None:
    centre, rng = CELL.get_default_configuration(), np.random.default_rng(0)
    counts = [changes(perturb(centre, rng), centre) for _ in range(2000)]
    assert min(counts) == 1  # where nothing was drawn to change, something does
    assert np.mean(counts) == pytest.approx(3.0 + 0.5**6, abs=0.1)


@given(spaces(), SEEDS)
@settings(max_examples=60, deadline=None)
def test_perturbed_configurations_are_valid_and_others(
    space: ConfigurationSpace, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    [centre] = sample(space, 1, rng)
    perturbed = perturb(centre, rng)
    perturbed.check_valid_configuration()
    assert perturbed != centre
    assert perturb(centre, np.random.default_rng(seed)) == perturb(
        centre, np.random.default_rng(seed)
    )


@given(spaces(), SEEDS)
@settings(max_examples=60, deadline=None)
def test_closeness_is_finite_symmetric_and_not_below_that_of_anything_else(
    space: ConfigurationSpace, seed: int
) -> None:
    one, other = sample(space, 2, np.random.default_rng(seed))
    assert math.isfinite(log_closeness(one, other))
    assert log_closeness(one, other) == pytest.approx(log_closeness(other, one))
    both = ~np.isnan(one.get_array()) & ~np.isnan(other.get_array())
    if both.sum() == (~np.isnan(other.get_array())).sum():
        # With two choices, a changed one is as likely as an unchanged one.
        assert log_closeness(one, other) <= log_closeness(other, other) + 1e-9


def test_closeness_is_the_density_of_perturbations() -> None:
    space = ConfigurationSpace(
        space=[Categorical("kind", ["a", "b", "c"]), Categorical("size", ["s", "m", "l", "xl"])]
    )
    centre, rng = space.get_default_configuration(), np.random.default_rng(1)
    drawn = [perturb(centre, rng) for _ in range(6000)]
    distinct = {tuple(c.get_array()): c for c in drawn}
    counts = {key: sum(tuple(c.get_array()) == key for c in drawn) for key in distinct}
    both = {key: n for key, n in counts.items() if changes(distinct[key], centre) == 2}
    assert len(both) == 6
    expected = math.exp(log_closeness(distinct[next(iter(both))], centre))
    for key, count in both.items():
        assert math.exp(log_closeness(distinct[key], centre)) == pytest.approx(expected)
        assert count / len(drawn) == pytest.approx(expected, abs=0.01)


def test_numbers_and_ordinals_are_close_by_their_distance() -> None:
    space = ConfigurationSpace(
        space=[
            Float("rate", (1e-4, 1.0), log=True),
            OrdinalHyperparameter("width", [8, 16, 32]),
            Constant("fixed", 1),
        ]
    )

    def at(rate: float, width: int) -> Configuration:
        return Configuration(space, values={"rate": rate, "width": width, "fixed": 1})

    centre = at(1e-2, 8)
    ordered = [at(1e-2, 8), at(2e-2, 8), at(1e-1, 8), at(1e-1, 16), at(1e-1, 32)]
    closeness = [log_closeness(one, centre) for one in ordered]
    assert closeness == sorted(closeness, reverse=True)
    assert len(set(closeness)) == 5


def test_what_becomes_active_does_not_count() -> None:
    space = ConfigurationSpace()
    kind, rate = Categorical("kind", ["a", "b"]), Float("rate", (0.0, 1.0))
    space.add(kind, rate)
    space.add(EqualsCondition(rate, kind, "b"))
    centre = Configuration(space, values={"kind": "a"})
    active = [Configuration(space, values={"kind": "b", "rate": rate}) for rate in (0.1, 0.9)]
    assert log_closeness(active[0], centre) == log_closeness(active[1], centre)


def test_forbidden_combinations_are_left_out() -> None:
    space = ConfigurationSpace({"kind": ["a", "b", "c"], "size": ["s", "l"]})
    space.add(
        ForbiddenAndConjunction(
            ForbiddenEqualsClause(space["kind"], "c"), ForbiddenEqualsClause(space["size"], "l")
        )
    )
    rng = np.random.default_rng(0)
    for centre in sample(space, 40, rng):
        perturb(centre, rng).check_valid_configuration()


def test_a_space_of_one_configuration_is_refused() -> None:
    space = ConfigurationSpace({"only": [1]})
    with pytest.raises(SpaceError, match="no mutation"):
        perturb(space.get_default_configuration(), np.random.default_rng(0))
