"""Encoder-decoder spaces: networks from an image to one value per class and pixel, for masks.

Ronneberger et al. (2015), "U-Net: convolutional networks for biomedical image segmentation", with
a choice of blocks on the way down and up, and of each connection between the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from ConfigSpace import Configuration

from spaces.hierarchical.space import HierarchicalSpace, MotifSpace
from spaces.motifs import families
from spaces.motifs.families import Family
from spaces.motifs.layers import Convolution, Pool, Upsampling
from spaces.motifs.motifs import Stage
from spaces.motifs.plan import Draft, Plan
from spaces.motifs.scope import Above, Chosen, Scope
from spaces.space import InputShape, SpaceError

if TYPE_CHECKING:
    from torch import nn

SKIPS = ("concatenate", "add", "none")
"""Connections from an encoder stage to the decoder stage of the same resolution."""

_KERNEL = {"kernel": (3, 5)}
FAMILIES: Mapping[str, Family] = {
    "plain": Family(families.plain, {}, _KERNEL),
    "basic": Family(families.basic, {}, _KERNEL),
    "inverted": Family(families.inverted, {}, {**_KERNEL, "expansion": (2, 4)}),
}


@dataclass(frozen=True)
class Levels:
    """A motif of stages whose resolution is halved and restored: down, around the bend, and up.

    Attributes:
        families: the blocks that a stage chooses from, by name; they receive the choices `width`
            and `stride`, which is 1.
        widths: the choices of the first stage, doubled at each halving.
        depth: the smallest and the largest number of halvings.
        blocks: the smallest and the largest number of blocks in a stage.
    """

    families: Mapping[str, Family]
    widths: tuple[int, ...]
    depth: tuple[int, int]
    blocks: tuple[int, int]

    def _stage(self, level: int) -> Stage:
        shared = {"width": tuple(width * 2 ** (level - 1) for width in self.widths), "stride": (1,)}
        sized = {
            name: replace(family, shared={**family.shared, **shared})
            for name, family in self.families.items()
        }
        return Stage(sized, self.blocks)

    def declare(self, scope: Scope) -> None:
        """See `Motif.declare`: the depth, and at each level an encoder, a skip, and a decoder."""
        least, most = self.depth
        depth = scope.integer("depth", least, most)
        for level in range(1, most + 2):
            reached = (Above(depth, level - 2),) if level > least + 1 else ()
            self._stage(level).declare(scope.inside(f"encoder{level}", *reached))
            if level <= most:
                passed = (Above(depth, level - 1),) if level > least else ()
                decoder = scope.inside(f"decoder{level}", *passed)
                decoder.categorical("skip", SKIPS)
                self._stage(level).declare(decoder)

    def plan(self, chosen: Chosen, channels_in: int) -> Plan:
        """See `Motif.plan`."""
        return self._from(1, chosen, channels_in)

    def _from(self, level: int, chosen: Chosen, channels_in: int) -> Plan:
        """Plan a level and all below it."""
        draft = Draft(channels_in)
        stage = self._stage(level)
        encoded = draft.nest(
            stage.plan(chosen.inside(f"encoder{level}"), channels_in), 0, name="encoder"
        )
        if level > int(chosen["depth"]):
            return draft.finish(encoded)
        width = draft.channels(encoded)
        halved = draft.add(Pool("max", 2, 2, padded=False), encoded)
        below = draft.nest(self._from(level + 1, chosen, width), halved, name="below")
        # A 1x1 convolution commutes with this upsampling, and is cheaper before it.
        raised = draft.chain([Convolution(width, (1, 1)), Upsampling(2)], below)
        decoder = chosen.inside(f"decoder{level}")
        match str(decoder["skip"]):
            case "concatenate":
                raised = draft.concat(encoded, raised)
            case "add":
                raised = draft.sum(encoded, raised)
        plan = stage.plan(decoder, draft.channels(raised))
        return draft.finish(draft.nest(plan, raised, name="decoder"))


@dataclass(frozen=True, repr=False)
class EncoderDecoderSpace(MotifSpace):
    """Networks for masks: stages down to a low resolution and up again, with skip connections.

    A network maps images (batch, channels, height, width) of any size to logits
    (batch, outputs, height, width), and signals (batch, channels, length) to
    (batch, outputs, length). Each stage chooses the family, the width and the number of its
    blocks, and each block its kernel. At each resolution but the lowest, a skip connection
    concatenates or adds the encoder's result to the decoder's input, or is absent.

    Attributes:
        widths: the choices of the first stage, ascending; each halving of the resolution doubles
            them.
        depth: the smallest and the largest number of halvings.
        blocks: the smallest and the largest number of blocks in a stage.
        families: the blocks that a stage chooses from, by name; their choices `width` and `stride`
            are set by the level.

    Raises:
        SpaceError: there is nothing to choose from, or a setting is out of its range.
    """

    widths: tuple[int, ...] = (8, 16, 32)
    depth: tuple[int, int] = (1, 3)
    blocks: tuple[int, int] = (1, 2)
    families: Mapping[str, Family] = field(default_factory=lambda: FAMILIES)

    def __post_init__(self) -> None:
        if not self.widths or self.widths[0] < 1 or list(self.widths) != sorted({*self.widths}):
            raise SpaceError(
                f"the widths are {self.widths}: give one or more different positive numbers, "
                "ascending, for instance (8, 16, 32)"
            )
        if not 1 <= self.depth[0] <= self.depth[1]:
            raise SpaceError(
                f"the depth counts halvings from 1 up and its bounds ascend, not {self.depth}"
            )
        _ = self.hierarchical

    @cached_property
    def hierarchical(self) -> HierarchicalSpace:
        """The same space in terms of motifs."""
        levels = Levels(self.families, self.widths, self.depth, self.blocks)
        return HierarchicalSpace(levels, (Convolution(self.widths[0]),))

    def build(
        self, configuration: Configuration, input_shape: InputShape, outputs: int
    ) -> nn.Module:
        """See `Space.build`; the network returns logits per pixel, for images of any size."""
        from torch import nn

        from spaces.motifs.build import Body
        from spaces.operations.dimensions import match_dimensions
        from spaces.operations.modules import PaddedToMultiple

        body = Body(self.plan(configuration, input_shape[0]))
        layers = nn.Sequential(body, nn.Conv2d(body.channels, outputs, 1))
        network = PaddedToMultiple(layers, 2 ** int(configuration["depth"]))
        return match_dimensions(network, input_shape)
