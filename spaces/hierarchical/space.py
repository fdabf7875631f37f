"""Hierarchical spaces: a motif of motifs, to any depth, as a search space."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from ConfigSpace import Configuration, ConfigurationSpace

from spaces.architecture.architecture import Architecture
from spaces.display.html import Shown
from spaces.motifs.layers import Convolution, Layer
from spaces.motifs.motifs import Chain, Fixed, Motif
from spaces.motifs.plan import Plan
from spaces.motifs.scope import Chosen, Declared, Scope
from spaces.space import InputShape, SpaceError, values

if TYPE_CHECKING:
    from torch import nn

COLOURS = 3
"""Channels of the images for which an architecture is drawn. The labels of the stem name its output
and not its input, so the architecture is the same for any other number."""


class MotifSpace(Shown, ABC):
    """A space that describes one motif, stem and head by its own settings."""

    unlabelled: ClassVar[tuple[str, ...]] = ()  # the labels of a plan name all that it builds

    @property
    @abstractmethod
    def hierarchical(self) -> HierarchicalSpace:
        """The same space in terms of motifs."""

    @property
    def configuration_space(self) -> ConfigurationSpace:
        """The choices of the motif, each named by its path; those beyond a depth are inactive."""
        return self.hierarchical.configuration_space

    def plan(self, configuration: Configuration, channels_in: int = COLOURS) -> Plan:
        """See `HierarchicalSpace.plan`."""
        return self.hierarchical.plan(configuration, channels_in)

    def architecture(self, configuration: Configuration) -> Architecture:
        """Return the graph, with motifs as nested architectures."""
        return self.hierarchical.architecture(configuration)

    def build(
        self, configuration: Configuration, input_shape: InputShape, outputs: int
    ) -> nn.Module:
        """See `Space.build`; images and signals may have any size."""
        return self.hierarchical.build(configuration, input_shape, outputs)


@dataclass(frozen=True, repr=False)
class HierarchicalSpace(Shown):
    """Networks of a motif, between a stem and a linear classifier.

    Attributes:
        motif: the part that is searched.
        stem: layers before it, which make a fixed number of channels; empty where the motif begins
            with layers that do not depend on their input's channels.
        head: layers after it, before global average pooling.
        dropout: before the linear layer, a probability.

    Raises:
        SpaceError: the motif has nothing to choose from.
    """

    unlabelled: ClassVar[tuple[str, ...]] = ()  # the labels of a plan name all that it builds

    motif: Motif
    stem: tuple[Layer, ...] = (Convolution(16),)
    head: tuple[Layer, ...] = ()
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.dropout < 1:
            raise SpaceError(f"dropout is a probability below 1, not {self.dropout}")
        if not len(self.configuration_space):
            raise SpaceError("the motif has no choices, so there is nothing to search")

    @cached_property
    def configuration_space(self) -> ConfigurationSpace:
        """The choices of the motif; those of motifs that are not chosen are inactive."""
        declared = Declared()
        self.motif.declare(Scope(declared))
        return declared.space()

    def plan(self, configuration: Configuration, channels_in: int = COLOURS) -> Plan:
        """Return the architecture together with the meaning of its labels.

        Args:
            configuration: of this space.
            channels_in: of the images.
        """
        parts: dict[str, Motif] = {
            "stem": Fixed(self.stem),
            "motif": _At(self.motif),
            "head": Fixed(self.head),
        }
        return Chain(parts).plan(Chosen(values(configuration)), channels_in)

    def architecture(self, configuration: Configuration) -> Architecture:
        """Return the graph, with motifs as nested architectures."""
        return self.plan(configuration).architecture

    def build(
        self, configuration: Configuration, input_shape: InputShape, outputs: int
    ) -> nn.Module:
        """See `Space.build`; images and signals may have any size."""
        from spaces.motifs.build import network
        from spaces.operations.dimensions import match_dimensions

        plan = self.plan(configuration, input_shape[0])
        return match_dimensions(network(plan, outputs, self.dropout), input_shape)


@dataclass(frozen=True)
class _At:
    """A motif whose choices have no prefix."""

    motif: Motif

    def declare(self, scope: Scope) -> None:
        """See `Motif.declare`: at the root."""
        self.motif.declare(Scope(scope.declared))

    def plan(self, chosen: Chosen, channels_in: int) -> Plan:
        """See `Motif.plan`: at the root."""
        return self.motif.plan(Chosen(chosen.values), channels_in)
