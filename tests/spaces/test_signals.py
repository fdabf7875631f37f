"""The spaces of convolutional networks build 1-D networks for signals (channels, length)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from spaces import operations
from spaces.cells.cell import CellSpace
from spaces.cells.darts import darts
from spaces.cells.node_cell import nasbench101
from spaces.configurations.mutation import mutate
from spaces.hierarchical.liu2018 import liu2018
from spaces.hierarchical.macro_space import MacroSpace
from spaces.hierarchical.stage_space import StageSpace
from spaces.motifs.build import WithAuxiliary
from spaces.operations.dimensions import COUNTERPARTS, match_dimensions
from spaces.perceptrons import Perceptrons
from spaces.resources.resources import count_resources
from spaces.space import Space, SpaceError, sample
from spaces.weight_sharing import supernet

SIGNAL = (2, 41)


SPACES: dict[str, Callable[[], Space]] = {
    "cells": lambda: CellSpace.nasbench201(channels=4, cells=1),
    "vertices": lambda: nasbench101(channels=8, cells=1),
    "macro": MacroSpace.nasbench_macro,
    "mobile": lambda: MacroSpace.mobile(scale=0.25, stem_stride=1),
    "small": MacroSpace.small,
    "library": lambda: liu2018(widths=(4, 8)),
    "darts": lambda: darts(channels=4, cells=3),
    "stages": lambda: StageSpace(stages=(1, 2), depth=(1, 2)),
}
ONE_ROW = ("cells", "vertices", "macro", "mobile", "small", "library")
"""Spaces whose images of one row lose nothing: no reduction that reads every other row."""


@pytest.mark.parametrize("name", SPACES)
def test_samples_and_their_mutants_compute_finite_logits_and_gradients(name: str) -> None:
    space, rng = SPACES[name](), np.random.default_rng(0)
    torch.manual_seed(0)
    for drawn in sample(space.configuration_space, 3, rng):
        for configuration in (drawn, mutate(drawn, rng)):
            network = space.build(configuration, SIGNAL, 4)
            logits = network(torch.randn(3, *SIGNAL))
            assert logits.shape == (3, 4)
            assert torch.isfinite(logits).all()
            logits.sum().backward()


@pytest.mark.parametrize("name", SPACES)
def test_a_seed_gives_one_network(name: str) -> None:
    space = SPACES[name]()
    drawn = sample(space.configuration_space, 1, np.random.default_rng(1))[0]
    states = []
    for _ in range(2):
        torch.manual_seed(3)
        states.append(space.build(drawn, SIGNAL, 4).state_dict())
    assert states[0].keys() == states[1].keys()
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


@pytest.mark.parametrize("name", ONE_ROW)
def test_a_signal_is_an_image_of_one_row(name: str) -> None:
    space = SPACES[name]()
    signals = torch.randn(3, *SIGNAL, generator=torch.Generator().manual_seed(0))
    for drawn in sample(space.configuration_space, 4, np.random.default_rng(0)):
        torch.manual_seed(1)
        images = space.build(drawn, (2, 1, 41), 3).eval()
        torch.manual_seed(1)
        network = space.build(drawn, SIGNAL, 3).eval()
        for layer in images.modules():
            if isinstance(layer, nn.Conv2d):
                layer.weight.data *= layer.kernel_size[0] ** 0.5
        torch.testing.assert_close(network(signals), images(signals[:, :, None]))
        assert not [layer for layer in network.modules() if isinstance(layer, tuple(COUNTERPARTS))]


@pytest.mark.parametrize("length", [1, 2, 40])
def test_signals_of_any_length(length: int) -> None:
    spaces = (darts(channels=4, cells=3), StageSpace(stages=(1, 3), depth=(1, 1)))
    for space in spaces:
        for drawn in sample(space.configuration_space, 4, np.random.default_rng(0)):
            logits = space.build(drawn, (1, length), 3)(torch.randn(2, 1, length))
            assert logits.shape == (2, 3)


def test_the_weights_of_a_convolution_have_the_variance_of_its_fan_in() -> None:
    torch.manual_seed(0)
    image = nn.Sequential(nn.Conv2d(64, 64, 5, stride=2, padding=2, dilation=3))
    signal = match_dimensions(image, (64, 100))[0]
    expected = nn.Conv1d(64, 64, 5, stride=2, padding=2, dilation=3)
    assert repr(signal) == repr(expected)
    assert signal.weight.std().item() == pytest.approx(expected.weight.std().item(), rel=0.02)
    assert signal.weight.abs().max().item() <= (64 * 5) ** -0.5


def test_the_state_of_a_layer_is_kept() -> None:
    norm = nn.BatchNorm2d(3)
    nn.init.zeros_(norm.weight)
    norm.running_mean += 2
    network = match_dimensions(nn.Sequential(norm, nn.Dropout2d(0.3)).eval(), (3, 8))
    assert isinstance(network[0], nn.BatchNorm1d)
    assert network[0].weight.tolist() == [0, 0, 0]
    assert network[0].running_mean.tolist() == [2, 2, 2]
    assert not network[0].training
    assert repr(network[1]) == repr(nn.Dropout1d(0.3))


def test_resources_by_hand() -> None:
    space = CellSpace.nasbench201(channels=4, cells=1, stages=1)
    text = "|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|none~0|none~1|skip_connect~2|"
    with torch.device("meta"):
        network = space.build(space.from_string(text), (3, 32), 10)
    counted = count_resources(network, (3, 32))
    stem, cell, head = 3 * 4 * 3, 4 * 4 * 3 + 4 * 4, 4 * 10
    assert counted.multiply_adds == (stem + cell) * 32 + head
    assert counted.parameters == stem + cell + head + 10 + 4 * 2 * 4  # bias, four batch norms


def test_a_path_of_the_supernet_is_the_network_that_the_space_builds() -> None:
    space = CellSpace.nasbench201(channels=4, cells=1, stages=2)
    torch.manual_seed(0)
    shared = supernet(space, SIGNAL, 3).eval()
    signals = torch.randn(5, *SIGNAL)
    for chosen in sample(space.configuration_space, 5, np.random.default_rng(0)):
        network = space.build(chosen, SIGNAL, 3).eval()
        network.load_state_dict(shared.stand_alone(chosen))
        torch.testing.assert_close(shared.path(signals, chosen), network(signals))
    weights = torch.full((6, 5), 0.2)
    assert shared.mixture(signals, weights).shape == (5, 3)


def test_the_auxiliary_classifier_reads_signals_too() -> None:
    space = StageSpace(stages=(2, 2), depth=(1, 1), auxiliary=True)
    network = space.build(space.configuration_space.get_default_configuration(), SIGNAL, 5)
    assert isinstance(network, WithAuxiliary)
    logits, auxiliary = network.both(torch.randn(2, *SIGNAL))
    assert logits.shape == auxiliary.shape == (2, 5)


def test_operations_of_ones_own_are_for_signals_too() -> None:
    class Wide(nn.Conv2d):
        def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
            super().__init__(channels_in, channels_out, 7, stride, 3)

    space = CellSpace({"wide": Wide, "pass": operations.identity}, nodes=3, channels=4, cells=1)
    for drawn in sample(space.configuration_space, 4, np.random.default_rng(0)):
        assert space.build(drawn, SIGNAL, 2)(torch.zeros(3, *SIGNAL)).shape == (3, 2)


def test_a_layer_without_a_counterpart_is_named() -> None:
    class Doubled(nn.Conv2d):
        def forward(self, input: torch.Tensor) -> torch.Tensor:
            return 2 * super().forward(input)

    def doubled(channels_in: int, channels_out: int, stride: int) -> nn.Module:
        return Doubled(channels_in, channels_out, 1, stride)

    def shuffled(channels_in: int, channels_out: int, stride: int) -> nn.Module:
        return nn.ZeroPad2d(1)

    for operation, name in ((doubled, "Doubled"), (shuffled, "ZeroPad2d")):
        space = CellSpace({"own": operation}, nodes=2, channels=4, cells=1)
        only = space.configuration_space.get_default_configuration()
        with pytest.raises(SpaceError, match=rf"the layer {name}.* no counterpart for signals"):
            space.build(only, SIGNAL, 2)


@pytest.mark.parametrize("name", SPACES)
def test_a_shape_that_is_no_image_and_no_signal_is_refused(name: str) -> None:
    space = SPACES[name]()
    drawn = sample(space.configuration_space, 1, np.random.default_rng(0))[0]
    with pytest.raises(SpaceError, match=r"not inputs of shape \(30,\): choose Perceptrons"):
        space.build(drawn, (30,), 2)


def test_perceptrons_read_a_table_a_signal_and_an_image() -> None:
    space = Perceptrons()
    drawn = sample(space.configuration_space, 1, np.random.default_rng(0))[0]
    states = []
    for shape in ((30,), (30, 1, 1), (3, 10)):
        torch.manual_seed(0)
        network = space.build(drawn, shape, 2)
        assert network(torch.randn(5, *shape)).shape == (5, 2)
        states.append(network.state_dict())
    for name, tensor in states[0].items():
        assert all(torch.equal(state[name], tensor) for state in states[1:])
