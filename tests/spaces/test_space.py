from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from ConfigSpace import (
    AndConjunction,
    CategoricalHyperparameter,
    Configuration,
    ConfigurationSpace,
    EqualsCondition,
    Float,
    ForbiddenAndConjunction,
    ForbiddenEqualsClause,
    NotEqualsCondition,
    OrConjunction,
)

from spaces.cells.cell import CellSpace
from spaces.configurations.mutation import crossover, mutate, neighbours
from spaces.configurations.unit_cube import from_unit_cube
from spaces.space import SpaceError, configuration, draw, record, recorded, repair, sample, values


def flat() -> ConfigurationSpace:
    return CellSpace.nasbench201().configuration_space


def test_a_drawn_configuration_is_one_that_its_values_make() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        drawn = draw(flat(), rng)
        drawn.check_valid_configuration()
        assert drawn == configuration(flat(), values(drawn))


def test_every_choice_is_as_likely_as_any_other() -> None:
    rng = np.random.default_rng(1)
    drawn = [draw(flat(), rng) for _ in range(2000)]
    for name in flat():
        counts = Counter(str(chosen[name]) for chosen in drawn)
        assert len(counts) == 5
        assert max(abs(count - 400) for count in counts.values()) < 100  # 5.6 standard deviations


def test_draws_follow_the_generator_alone() -> None:
    one, two = ([draw(flat(), rng) for _ in range(5)] for rng in map(np.random.default_rng, (7, 7)))
    assert one == two


def conditional() -> ConfigurationSpace:
    space = ConfigurationSpace({"a": ["x", "y"], "b": ["x", "y"]})
    space.add(EqualsCondition(space["b"], space["a"], "x"))
    return space


def weighted() -> ConfigurationSpace:
    space = ConfigurationSpace()
    space.add(CategoricalHyperparameter("a", ["x", "y"], weights=[0.01, 0.99]))
    return space


@pytest.mark.parametrize(
    "space", [conditional(), weighted(), ConfigurationSpace({"a": (0.0, 1.0), "b": ["x", "y"]})]
)
def test_other_spaces_are_left_to_config_space(space: ConfigurationSpace) -> None:
    for seed in range(10):
        expected = sample(space, 1, np.random.default_rng(seed))[0]
        assert draw(space, np.random.default_rng(seed)) == expected


def joined(kind: type[AndConjunction] | type[OrConjunction]) -> ConfigurationSpace:
    """A condition on several parents, of which one may be inactive."""
    space = ConfigurationSpace({name: [0, 1, 2] for name in "abcd"})
    space.add(NotEqualsCondition(space["b"], space["a"], 2))
    space.add(EqualsCondition(space["c"], space["b"], 0))
    parents = (
        EqualsCondition(space["d"], space["a"], 0),
        NotEqualsCondition(space["d"], space["c"], 1),
    )
    space.add(kind(*parents))
    return space


def forbidding() -> ConfigurationSpace:
    space = joined(OrConjunction)
    clauses = (ForbiddenEqualsClause(space["a"], 0), ForbiddenEqualsClause(space["d"], 1))
    space.add(ForbiddenAndConjunction(*clauses))
    return space


JOINED = [joined(AndConjunction), joined(OrConjunction), forbidding()]


@pytest.mark.parametrize("space", JOINED)
def test_every_sample_is_valid_also_where_config_space_draws_invalid_ones(
    space: ConfigurationSpace,
) -> None:
    rng = np.random.default_rng(0)
    for drawn in sample(space, 200, rng):
        drawn.check_valid_configuration()
        draw(space, rng).check_valid_configuration()
    assert sample(space, 5, np.random.default_rng(1)) == sample(space, 5, np.random.default_rng(1))


def test_config_space_still_draws_invalid_ones() -> None:
    """Or else the repair is needed no more."""
    invalid = 0
    for space in JOINED:
        space.random = np.random.RandomState(0)
        for drawn in space.sample_configuration(100):
            fixed = repair(drawn, np.random.default_rng(0))
            invalid += fixed is not drawn
            assert fixed is None or fixed.check_valid_configuration() is None
    assert invalid


@pytest.mark.parametrize("space", JOINED)
def test_whatever_comes_of_a_sample_is_valid(space: ConfigurationSpace) -> None:
    rng = np.random.default_rng(0)
    drawn = sample(space, 30, rng)
    children = [crossover(one, other, rng) for one, other in pairwise(drawn)]
    mutants = [mutate(one, rng) for one in drawn]
    near = [found for one in drawn[:10] for found in neighbours(one, rng)]
    points = [from_unit_cube(space, rng.random(len(space)), rng) for _ in range(30)]
    for found in (*children, *mutants, *near, *points):
        assert found is None or found.check_valid_configuration() is None


def test_what_is_recorded_is_what_is_read_back() -> None:
    rng = np.random.default_rng(0)
    space = ConfigurationSpace({"x": Float("x", (1e-12, 1e-3), log=True)})
    for drawn in sample(space, 20, rng):
        kept = recorded(space, drawn, rng)
        read = configuration(space, record(kept))
        np.testing.assert_array_equal(read.get_array(), kept.get_array())
        assert kept == drawn
    whole = sample(flat(), 1, rng)[0]
    assert recorded(whole.config_space, whole, rng) is whole


def test_a_vector_that_is_none_of_the_space_is_an_error() -> None:
    space = ConfigurationSpace({"a": [0, 1]})
    wrong = Configuration(space, vector=np.array([7.0]))
    with pytest.raises(SpaceError, match="no vector of this space"):
        recorded(space, wrong, np.random.default_rng(0))
