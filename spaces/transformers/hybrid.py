"""Attention among the pixels of feature maps, for hybrids of convolutions and attention.

MacroSpace({"stage1": Stage({"basic": families.BASIC}), "stage2": Stage({"attention": ATTENTION})})
StageSpace({**FAMILIES, "attention": ATTENTION})
CellSpace({"attention": pixel_attention(heads=2), ...})
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spaces.motifs.families import WIDTHS, Choices, Family
from spaces.motifs.layers import Convolution, Layer, Pool
from spaces.motifs.plan import Draft, Plan
from spaces.operations.operations import Operation, identity

if TYPE_CHECKING:
    from torch import nn

HEAD_WIDTH = 16
"""The default width of a head, for feature maps of a few dozen channels."""


@dataclass(frozen=True)
class PixelAttentionLayer:
    """Normalisation, and multi-head self-attention among all pixels of a feature map.

    Attributes:
        heads: the number of heads, which need not divide the channels.
        head_width: of the queries, keys and values of a head.
    """

    heads: int
    head_width: int = HEAD_WIDTH

    @property
    def label(self) -> str:
        """For instance `pixel attention 4x16`."""
        return f"pixel attention {self.heads}x{self.head_width}"

    def channels(self, channels_in: int) -> int:
        """Return those of the input."""
        return channels_in

    def build(self, channels_in: int) -> nn.Module:
        """Return the layer."""
        from spaces.transformers.pixels import PixelAttention

        return PixelAttention(channels_in, self.heads, self.head_width)


def attention_block(channels_in: int, position: int, choices: Choices) -> Plan:
    """See `Block`: x + attention(x), and two 1x1 convolutions with a shortcut of their own.

    The first block of a stage begins with average pooling where its stride is 2, and with a 1x1
    convolution where its width differs.
    """
    width, stride = int(choices["width"]), int(choices["stride"]) if position == 0 else 1
    draft, x = Draft(channels_in), 0
    if stride > 1:
        x = draft.add(Pool("average", 3, stride), x)
    if channels_in != width:
        x = draft.add(Convolution(width, (1, 1), activation="none"), x)
    x = draft.sum(x, draft.add(PixelAttentionLayer(int(choices["heads"])), x))
    hidden = width * int(choices["expansion"])
    mixed: list[Layer] = [
        Convolution(hidden, (1, 1)),
        Convolution(width, (1, 1), activation="none"),
    ]
    return draft.finish(x, draft.chain(mixed, x))


ATTENTION = Family(
    attention_block,
    {"width": WIDTHS, "stride": (1, 2)},
    {"heads": (1, 2, 4), "expansion": (1, 2, 4)},
)
"""Blocks of attention and 1x1 convolutions, a family of `Stage`, `MacroSpace` and `StageSpace`."""


def pixel_attention(heads: int, head_width: int = HEAD_WIDTH) -> Operation:
    """Make an operation of attention among pixels, after it changed their number and channels.

    Args:
        heads: the number of heads.
        head_width: of the queries, keys and values of a head.
    """

    def build(channels_in: int, channels_out: int, stride: int) -> nn.Module:
        from torch import nn

        from spaces.transformers.pixels import PixelAttention

        reshape = identity(channels_in, channels_out, stride)
        return nn.Sequential(reshape, PixelAttention(channels_out, heads, head_width))

    return build
