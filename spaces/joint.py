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
from spaces.space import InputShape, Space, SpaceError, record, values

if TYPE_CHECKING:
    from torch import nn

ARCHITECTURE = "architecture"
TRAINING = "training"


@dataclass(frozen=True)
class JointSpace(Shown):
    """The product of a space of architectures and of training hyperparameters.

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
        # Copies, because ConfigSpace renames what conditions of the added space refer to.
        for prefix, part in self._parts.items():
            joint.add_configuration_space(prefix, copy.deepcopy(part))
        return joint

    @property
    def _parts(self) -> dict[str, ConfigurationSpace]:
        return {ARCHITECTURE: self.space.configuration_space, TRAINING: self.hyperparameters}

    @cached_property
    def _places(self) -> dict[str, list[int]]:
        """Where in a joint vector the numbers of each part are, in the order of the part."""
        index = self.configuration_space.index_of
        return {
            prefix: [index[f"{prefix}:{name}"] for name in part]
            for prefix, part in self._parts.items()
        }

    def part(self, configuration: Configuration, prefix: str) -> Configuration:
        """The part 'architecture' or 'training' of a joint configuration, of its own space."""
        vector = np.asarray(configuration.get_array())[self._places[prefix]]
        return Configuration(self._parts[prefix], vector=vector)

    def training(self, configuration: Configuration) -> dict[str, Any]:
        """The active training hyperparameters by name, as plain values."""
        return values(self.part(configuration, TRAINING))

    def architecture(self, configuration: Configuration) -> Architecture:
        """The graph, whatever the training."""
        return self.space.architecture(self.part(configuration, ARCHITECTURE))

    def key(self, configuration: Configuration) -> str:
        """Names network and training together: equal keys are one and the same trial."""
        network = trial_key(self.space, self.part(configuration, ARCHITECTURE))
        return combined_key(network, record(self.part(configuration, TRAINING)))

    def build(
        self, configuration: Configuration, input_shape: InputShape, outputs: int
    ) -> nn.Module:
        """The network, whatever the training."""
        return self.space.build(self.part(configuration, ARCHITECTURE), input_shape, outputs)
