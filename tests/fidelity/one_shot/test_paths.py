from __future__ import annotations

import numpy as np
import pytest
from ConfigSpace import Configuration

from fidelity.one_shot.paths import Grouped, Paths, Sandwich, Uniform
from spaces.cells.cell import CellSpace
from spaces.hierarchical.macro_space import MacroSpace
from spaces.space import Space

MACRO = MacroSpace.small()


def drawn(paths: Paths, space: Space, count: int) -> list[Configuration]:
    draw, rng = paths.start(space), np.random.default_rng(0)
    return [draw(step, rng) for step in range(count)]


def test_a_large_and_a_small_network_come_before_the_random_ones() -> None:
    found = drawn(Sandwich(2), MACRO, 40)
    for one in found:
        one.check_valid_configuration()
    depths = [[int(one[f"stage{i}:depth"]) for i in (1, 2, 3)] for one in found]
    assert all(depth == [3, 3, 3] for depth in depths[::4])
    assert all(depth == [1, 1, 1] for depth in depths[1::4])
    assert {value for depth in depths[2::4] + depths[3::4] for value in depth} == {1, 2, 3}


def test_every_operation_has_its_turn_among_the_large_and_the_small() -> None:
    found = drawn(Sandwich(0), MACRO, 60)
    for turn in (0, 1):
        families = {one["stage1:family"] for one in found[turn::2]}
        assert families == {"plain", "basic", "inverted"}


def test_in_a_space_without_numbers_the_sandwich_is_uniform() -> None:
    space = CellSpace(channels=4)
    assert drawn(Sandwich(), space, 30) == drawn(Uniform(), space, 30)


def test_a_group_of_networks_is_repeated_before_the_next_one() -> None:
    found = drawn(Grouped(Sandwich(2), size=8, repeats=3), MACRO, 48)
    for start in (0, 24):
        assert found[start : start + 8] == found[start + 8 : start + 16]
        assert found[start : start + 8] == found[start + 16 : start + 24]
    assert found[:8] != found[24:32]
    assert found[0]["stage1:depth"] == found[24]["stage1:depth"] == 3


@pytest.mark.parametrize("numbers", [{"size": 0}, {"repeats": 0}])
def test_an_empty_group_is_refused(numbers: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="is 0: it is at least 1"):
        Grouped(Uniform(), **numbers)


def test_disconnected_networks_are_drawn_again() -> None:
    space = CellSpace(nodes=3, channels=4)
    assert all(space.architecture(one).connected for one in drawn(Uniform(), space, 50))


def test_a_negative_number_of_networks_is_refused() -> None:
    with pytest.raises(ValueError, match="random is -1"):
        Sandwich(-1)
