"""One hierarchical space in which the well-known hand-made networks are points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from ConfigSpace import Configuration, ConfigurationSpace

from spaces.architecture.architecture import Architecture
from spaces.display.html import Shown
from spaces.hierarchical.space import HierarchicalSpace
from spaces.motifs import families, inception
from spaces.motifs.families import Choices, Family
from spaces.motifs.layers import Convolution, Layer, Pool
from spaces.motifs.motifs import Chain, Motif, Repeat, Stage
from spaces.motifs.plan import Draft, Plan
from spaces.motifs.scope import Chosen
from spaces.space import InputShape, SpaceError, values

if TYPE_CHECKING:
    from torch import nn


def residual_stem(channels_in: int, position: int, choices: Choices) -> Plan:
    """A 7x7 convolution and maximum pooling, both of stride 2 (He et al. 2016)."""
    draft = Draft(channels_in)
    layers: list[Layer] = [Convolution(int(choices["width"]), (7, 7), 2), Pool("max", 3, 2)]
    return draft.finish(draft.chain(layers, 0))


def small_stem(channels_in: int, position: int, choices: Choices) -> Plan:
    """A 3x3 convolution that keeps the resolution, for small images."""
    draft = Draft(channels_in)
    return draft.finish(draft.add(Convolution(int(choices["width"])), 0))


STEMS: Mapping[str, Family] = {
    "residual": Family(residual_stem, {"width": (16, 32, 64, 96)}),
    "small": Family(small_stem, {"width": (16, 32, 64, 96)}),
    "inception_v3": inception.STEM_V3,
    "inception_v4": inception.STEM_V4,
}

FAMILIES: Mapping[str, Family] = {
    "plain": families.PLAIN,
    "basic": families.BASIC,
    "bottleneck": families.BOTTLENECK,
    "aggregated": families.AGGREGATED,
    "inverted": families.INVERTED,
    "inception_v3_a": inception.V3_A,
    "inception_v3_b": inception.V3_B,
    "inception_v3_c": inception.V3_C,
    "inception_v4_a": inception.V4_A,
    "inception_v4_b": inception.V4_B,
    "inception_v4_c": inception.V4_C,
}


@dataclass(frozen=True, repr=False)
class StageSpace(Shown):
    """Networks of a stem and stages; each stage chooses a family of blocks and their form.

    ResNet-18 and -50, ResNeXt-50, Inception-v3 and -v4 are configurations of this space
    (`spaces.hierarchical.zoo`).

    Attributes:
        families: the blocks that a stage can be made of.
        stems: what can come before the first stage.
        stages: how many, from and to.
        depth: how many blocks a stage has, from and to.
        dropout: before the linear layer, a probability.
        auxiliary: whether networks of two stages or more have a second classifier before their
            last stage, whose loss a training may add: `network.both(images)` returns both logits.
    """

    unlabelled: ClassVar[tuple[str, ...]] = ()  # a plan labels whatever it builds

    families: Mapping[str, Family] = field(default_factory=lambda: FAMILIES)
    stems: Mapping[str, Family] = field(default_factory=lambda: STEMS)
    stages: tuple[int, int] = (1, 4)
    depth: tuple[int, int] = (1, 8)
    dropout: float = 0.0
    auxiliary: bool = False

    def __post_init__(self) -> None:
        if self.stages[0] < 1:
            raise SpaceError(f"a network has at least 1 stage, not {self.stages[0]}")
        _ = self._space

    @cached_property
    def _space(self) -> HierarchicalSpace:
        stage = Stage(self.families, self.depth)
        parts: dict[str, Motif] = {
            "stem": Stage(self.stems, (1, 1), choice="kind"),
            "stages": Repeat(stage, *self.stages, name="stage"),
        }
        return HierarchicalSpace(Chain(parts), (), dropout=self.dropout)

    @property
    def configuration_space(self) -> ConfigurationSpace:
        """For instance `stages:depth`, `stages:stage2:family`, `stages:stage2:basic:width`."""
        return self._space.configuration_space

    def plan(self, configuration: Configuration, channels_in: int = 3) -> Plan:
        """The architecture together with what its labels mean."""
        return self._space.plan(configuration, channels_in)

    def architecture(self, configuration: Configuration) -> Architecture:
        """The graph, with stages, blocks and modules as nested architectures."""
        return self._space.architecture(configuration)

    def build(
        self, configuration: Configuration, input_shape: InputShape, outputs: int
    ) -> nn.Module:
        """The network, freshly initialised.

        Args:
            configuration: of this space.
            input_shape: channels, height and width of one image, of any size.
            outputs: the number of classes.
        """
        depth = int(configuration["stages:depth"])
        if not self.auxiliary or depth < 2:
            return self._space.build(configuration, input_shape, outputs)
        from spaces.motifs.build import WithAuxiliary

        chosen = values(configuration)
        front = self._space.motif.plan(
            Chosen({**chosen, "stages:depth": depth - 1}), input_shape[0]
        )
        last = Chosen(chosen).inside("stages").inside(f"stage{depth}")
        back = Stage(self.families, self.depth).plan(last, front.channels)
        return WithAuxiliary(front, back, outputs, self.dropout)

    def with_auxiliary(self) -> StageSpace:
        """The same space, whose networks have an auxiliary classifier."""
        return replace(self, auxiliary=True)
