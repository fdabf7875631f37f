"""The contract of operations and layers, for each that this package has."""

from __future__ import annotations

import pytest
import torch

from spaces import operations
from spaces.motifs.layers import Convolution, Custom, Layer, Pool, Relu, Truncation, Upsampling
from spaces.operations import Operation

OPERATIONS: dict[str, Operation] = {
    "zero": operations.zero,
    "identity": operations.identity,
    "skip": operations.skip,
    "relu_conv_bn": operations.relu_conv_bn(3),
    "average_pool": operations.average_pool(3),
    "max_pool": operations.max_pool(3),
    "depthwise": operations.depthwise(3),
    "separable": operations.separable(5),
    "dilated": operations.separable(3, dilation=2),
    "separable_twice": operations.separable_twice(3),
}


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("channels", [(4, 4), (4, 6)])
@pytest.mark.parametrize("size", [8, 7])
def test_an_operation_has_the_channels_and_the_stride_that_it_was_given(
    name: str, stride: int, channels: tuple[int, int], size: int
) -> None:
    torch.manual_seed(0)
    module = OPERATIONS[name](*channels, stride)
    result = module(torch.randn(2, channels[0], size, size))
    assert result.shape == (2, channels[1], -(-size // stride), -(-size // stride))
    assert bool(result.any()) == (name != "zero")


LAYERS: list[Layer] = [
    Convolution(6),
    Convolution(6, (1, 7), padded=False),
    Convolution(8, (5, 5), 2, groups=4, activation="relu6"),
    Pool("max", 3, 2),
    Pool("average", 3, 1, padded=False),
    Relu(),
    Upsampling(2),
    Truncation(2),
    Custom("mine", operations.separable(3), 6, 2),
    Custom("mine", operations.identity),
]


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.label)
@pytest.mark.parametrize("size", [9, 2])
def test_a_layer_has_the_channels_that_it_announces(layer: Layer, size: int) -> None:
    result = layer.build(4)(torch.randn(2, 4, size, size))
    assert result.shape[:2] == (2, layer.channels(4))
    assert min(result.shape) >= 1


def test_equal_labels_mean_equal_layers() -> None:
    labels = [layer.label for layer in LAYERS]
    assert len(set(labels)) == len(labels)
