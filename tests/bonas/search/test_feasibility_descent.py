from __future__ import annotations

import math

import numpy as np
import pytest
from ConfigSpace import Configuration

from bonas.search.feasibility_descent import Closest
from fidelity import Constraint
from fidelity.history.goal import Goal
from spaces import CellSpace, MacroSpace
from spaces.space import sample
from tests.bonas.spaces import GAIN

SPACE = CellSpace.nasbench201()


def weight(configuration: Configuration) -> float:
    return 5.0 + sum(GAIN[str(value)] for value in configuration.values())


LEAST = 5.0 + 6 * min(GAIN.values())


def closest(*constraints: Constraint, stop_after: int = 10_000) -> Closest:
    asked = iter(range(stop_after))
    goal = Goal(constraints=constraints, computed={"weight": weight})
    found = Closest(goal, lambda: next(asked, None) is None)
    found.descend(sample(SPACE.configuration_space, 20, np.random.default_rng(0)))
    return found


def test_an_impossible_limit_leads_to_the_smallest_value() -> None:
    found = closest(Constraint("weight", at_most=LEAST - 0.1))
    assert found.violation > 0
    assert found.conclusive
    assert weight(found.configuration) == pytest.approx(LEAST)
    assert found.counted < 200


def test_a_limit_that_one_network_in_thousands_keeps_is_found() -> None:
    found = closest(Constraint("weight", at_most=LEAST + 1e-9))
    assert found.violation == 0
    assert weight(found.configuration) == pytest.approx(LEAST)


@pytest.mark.parametrize(
    "constraints",
    [
        [Constraint("weight", at_least=LEAST - 2, at_most=LEAST - 1)],
        [Constraint("weight", at_least=LEAST + 9e9), Constraint("weight", at_most=LEAST + 9e9 + 1)],
    ],
)
def test_bounds_below_or_above_every_network_are_impossible(constraints: list[Constraint]) -> None:
    found = closest(*constraints)
    assert found.violation > 0
    assert found.conclusive


def test_between_two_bounds_a_descent_proves_nothing() -> None:
    between = Constraint("weight", at_least=LEAST + 1e-9, at_most=LEAST + 2e-9)
    assert not closest(between).conclusive


def test_networks_that_cannot_be_trained_keep_no_constraint() -> None:
    """Neither do they hide that every other network is below a lower bound."""
    least = Constraint("weight", at_least=1e9)
    goal = Goal(
        constraints=(least,),
        computed={"weight": lambda c: math.inf if "none" in c.values() else weight(c)},
    )
    found = Closest(goal, lambda: False)
    found.descend(sample(SPACE.configuration_space, 20, np.random.default_rng(0)))
    assert found.conclusive
    assert found.violation == least.violation(5.0 + 6 * max(GAIN.values()))


def test_a_descent_that_is_stopped_proves_nothing() -> None:
    found = closest(Constraint("weight", at_most=-1), stop_after=7)
    assert not found.conclusive
    assert found.counted == 20 + 7


def test_conditional_choices_are_followed() -> None:
    space = MacroSpace.mobile().configuration_space
    goal = Goal(
        constraints=(Constraint("choices", at_most=1),),
        computed={"choices": lambda configuration: float(len(dict(configuration)))},
    )
    found = Closest(goal, lambda: False)
    found.descend(sample(space, 5, np.random.default_rng(0)))
    assert found.conclusive
    assert all(value == 1 for name, value in found.configuration.items() if name.endswith("depth"))
