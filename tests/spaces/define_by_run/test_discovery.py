"""Which choices are found, and when each is active."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable

import numpy as np
import pytest
from ConfigSpace import ConfigurationSpace
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from spaces.define_by_run.discovery import values_of
from spaces.define_by_run.pick import Pick, Record
from spaces.define_by_run.space import DefineByRun, choices_of
from spaces.space import SpaceError, sample


def conditions(space: ConfigurationSpace) -> set[str]:
    return {str(condition) for condition in space.conditions}


def test_a_loop_over_depth_has_a_condition_for_each_block() -> None:
    def function(pick: Pick) -> None:
        for i in range(pick("depth", range(1, 5))):
            pick(f"block {i}", ["conv", "skip"])

    assert conditions(choices_of(function)) == {
        "block 1 | depth > 1",
        "block 2 | depth > 2",
        "block 3 | depth == 4",
    }


def test_choices_of_an_alternative_depend_on_it() -> None:
    def function(pick: Pick) -> None:
        if pick("operation", ["conv", "pool", "skip"]) != "skip":
            pick("kernel", [3, 5])

    assert conditions(choices_of(function)) == {"kernel | operation in {'conv', 'pool'}"}


def test_both_of_two_choices_can_be_needed() -> None:
    def function(pick: Pick) -> None:
        first, second = pick("a", ["x", "y"]), pick("b", ["x", "y"])
        if first == second == "y":
            pick("c", [1, 2])

    (condition,) = conditions(choices_of(function))
    assert condition == "(c | a == 'y' && c | b == 'y')"


def test_either_of_two_choices_can_be_enough() -> None:
    def function(pick: Pick) -> None:
        first, second = pick("a", ["x", "y"]), pick("b", ["x", "y"])
        if first == "y" or second == "y":
            pick("c", [1, 2])

    (condition,) = conditions(choices_of(function))
    assert condition == "(c | a == 'y' || c | b == 'y')"


def test_what_only_one_combination_leaves_out_is_described() -> None:
    def function(pick: Pick) -> None:
        first, second = pick("a", range(3)), pick("b", range(3))
        if not (first == 1 and second == 1):
            pick("c", [1, 2])

    (condition,) = conditions(choices_of(function))
    assert condition == "(c | a in {0, 2} || c | b in {0, 2})"


def agree(function: Callable[[Pick], object]) -> None:
    """What a random configuration has active is what the function then picks."""
    space = choices_of(function)
    for drawn in sample(space, 300, np.random.default_rng(7)):
        drawn.check_valid_configuration()
        record = Record()
        function(Pick(lambda name, domain, one=drawn: one[name], record))  # type: ignore[misc]
        assert set(record.values) == set(drawn)


def test_comparisons_of_two_choices_are_described() -> None:
    def function(pick: Pick) -> None:
        low, high = pick("low", range(4)), pick("high", range(4))
        if low < high:
            pick("between", ["yes", "no"])
        if low == high:
            pick("same", ["yes", "no"])

    agree(function)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_random_programs_reach_what_is_active(seed: int) -> None:
    rng = random.Random(seed)
    guards = [
        [tuple(rng.randrange(3) for _ in range(2)) for _ in range(rng.randrange(3))]
        for _ in range(5)
    ]

    def function(pick: Pick) -> None:
        values: list[int] = []
        for i, guard in enumerate(guards):
            if all(values[a % max(i, 1)] != b for a, b in guard if values):
                values.append(int(pick(f"choice {i}", range(3))))
            else:
                values.append(-1)

    agree(function)


def test_any_number_of_inputs_is_each_subset_once() -> None:
    subsets = []

    def function(pick: Pick) -> None:
        subsets.append(tuple(pick.inputs("reads", "abcd")))

    space = choices_of(function)
    assert set(subsets) <= every_subset(range(1, 5))
    drawn = {str(dict(c)) for c in sample(space, 400, np.random.default_rng(0))}
    assert len(drawn) == 15


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_a_given_number_of_inputs_is_each_subset_once(count: int) -> None:
    subsets = []

    def function(pick: Pick) -> None:
        subsets.append(tuple(pick.inputs("reads", "abcd", count)))

    space = choices_of(function)
    assert set(subsets) == every_subset([count])
    if len(space):
        drawn = {str(dict(c)) for c in sample(space, 400, np.random.default_rng(0))}
        assert len(drawn) == len(every_subset([count]))


def every_subset(sizes: object) -> set[tuple[str, ...]]:
    return {s for size in sizes for s in itertools.combinations("abcd", size)}  # type: ignore[attr-defined]


def test_numbers_have_their_range_and_scale() -> None:
    def function(pick: Pick) -> None:
        pick.real("rate", 1e-4, 1.0, log=True)
        pick.integer("width", 8, 512, log=True)
        pick("kernel", [3, 5, 7])
        pick("norm", ["batch", "layer"])
        pick("order", [2, 1])

    space = choices_of(function)
    assert space["rate"].log
    assert (space["rate"].lower, space["rate"].upper) == (1e-4, 1.0)
    assert space["width"].log
    assert (space["width"].lower, space["width"].upper) == (8, 512)
    assert space["kernel"].sequence == (3, 5, 7)
    assert list(space["norm"].choices) == ["batch", "layer"]
    assert list(space["order"].choices) == [2, 1]


def test_values_are_those_of_the_list() -> None:
    given: list[object] = []
    choices = [(3, 3), (5, 1), None, int, "text", True]

    def function(pick: Pick) -> None:
        given.append(pick("kernel", choices))

    space = choices_of(function)
    assert len(given) > len(choices)
    assert set(map(str, given)) == set(map(str, choices))
    assert any(value is int for value in given)
    drawn = sample(space, 50, np.random.default_rng(0))
    assert len({str(values_of(c, {})) for c in drawn}) == 1


def test_a_single_alternative_is_no_choice() -> None:
    def function(pick: Pick) -> None:
        assert pick("width", [8]) == 8
        pick("depth", [1, 2])

    assert list(choices_of(function)) == ["depth"]


def refusal(function: Callable[[Pick], object]) -> str:
    with pytest.raises(SpaceError) as error:
        choices_of(function)
    return str(error.value)


def test_an_error_of_the_constructor_shows_its_choices() -> None:
    def function(pick: Pick) -> None:
        width, heads = pick("width", [8, 12]), pick("heads", [2, 8])
        if width % heads:
            raise ValueError("heads do not divide the width")

    message = refusal(function)
    assert "the constructor raised ValueError: heads do not divide the width" in message
    assert "width=12, heads=8" in message


def test_a_random_constructor_is_noticed() -> None:
    rng = random.Random(0)

    def function(pick: Pick) -> None:
        pick("a", [1, 2])
        if rng.random() < 0.5:
            pick("b", [1, 2])

    assert "the constructor is random: with the same values it reached" in refusal(function)


def test_a_random_size_is_noticed_although_the_choices_are_the_same() -> None:
    rng = random.Random(0)

    def network(pick: Pick, input_shape: tuple[int, ...], outputs: int) -> nn.Module:
        return nn.Conv2d(pick("width", [8, 16]), 4, rng.choice([1, 3]))

    with pytest.raises(SpaceError, match="the constructor is random") as error:
        _ = DefineByRun(network).configuration_space
    assert "the parameter 'weight' had the shape (4, " in str(error.value)
    assert "Decide by pick(name, choices)" in str(error.value)


def test_an_error_names_the_arguments_of_the_constructor() -> None:
    def network(pick: Pick, input_shape: tuple[int, ...], outputs: int) -> nn.Module:
        channels, _length = input_shape
        return nn.Conv1d(channels, outputs, pick("kernel", [1, 3]))

    with pytest.raises(SpaceError, match="too many values to unpack") as error:
        _ = DefineByRun(network).configuration_space
    called = "called with input_shape=(3, 32, 32) and outputs=10 (arguments of DefineByRun)"
    assert f"{called}, it had picked nothing. Every combination" in str(error.value)
    assert len(DefineByRun(network, (2, 40), 4).configuration_space) == 1


def test_one_name_for_two_lists_is_refused() -> None:
    def function(pick: Pick) -> None:
        pick("kernel", [3, 5])
        pick("kernel", [3, 5, 7])

    assert "'kernel' is picked from [3, 5] in one place and from [3, 5, 7]" in refusal(function)


def test_a_list_that_depends_on_another_choice_is_refused() -> None:
    def function(pick: Pick) -> None:
        pick("second", range(pick("first", [2, 3])))

    assert "'second' is picked from integers 0 to 1 in one place" in refusal(function)


def test_a_real_number_that_decides_is_refused() -> None:
    def function(pick: Pick) -> None:
        if pick.real("rate", 0.0, 1.0) > 0.4:
            pick("more", [1, 2])

    message = refusal(function)
    assert "whether 'more' is reached depends on 'rate', numbers 0 to 1" in message
    assert "from a list or a short range" in message


def test_what_only_parity_decides_is_described_or_refused() -> None:
    def function(pick: Pick) -> None:
        bits = [pick(f"bit {i}", [0, 1]) for i in range(3)]
        if sum(bits) % 2:
            pick("odd", ["x", "y"])

    agree(function)


def test_too_many_cases_are_refused_with_two_runs() -> None:
    def function(pick: Pick) -> None:
        bits = [pick(f"bit {i}", [0, 1]) for i in range(6)]
        if sum(bits) % 2:
            pick("odd", ["x", "y"])

    message = refusal(function)
    assert "no conditions describe when 'odd' is reached: with bit 0=" in message


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ([], "has nothing to pick from"),
        ([1, 1], "two choices are equal"),
        ("text", "give a list, a range, or a dictionary"),
        ([lambda: 1, lambda: 2], "which has no lasting name"),
        ([object()], "which has no lasting name"),
    ],
)
def test_impossible_lists_are_refused(choices: list[object], message: str) -> None:
    assert message in refusal(lambda pick: pick("name", choices))


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda pick: pick.real("x", 1, 1), "ranges from 1 to 1"),
        (lambda pick: pick.real("x", 0, 1, log=True), "start above 0"),
        (lambda pick: pick.integer("x", 1, 2.5), "give whole ends"),
        (lambda pick: pick.inputs("x", []), "picks 1 or more of 0 inputs"),
        (lambda pick: pick.inputs("x", [1, 2], 3), "picks 3 of 2 inputs"),
        (lambda pick: pick("", [1, 2]), "a string that is not empty"),
    ],
)
def test_impossible_ranges_are_refused(function: Callable[[Pick], object], message: str) -> None:
    assert message in refusal(function)
