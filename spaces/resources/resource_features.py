"""The resources of a network as features for a surrogate."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ConfigSpace import Configuration

from spaces.space import InputShape, Space, require


@dataclass(frozen=True)
class ResourceFeatures:
    """Logarithms of parameters and multiply-adds: cheap, and bigger networks are often better.

    A network is built on the meta device to be counted, which takes milliseconds and no memory;
    an `Encoder` calls this once per key. Torch is imported when the first network is counted.

    Attributes:
        space: builds the networks.
        input_shape: of one input, see `InputShape`.
        outputs: the number of classes.
    """

    space: Space
    input_shape: InputShape
    outputs: int

    def __call__(self, configuration: Configuration) -> tuple[float, float]:
        """Return log(1 + parameters) and log(1 + multiply-adds)."""
        import torch

        from spaces.resources.resources import count_resources

        require(self.space, "build", "to count its resources")
        with torch.device("meta"):
            network = self.space.build(configuration, self.input_shape, self.outputs)
        counted = count_resources(network, self.input_shape)
        return math.log1p(counted.parameters), math.log1p(counted.multiply_adds)


CostFeatures = ResourceFeatures  # its name in version 0.1
