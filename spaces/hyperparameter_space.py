"""A plain configuration space as a search space: hyperparameters only, no networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ConfigSpace import Configuration, ConfigurationSpace

from spaces.architecture.architecture import Architecture
from spaces.display.html import Shown
from spaces.keys import values_key
from spaces.space import NETWORK_METHODS, InputShape, SpaceError, missing_method

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, repr=False)
class HyperparameterSpace(Shown):
    """Configurations that stand for no network; equal values mean the same trial.

    Attributes:
        configuration_space: any ConfigSpace, with numbers, choices and conditions.

    Raises:
        SpaceError: it is no configuration space, or has no hyperparameter.
    """

    lacks: ClassVar[tuple[str, ...]] = NETWORK_METHODS

    configuration_space: ConfigurationSpace

    def __post_init__(self) -> None:
        if not isinstance(self.configuration_space, ConfigurationSpace):
            raise SpaceError(
                "the hyperparameters are a ConfigSpace.ConfigurationSpace, not a "
                f"{type(self.configuration_space).__name__}: write for instance "
                "ConfigurationSpace({'learning_rate': (0.001, 1.0)})"
            )
        if not len(self.configuration_space):
            raise SpaceError("the configuration space has no hyperparameter: add at least 1")

    def key(self, configuration: Configuration) -> str:
        """Return a name of the active values, see `spaces.trial_key`."""
        return values_key(configuration)

    def architecture(self, configuration: Configuration) -> Architecture:
        """Raise a `SpaceError`: there is no network to show."""
        raise missing_method(self, "architecture", "to show a network as a graph")

    def build(
        self, configuration: Configuration, input_shape: InputShape, outputs: int
    ) -> nn.Module:
        """See `Space.build`; raises a `SpaceError`, because there is no network to build."""
        raise missing_method(self, "build", "to make a network")
