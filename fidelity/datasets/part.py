"""Examples and their targets."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64, Shaped
from torch import Tensor

from fidelity.tasks.classes import few
from fidelity.tasks.task import DataError, Targets

INPUTS = (torch.uint8, torch.float32, torch.int64)
TARGETS = (torch.int64, torch.uint8, torch.float64)


@dataclass(frozen=True, eq=False, repr=False)
class Part:
    """Examples and their targets.

    Attributes:
        inputs: in their original scale: images (examples, channels, height, width), signals
            (examples, channels, length) or tables (examples, features) of uint8 or float32, or
            sequences of tokens (examples, length) of int64.
        targets: of each example, int64, uint8 or float64; their shape depends on the task.
        weights: of each example in the loss, 0 or more; None weights all alike.

    Raises:
        DataError: they do not match, or hold something that no task can use.
    """

    inputs: Shaped[Tensor, "examples ..."]
    targets: Targets
    weights: Float[Tensor, " examples"] | None = None

    def __post_init__(self) -> None:
        """Check for faults that would otherwise show only as bad networks."""
        inputs, targets = self.inputs, self.targets
        if not (isinstance(inputs, Tensor) and isinstance(targets, Tensor)):
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
        if not self.inputs.is_floating_point():
            return
        finite = torch.isfinite(self.inputs).flatten(1).all(1)
        if not finite.all():
            index = torch.nonzero(~finite).flatten().tolist()
            raise DataError(
                f"{len(index)} of {len(self)} examples hold NaN or infinite values (example "
                f"{few(index)}): repair them, or leave them out"
            )

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
        return Part(self.inputs[index], self.targets[index], weights)

    def joined(self, other: Part) -> Part:
        """Return the examples of both parts; where only one has weights, the others weigh 1."""
        weights = None
        if self.weights is not None or other.weights is not None:
            parts = (self, other)
            weights = torch.cat(
                [torch.ones(len(p)) if p.weights is None else p.weights for p in parts]
            )
        return Part(
            torch.cat([self.inputs, other.inputs]),
            torch.cat([self.targets, other.targets]),
            weights,
        )
