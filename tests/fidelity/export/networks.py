"""A small network of every space, in the state that a training leaves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from ConfigSpace import Categorical, Configuration, ConfigurationSpace
from torch import Tensor, nn

from fidelity.export.normalisation import Normalised
from fidelity.export.subject import Subject
from spaces import (
    CellSpace,
    DartsSpace,
    EncoderDecoderSpace,
    HierarchicalSpace,
    JointSpace,
    MacroSpace,
    NextTokenSpace,
    Patches,
    Perceptrons,
    ResidualPerceptrons,
    SequenceSpace,
    Space,
    Stage,
    StageSpace,
    Tokens,
    TransformerSpace,
    families,
    liu2018,
    nasbench101,
    zoo,
)
from spaces.architecture.architecture import Architecture, chain
from spaces.motifs import inception
from spaces.motifs.layers import Convolution
from spaces.resources.example_input import random_input
from spaces.sequences.layers import MIXERS
from spaces.space import InputShape, sample
from spaces.transformers.hybrid import ATTENTION

CLASSES = 5


@dataclass(frozen=True)
class Own:
    """A user's space, whose networks are no sequence of layers."""

    configuration_space = ConfigurationSpace(space=[Categorical("width", [4, 6])])

    def architecture(self, configuration: Configuration) -> Architecture:
        return chain([f"own {configuration['width']}"])

    def build(
        self, configuration: Configuration, input_shape: InputShape, outputs: int
    ) -> nn.Module:
        return OwnNetwork(input_shape[0], int(configuration["width"]), outputs)


