"""The resources of a configuration's network, computed before it is trained."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from ConfigSpace import Configuration

from spaces.keys import trial_key
from spaces.resources.resources import Cost, cost
from spaces.space import InputShape, Space

RESOURCES = (
    "parameters",
    "multiply_adds",
    "activations",
    "peak_activation_bytes",
    "cache_bytes_per_token",
)
"""The names are those of `spaces.Cost`."""


@dataclass(frozen=True)
class ResourceCounter:
    """A counter on torch's meta device: in milliseconds, with no memory, each network only once.

    Attributes:
        space: builds the networks.
        input_shape: of one input, see `spaces.InputShape`.
        outputs: of the networks.
    """

    space: Space
    input_shape: InputShape
    outputs: int
    _cache: dict[str, Cost | None] = field(
        init=False, default_factory=dict, repr=False, compare=False
    )

    def count(self, configuration: Configuration) -> Cost | None:
        """Return the resources of a network; None where no path leads from input to output."""
        # By the key, since many configurations of a space of cells are the same network.
        key = trial_key(self.space, configuration)
        if key not in self._cache:
            self._cache[key] = self._counted(configuration)
        return self._cache[key]

    def _counted(self, configuration: Configuration) -> Cost | None:
        if not self.space.architecture(configuration).connected:
            return None
        with torch.device("meta"):
            network = self.space.build(configuration, self.input_shape, self.outputs)
        return cost(network, self.input_shape)

    def __getstate__(self) -> dict[str, Any]:
        """Return the settings without the cache: another process counts what it needs."""
        return {**self.__dict__, "_cache": {}}


@dataclass(frozen=True)
class ResourceCount:
    """One resource of a configuration's network.

    Attributes:
        counter: shared by all resources.
        name: one of `RESOURCES`.
    """

    counter: ResourceCounter
    name: str

    def __call__(self, configuration: Configuration) -> float:
        """Return the number; infinite where no path leads from the input to the output."""
        resources = self.counter.count(configuration)
        return math.inf if resources is None else float(getattr(resources, self.name))


def resource_counts(
    space: Space, input_shape: InputShape, outputs: int
) -> Mapping[str, ResourceCount]:
    """Return all resources by name: see `spaces.Cost`.

    Args:
        space: builds the networks.
        input_shape: of one input, see `spaces.InputShape`.
        outputs: of the networks.
    """
    counter = ResourceCounter(space, input_shape, outputs)
    return {name: ResourceCount(counter, name) for name in RESOURCES}
