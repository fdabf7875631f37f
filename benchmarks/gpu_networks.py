"""The networks whose training speed `gpu.py` measures, each a space of one configuration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from ConfigSpace import Configuration, ConfigurationSpace
from torch import Tensor, nn

from spaces.architecture.architecture import Architecture, chain
from spaces.cells.cell import CellSpace
from spaces.space import InputShape

OUTPUTS = 10


class Residual(nn.Module):
    """Two 3x3 convolutions and a shortcut (He et al. 2016, "Deep residual learning", CVPR)."""

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.path = nn.Sequential(
            nn.Conv2d(inputs, width, 3, stride, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, width, 3, 1, 1, bias=False),
            nn.BatchNorm2d(width),
        )
        same = inputs == width and stride == 1
        self.shortcut = nn.Identity() if same else nn.Conv2d(inputs, width, 1, stride, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return half as many pixels for a stride of 2."""
        return torch.relu(self.path(images) + self.shortcut(images))


def resnet18(width: int) -> nn.Module:
    """ResNet-18 for 32x32 pixels: a 3x3 stem without pooling."""
    stem = [nn.Conv2d(3, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
    blocks, inputs = [], width
    for stage in range(4):
        for block in range(2):
            own = width * 2**stage
            blocks.append(Residual(inputs, own, 2 if stage and not block else 1))
            inputs = own
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, OUTPUTS)]
    return nn.Sequential(*stem, *blocks, *head)


class Transformer(nn.Module):
    """A small vision transformer on patches of 4x4 pixels."""

    def __init__(self, width: int, layers: int = 6) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, 4, 4)
        self.positions = nn.Parameter(torch.zeros(1, 64, width))
        layer = nn.TransformerEncoderLayer(
            width, max(1, width // 64), 4 * width, 0.0, "gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.head = nn.Linear(width, OUTPUTS)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits from the mean over patches."""
        tokens = self.patches(images).flatten(2).transpose(1, 2) + self.positions
        return self.head(self.layers(tokens).mean(1))  # type: ignore[no-any-return]


def cell(channels: int, cells: int) -> nn.Module:
    """The cell of NAS-Bench-201 with a 3x3 convolution on every edge."""
    space = CellSpace.nasbench201(channels=channels, cells=cells)
    edges = dict.fromkeys(space.configuration_space, "nor_conv_3x3")
    return space.build(Configuration(space.configuration_space, values=edges), (3, 32, 32), OUTPUTS)


@dataclass(frozen=True)
class Fixed:
    """A space of one network.

    Attributes:
        name: of the network.
        make: builds it.
        arguments: of `make`.
    """

    name: str
    make: Callable[..., nn.Module]
    arguments: tuple[int, ...]

    @property
    def configuration_space(self) -> ConfigurationSpace:
        """The name."""
        return ConfigurationSpace({"network": [self.name]})

    def architecture(self, configuration: Configuration) -> Architecture:
        """Return the network as one operation."""
        return chain([self.name])

    def build(
        self, configuration: Configuration, input_shape: InputShape, outputs: int
    ) -> nn.Module:
        """Build the network."""
        return self.make(*self.arguments)


NETWORKS = (
    Fixed("NAS-Bench-201 cells (C=16, N=5)", cell, (16, 5)),
    Fixed("ResNet-18", resnet18, (64,)),
    Fixed("transformer (6 layers of 192)", Transformer, (192,)),
)
TOYS = (
    Fixed("NAS-Bench-201 cells (C=4, N=1)", cell, (4, 1)),
    Fixed("ResNet-18, width 4", resnet18, (4,)),
    Fixed("transformer (2 layers of 16)", Transformer, (16, 2)),
)
"""Those of the rehearsal."""