class OwnNetwork(nn.Module):
    """What people write: functions, numbers, weights of its own, one module called twice."""

    ones: Tensor

    def __init__(self, channels: int, width: int, outputs: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(channels, width, 3, padding=1, padding_mode="reflect")
        self.activation = nn.ReLU(inplace=True)
        self.norm = nn.GroupNorm(2, width)
        self.gain = nn.Parameter(torch.rand(width))
        self.register_buffer("ones", torch.ones(width))
        self.classifier = nn.Sequential(nn.Dropout(0.3), nn.Linear(2 * width, outputs, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.stem(x))
        y = self.activation(x - 0.5)
        x = self.activation(x * self.gain.view(1, -1, 1, 1) + self.ones.reshape(1, -1, 1, 1))
        x = nn.functional.gelu(x) / (1 + y.sigmoid()) @ torch.full((8, 8), 0.5)
        x += torch.zeros(x.shape[0], 1, 1, 1) + torch.tensor(2.0)
        halves = torch.cat([x, y], dim=1).mean((2, 3)).view(x.shape[0], -1).chunk(2, 1)
        logits: Tensor = self.classifier(torch.cat([halves[1], halves[0].tanh()], 1))
        return logits


def mixed(mixer: str) -> SequenceSpace:
    """Classifies sequences with blocks of one kind."""
    return SequenceSpace(7, widths=(8,), depth=(1, 1), mixers={mixer: MIXERS[mixer]})


def transformer(inputs: Patches | Tokens, **settings: Any) -> TransformerSpace:
    """Two layers."""
    return TransformerSpace(inputs, (8,), (2, 2), (2, 4), (2,), **settings)


TINY_STAGES = {
    "first": Stage({"basic": families.BASIC}, (1, 2)),
    "second": Stage({"inverted": families.INVERTED}, (1, 2)),
}

SPACES: dict[str, tuple[Space, InputShape]] = {
    "cells": (CellSpace.nasbench201(channels=4, cells=1, stages=2), (3, 9, 9)),
    "nasbench101": (nasbench101(channels=8, cells=1, stacks=2), (3, 8, 8)),
    "darts": (DartsSpace(nodes=2, channels=4, cells=3), (3, 9, 9)),
    "macro": (MacroSpace(TINY_STAGES, (Convolution(8),), (Convolution(8),), 0.2), (3, 8, 8)),
    "liu2018": (liu2018((4,)), (3, 8, 8)),
    "hierarchical": (HierarchicalSpace(Stage({"plain": families.PLAIN}, (1, 3))), (1, 8, 8)),
    "stages": (
        StageSpace(
            {"inception": inception.V4_A, "plain": families.PLAIN},
            {"small": zoo.space().stems["small"]},
            (1, 2),
            (1, 1),
            auxiliary=True,
        ),
        (3, 8, 8),
    ),
    "joint": (
        JointSpace(
            CellSpace.nasbench201(channels=4, cells=1, stages=1),
            ConfigurationSpace({"learning_rate": (0.01, 0.1)}),
        ),
        (1, 8, 8),
    ),
    "own": (Own(), (3, 8, 8)),
    "table": (Perceptrons(depth=2, widths=(8, 16)), (6,)),
    "residual": (ResidualPerceptrons(depth=(2, 2), widths=(8,)), (6,)),
    "signals": (CellSpace.nasbench201(channels=4, cells=1, stages=2), (2, 17)),
    "macro_signals": (MacroSpace.small(widths=(4,), stages=2), (2, 16)),
    "masks": (EncoderDecoderSpace(widths=(4,), depth=(1, 1), blocks=(1, 1)), (1, 8, 8)),
    "convolution": (mixed("convolution"), (9,)),
    "attention": (mixed("attention"), (9,)),
    "gru": (mixed("gru"), (9,)),
    "next_tokens": (NextTokenSpace(7, widths=(8,), depth=(1, 2)), (9,)),
    "vision": (transformer(Patches(2, class_token=True)), (3, 8, 8)),
    "signal_transformer": (transformer(Patches(4), windows=(3,)), (2, 16)),
    "language": (transformer(Tokens(CLASSES, 20), causal=True, shared_by=(2,)), (9,)),
    "rotary": (transformer(Tokens(7, 9), positions=("rotary",), norms=("post",)), (9,)),
    "hybrid": (
        MacroSpace({"stage": Stage({"attention": ATTENTION}, (1, 2))}, (Convolution(8),), ()),
        (3, 8, 8),
    ),
}

NORMALISED = ("joint", "table", "macro_signals", "masks")
"""Those with statistics of inputs; the table also has units of its targets."""

NAMED = {
    "resnet50": (zoo.resnet50, (3, 32, 32)),
    "resnext50": (zoo.resnext50_32x4d, (3, 32, 32)),
    "inception_v3": (zoo.inception_v3, (3, 75, 75)),
    "inception_v4": (zoo.inception_v4, (3, 60, 60)),  # smaller than its kernels: padded
}


@cache
def configuration(name: str) -> Configuration:
    """The one that is exported, the same each time: not the largest, for the time it takes."""
    space = SPACES[name][0]
    drawn = sample(space.configuration_space, 9, np.random.default_rng(0))
    connected = [c for c in drawn if space.architecture(c).connected]
    sizes = [len(space.architecture(c).canonical().nodes) for c in connected]
    return connected[sizes.index(sorted(sizes)[len(sizes) // 3])]


def used(network: nn.Module, shape: InputShape) -> nn.Module:
    """With statistics in its normalisation, as training leaves them."""
    network.train()
    with torch.no_grad():
        for seed in range(3):
            network(random_input(network, shape, 8, torch.Generator().manual_seed(seed)))
    return network


@cache
def subject(name: str) -> Subject:
    """The network, as trainings leave it."""
    space, shape = SPACES[name]
    torch.manual_seed(0)
    network = used(space.build(configuration(name), shape, CLASSES), shape)
    if name in NORMALISED:
        channels = (1, shape[0], *[1] * (len(shape) - 1))
        units = (torch.randn(CLASSES), torch.rand(CLASSES)) if name == "table" else None
        network = Normalised(network, (torch.rand(channels), torch.rand(channels)), units=units)
    return Subject.of(network, shape)


def named(name: str) -> Subject:
    """A hand-made network at full size."""
    make, shape = NAMED[name]
    torch.manual_seed(0)
    return Subject.of(used(zoo.space().build(make(), shape, CLASSES), shape), shape)
