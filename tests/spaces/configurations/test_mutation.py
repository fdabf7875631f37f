import itertools

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
    Integer,
    OrdinalHyperparameter,
)

from spaces.configurations.mutation import crossover, mutate, neighbours
from spaces.space import SpaceError, sample


@pytest.fixture
def space() -> ConfigurationSpace:
    space = ConfigurationSpace()
    kind = Categorical("kind", ["a", "b", "c"])
    width = OrdinalHyperparameter("width", [8, 16, 32])
    depth = Integer("depth", (1, 3))
    rate = Float("rate", (1e-4, 1.0), log=True)
    space.add(kind, width, depth, rate)
    space.add(EqualsCondition(width, kind, "a"), EqualsCondition(rate, kind, "b"))
    return space


def test_neighbours_are_all_that_one_choice_away(space: ConfigurationSpace) -> None:
    centre = Configuration(space, values={"kind": "a", "width": 16, "depth": 1})
    found = list(neighbours(centre, np.random.default_rng(0)))
    plain = {(c["kind"], c.get("width"), c["depth"]) for c in found}
    assert plain == {
        ("a", 8, 1),
        ("a", 32, 1),
        ("a", 16, 2),
        ("a", 16, 3),
        ("b", None, 1),
        ("c", None, 1),
    }
    # What becomes active is drawn, not set to its default.
    rates = {
        c["rate"]
        for seed in range(5)
        for c in neighbours(centre, np.random.default_rng(seed))
        if c["kind"] == "b"
    }
    assert len(rates) == 5


def test_one_seed_one_result(space: ConfigurationSpace) -> None:
    one, other = sample(space, 2, np.random.default_rng(0))

    def results(seed: int) -> list[Configuration]:
        rng = np.random.default_rng(seed)
        return [*neighbours(one, rng), mutate(one, rng), crossover(one, other, rng)]

    assert results(5) == results(5)


def test_a_child_takes_after_its_parents(space: ConfigurationSpace) -> None:
    one = Configuration(space, values={"kind": "a", "width": 8, "depth": 1})
    other = Configuration(space, values={"kind": "b", "rate": 0.01, "depth": 3})
    rng = np.random.default_rng(0)
    children = [crossover(one, other, rng) for _ in range(50)]
    assert {c["depth"] for c in children} == {1, 3}
    assert all(c["width"] == 8 for c in children if c["kind"] == "a")
    assert all(c["rate"] == pytest.approx(0.01) for c in children if c["kind"] == "b")
    assert crossover(one, one, rng) == one


def test_forbidden_clauses_are_obeyed(space: ConfigurationSpace) -> None:
    space.add(
        ForbiddenAndConjunction(
            ForbiddenEqualsClause(space["kind"], "c"), ForbiddenEqualsClause(space["depth"], 1)
        )
    )
    rng = np.random.default_rng(0)
    parents = sample(space, 30, rng)
    for one, other in itertools.pairwise(parents):
        for drawn in (*neighbours(one, rng), mutate(one, rng), crossover(one, other, rng)):
            drawn.check_valid_configuration()


def test_what_cannot_be_changed_is_refused() -> None:
    space = ConfigurationSpace({"only": [1]})
    alone = space.get_default_configuration()
    with pytest.raises(SpaceError, match="one valid configuration"):
        mutate(alone, np.random.default_rng(0))
    with pytest.raises(SpaceError, match="at least 1 change"):
        mutate(alone, np.random.default_rng(0), changes=0)
    assert list(neighbours(alone, np.random.default_rng(0))) == []
