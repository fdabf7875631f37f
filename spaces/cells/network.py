"""Torch modules of cells, and the network that stacks them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from spaces.architecture.architecture import Architecture, ArchitectureError
from spaces.architecture.labels import CONCAT, RESERVED, ZERO
from spaces.operations.dimensions import match_dimensions
from spaces.operations.operations import Operation, relu_conv_bn
from spaces.space import InputShape


class Graph(nn.Module):
    """An architecture as a module; each operation keeps the shape of its input.

    Args:
        architecture: a flat graph with one input.
        operations: the meaning of its labels; `zero`, `identity` and `concat` have their own.
        channels: in and out of every operation.
    """

    def __init__(
        self, architecture: Architecture, operations: Mapping[str, Operation], channels: int
    ) -> None:
        super().__init__()
        self.inputs = [node.inputs for node in architecture.nodes]
        self.labels = [str(node.operation) for node in architecture.nodes]
        if unknown := set(self.labels) - RESERVED - set(operations):
            raise ArchitectureError(
                f"unknown operations {', '.join(sorted(unknown))}: "
                f"known are {', '.join(operations)}"
            )
        self.operations = nn.ModuleDict(
            {
                str(position): operations[label](channels, channels, 1)
                for position, label in enumerate(self.labels)
                if label not in RESERVED
            }
        )

    def forward(
        self, x: Float[Tensor, "batch channels *size"]
    ) -> Float[Tensor, "batch channels *size"]:
        """Return the value of the output node; zeros where no path leads to it."""
        modules = [
            self.operations[name] if (name := str(position)) in self.operations else None
            for position in range(len(self.labels))
        ]
        return propagate(x, self.labels, self.inputs, modules)


def propagate(
    x: Float[Tensor, "batch channels *size"],
    labels: Sequence[str],
    inputs: Sequence[Sequence[int]],
    modules: Sequence[nn.Module | None],
) -> Float[Tensor, "batch channels *size"]:
    """Run a flat graph of one input.

    Args:
        x: the value of the first node.
        labels: of each node, in topological order.
        inputs: the nodes that each node reads.
        modules: for each node the module that reads the sum of its inputs; None passes it on.

    Returns:
        The value of the last node; zeros where no path leads to it.
    """
    values: list[Tensor | None] = [x]
    for position in range(1, len(inputs)):
        read = [v for i in inputs[position] if (v := values[i]) is not None]
        if not read or labels[position] == ZERO:
            values.append(None)
        elif labels[position] == CONCAT:
            values.append(torch.cat(read, dim=1))
        else:
            total = read[0]
            for value in read[1:]:
                total = total + value
            module = modules[position]
            values.append(total if module is None else module(total))
    return torch.zeros_like(x) if values[-1] is None else values[-1]


class ResidualReduction(nn.Module):
    """Two 3x3 convolutions, and pooling with a 1x1 convolution as their shortcut; stride 2.

    Args:
        channels_in: of the image.
        channels_out: of the result.
    """

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            relu_conv_bn(3)(channels_in, channels_out, 2),
            relu_conv_bn(3)(channels_out, channels_out, 1),
        )
        self.shortcut = nn.Sequential(
            # For odd sizes rounded up, as in the strided convolution.
            nn.AvgPool2d(2, 2, ceil_mode=True),
            nn.Conv2d(channels_in, channels_out, 1, bias=False),
        )

    def forward(
        self, x: Float[Tensor, "batch channels *size"]
    ) -> Float[Tensor, "batch channels_out *half_size"]:
        """Return the sum of both paths."""
        total: Tensor = self.residual(x) + self.shortcut(x)
        return total


def stacked(
    cell: Callable[[int], nn.Module],
    input_shape: InputShape,
    outputs: int,
    channels: int,
    cells: int,
    stages: int,
) -> nn.Sequential:
    """Stack stages of repeated cells between a convolution and a linear layer.

    The skeleton of Dong & Yang (2020), "NAS-Bench-201", figure 1.

    Args:
        cell: makes a cell with a given number of channels, in and out.
        input_shape: of one input, see `InputShape`.
        outputs: the number of classes.
        channels: of the first stage.
        cells: in each stage.
        stages: of the network.

    Returns:
        A module from images (batch, *input_shape) to logits (batch, outputs).
    """
    layers: list[nn.Module] = [
        nn.Conv2d(input_shape[0], channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels),
    ]
    for stage in range(stages):
        width = channels * 2**stage
        if stage:
            layers.append(ResidualReduction(width // 2, width))
        layers.extend(cell(width) for _ in range(cells))
    layers += [nn.BatchNorm2d(width), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return match_dimensions(nn.Sequential(*layers, nn.Linear(width, outputs)), input_shape)
