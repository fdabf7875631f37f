"""The subject of an export: a copy of a network, and its graph."""

from __future__ import annotations

import copy
import warnings
from dataclasses import dataclass, field
from functools import cached_property

import torch
from jaxtyping import Shaped
from torch import Tensor, nn

from spaces.resources.example_input import example_input
from spaces.space import InputShape

BATCH, LENGTH = "batch", "length"
"""The names of the dimensions of any size."""


class ExportError(RuntimeError):
    """A network that cannot be exported; the message says why and how to mend it."""


@dataclass(frozen=True, eq=False)
class Subject:
    """A copy of a network for export: on the CPU, in float32, in evaluation mode.

    Attributes:
        network: from inputs (batch, *input_shape) to outputs (batch, outputs, ...).
        input_shape: of one example.
    """

    network: nn.Module = field(repr=False)
    input_shape: InputShape

    @classmethod
    def of(cls, network: nn.Module, input_shape: InputShape) -> Subject:
        """Return the subject for a network.

        Args:
            network: on any device, in any mode; it does not change.
            input_shape: of one example.

        Raises:
            ExportError: the input shape is not one to three positive numbers.
        """
        shape = tuple(int(size) for size in input_shape)
        if not 1 <= len(shape) <= 3 or min(shape) < 1:
            raise ExportError(
                f"the input shape is {tuple(input_shape)}: give that of one example, for images "
                "channels, height and width, such as (3, 32, 32)"
            )
        own = copy.deepcopy(network).to("cpu", torch.float32).eval()
        # Trainings use channels-last; readers of a file expect the usual order.
        own.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]  # by torch
        return cls(own, shape)

    @property
    def outputs(self) -> int:
        """The number of outputs."""
        with torch.inference_mode():
            return int(self.network(self.example(1)).shape[1])

    def example(self, batch: int) -> Shaped[Tensor, "batch ..."]:
        """Return zeros of the type that the network reads; see `spaces.example_input`."""
        return example_input(self.network, self.input_shape, batch, "cpu")

    @property
    def any_length(self) -> bool:
        """Whether the graph reads sequences of other lengths; see `spaces.example_input`."""
        return self._max_length != 1

    @property
    def _max_length(self) -> int | None:
        longest: int | None = getattr(self.network, "max_length", 1)
        return longest

    @property
    def _dynamic(self) -> dict[int, torch.export.Dim]:
        """The dimensions of any size, by position."""
        dimensions = {0: torch.export.Dim(BATCH)}
        if self.any_length:
            dimensions[1] = torch.export.Dim(LENGTH, min=1, max=self._max_length)
        return dimensions

    @cached_property
    def program(self) -> torch.export.ExportedProgram:
        """The graph of the network, for a batch of any size and sequences of any length it reads.

        Raises:
            ExportError: the network cannot be traced.
        """
        try:
            with warnings.catch_warnings():
                # Recurrent modules have their parameters in a list, too, which torch restores.
                warnings.filterwarnings("ignore", ".*_flat_weights.*were assigned during export")
                return torch.export.export(
                    self.network,
                    (self.example(2),),  # torch would take a size of 1 for a constant
                    dynamic_shapes=(self._dynamic,),
                    strict=False,
                )
        except Exception as error:  # whatever the network or torch raises
            raise ExportError(
                f"the network cannot be traced for inputs of {self.input_shape} and a batch of "
                f"any size: {_first_lines(error)}\nIts forward must not branch on the values "
                "of tensors, and must read the size of a batch as x.shape[0], not len(x)"
            ) from error


def _first_lines(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {' '.join(lines[:3])[:400]}"
