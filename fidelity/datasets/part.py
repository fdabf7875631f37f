"""Examples and their targets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int64, Shaped
from torch import Tensor

from fidelity.augment import Inputs
from fidelity.datasets.inputs import check_finite
from fidelity.datasets.streamed import Streamed, after
from fidelity.tasks.task import DataError, Targets

INPUTS = (torch.uint8, torch.float32, torch.int64)
TARGETS = (torch.int64, torch.uint8, torch.float64)


class Batch(NamedTuple):
    """Some examples of a part.

    Attributes:
        inputs: in their own type and scale.
        targets: of each example.
        weights: of each example in the loss; None weights all alike.
    """

    inputs: Inputs
    targets: Targets
    weights: Float[Tensor, " batch"] | None


@dataclass(frozen=True, eq=False, repr=False)
class Part:
    """Examples and their targets.

    Attributes:
        inputs: in their original scale: images (examples, channels, height, width), signals
            (examples, channels, length) or tables (examples, features) of uint8 or float32, or
            sequences of tokens (examples, length) of int64. `Streamed` reads them when they are
            needed.
        targets: of each example, int64, uint8 or float64; their shape depends on the task.
        weights: of each example in the loss, 0 or more; None weights all alike.

    Raises:
        DataError: they do not match, or hold something that no task can use.
    """

    inputs: Shaped[Tensor, "examples ..."] | Streamed
    targets: Targets
    weights: Float[Tensor, " examples"] | None = None

    def __post_init__(self) -> None:
        """Check for faults that would otherwise show only as bad networks."""
        inputs, targets = self.inputs, self.targets
        if not (isinstance(inputs, Tensor | Streamed) and isinstance(targets, Tensor)):
            raise DataError(
                "a part holds two tensors, inputs and targets, not "
                f"{type(inputs).__name__} and {type(targets).__name__}: from_arrays converts arrays"
            )
        if not 2 <= inputs.ndim <= 4:
            raise DataError(
                f"inputs of shape {tuple(inputs.shape)}: expected images (examples, channels, "
                "height, width), signals (examples, channels, length), or a table (examples, "
                "features)"
            )
        if targets.ndim < 1 or len(targets) != len(inputs):
            raise DataError(
                f"there are {len(inputs)} examples but targets of shape {tuple(targets.shape)}: "
                "one target is needed for each example, in the same order"
            )
        if inputs.numel() == 0:
            raise DataError(
                f"there are no examples: an array of shape {tuple(inputs.shape)} is empty; "
                "each of the training, validation and test parts needs some"
            )
        if targets.dtype not in TARGETS or inputs.dtype not in INPUTS:
            raise DataError(
                "a part holds inputs of uint8, float32 or (tokens) int64, and targets of int64, "
                f"uint8 or float64, not {inputs.dtype} and {targets.dtype}: from_arrays converts "
                "other types"
            )
        self._check_finite()
        self._check_weights()

    def _check_finite(self) -> None:
        if isinstance(self.inputs, Streamed) or not self.inputs.is_floating_point():
            return  # streamed inputs are checked once, when they are opened
        check_finite(torch.isfinite(self.inputs).flatten(1).all(1))

    def _check_weights(self) -> None:
        weights = self.weights
        if weights is None:
            return
        if weights.shape != (len(self),) or weights.dtype != torch.float32:
            raise DataError(
                f"the weights are {weights.dtype} of shape {tuple(weights.shape)}: expected "
                f"float32, one for each of the {len(self)} examples"
            )
        if not (torch.isfinite(weights).all() and (weights >= 0).all() and weights.sum() > 0):
            raise DataError("the weights must be 0 or more and finite, and not all 0")

    def __len__(self) -> int:
        """Return the number of examples."""
        return len(self.inputs)

    def __repr__(self) -> str:
        return f"Part({len(self):,} {self.noun} of {self.shape_text})"

    @property
    def noun(self) -> str:
        """The plural word for the examples."""
        if self.inputs.ndim == 2:
            return "rows" if self.inputs.dtype is not torch.int64 else "sequences"
        return "signals" if self.inputs.ndim == 3 else "images"

    @property
    def shape_text(self) -> str:
        """The shape of an example, such as '3x32x32'."""
        return "x".join(map(str, self.inputs.shape[1:]))

    def to(self, device: torch.device) -> Part:
        """Return the part on a device."""
        weights = None if self.weights is None else self.weights.to(device)
        return Part(self.inputs.to(device), self.targets.to(device), weights)

    def select(self, index: Int64[Tensor, " selected"]) -> Part:
        """Return the examples at these positions."""
        weights = None if self.weights is None else self.weights[index]
        own = self.inputs
        inputs = own.select(index) if isinstance(own, Streamed) else own[index]
        return Part(inputs, self.targets[index], weights)

    def batches(self, order: Int64[Tensor, " ordered"] | None, size: int) -> Iterator[Batch]:
        """Yield examples in batches; those of streamed inputs are read in advance.

        Args:
            order: the positions of the examples; None yields all in their own order.
            size: of a batch; the last may be smaller.
        """
        indices: Iterable[Any] = self._slices(size) if order is None else order.split(size)
        if isinstance(self.inputs, Streamed):
            every = torch.arange(len(self)) if order is None else order
            read: Iterable[Inputs] = self.inputs.batches(every, size)
        else:
            own = self.inputs
            read = (own[index] for index in indices)
        for index, inputs in zip(indices, read, strict=True):
            weights = None if self.weights is None else self.weights[index]
            yield Batch(inputs, self.targets[index], weights)

    def _slices(self, size: int) -> list[slice]:
        """Return the slices of all examples, which are not copied."""
        return [slice(start, start + size) for start in range(0, len(self), size)]

    def joined(self, other: Part) -> Part:
        """Return the examples of both parts; where only one has weights, the others weigh 1."""
        weights = None
        if self.weights is not None or other.weights is not None:
            parts = (self, other)
            weights = torch.cat(
                [torch.ones(len(p)) if p.weights is None else p.weights for p in parts]
            )
        return Part(
            _joined(self.inputs, other.inputs), torch.cat([self.targets, other.targets]), weights
        )


def _joined(first: Tensor | Streamed, second: Tensor | Streamed) -> Tensor | Streamed:
    if isinstance(first, Streamed):
        return first.joined(second)
    return after(first, second) if isinstance(second, Streamed) else torch.cat([first, second])
