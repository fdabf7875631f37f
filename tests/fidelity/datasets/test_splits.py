from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fidelity.datasets import ByGroup, ByTime, Fixed, Split, Stratified, from_arrays
from fidelity.datasets.dataset import DataError, Dataset
from fidelity.datasets.splits import Division, Examples

COUNT = 60
LABELS = np.arange(COUNT) % 2


def rows(count: int = COUNT) -> np.ndarray:
    """Rows that hold their own number, so that they can be told after a split."""
    return np.arange(count, dtype=np.float32)[:, None]


def numbers(dataset: Dataset) -> list[list[int]]:
    parts = (dataset.train, dataset.validation, dataset.test)
    return [part.inputs[:, 0].int().tolist() for part in parts]


def divided(split: Split, **settings: Any) -> list[list[int]]:
    return numbers(from_arrays(rows(), LABELS, split=split, **settings))


def test_classes_in_proportion_are_the_default() -> None:
    assert divided(Stratified()) == numbers(from_arrays(rows(), LABELS))


def test_labels_stay_with_their_examples() -> None:
    dataset = from_arrays(rows(), LABELS, split=ByGroup(np.arange(COUNT) // 4))
    for part in (dataset.train, dataset.validation, dataset.test):
        assert part.targets.tolist() == [int(value) % 2 for value in part.inputs[:, 0]]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("text", [False, True])
def test_no_group_is_in_two_parts_and_no_example_is_lost(seed: int, text: bool) -> None:
    groups = np.random.default_rng(seed).integers(20, size=COUNT)
    named = groups.astype(str).astype(object) if text else groups
    parts = divided(ByGroup(named), seed=seed)
    assert sorted(number for part in parts for number in part) == list(range(COUNT))
    owners = [set(groups[part].tolist()) for part in parts]
    assert not owners[0] & owners[1]
    assert not owners[0] & owners[2]
    assert not owners[1] & owners[2]
    assert all(abs(len(part) - 12) <= 4 for part in parts[1:])


def test_the_draw_of_groups_is_fixed_by_its_seed() -> None:
    split = ByGroup(np.arange(COUNT) // 4)
    assert divided(split) == divided(split)
    assert divided(split) != divided(split, seed=1)


@pytest.mark.parametrize("dates", [False, True])
def test_the_latest_examples_are_the_test_part(dates: bool) -> None:
    times: Any = np.random.default_rng(0).permutation(COUNT)
    order = np.argsort(times)
    if dates:
        times = pd.Series(pd.Timestamp("2024-01-01") + pd.to_timedelta(times, unit="D"))
    train, validation, test = divided(ByTime(times))
    assert train == sorted(order[:36].tolist())
    assert validation == sorted(order[36:48].tolist())
    assert test == sorted(order[48:].tolist())


def test_examples_of_the_same_time_stay_together() -> None:
    train, validation, test = divided(ByTime(np.arange(COUNT) // 10))
    assert (train, validation, test) == (
        [*range(20)],
        [*range(20, 40)],
        [*range(40, 60)],
    )


def test_a_fixed_split_is_used_as_it_is_and_may_leave_examples_out() -> None:
    parts = divided(Fixed([5, 4, 2, 3], [10, 11], np.array([1, 0])))
    assert parts == [[5, 4, 2, 3], [10, 11], [1, 0]]


def test_a_part_given_apart_leaves_the_rest_to_the_split() -> None:
    test = (rows(4), LABELS[:4])
    assert divided(Fixed(range(10), range(10, 20), ()), test=test)[2] == [0, 1, 2, 3]
    train, validation, held = divided(ByTime(np.arange(COUNT)), test=test)
    assert (train, validation, held) == ([*range(48)], [*range(48, 60)], [0, 1, 2, 3])


@dataclass(frozen=True)
class EveryThird:
    """A way of the user's own."""

    def divide(self, examples: Examples, rng: np.random.Generator) -> Division:
        every = np.arange(examples.count)
        return Division(every[0::3], every[1::3], every[2::3])


def test_a_split_of_your_own_has_one_method() -> None:
    assert divided(EveryThird()) == [[*range(i, COUNT, 3)] for i in range(3)]


BAD = {
    "too few groups": (ByGroup(np.arange(COUNT) // 30), "1 group is left .* 2 groups in all"),
    "groups of another length": (ByGroup([1, 2]), r"groups have the shape \(2,\): .* 60 examples"),
    "a missing group": (ByGroup([None, *"ab" * 29, "a"]), "groups of example 0 are missing"),
    "a missing number": (ByGroup([*range(59), np.nan]), "groups of example 59 are missing"),
    "a missing date": (ByTime([pd.NaT, *[pd.Timestamp(0)] * 59]), "times of example 0 are missing"),
    "text for times": (ByTime(["a"] * COUNT), "times are .*pandas.to_datetime"),
    "one time": (ByTime(np.zeros(COUNT)), "latest 12 of 60 examples have the same time"),
    "an example twice": (Fixed([0, 1], [1], [2]), "example 1 more than once"),
    "out of range": (Fixed([0, 1], [60], [2]), "validation positions .* 60: .* 0 to 59"),
    "negative": (Fixed([0, -1], [3], [2]), "train positions .* include -1"),
    "a mask": (Fixed(LABELS == 0, [1], [3]), r"numpy.flatnonzero\(mask\)"),
    "an empty part": (Fixed([0, 1], [], [3]), r"validation positions .* of shape \(0,\)"),
}


@pytest.mark.parametrize("case", BAD)
def test_an_impossible_split_gets_one_clear_error(case: str) -> None:
    split, message = BAD[case]
    with pytest.raises(DataError, match=message):
        divided(split)


def test_a_part_that_is_given_twice_is_refused() -> None:
    with pytest.raises(DataError, match=r"test part is given apart.*test=\(\)"):
        divided(Fixed([0, 1], [2, 3], [4, 5]), test=(rows(4), LABELS[:4]))


@pytest.mark.parametrize("split", [ByGroup, "groups", None])
def test_what_is_no_split_is_named(split: Any) -> None:
    with pytest.raises(TypeError, match=r"split is .*: expected an object"):
        divided(split)
