from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, IterableDataset, Subset, TensorDataset

from fidelity.datasets import from_arrays, from_torch
from fidelity.datasets.dataset import DataError
from fidelity.datasets.streamed import Streamed
from fidelity.tasks import Regression, Segmentation

INPUTS = torch.rand(40, 3, 6, 6, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(40) % 2
PAIRS = TensorDataset(INPUTS, LABELS)


class Items:
    """Items given one by one."""

    def __init__(self, items: list[Any]) -> None:
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, position: int) -> Any:
        return self.items[position]


class Stream(IterableDataset[Any]):
    def __iter__(self) -> Iterator[Any]:
        return iter(PAIRS)


def test_items_that_fit_memory_are_those_of_arrays() -> None:
    dataset, arrays = from_torch(PAIRS), from_arrays(INPUTS, LABELS)
    assert isinstance(dataset.train.inputs, torch.Tensor)
    assert isinstance(arrays.train.inputs, torch.Tensor)
    assert torch.equal(dataset.train.inputs, arrays.train.inputs)
    assert torch.equal(dataset.test.targets, arrays.test.targets)


def test_memory_decides_what_is_streamed() -> None:
    size = INPUTS.numel() * 4
    assert isinstance(from_torch(PAIRS, memory=size).train.inputs, torch.Tensor)
    assert isinstance(from_torch(PAIRS, memory=size - 1, workers=0).train.inputs, Streamed)


@pytest.mark.parametrize("memory", [0, 2**20])
def test_parts_may_be_data_sets_of_their_own(memory: int) -> None:
    train, rest = Subset(PAIRS, range(30)), Subset(PAIRS, range(30, 40))
    dataset = from_torch(train, test=rest, memory=memory, workers=0)
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (24, 6, 10)
    index = torch.arange(10)
    assert torch.equal(dataset.test.inputs[index], INPUTS[30:])


@pytest.mark.parametrize("memory", [0, 2**20])
def test_targets_decide_the_task(memory: int) -> None:
    masks = TensorDataset(INPUTS, (INPUTS[:, 0] > 0.5).long())
    assert from_torch(masks, memory=memory, workers=0).task == Segmentation()
    numbers = [(row, float(row.sum())) for row in INPUTS.flatten(1)[:, :4]]
    dataset = from_torch(Items(numbers), memory=memory, workers=0)  # type: ignore[arg-type]
    assert isinstance(dataset.task, Regression)
    assert dataset.input_shape == (4,)


def test_a_streamed_data_set_travels_to_other_processes() -> None:
    dataset = from_torch(PAIRS, memory=0, workers=0)
    arrived = pickle.loads(pickle.dumps(dataset))
    index = torch.arange(len(dataset.train))
    assert torch.equal(arrived.train.inputs[index], dataset.train.inputs[index])


SMALL = torch.zeros(3, 5, 6)
BAD: dict[str, tuple[Any, str]] = {
    "iterable-style": (Stream(), "Stream is iterable-style"),
    "a loader": (DataLoader(PAIRS), "a DataLoader was given: .* loader.dataset"),
    "a class": (TensorDataset, "map-style torch Dataset"),
    "a number": (3, "the data set is a int: expected a map-style"),
    "empty": (Items([]), "is empty"),
    "no pairs": (TensorDataset(INPUTS), "item 0 is a tuple of 1: expected a pair"),
    "three": (TensorDataset(INPUTS, LABELS, LABELS), "item 0 is a tuple of 3"),
    "no tuple": (Items([INPUTS[0]]), "item 0 is a Tensor: expected a pair"),
    "other shape": (
        Items([*[(INPUTS[0], i % 2) for i in range(7)], (SMALL, 0)]),
        r"input of item 7 has the shape \(3, 5, 6\), that of item 0 \(3, 6, 6\)",
    ),
    "other target": (
        Items([*[(INPUTS[0], i % 2) for i in range(7)], (INPUTS[0], [1, 0])]),
        r"target of item 7 has the shape \(2,\), that of item 0 \(\)",
    ),
    "text": (Items([(INPUTS[0], "cat")]), "target of item 0 is a str: expected a tensor"),
    "nan": (
        Items([(INPUTS[i] if i != 3 else INPUTS[i] * np.nan, i % 2) for i in range(40)]),
        r"1 of 40 examples hold NaN or infinite values \(example 3\)",
    ),
    "negative": (Items([(INPUTS[0], -1)] * 40), "label -1 is negative"),
}


@pytest.mark.parametrize("memory", [0, 2**30])
@pytest.mark.parametrize("case", BAD)
def test_a_bad_data_set_gets_one_clear_error(case: str, memory: int) -> None:
    dataset, message = BAD[case]
    with pytest.raises(DataError, match=message):
        from_torch(dataset, memory=memory, workers=0)


def test_an_error_in_a_worker_process_is_the_same_error() -> None:
    dataset, message = BAD["other shape"]
    with pytest.raises(DataError, match="^the " + message):
        from_torch(dataset, memory=0, workers=1)
