"""One hierarchical space in which the well-known hand-made networks are points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from ConfigSpace import Configuration

from spaces.hierarchical.space import HierarchicalSpace, MotifSpace
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
    """See `Block`: a 7x7 convolution and maximum pooling, of stride 2 each (He et al. 2016)."""
    draft = Draft(channels_in)
    layers: list[Layer] = [Convolution(int(choices["width"]), (7, 7), 2), Pool("max", 3, 2)]
    return draft.finish(draft.chain(layers, 0))


def small_stem(channels_in: int, position: int, choices: Choices) -> Plan:
    """See `Block`: a 3x3 convolution that keeps the resolution, for small images."""
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
class StageSpace(MotifSpace):
    """Networks of a stem and stages; each stage chooses a family of blocks and their form.

    ResNet-18 and -50, ResNeXt-50, Inception-v3 and -v4 are configurations of this space
    (`spaces.hierarchical.zoo`). Its choices are named by their path, for instance `stages:depth`,
    `stages:stage2:family` and `stages:stage2:basic:width`.

    Attributes:
        families: the blocks that a stage chooses from, by name.
        stems: the layers before the first stage that a network chooses from, by name.
        stages: the smallest and the largest number of stages.
        depth: the smallest and the largest number of blocks in a stage.
        dropout: before the linear layer, a probability.
        auxiliary: give networks of two stages or more a second classifier before their last
            stage, whose loss a training may add: `network.both(images)` returns both logits.
    """

    families: Mapping[str, Family] = field(default_factory=lambda: FAMILIES)
    stems: Mapping[str, Family] = field(default_factory=lambda: STEMS)
    stages: tuple[int, int] = (1, 4)
    depth: tuple[int, int] = (1, 8)
    dropout: float = 0.0
    auxiliary: bool = False

    def __post_init__(self) -> None:
        if self.stages[0] < 1:
            raise SpaceError(f"a network has at least 1 stage, not {self.stages[0]}")
        _ = self.hierarchical

    @cached_property
    def hierarchical(self) -> HierarchicalSpace:
        """The same space in terms of motifs."""
        stage = Stage(self.families, self.depth)
        parts: dict[str, Motif] = {
            "stem": Stage(self.stems, (1, 1), choice="kind"),
            "stages": Repeat(stage, *self.stages, name="stage"),
        }
        return HierarchicalSpace(Chain(parts), (), dropout=self.dropout)

    def build(
        self, configuration: Configuration, input_shape: InputShape, outputs: int
    ) -> nn.Module:
        """See `Space.build`; images and signals may have any size."""
        depth = int(configuration["stages:depth"])
        if not self.auxiliary or depth < 2:
            return self.hierarchical.build(configuration, input_shape, outputs)
        from spaces.motifs.build import WithAuxiliary
        from spaces.operations.dimensions import match_dimensions

        choices = values(configuration)
        front = self.hierarchical.motif.plan(
            Chosen({**choices, "stages:depth": depth - 1}), input_shape[0]
        )
        last = Chosen(choices).inside("stages").inside(f"stage{depth}")
        back = Stage(self.families, self.depth).plan(last, front.channels)
        network = WithAuxiliary(front, back, outputs, self.dropout)
        return match_dimensions(network, input_shape)

    def with_auxiliary(self) -> StageSpace:
        """Return the same space, whose networks have an auxiliary classifier."""
        return replace(self, auxiliary=True)
