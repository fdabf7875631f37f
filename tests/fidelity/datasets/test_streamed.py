from __future__ import annotations

import dataclasses
import logging
import pickle
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bonas.search.digests.digest import digest
from fidelity.axes import Images, Resolution
from fidelity.checkpoint import Checkpoint
from fidelity.datasets import ByTime, from_arrays, from_torch
from fidelity.datasets.dataset import DataError, Dataset
from fidelity.datasets.mapped import mapping
from fidelity.datasets.streamed import PREFETCHED, Streamed, prefetched
from fidelity.objective import Context
from fidelity.proxies import NASWOT, ProxyFeatures
from fidelity.training.device_data import copy_to_device
from fidelity.training.retrain import retrain
from tests.fidelity.trained import SPACE, TRAINING, assert_identical, saved, stripes

CPU = torch.device("cpu")
WHOLE = stripes()
IMAGES = np.concatenate(
    [part.inputs.numpy() for part in (WHOLE.train, WHOLE.validation, WHOLE.test)]
)
LABELS = np.concatenate(
    [part.targets.numpy() for part in (WHOLE.train, WHOLE.validation, WHOLE.test)]
)


def on_disk(array: np.ndarray, folder: Path) -> np.ndarray:
    path = folder / "array.npy"
    np.save(path, array)
    opened: np.ndarray = np.load(path, mmap_mode="r")
    return opened


class Pairs(torch.utils.data.Dataset[Any]):
    """A map-style data set."""

    def __init__(self, inputs: np.ndarray, targets: np.ndarray) -> None:
        self.inputs, self.targets = inputs, targets

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, position: int) -> Any:
        return torch.from_numpy(self.inputs[position]), int(self.targets[position])


def memmap(inputs: np.ndarray, targets: np.ndarray, folder: Path, **settings: Any) -> Dataset:
    return from_arrays(on_disk(inputs, folder), targets, **settings)


def torch_data(inputs: np.ndarray, targets: np.ndarray, folder: Path, **settings: Any) -> Dataset:
    return from_torch(Pairs(inputs, targets), memory=0, workers=0, **settings)


def workers(inputs: np.ndarray, targets: np.ndarray, folder: Path, **settings: Any) -> Dataset:
    return from_torch(Pairs(inputs, targets), memory=0, workers=2, **settings)


STREAMS = [memmap, torch_data]


def trained(dataset: Dataset, budgets: list[float], folder: Path) -> tuple[Any, Any]:
    """The result and the state after budgets, each resumed from the one before."""
    training = dataclasses.replace(TRAINING, dataset=dataset, max_epochs=3)
    folder.mkdir()
    source: Path | None = None
    for number, budget in enumerate(budgets):
        target = folder / f"{number}.pt"
        result = training(SPACE.of("dropout"), budget, 7, Context(Checkpoint(source, target)))
        source = target
    return result, saved(target)


@pytest.mark.parametrize("stream", [*STREAMS, workers])
def test_a_training_is_the_same_as_from_memory_to_the_last_bit(
    stream: Callable[..., Dataset], tmp_path: Path
) -> None:
    memory = from_arrays(IMAGES, LABELS, augment=WHOLE.augment)
    streamed = stream(IMAGES, LABELS, tmp_path, augment=WHOLE.augment)
    assert isinstance(streamed.train.inputs, Streamed)
    result, state = trained(memory, [3], tmp_path / "memory")
    other, streamed_state = trained(streamed, [3], tmp_path / "streamed")
    assert_identical(streamed_state, state)
    assert other == result


