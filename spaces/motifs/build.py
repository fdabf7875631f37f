"""Torch modules of plans."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from spaces.architecture.architecture import Node
from spaces.architecture.labels import CONCAT, IDENTITY, INPUT, OUTPUT
from spaces.motifs.plan import Plan


class Body(nn.Module):
    """The canonical graph of a plan as a module from images to feature maps.

    Args:
        plan: the plan; operations that change nothing have no module and no weights.

    Attributes:
        weight_names: the modules of layers, which are numbered, by the names of their nodes; see
            `spaces.weight_sharing.weights`.
    """

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        nodes = plan.architecture.canonical().nodes
        self.labels = [str(node.operation) for node in nodes]
        self.inputs = [node.inputs for node in nodes]
        self.connected = bool(self.inputs[-1])
        self.layers = nn.ModuleDict()
        self.weight_names: dict[str, str] = {}
        widths: list[int] = []
        for position, (label, inputs) in enumerate(zip(self.labels, self.inputs, strict=True)):
            read = [widths[source] for source in inputs]
            if label in (INPUT, OUTPUT, IDENTITY, CONCAT):
                width = sum(read) if label == CONCAT else next(iter(read), plan.channels)
                width = plan.channels_in if label == INPUT else width
            else:
                layer = plan.layers[label]
                width = layer.channels(read[0])
                self.layers[str(position)] = layer.build(read[0])
                name = nodes[position].name
                self.weight_names[f"layers.{position}"] = f"layers.{name or position}"
            widths.append(width)
        # Fewer than planned where a concatenated part passes nothing on.
        self.channels = widths[-1]
        self.last_use = _last_use(nodes)

    def forward(
        self, x: Float[Tensor, "batch channels_in *size"]
    ) -> Float[Tensor, "batch channels *size_out"]:
        """Return the feature maps; zeros of one pixel where no path leads to the output."""
        if not self.connected:
            return x.new_zeros(x.shape[0], self.channels, *[1] * (x.ndim - 2))
        values: dict[int, Tensor] = {0: x}
        del x
        for position in range(1, len(self.labels)):
            values[position] = self._value(position, [values[i] for i in self.inputs[position]])
            for source in self.last_use[position]:
                del values[source]  # no later node reads it
        return values[len(self.labels) - 1]

    def _value(self, position: int, read: list[Tensor]) -> Tensor:
        if self.labels[position] == CONCAT:
            return torch.cat(read, dim=1)
        total = read[0]
        for value in read[1:]:
            total = total + value
        name = str(position)
        result: Tensor = self.layers[name](total) if name in self.layers else total
        return result


def _last_use(nodes: Sequence[Node]) -> list[list[int]]:
    """Return for each node the nodes that no later node reads."""
    last = {source: position for position, node in enumerate(nodes) for source in node.inputs}
    ends: list[list[int]] = [[] for _ in nodes]
    for source, position in last.items():
        ends[position].append(source)
    return ends


def head(channels: int, outputs: int, dropout: float = 0.0) -> nn.Sequential:
    """Return global average pooling, dropout if there is any, and a linear layer.

    Args:
        channels: of the feature maps.
        outputs: the number of classes.
        dropout: a probability.
    """
    layers: list[nn.Module] = [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    layers += [nn.Dropout(dropout)] if dropout else []
    return nn.Sequential(*layers, nn.Linear(channels, outputs))


class AuxiliaryHead(nn.Sequential):
    """The auxiliary classifier of Szegedy et al. (2016), "Rethinking the Inception architecture".

    Args:
        channels: of the feature maps that it reads.
        outputs: the number of classes.
    """

    def __init__(self, channels: int, outputs: int) -> None:
        super().__init__(
            nn.AdaptiveAvgPool2d(5),
            nn.Conv2d(channels, 128, 1, bias=False),
            nn.BatchNorm2d(128),
            nn.ReLU(),
            nn.Conv2d(128, 768, 5, bias=False),
            nn.BatchNorm2d(768),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(768, outputs),
        )


class WithAuxiliary(nn.Module):
    """A network with a second classifier before its last stage, for a second loss in training.

    Args:
        front: the plan up to the last stage.
        back: the last stage, from the channels of `front`.
        outputs: the number of classes.
        dropout: before the last linear layer.
    """

    def __init__(self, front: Plan, back: Plan, outputs: int, dropout: float) -> None:
        super().__init__()
        self.front = Body(front)
        self.back = Body(back)
        self.head = head(back.channels, outputs, dropout)
        self.auxiliary = AuxiliaryHead(front.channels, outputs)

    def forward(self, x: Float[Tensor, "batch channels *size"]) -> Float[Tensor, "batch outputs"]:
        """Return the logits; the auxiliary classifier does not affect them."""
        logits: Tensor = self.head(self.back(self.front(x)))
        return logits

    def both(
        self, x: Float[Tensor, "batch channels *size"]
    ) -> tuple[Float[Tensor, "batch outputs"], Float[Tensor, "batch outputs"]]:
        """Return the logits and those of the auxiliary classifier."""
        features = self.front(x)
        return self.head(self.back(features)), self.auxiliary(features)


def network(plan: Plan, outputs: int, dropout: float = 0.0) -> nn.Sequential:
    """Return a network that pools and classifies the feature maps of a plan.

    Args:
        plan: from images to feature maps.
        outputs: the number of classes.
        dropout: before the linear layer, a probability.

    Returns:
        A module from images or signals (batch, channels, *size) to logits (batch, outputs).
    """
    body = Body(plan)
    return nn.Sequential(body, head(body.channels, outputs, dropout))
