from __future__ import annotations

import numpy as np
import pytest
from ConfigSpace import (
    Categorical,
    ConfigurationSpace,
    Constant,
    EqualsCondition,
    Float,
    ForbiddenEqualsClause,
    Integer,
    OrdinalHyperparameter,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from spaces.configurations.unit_cube import from_unit_cube, to_unit_cube
from spaces.space import sample


def mixed() -> ConfigurationSpace:
    space = ConfigurationSpace()
    kind = Categorical("kind", ["a", "b", "c"])
    width = OrdinalHyperparameter("width", [8, 16, 32])
    rate = Float("rate", (1e-4, 1.0), log=True)
    space.add(kind, width, rate, Integer("depth", (1, 9)), Constant("fixed", 3))
    space.add(EqualsCondition(width, kind, "a"), EqualsCondition(rate, kind, "b"))
    return space


SPACE = mixed()


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_there_and_back(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for chosen in sample(SPACE, 5, rng):
        point = to_unit_cube(chosen, rng)
        assert point.shape == (5,)
        assert ((point >= 0) & (point <= 1)).all()
        back = from_unit_cube(SPACE, point, rng)
        assert back is not None
        np.testing.assert_allclose(back.get_array(), chosen.get_array(), atol=1e-12)


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=5, max_size=5))
def test_every_point_is_a_valid_configuration(coordinates: list[float]) -> None:
    chosen = from_unit_cube(SPACE, np.array(coordinates), np.random.default_rng(0))
    assert chosen is not None
    chosen.check_valid_configuration()


def test_a_choice_is_equal_parts() -> None:
    space = ConfigurationSpace({"kind": ["a", "b", "c", "d"]})
    drawn = [
        from_unit_cube(space, np.array([x]), np.random.default_rng(0)) for x in (0, 0.3, 0.6, 1)
    ]
    assert [chosen and chosen["kind"] for chosen in drawn] == ["a", "b", "c", "d"]


def test_what_is_inactive_is_drawn() -> None:
    chosen = SPACE.get_default_configuration()
    places = [to_unit_cube(chosen, np.random.default_rng(seed)) for seed in range(3)]
    rate = SPACE.index_of["rate"]
    assert np.isnan(chosen.get_array()[rate])
    assert len({point[rate] for point in places}) == 3


@pytest.mark.parametrize(("place", "allowed"), [(0.1, True), (0.9, False)])
def test_a_forbidden_point_is_none(place: float, allowed: bool) -> None:
    space = ConfigurationSpace({"kind": ["a", "b"]})
    space.add(ForbiddenEqualsClause(space["kind"], "b"))
    chosen = from_unit_cube(space, np.array([place]), np.random.default_rng(0))
    assert (chosen is not None) == allowed
