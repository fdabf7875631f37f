"""A torch Dataset as a source of examples, read by worker processes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch.utils.data
from jaxtyping import Float, Shaped
from torch import Tensor

from fidelity.datasets.inputs import as_array, converted
from fidelity.datasets.streamed import Batch, Positions
from fidelity.tasks.task import DataError

Array = Shaped[np.ndarray, "..."]
Item = tuple[Array, Array]
"""The input and the target of an item."""


@dataclass(frozen=True, eq=False)
class Items:
    """The items of a map-style data set as pairs of arrays, all like the first.

    Attributes:
        dataset: with `__len__` and `__getitem__`.
        first: its first item.
    """

    dataset: Any
    first: Item

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self.dataset)

    def __getitem__(self, position: int) -> Item:
        """Return an item.

        Raises:
            DataError: it has another shape than the first, or is no pair of arrays.
        """
        item = pair(self.dataset[position], position)
        for name, one, other in zip(("input", "target"), self.first, item, strict=True):
            if one.shape != other.shape:
                raise DataError(
                    f"the {name} of item {position} has the shape {other.shape}, that of item 0 "
                    f"{one.shape}: expected the same for all; crop, resize or pad them"
                )
        return item

    def read(self, positions: Iterable[int]) -> tuple[Array, Array]:
        """Return the inputs and the targets of items, stacked."""
        items = [self[int(position)] for position in positions]
        inputs = np.stack([item[0] for item in items]).astype(self.first[0].dtype, copy=False)
        return inputs, np.stack([item[1] for item in items])

    def read_or_error(self, positions: Iterable[int]) -> tuple[Array, Array] | DataError:
        """Return what `read` returns, or its error, which passes the border of a process whole."""
        try:
            return self.read(positions)
        except DataError as error:
            return error


def pair(item: Any, position: int) -> Item:
    """Return an item as two arrays.

    Args:
        item: of a data set.
        position: of the item, for the message.

    Raises:
        DataError: it is no pair of input and target.
    """
    if not isinstance(item, tuple | list) or len(item) != 2:
        count = f" of {len(item)}" if isinstance(item, tuple | list) else ""
        raise DataError(
            f"item {position} is a {type(item).__name__}{count}: expected a pair (input, target)"
        )
    arrays = tuple(
        as_array(value, f"{name} of item {position}")
        for value, name in zip(item, ("input", "target"), strict=True)
    )
    for array, value, name in zip(arrays, item, ("input", "target"), strict=True):
        if array.dtype.kind not in "buif":
            raise DataError(
                f"the {name} of item {position} is a {type(value).__name__}: expected a tensor, an "
                "array or a number; transform= of most data sets converts it"
            )
    return arrays[0], arrays[1]


def first_item(dataset: Any) -> Items:
    """Return the items of a data set after a check of the first.

    Raises:
        DataError: it is no map-style data set, is empty, or its items are no pairs.
    """
    advice = "expected a map-style torch Dataset, with __len__ and __getitem__"
    if isinstance(dataset, torch.utils.data.DataLoader):
        raise DataError(f"a DataLoader was given: {advice}, that is loader.dataset")
    if isinstance(dataset, torch.utils.data.IterableDataset):
        raise DataError(
            f"{type(dataset).__name__} is iterable-style, which has no order to resume from: "
            f"{advice}; list(dataset) is one, if it fits memory"
        )
    if isinstance(dataset, type) or not all(
        hasattr(dataset, method) for method in ("__len__", "__getitem__")
    ):
        raise DataError(f"the data set is a {type(dataset).__name__}: {advice}")
    if not len(dataset):
        raise DataError(f"the data set ({type(dataset).__name__}) is empty: it needs some items")
    return Items(dataset, pair(dataset[0], 0))


@dataclass(frozen=True, eq=False)
class TorchSource:
    """A `Source` of the inputs of items.

    Attributes:
        items: the items.
        shape: of an example, in the layout of its kind.
        tokens: whether they are sequences of tokens.
        offset: of each channel, see `Dataset.offset`.
        workers: processes that read; 0 reads in this process.
        sample: some of the examples, which identify the data set when a search resumes.
    """

    items: Items = field(compare=False)
    shape: tuple[int, ...]
    tokens: bool
    offset: Float[Tensor, "1 c ..."] | None
    workers: int = field(compare=False)
    sample: Batch

    @property
    def dtype(self) -> torch.dtype:
        """See `Source.dtype`."""
        return self.sample.dtype

    def read(self, positions: Positions) -> Batch:
        """See `Source.read`."""
        inputs = self.items.read(positions)[0].reshape(-1, *self.shape)
        return converted(inputs, self.tokens, self.offset)

    def batches(self, batches: Sequence[Positions], pinned: bool) -> Iterator[Batch]:
        """See `Source.batches`."""
        return loaded(self.read, batches, self.workers, pinned)


class _Batches(torch.utils.data.Dataset[Any]):
    """A data set whose items are whole batches, by their positions."""

    def __init__(self, read: Any) -> None:
        self.read = read

    def __getitem__(self, positions: Positions) -> Any:
        return self.read(positions)


def loaded(
    read: Any, batches: Sequence[Positions], workers: int, pinned: bool = False
) -> Iterator[Any]:
    """Yield what `read` returns for batches, from worker processes in the order of the batches.

    Args:
        read: from positions to tensors, arrays or an error.
        batches: the positions of the examples of each.
        workers: processes; 0 reads in this one.
        pinned: whether tensors lie in page-locked memory.
    """
    # A generator of its own: the global one, which dropout draws from, must not notice.
    loader = torch.utils.data.DataLoader(
        _Batches(read),
        batch_size=None,
        sampler=batches,
        num_workers=workers,
        pin_memory=pinned,
        collate_fn=_unchanged,
        generator=torch.Generator(),
    )
    return iter(loader)


def _unchanged(value: Any) -> Any:
    return value
