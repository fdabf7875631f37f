"""Elastic supernets: the weights of all networks of a space, each as large as its largest one."""

from __future__ import annotations

import math
from typing import Self

import numpy as np
import torch
from ConfigSpace import Configuration
from torch import Tensor, nn

from spaces.configurations.extremes import Extremes
from spaces.space import InputShape, Space, draw
from spaces.weight_sharing.protocols import SharedWeights
from spaces.weight_sharing.weights import Weight, weights

NOTHING_NEW = 64
"""Random networks in a row that bring no new or larger weight, after which no more are tried."""

MAX_RANDOM_NETWORKS = 1024
"""Random networks that are tried, besides those that cover all choices."""

MAX_BUILT = 128
"""Networks that are kept, without weights, while a supernet is in training."""


class ElasticSupernet(SharedWeights):
    """The weights that the networks of a space share; each network has a part of each.

    Weights with the same name, in layers of the same kind, are one tensor, as large as the largest
    in each dimension, and a shallower network leaves some of them out: see `Weight`. The largest
    sizes are those of networks in which every choice takes every value, and of random ones, until
    these bring nothing new. What another network has beyond them is not shared, and has the initial
    values of the space.

    The averages of batch normalisation, and all other buffers, are the initial ones of each
    network: calibrate them before it is evaluated.

    Source: Cai et al. (2020), "Once-for-all: train one network and specialize it for efficient
    deployment", ICLR, without their transformation of kernels.

    Args:
        space: any space that builds networks.
        input_shape: of one input, see `InputShape`.
        outputs: the number of classes, or of other outputs.

    Attributes:
        shared: the shared tensors by the keys of weights.
    """

    def __init__(self, space: Space, input_shape: InputShape, outputs: int) -> None:
        super().__init__()
        self.space, self.input_shape, self.outputs = space, input_shape, outputs
        self._built: dict[Configuration, tuple[nn.Module, list[Weight]]] = {}
        sizes, largest = self._sizes()
        self.shared = nn.ParameterDict()
        for configuration in dict.fromkeys(largest.values()):
            network = space.build(configuration, input_shape, outputs)
            for weight in weights(network):
                if largest[weight.key] == configuration and weight.key not in self.shared:
                    self.shared[weight.key] = _enlarged(weight, sizes[weight.key])

    def _sizes(self) -> tuple[dict[str, tuple[int, ...]], dict[str, Configuration]]:
        """Return the size of the shared tensor of each key, and the network with the most of it."""
        sizes: dict[str, tuple[int, ...]] = {}
        largest: dict[str, tuple[int, Configuration]] = {}

        def add(configuration: Configuration) -> bool:
            """Return whether the weights of a network are new or larger."""
            before = dict(sizes)
            with torch.device("meta"):
                network = self.space.build(configuration, self.input_shape, self.outputs)
            for weight in weights(network):
                shape, key = tuple(weight.tensor.shape), weight.key
                sizes[key] = tuple(map(max, zip(shape, sizes.get(key, shape), strict=True)))
                if math.prod(shape) > largest.get(key, (-1,))[0]:
                    largest[key] = math.prod(shape), configuration
            return sizes != before

        # A generator of its own, so that a supernet fits the file of another run.
        rng, choices = np.random.default_rng(0), self.space.configuration_space
        for configuration in Extremes(choices).covering(rng):
            add(configuration)
        idle = 0
        for _ in range(MAX_RANDOM_NETWORKS):
            idle = 0 if add(draw(choices, rng)) else idle + 1
            if idle == NOTHING_NEW:
                break
        return sizes, {key: configuration for key, (_, configuration) in largest.items()}

    def path(self, inputs: Tensor, configuration: Configuration) -> Tensor:
        """See `SharedWeights.path`."""
        network, parts = self._network(configuration)
        for weight in parts:
            if weight.key in self.shared:
                weight.replace(weight.read(self.shared[weight.key]))
        outputs: Tensor = network.to(inputs.device).train(self.training)(inputs)
        return outputs

    def train(self, mode: bool = True) -> Self:
        """See `nn.Module.train`; networks of the training are not kept for evaluation."""
        if not mode:
            self._built.clear()
        return super().train(mode)

    def _network(self, configuration: Configuration) -> tuple[nn.Module, list[Weight]]:
        """Return a network and its weights, in training one that was built before, if kept."""
        if configuration in self._built:
            return self._built[configuration]
        network = self._build(configuration)
        built = network, list(weights(network))
        if self.training:
            if len(self._built) >= MAX_BUILT:
                self._built.pop(next(iter(self._built)))
            self._built[configuration] = built
        return built

    @torch.no_grad()
    def stand_alone(self, configuration: Configuration) -> dict[str, Tensor]:
        """See `SharedWeights.stand_alone`."""
        network = self._build(configuration)
        for weight in weights(network):
            if weight.key in self.shared:
                weight.tensor.copy_(weight.read(self.shared[weight.key]))
        return network.state_dict()

    def _build(self, configuration: Configuration) -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)  # for what is not shared
            return self.space.build(configuration, self.input_shape, self.outputs)


def _enlarged(weight: Weight, size: tuple[int, ...]) -> nn.Parameter:
    """Return a shared tensor with the values of a weight; others are drawn from among them."""
    own = weight.tensor.detach()
    if tuple(own.shape) == size:
        shared = own.clone()
    else:
        index = torch.randint(own.numel(), (math.prod(size),))
        shared = own.flatten()[index].reshape(size)
        weight.write(shared)
    return nn.Parameter(shared, requires_grad=weight.tensor.requires_grad)
