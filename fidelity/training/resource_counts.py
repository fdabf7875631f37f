"""What a configuration alone tells of its network, before it is trained."""

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

QUANTITIES = ("parameters", "multiply_adds", "activations", "peak_activation_bytes")
"""The names are those of `spaces.Cost`."""


@dataclass(frozen=True)
class Counts:
    """Counts networks on torch's meta device: in milliseconds, with no memory, each only once.

    Attributes:
        space: builds the networks.
        input_shape: channels, height and width of one image.
        outputs: the number of classes.
    """

    space: Space
    input_shape: InputShape
    outputs: int
    _known: dict[str, Cost | None] = field(
        init=False, default_factory=dict, repr=False, compare=False
    )

    def of(self, configuration: Configuration) -> Cost | None:
        """The cost of its network; None where no path leads from the input to the output."""
        # By the key, since many configurations of a space of cells are the same network.
        key = trial_key(self.space, configuration)
        if key not in self._known:
            self._known[key] = self._counted(configuration)
        return self._known[key]

    def _counted(self, configuration: Configuration) -> Cost | None:
        if not self.space.architecture(configuration).connected:
            return None
        with torch.device("meta"):
            network = self.space.build(configuration, self.input_shape, self.outputs)
        return cost(network, self.input_shape)

    def __getstate__(self) -> dict[str, Any]:
        """What was counted stays behind: another process counts what it needs."""
        return {**self.__dict__, "_known": {}}


@dataclass(frozen=True)
class Counted:
    """One quantity of a configuration's network.

    Attributes:
        counts: are shared by all quantities.
        name: one of `QUANTITIES`.
    """

    counts: Counts
    name: str

    def __call__(self, configuration: Configuration) -> float:
        """The number; infinite for a network that cannot be trained, as no path leads through."""
        found = self.counts.of(configuration)
        return math.inf if found is None else float(getattr(found, self.name))


def counted(space: Space, input_shape: InputShape, outputs: int) -> Mapping[str, Counted]:
    """All quantities by name: see `spaces.Cost`."""
    counts = Counts(space, input_shape, outputs)
    return {name: Counted(counts, name) for name in QUANTITIES}
