"""Architecture and training hyperparameters in one space."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from ConfigSpace import Configuration, ConfigurationSpace

from spaces.architecture.architecture import Architecture
from spaces.display.html import Shown
from spaces.keys import combined_key, trial_key
from spaces.space import (
    NETWORK_METHODS,
    InputShape,
    Space,
    SpaceError,
    provides,
    record,
    require,
    values,
)

if TYPE_CHECKING:
    from torch import nn

ARCHITECTURE = "architecture"
TRAINING = "training"


@dataclass(frozen=True, repr=False)
class JointSpace(Shown):
    """The product of a space of architectures and one of training hyperparameters.

    Zela et al. (2018), "Towards automated deep learning: efficient joint neural architecture and
    hyperparameter search".

    Attributes:
        space: of the architectures.
        hyperparameters: of the training, for instance `learning_rate`, `weight_decay` and
            `batch_size`; conditions may connect them.

    Raises:
        SpaceError: there are no hyperparameters.
    """

    space: Space
    hyperparameters: ConfigurationSpace

    def __post_init__(self) -> None:
        if not len(self.hyperparameters):
            raise SpaceError("a joint space has at least 1 hyperparameter of the training")

    @cached_property
    def configuration_space(self) -> ConfigurationSpace:
        """Both, their names prefixed with `architecture:` and `training:`."""
        joint = ConfigurationSpace()
        # Copies, because ConfigSpace renames the parents in conditions of the added space.
        for prefix, part in self._parts.items():
            joint.add_configuration_space(prefix, copy.deepcopy(part))
        return joint

    @property
    def lacks(self) -> tuple[str, ...]:
        """The methods that the space of architectures lacks."""
        return tuple(method for method in NETWORK_METHODS if not provides(self.space, method))

    @property
    def _parts(self) -> dict[str, ConfigurationSpace]:
        return {ARCHITECTURE: self.space.configuration_space, TRAINING: self.hyperparameters}

    @cached_property
    def _columns(self) -> dict[str, list[int]]:
        """The positions of each part's numbers in a joint vector, in the order of the part."""
        index = self.configuration_space.index_of
        return {
            prefix: [index[f"{prefix}:{name}"] for name in part]
            for prefix, part in self._parts.items()
        }

    def part(self, configuration: Configuration, prefix: str) -> Configuration:
        """Return one part of a joint configuration, as a configuration of its own space.

        Args:
            configuration: of this space.
            prefix: 'architecture' or 'training'.
        """
        vector = np.asarray(configuration.get_array())[self._columns[prefix]]
        return Configuration(self._parts[prefix], vector=vector)

    def training(self, configuration: Configuration) -> dict[str, Any]:
        """Return the active training hyperparameters by name, as plain values."""
        return values(self.part(configuration, TRAINING))

    def architecture(self, configuration: Configuration) -> Architecture:
        """Return the graph, which does not depend on the training."""
        require(self.space, "architecture", "to show a network as a graph")
        return self.space.architecture(self.part(configuration, ARCHITECTURE))

    def key(self, configuration: Configuration) -> str:
        """Return a name of network and training together: equal keys are the same trial."""
        network = trial_key(self.space, self.part(configuration, ARCHITECTURE))
        return combined_key(network, record(self.part(configuration, TRAINING)))

    def build(
        self, configuration: Configuration, input_shape: InputShape, outputs: int
    ) -> nn.Module:
        """See `Space.build`; the network does not depend on the training."""
        require(self.space, "build", "to make a network")
        return self.space.build(self.part(configuration, ARCHITECTURE), input_shape, outputs)