@pytest.mark.parametrize("stream", STREAMS)
def test_a_streamed_training_resumes_exactly_in_mid_epoch(
    stream: Callable[..., Dataset], tmp_path: Path
) -> None:
    dataset = stream(IMAGES, LABELS, tmp_path)
    _, whole = trained(dataset, [3], tmp_path / "whole")
    _, parts = trained(dataset, [0.7, 1.4, 3], tmp_path / "parts")
    assert_identical(parts, whole)


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("kind", [np.uint8, np.float32, np.float64, np.int32])
def test_examples_and_statistics_are_those_in_memory(
    stream: Callable[..., Dataset], kind: type, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    table = (rng.random((300, 5)) * 100).astype(kind)
    if kind is np.float64:
        table[:, 0] += 1.7e9  # seconds since 1970
    memory = from_arrays(table, LABELS[:200].repeat(2)[:300])
    other = stream(table, LABELS[:200].repeat(2)[:300], tmp_path)
    assert_identical(other.offset, memory.offset)
    for one, two in (
        (memory.train, other.train),
        (memory.validation, other.validation),
        (memory.test, other.test),
    ):
        assert torch.equal(torch.cat([*two.inputs.split(7)]), torch.as_tensor(one.inputs))
        assert torch.equal(two.targets, one.targets)
    assert_identical(copy_to_device(other, CPU).statistics, copy_to_device(memory, CPU).statistics)


@pytest.mark.parametrize("stream", STREAMS)
def test_tokens_are_streamed_as_integers(stream: Callable[..., Dataset], tmp_path: Path) -> None:
    tokens = np.random.default_rng(0).integers(9, size=(40, 6)).astype(np.int32)
    memory = from_arrays(tokens, np.roll(tokens, 1, axis=1), kind="tokens")
    if stream is memmap:
        other = stream(tokens, np.roll(tokens, 1, axis=1), tmp_path, kind="tokens")
        assert other.task == memory.task
    else:
        other = stream(tokens, LABELS[:40], tmp_path, kind="tokens")
    assert other.train.inputs.dtype is torch.int64
    assert copy_to_device(other, CPU).statistics is None


@pytest.mark.parametrize("stream", STREAMS)
def test_the_slower_path_is_announced_once(
    stream: Callable[..., Dataset], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        dataset = stream(IMAGES, LABELS, tmp_path, name="mine")
        trained(dataset, [1], tmp_path / "trained")
    assert [r.message for r in caplog.records if "slower path" in r.message] == [
        caplog.records[0].message
    ]
    assert caplog.records[0].message.startswith("mine: ")


@pytest.mark.parametrize("stream", STREAMS)
def test_streamed_parts_can_be_split_subset_joined_and_scored(
    stream: Callable[..., Dataset], tmp_path: Path
) -> None:
    memory = from_arrays(IMAGES, LABELS, split=ByTime(np.arange(len(LABELS))))
    dataset = stream(IMAGES, LABELS, tmp_path, split=ByTime(np.arange(len(LABELS))))
    assert repr(dataset) == repr(memory).replace("arrays:", f"{dataset.name}:")
    small = dataset.subset(20)
    assert isinstance(small.train.inputs, Streamed)
    features = [
        ProxyFeatures(SPACE, each, (NASWOT(),), images=16, device="cpu")(SPACE.of("dropout"))
        for each in (memory, dataset)
    ]
    assert features[0] == features[1]
    finals = [
        retrain(dataclasses.replace(TRAINING, dataset=each), SPACE.of("dropout"), 1, seeds=(0,))
        for each in (memory, dataset)
    ]
    assert finals[0].test_costs == finals[1].test_costs
    assert_identical(*(dict(final.network.state_dict()) for final in finals))


@pytest.mark.parametrize(("axis", "size"), [(Resolution(), 3), (Images(), 40)])
def test_axes_reduce_streamed_examples(axis: Any, size: float, tmp_path: Path) -> None:
    costs = [
        axis.apply(dataclasses.replace(TRAINING, dataset=each, max_epochs=1), size)(
            SPACE.of("dropout"), 1
        )
        for each in (from_arrays(IMAGES, LABELS), memmap(IMAGES, LABELS, tmp_path))
    ]
    assert costs[0] == costs[1]


def test_parts_of_different_sources_are_joined(tmp_path: Path) -> None:
    given = (IMAGES[:20].astype(np.float64), LABELS[:20])
    memory = from_arrays(IMAGES[20:], LABELS[20:], validation=given)
    dataset = memmap(IMAGES[20:], LABELS[20:], tmp_path, validation=given)
    index = torch.randperm(len(memory.train) + 20)
    for first, second in (("train", "validation"), ("validation", "train")):
        joined = getattr(dataset, first).joined(getattr(dataset, second))
        expected = getattr(memory, first).joined(getattr(memory, second))
        assert isinstance(joined.inputs, Streamed)
        batches = torch.cat([batch.inputs for batch in joined.batches(index, 13)])
        assert torch.equal(batches, expected.inputs[index])


@pytest.mark.parametrize(
    "view",
    [
        lambda a: a,
        lambda a: a[3:],
        lambda a: a[:, ::-1],
        lambda a: a[::2],
        lambda a: a.swapaxes(2, 3),
    ],
)
def test_an_array_on_disk_travels_by_its_file(
    view: Callable[[np.ndarray], np.ndarray], tmp_path: Path
) -> None:
    images = np.random.default_rng(0).random((400, 2, 6, 6))
    array = view(on_disk(images, tmp_path))
    dataset = from_arrays(array, np.arange(len(array)) % 2)
    packed = pickle.dumps(dataset)
    assert len(packed) < images.nbytes / 2
    arrived = pickle.loads(packed)
    index = torch.arange(len(arrived.train))
    assert torch.equal(arrived.train.inputs[index], dataset.train.inputs[index])
    assert mapping(arrived.train.inputs.source.array) is not None
    assert digest(arrived) == digest(dataset)


def test_the_digest_of_other_values_on_disk_is_another(tmp_path: Path) -> None:
    one = memmap(IMAGES, LABELS, tmp_path)
    before = digest(one).data
    (tmp_path / "other").mkdir()
    assert digest(memmap(IMAGES + 1, LABELS, tmp_path / "other")).data != before
    assert digest(memmap(IMAGES, LABELS, tmp_path / "other")).data == before


def test_values_that_are_not_finite_are_found_on_disk(tmp_path: Path) -> None:
    bad = IMAGES.copy()
    bad[3, 0, 1, 2] = np.inf
    with pytest.raises(DataError, match=r"1 of 200 examples .*\(example 3\)"):
        memmap(bad, LABELS, tmp_path)


def test_an_error_while_reading_reaches_the_training_and_ends_the_thread() -> None:
    def read(positions: np.ndarray) -> torch.Tensor:
        if positions[0] == 3:
            raise OSError("the disk is gone")
        return torch.from_numpy(positions)

    batches = [np.array([i]) for i in range(20)]
    ready = prefetched(read, batches, pinned=False)
    assert [int(next(ready)) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(OSError, match="the disk is gone"):
        next(ready)
    assert not [t for t in threading.enumerate() if t.name.startswith("bonas-read")]


def test_only_a_few_batches_are_read_in_advance_and_none_after_the_reader_stops() -> None:
    reads: list[int] = []

    def read(positions: np.ndarray) -> torch.Tensor:
        reads.append(int(positions[0]))
        return torch.from_numpy(positions)

    batches = prefetched(read, [np.array([i]) for i in range(50)], pinned=False)
    next(batches)
    batches.close()  # type: ignore[attr-defined]  # of a generator
    assert len(reads) <= PREFETCHED + 1
