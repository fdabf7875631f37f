"""Inputs that are read batch by batch, for data larger than memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from jaxtyping import Int64, Shaped
from torch import Tensor

Positions = Int64[np.ndarray, " batch"]
Batch = Shaped[Tensor, "batch ..."]

PREFETCHED = 4
"""Batches that are read before they are needed."""


MAX_BATCH = 256
"""Examples of a batch where the caller does not choose."""


class Source(Protocol):
    """Examples that are read by their positions."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of an example."""
        ...

    @property
    def dtype(self) -> torch.dtype:
        """The type of the examples: uint8, float32 or int64."""
        ...

    def read(self, positions: Positions) -> Batch:
        """Return the examples at these positions, on the CPU."""
        ...

    def batches(self, batches: Sequence[Positions], pinned: bool) -> Iterator[Batch]:
        """Yield batches that are read in advance.

        Args:
            batches: the positions of the examples of each.
            pinned: whether they lie in page-locked memory, from which a GPU copies faster.
        """
        ...


@dataclass(frozen=True, eq=False)
class Streamed:
    """The inputs of a part, read from a source when they are needed; used like a tensor.

    Attributes:
        source: reads them.
        positions: of the examples in the source.
        device: where batches are put.
    """

    source: Source
    positions: Int64[Tensor, " examples"]
    device: torch.device = torch.device("cpu")  # noqa: RUF009 -- immutable

    @property
    def shape(self) -> torch.Size:
        """The shape as of a tensor, (examples, ...)."""
        return torch.Size((len(self.positions), *self.source.shape))

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def dtype(self) -> torch.dtype:
        """The type of the examples."""
        return self.source.dtype

    def numel(self) -> int:
        """Return the number of values."""
        return self.shape.numel()

    def is_floating_point(self) -> bool:
        """Return whether the values are floating-point numbers."""
        return self.dtype.is_floating_point

    def max(self) -> Tensor:
        """Return the largest value, after a pass over all examples."""
        return torch.stack([batch.max() for batch in self.split(MAX_BATCH)]).max()

    def __len__(self) -> int:
        """Return the number of examples."""
        return len(self.positions)

    def __getitem__(self, index: Int64[Tensor, " batch"]) -> Batch:
        """Read the examples at these positions of the part."""
        return self.source.read(self.positions[index.cpu()].numpy()).to(self.device)

    def to(self, device: torch.device) -> Streamed:
        """Return the same examples, whose batches are put on a device."""
        return Streamed(self.source, self.positions, device)

    def select(self, index: Int64[Tensor, " selected"]) -> Streamed:
        """Return the examples at these positions of the part; none is read."""
        return Streamed(self.source, self.positions[index.cpu()], self.device)

    def split(self, size: int) -> Iterator[Batch]:
        """Yield all examples in their order, in batches."""
        return self.batches(torch.arange(len(self)), size)

    def batches(self, order: Int64[Tensor, " ordered"], size: int) -> Iterator[Batch]:
        """Yield examples in batches that are read in advance.

        Args:
            order: their positions in the part.
            size: of a batch; the last may be smaller.
        """
        chunks = [index.numpy() for index in self.positions[order.cpu()].split(size)]
        pinned = self.device.type == "cuda"
        for batch in self.source.batches(chunks, pinned):
            yield batch.to(self.device, non_blocking=pinned)

    def joined(self, other: Tensor | Streamed) -> Streamed:
        """Return these examples followed by others."""
        if isinstance(other, Streamed) and other.source is self.source:
            return Streamed(self.source, torch.cat([self.positions, other.positions]), self.device)
        return after(self, other)


@dataclass(frozen=True, eq=False)
class Joined:
    """A `Source` of the examples of two parts, one after the other."""

    first: Tensor | Streamed
    second: Tensor | Streamed

    @property
    def shape(self) -> tuple[int, ...]:
        """See `Source.shape`."""
        return tuple(self.first.shape[1:])

    @property
    def dtype(self) -> torch.dtype:
        """See `Source.dtype`."""
        return torch.promote_types(self.first.dtype, self.second.dtype)

    def read(self, positions: Positions) -> Batch:
        """See `Source.read`."""
        index = torch.from_numpy(positions)
        inputs = torch.empty((len(index), *self.shape), dtype=self.dtype)
        border = len(self.first)
        for part, mask, start in (
            (self.first, index < border, 0),
            (self.second, index >= border, border),
        ):
            if mask.any():
                inputs[mask] = part[index[mask] - start].to("cpu", self.dtype)
        return inputs

    def batches(self, batches: Sequence[Positions], pinned: bool) -> Iterator[Batch]:
        """See `Source.batches`."""
        return prefetched(self.read, batches, pinned)


def after(first: Tensor | Streamed, second: Tensor | Streamed) -> Streamed:
    """Return examples of two sources, at least one of them streamed.

    Args:
        first: the examples that come first.
        second: those after them, of the same shape.
    """
    return Streamed(Joined(first, second), torch.arange(len(first) + len(second)))


def prefetched(
    read: Callable[[Positions], Batch], batches: Sequence[Positions], pinned: bool
) -> Iterator[Batch]:
    """Yield batches that one background thread reads in advance.

    Args:
        read: returns the examples at positions; an exception is raised where its batch is due.
        batches: the positions of the examples of each.
        pinned: whether they lie in page-locked memory.
    """

    def ready(positions: Positions) -> Batch:
        return read(positions).pin_memory() if pinned else read(positions)

    pool = ThreadPoolExecutor(1, "bonas-read")
    pending: deque[Future[Batch]] = deque()
    try:
        for positions in batches:
            pending.append(pool.submit(ready, positions))
            if len(pending) > PREFETCHED:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
