"""Arrays on disk (numpy.memmap) as a source of examples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from fidelity.datasets.inputs import check_finite, converted
from fidelity.datasets.normalisation import chunk_size
from fidelity.datasets.streamed import Batch, Positions, Streamed, prefetched

SAMPLE = 64
"""Examples that identify an array when a search resumes; all of them would take too long."""


def mapping(array: Shaped[np.ndarray, ...]) -> np.memmap[Any, Any] | None:
    """Return the memory map that an array is a view of; None if it lies in memory."""
    root, base = None, array
    while isinstance(base, np.ndarray):
        root = base if isinstance(base, np.memmap) else root
        base = base.base  # type: ignore[assignment]  # a buffer ends the chain
    return root


@dataclass(frozen=True)
class Region:
    """A view of a file, by which an array on disk travels to other processes without its values."""

    path: Path
    start: int
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def mapped(self) -> Shaped[np.ndarray, "n ..."]:
        """Return the array."""
        content = np.memmap(self.path, np.uint8, "r")
        return np.ndarray(self.shape, self.dtype, content, self.start, self.strides)


def _region(array: Shaped[np.ndarray, "n ..."]) -> Region | Shaped[np.ndarray, "n ..."]:
    """Return the region of an array; the array itself if its file has no name."""
    root = mapping(array)
    if root is None or root.filename is None:
        return array
    start = root.offset + (array.ctypes.data - root.ctypes.data)
    return Region(Path(root.filename).resolve(), start, array.dtype, array.shape, array.strides)


@dataclass(frozen=True, eq=False)
class MappedSource:
    """A `Source` of the examples of an array on disk.

    Attributes:
        array: the examples, in the layout of their kind.
        tokens: whether they are sequences of tokens.
        offset: of each channel, see `Dataset.offset`.
        sample: some of the examples, which identify the array when a search resumes.
    """

    array: Shaped[np.ndarray, "n ..."] = field(compare=False)
    tokens: bool
    offset: Float[Tensor, "1 c ..."] | None
    sample: Batch

    @property
    def shape(self) -> tuple[int, ...]:
        """See `Source.shape`."""
        return self.array.shape[1:]

    @property
    def dtype(self) -> torch.dtype:
        """See `Source.dtype`."""
        return self.sample.dtype

    def read(self, positions: Positions) -> Batch:
        """See `Source.read`."""
        return converted(np.asarray(self.array[positions]), self.tokens, self.offset)

    def batches(self, batches: Sequence[Positions], pinned: bool) -> Iterator[Batch]:
        """See `Source.batches`."""
        return prefetched(self.read, batches, pinned)

    def __getstate__(self) -> dict[str, Any]:
        """Return the region of the file in place of its values."""
        return {**vars(self), "array": _region(self.array)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        array = state["array"]
        opened = array.mapped() if isinstance(array, Region) else array
        vars(self).update(state | {"array": opened})


def mapped_inputs(
    array: Shaped[np.ndarray, "n ..."],
    tokens: bool,
    offset: Float[Tensor, "1 c ..."] | None,
) -> Streamed:
    """Return an array on disk as inputs that are read when they are needed.

    Args:
        array: the examples, in the layout of their kind.
        tokens: whether they are sequences of tokens.
        offset: of each channel, see `Dataset.offset`.

    Raises:
        DataError: an example is not finite.
    """
    some = np.unique(np.linspace(0, len(array) - 1, SAMPLE).astype(np.int64))[: len(array)]
    sample = converted(np.asarray(array[some]), tokens, offset)
    inputs = Streamed(MappedSource(array, tokens, offset, sample), torch.arange(len(array)))
    if array.dtype.kind == "f" and len(array):
        finite = [
            torch.isfinite(chunk).flatten(1).all(1)
            for chunk in inputs.split(chunk_size(inputs.shape))
        ]
        check_finite(torch.cat(finite))
    return inputs
