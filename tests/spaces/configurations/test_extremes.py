from __future__ import annotations

import numpy as np
from ConfigSpace import (
    ConfigurationSpace,
    EqualsCondition,
    Float,
    ForbiddenAndConjunction,
    ForbiddenEqualsClause,
    Integer,
    OrdinalHyperparameter,
)

from spaces.configurations.extremes import Extremes
from spaces.hierarchical.macro_space import MacroSpace
from spaces.space import configuration, sample


def nested() -> ConfigurationSpace:
    """A width that only one of two kinds has, a depth and a real number."""
    space = ConfigurationSpace({"kind": ["a", "b"]})
    space.add(Integer("depth", (1, 4)), OrdinalHyperparameter("width", [8, 16, 32]))
    space.add(Float("rate", (0.0, 0.5)))
    space.add(EqualsCondition(space["width"], space["kind"], "b"))
    return space


class TestAt:
    def test_numbers_are_at_their_ends_and_categories_are_kept(self) -> None:
        space = nested()
        given = configuration(space, {"kind": "b", "depth": 2, "width": 16, "rate": 0.1})
        rng = np.random.default_rng(0)
        assert dict(Extremes(space).at(given, "largest", rng) or {}) == {
            "kind": "b",
            "depth": 4,
            "width": 32,
            "rate": 0.5,
        }
        assert dict(Extremes(space).at(given, "smallest", rng) or {}) == {
            "kind": "b",
            "depth": 1,
            "width": 8,
            "rate": 0.0,
        }

    def test_choices_that_become_active_are_drawn_and_others_dropped(self) -> None:
        space = MacroSpace.small().configuration_space
        rng = np.random.default_rng(0)
        for one in sample(space, 20, rng):
            for end, depth in (("largest", 3), ("smallest", 1)):
                extreme = Extremes(space).at(one, end, rng)  # type: ignore[arg-type]
                assert extreme is not None
                extreme.check_valid_configuration()
                assert extreme["stage1:depth"] == depth
                assert extreme["stage1:family"] == one["stage1:family"]

    def test_a_forbidden_extreme_is_none(self) -> None:
        space = nested()
        space.add(
            ForbiddenAndConjunction(
                ForbiddenEqualsClause(space["depth"], 4), ForbiddenEqualsClause(space["rate"], 0.5)
            )
        )
        given = configuration(space, {"kind": "a", "depth": 2, "rate": 0.1})
        rng = np.random.default_rng(0)
        assert Extremes(space).at(given, "largest", rng) is None
        assert Extremes(space).at(given, "smallest", rng) is not None


def test_covering_configurations_hold_every_value_of_every_choice() -> None:
    space = MacroSpace.small(widths=(2, 4, 8)).configuration_space
    covering = list(Extremes(space).covering(np.random.default_rng(0)))
    for one in covering:
        one.check_valid_configuration()
    held = {(name, value) for one in covering for name, value in dict(one).items()}
    drawn = sample(space, 500, np.random.default_rng(1))
    assert {(name, value) for one in drawn for name, value in dict(one).items()} <= held
    assert len(covering) < 300
