"""A data set of a torch Dataset."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
import torch.utils.data
from jaxtyping import Float, Shaped
from torch import Tensor

from fidelity.augment import Augmentation
from fidelity.datasets.arrays import array_parts
from fidelity.datasets.dataset import DataError, Dataset
from fidelity.datasets.division import assembled, check_fractions, is_fraction
from fidelity.datasets.inputs import Kind, as_inputs, check_finite, chunked_offset, converted
from fidelity.datasets.mapped import SAMPLE
from fidelity.datasets.normalisation import chunk_size
from fidelity.datasets.part import Part
from fidelity.datasets.splits import STRATIFIED, Split
from fidelity.datasets.streamed import Streamed
from fidelity.datasets.targets import target_tensor
from fidelity.datasets.torch_items import Items, TorchSource, first_item, loaded
from fidelity.tasks.task import Task

log = logging.getLogger(__name__)

SCANNED = 256
"""The most items that are read at a time in the pass beforehand."""

NOTICE = (
    "the inputs take more than memory= allows and are read batch by batch, which is the slower path"
)

MEMORY = 4 * 2**30
"""Bytes of inputs up to which a data set is held in memory."""

TorchDataset = torch.utils.data.Dataset[Any]


def from_torch(
    dataset: TorchDataset,
    *,
    task: Task | None = None,
    kind: Kind | None = None,
    split: Split = STRATIFIED,
    validation: float | TorchDataset = 0.2,
    test: float | TorchDataset = 0.2,
    memory: int = MEMORY,
    workers: int = 2,
    augment: Sequence[Augmentation] = (),
    name: str = "torch",
    seed: int = 0,
) -> Dataset:
    """Return a data set of a map-style torch Dataset of pairs (input, target).

    Each item is read once, in this process, if all inputs fit `memory`. Otherwise inputs are read
    batch by batch by worker processes, which is slower; one pass beforehand reads all targets and
    checks all items. Random transformations belong into `augment`: an item must always be the same,
    or a training run that resumes differs from one that never stopped.

    Args:
        dataset: the items, all of the same shape.
        task: what networks are trained for; None takes the one that suits the targets.
        kind: 'images', 'signals', 'table' or 'tokens', where the shape does not decide.
        split: the way to split, see `from_arrays`.
        validation: the fraction of the items to split off, or a Dataset of the validation part.
        test: likewise for the test part.
        memory: the most bytes that inputs may take in memory. While they are split, they take up to
            three times as many.
        workers: processes that read items that are not held in memory; 0 reads them in the process
            of the training.
        augment: the augmentations that suit these examples, in order.
        name: for reports.
        seed: of the split; the same seed gives the same split.

    Raises:
        DataError: the data set is iterable-style or empty, its items are no pairs or of different
            shapes, or they are no examples with targets of the task.
    """
    check_fractions(validation, test)
    given: dict[str, Any] = {"training": dataset, "validation": validation, "test": test}
    items = {
        key: first_item(part)
        for key, part in given.items()
        if key == "training" or not is_fraction(part)
    }
    if sum(_bytes(each, kind) for each in items.values()) <= memory:
        arrays = {key: _arrays(each) for key, each in items.items()}
        parts, offset = array_parts({**given, **arrays}, kind)
    else:
        log.warning("%s: %s", name, NOTICE)
        streamed, offset = _streamed(items, kind, workers)
        parts = {**given, **streamed}
    return assembled(name, parts, task=task, split=split, augment=augment, offset=offset, seed=seed)


def _streamed(
    items: Mapping[str, Items], kind: Kind | None, workers: int
) -> tuple[dict[str, Part], Float[Tensor, "1 c ..."] | None]:
    """Return the parts that are read from these items, and the offset of the training part."""
    parts: dict[str, Part] = {}
    offset: Float[Tensor, "1 c ..."] | None = None
    for key, each in items.items():
        scan = _Scan(each, as_inputs(each.first[0][None], f"{key} inputs", kind).shape[1:])
        if key == "training" and kind != "tokens":  # the first part
            offset = chunked_offset(scan.chunks(workers))
        else:
            deque(scan.chunks(workers), maxlen=0)
        parts[key] = scan.part(key, kind == "tokens", offset, workers)
    return parts, offset


def _bytes(items: Items, kind: Kind | None) -> int:
    """Return the bytes that the inputs of all items take in memory."""
    values = items.first[0]
    size = 1 if values.dtype in (np.uint8, np.bool_) else 4
    return len(items) * values.size * (8 if kind == "tokens" else size)


def _arrays(items: Items) -> tuple[np.ndarray, np.ndarray]:
    """Return inputs and targets of all items."""
    inputs = np.empty((len(items), *items.first[0].shape), items.first[0].dtype)
    targets = []
    for position in range(len(items)):
        inputs[position], target = items[position]
        targets.append(target)
    return inputs, np.stack(targets)


class _Scan:
    """One pass over all items, which checks them and keeps their targets.

    Args:
        items: the items.
        shape: of an example, in the layout of its kind.
    """

    def __init__(self, items: Items, shape: tuple[int, ...]) -> None:
        self._items, self._shape = items, shape
        self._targets: list[np.ndarray] = []
        self._finite: list[np.ndarray] = []

    def chunks(self, workers: int) -> Iterator[Shaped[np.ndarray, "n ..."]]:
        """Yield the inputs of all items, several at a time.

        Args:
            workers: processes that read.
        """
        size = min(SCANNED, chunk_size((len(self._items), *self._shape)))
        positions = np.arange(len(self._items))
        batches = [positions[start : start + size] for start in range(0, len(positions), size)]
        for result in loaded(self._items.read_or_error, batches, workers):
            if isinstance(result, DataError):
                raise result
            inputs, targets = result
            self._targets.append(targets)
            with np.errstate(over="ignore"):
                finite = np.isfinite(inputs.astype(np.float32)).reshape(len(inputs), -1)
            self._finite.append(finite.all(axis=1))
            yield inputs.reshape(-1, *self._shape)

    def part(
        self, name: str, tokens: bool, offset: Float[Tensor, "1 c ..."] | None, workers: int
    ) -> Part:
        """Return the part after the pass.

        Args:
            name: of the part, for messages.
            tokens: whether the inputs are sequences of tokens.
            offset: see `Dataset.offset`.
            workers: processes that read.

        Raises:
            DataError: an example is not finite, or the targets are no numbers.
        """
        check_finite(torch.from_numpy(np.concatenate(self._finite)))
        items, count = self._items, len(self._items)
        some = np.unique(np.linspace(0, count - 1, SAMPLE).astype(np.int64))
        sample = converted(items.read(some)[0].reshape(-1, *self._shape), tokens, offset)
        source = TorchSource(items, self._shape, tokens, offset, workers, sample)
        inputs = Streamed(source, torch.arange(count))
        return Part(inputs, target_tensor(np.concatenate(self._targets), name))
