"""Properties of every ConfigSpace, checked on spaces that hypothesis makes."""

from __future__ import annotations

import itertools
import json
from typing import Any

import numpy as np
from ConfigSpace import (
    Categorical,
    Configuration,
    ConfigurationSpace,
    EqualsCondition,
    Float,
    Integer,
    OrdinalHyperparameter,
)
from ConfigSpace.hyperparameters import Hyperparameter
from hypothesis import given, settings
from hypothesis import strategies as st

from spaces.configurations.active_choices import Activation
from spaces.configurations.json_values import read_space, space_record
from spaces.configurations.mutation import crossover, mutate, neighbours, variants
from spaces.configurations.unit_cube import from_unit_cube, to_unit_cube
from spaces.encoding import configuration_columns
from spaces.keys import values_key
from spaces.space import configuration, record, sample

KINDS = ("categorical", "ordinal", "integer", "float", "log")
SEEDS = st.integers(0, 2**32 - 1)


def hyperparameter(name: str, kind: str, size: int) -> Hyperparameter[Any, Any]:
    if kind == "categorical":
        return Categorical(name, [f"choice {i}" for i in range(size)])
    if kind == "ordinal":
        return OrdinalHyperparameter(name, list(range(size)))
    if kind == "integer":
        return Integer(name, (1, size))
    return Float(name, (0.001, float(size)), log=kind == "log")


@st.composite
def spaces(draw: st.DrawFn) -> ConfigurationSpace:
    """Two to six hyperparameters, of which some depend on an earlier categorical."""
    space = ConfigurationSpace()
    parents: list[Any] = []
    for number in range(draw(st.integers(2, 6))):
        kind, size = draw(st.sampled_from(KINDS)), draw(st.integers(2, 12))
        added = hyperparameter(f"h{number}", kind, size)
        space.add(added)
        if parents and draw(st.booleans()):
            parent = draw(st.sampled_from(parents))
            space.add(EqualsCondition(added, parent, parent.choices[0]))
        if kind == "categorical":
            parents.append(added)
    return space


def changed(one: Configuration, other: Configuration) -> list[int]:
    """The positions that are active in both and differ."""
    a, b = one.get_array(), other.get_array()
    return [int(i) for i in np.flatnonzero(~np.isnan(a) & ~np.isnan(b) & (a != b))]


@settings(deadline=None, max_examples=40)
@given(spaces(), SEEDS)
def test_every_variation_is_valid(space: ConfigurationSpace, seed: int) -> None:
    rng = np.random.default_rng(seed)
    one, other = sample(space, 2, rng)
    varied = [mutate(one, rng), mutate(one, rng, 3), crossover(one, other, rng)]
    for variation in (*varied, *itertools.islice(neighbours(one, rng), 10)):
        variation.check_valid_configuration()


@settings(deadline=None, max_examples=40)
@given(spaces(), SEEDS)
def test_a_mutation_and_a_neighbour_change_one_choice_and_its_dependants(
    space: ConfigurationSpace, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    centre = sample(space, 1, rng)[0]
    activation = Activation(space)
    for near in (mutate(centre, rng), *neighbours(centre, rng)):
        assert near != centre
        differing = changed(centre, near)
        assert any(set(differing) <= {i, *activation.dependants(i)} for i in differing)
    for index in range(len(space)):
        for variant in variants(centre, index, rng):
            assert changed(centre, variant)[0] == index


@settings(deadline=None, max_examples=40)
@given(spaces(), SEEDS)
def test_dependants_are_all_that_a_choice_can_switch(space: ConfigurationSpace, seed: int) -> None:
    rng = np.random.default_rng(seed)
    activation = Activation(space)
    centre = sample(space, 1, rng)[0]
    before = np.isnan(centre.get_array())
    for index, name in enumerate(space):
        dependants = activation.dependants(index)
        assert dependants == sorted(set(dependants))
        assert {space.at[i] for i in dependants} >= {
            child.name for child in space.children_of[name]
        }
        for variant in variants(centre, index, rng):
            switched = np.flatnonzero(np.isnan(variant.get_array()) != before)
            assert set(switched) <= set(dependants)


@settings(deadline=None, max_examples=40)
@given(spaces(), SEEDS)
def test_repair_leaves_a_valid_configuration_as_it_is_and_mends_any_other(
    space: ConfigurationSpace, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    activation = Activation(space)
    one, other = sample(space, 2, rng)
    kept = activation.repair(one.get_array().copy(), rng, range(len(space)))
    assert kept == one
    mixed = np.where(rng.random(len(space)) < 0.5, one.get_array(), other.get_array())
    mended = activation.repair(mixed.copy(), rng, range(len(space)))
    assert mended is not None
    mended.check_valid_configuration()
    both = ~np.isnan(mended.get_array()) & ~np.isnan(mixed)
    np.testing.assert_array_equal(mended.get_array()[both], mixed[both])


@settings(deadline=None, max_examples=40)
@given(spaces(), SEEDS)
def test_the_unit_cube_and_back(space: ConfigurationSpace, seed: int) -> None:
    rng = np.random.default_rng(seed)
    drawn = sample(space, 1, rng)[0]
    point = to_unit_cube(drawn, rng)
    assert ((point >= 0) & (point <= 1)).all()
    back = from_unit_cube(space, point, rng)
    assert back is not None
    np.testing.assert_allclose(back.get_array(), drawn.get_array(), atol=1e-9)
    anywhere = from_unit_cube(space, rng.random(len(space)), rng)
    assert anywhere is not None
    anywhere.check_valid_configuration()


@settings(deadline=None, max_examples=40)
@given(spaces(), SEEDS)
def test_a_space_and_its_configurations_survive_json(space: ConfigurationSpace, seed: int) -> None:
    loaded = read_space(json.loads(json.dumps(space_record(space))))
    assert loaded == space
    for drawn in sample(space, 3, np.random.default_rng(seed)):
        read = configuration(loaded, json.loads(json.dumps(record(drawn))))
        np.testing.assert_allclose(read.get_array(), drawn.get_array(), atol=1e-9)
        assert values_key(configuration(space, record(drawn))) == values_key(read)


@settings(deadline=None, max_examples=40)
@given(spaces(), SEEDS)
def test_columns_of_two_values_are_at_most_1_apart(space: ConfigurationSpace, seed: int) -> None:
    drawn = sample(space, 4, np.random.default_rng(seed))
    rows, groups = configuration_columns(space, [c.get_array() for c in drawn])
    assert rows.shape == (4, sum(group.stop - group.start for group in groups))
    for (a, one), (b, other) in itertools.combinations(enumerate(drawn), 2):
        for index, group in enumerate(groups):
            distance = np.square(rows[a, group] - rows[b, group]).sum()
            assert distance <= 1 + 1e-9
            pair = one.get_array()[index], other.get_array()[index]
            assert (distance < 1e-12) == np.isclose(*pair, rtol=0, atol=1e-6, equal_nan=True)
