"""Networks that cannot be pruned, and settings that make no sense."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from spaces import PrunedFrom, SpaceError
from tests.spaces.pruning.networks import made


class Branching(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(4, 8), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        if x.sum() > 0:
            x = -x
        return self.b(self.a(x))


class OtherInTraining(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(4, 8), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.a(x)
        return self.b(x.relu() if self.training else x.tanh())


class Shuffle(nn.Module):
    """Computes with the number of its channels, as ShuffleNet does."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.free = nn.Linear(4, 8), nn.Linear(8, 8)
        self.last = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        n, c = x.shape
        x = x.view(n, 2, c // 2).transpose(1, 2).reshape(n, c)
        return self.last(self.free(x).relu())


def refused(message: str, *arguments: Any, **settings: Any) -> None:
    with pytest.raises(SpaceError, match=message):
        PrunedFrom(*arguments, **settings)


def test_a_network_that_branches_on_values_cannot_be_traced() -> None:
    refused("torch.fx cannot trace Branching: .*may not branch", Branching(), torch.randn(2, 4))


def test_a_network_that_computes_something_else_in_training_is_refused() -> None:
    refused(
        "in training the network computes .*relu.* nn.Dropout", OtherInTraining(), torch.ones(2, 4)
    )


def test_a_sample_that_does_not_fit_is_refused() -> None:
    network, _ = made("residual")
    refused(
        r"ResNet does not read the sample input, torch.float32 of shape \(2, 4, 8, 8\)",
        network,
        torch.ones(2, 4, 8, 8),
    )
    refused(r"the sample input is \(3,\): expected a tensor with a batch", network, torch.ones(3))
    refused("the sample input is list: expected a tensor", network, [1.0])
    refused(
        "the sample input is torch.int32: expected floating point, or int64",
        network,
        torch.ones(2, 3, 8, 8).int(),
    )


def test_a_network_that_returns_several_tensors_is_refused() -> None:
    refused(
        "LSTM returns tuple for the sample .*expected one tensor",
        nn.LSTM(3, 4),
        torch.ones(2, 5, 3),
    )


def test_nothing_that_can_be_pruned_is_an_error_that_says_why() -> None:
    refused(
        "nothing in Linear can be pruned: it is a single operation",
        nn.Linear(3, 2),
        torch.ones(2, 3),
    )
    recurrent = nn.Sequential(nn.Conv1d(2, 4, 1), nn.Softmax(dim=1), nn.Flatten(), nn.Linear(12, 3))
    refused(
        "nothing in Sequential can be pruned. 0: Softmax 1 has no rule",
        recurrent,
        torch.ones(2, 2, 3),
    )


def test_settings_out_of_range_are_refused() -> None:
    network, inputs = made("residual")
    refused(r"the fractions are \(0.0, 1\)", network, inputs, fractions=(0.0, 1))
    refused(
        "there is no module stam to keep: give qualified names", network, inputs, keep=("stam",)
    )
    refused("the network is 'resnet': expected an nn.Module", "resnet", inputs)


def test_data_of_another_shape_is_refused() -> None:
    space = PrunedFrom(*made("residual"))
    full = space.configuration_space.get_default_configuration()
    message = re.escape(
        "a network from inputs (3, 8, 8) to 7 outputs is wanted, but the given ResNet is one from "
        "(3, 8, 8) to 10"
    )
    with pytest.raises(SpaceError, match=message):
        space.build(full, (3, 8, 8), 7)
    with pytest.raises(SpaceError, match=re.escape("from inputs (3, 9, 9) to 10")):
        space.build(full, (3, 9, 9), 10)


def test_arithmetic_with_the_number_of_channels_keeps_them() -> None:
    space = PrunedFrom(Shuffle(), torch.randn(2, 4))
    assert {*space.configuration_space} == {"free.width"}
    assert space.fixed["first"] == "floordiv has no rule for pruning"


class Counting(nn.Module):
    """Has a rule for each of its operations, but depends on a number of channels that it knows."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(4, 8), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.b(self.a(x) + torch.ones(1, 8))


def test_constants_keep_channels_or_lose_them_too() -> None:
    space = PrunedFrom(Counting(), torch.randn(2, 4))
    small = space.build(space.uniform(0.5), (4,), 3)
    assert small(torch.randn(2, 4)).shape == (2, 3)


class ReadTwice(nn.Module):
    """Reads the weight of a layer that it also calls."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.norm = nn.Linear(4, 8), nn.LayerNorm(8)
        self.free, self.last = nn.Linear(8, 8), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.a(x)) + self.norm.bias.square()
        return self.last(self.free(x).relu())


def test_weights_that_are_read_directly_keep_the_channels_of_their_layer() -> None:
    space = PrunedFrom(ReadTwice(), torch.randn(2, 4))
    assert {*space.configuration_space} == {"free.width"}
    assert space.fixed["a"] == "norm.bias is used by several operations"
