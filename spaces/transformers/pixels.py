"""Self-attention among the pixels of feature maps, as a torch module."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from spaces.transformers.attention import Attention
from spaces.transformers.forms import AttentionForm


class PixelAttention(nn.Module):
    """Normalisation, and self-attention among all pixels of an image or samples of a signal.

    Args:
        channels: in and out.
        heads: the number of heads.
        head_width: of the queries, keys and values of a head.
    """

    def __init__(self, channels: int, heads: int, head_width: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(1, channels)
        self.attention = Attention(channels, AttentionForm(heads, head_width, heads))

    def forward(
        self, x: Float[Tensor, "batch channels *size"]
    ) -> Float[Tensor, "batch channels *size"]:
        """Return the attended values, in the shape of the input."""
        pixels = self.norm(x).flatten(2).transpose(1, 2)
        attended: Tensor = self.attention(pixels)
        return attended.transpose(1, 2).reshape(x.shape)
