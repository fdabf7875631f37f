"""Self-attention, to all tokens or to those in a window, as a torch module."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from spaces.transformers.forms import GLOBAL, AttentionForm

Tokens = Float[Tensor, "batch length width"]
Heads = Float[Tensor, "batch heads length head_width"]


class Attention(nn.Module):
    """Multi-head self-attention (Vaswani et al. 2017).

    Args:
        width: of the tokens, in and out.
        form: its heads, and the tokens that it reads.

    Attributes:
        cached_numbers: the keys and values of a token, which generation keeps for later tokens;
            see `spaces.resources.resources`.
    """

    def __init__(self, width: int, form: AttentionForm) -> None:
        super().__init__()
        queries, keys = form.heads * form.head_width, form.groups * form.head_width
        self.form = form
        self.cached_numbers = 2 * keys if form.causal else 0
        self.query = nn.Linear(width, queries, form.bias)
        self.key = nn.Linear(width, keys, form.bias)
        self.value = nn.Linear(width, keys, form.bias)
        self.output = nn.Linear(queries, width, form.bias)

    def forward(self, x: Tokens) -> Tokens:
        """Return the attended values."""
        form = self.form
        query, key, value = self._heads(self.query(x)), self._heads(self.key(x)), self.value(x)
        value = self._heads(value)
        if form.rotary:
            query, key = rotate(query), rotate(key)
        if form.groups < form.heads:
            key = key.repeat_interleave(form.heads // form.groups, dim=1)
            value = value.repeat_interleave(form.heads // form.groups, dim=1)
        if form.window == GLOBAL:
            attended = F.scaled_dot_product_attention(query, key, value, is_causal=form.causal)
        else:
            attended = local_attention(query, key, value, form.window, causal=form.causal)
        result: Tensor = self.output(attended.transpose(1, 2).flatten(2))
        return result

    def _heads(self, x: Tokens) -> Heads:
        heads: Tensor = x.unflatten(2, (-1, self.form.head_width))
        return heads.transpose(1, 2)


def rotate(x: Heads) -> Heads:
    """Rotate pairs of numbers by angles proportional to the position (Su et al. 2021).

    The dot product of a rotated query and a rotated key depends on the distance of their positions
    alone.
    """
    length, width = x.shape[-2:]
    half = torch.arange(width // 2, device=x.device, dtype=torch.float32)
    position = torch.arange(length, device=x.device, dtype=torch.float32)
    angle = position[:, None] * 10_000.0 ** (-2 * half / width)
    cosine, sine = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cosine - second * sine, first * sine + second * cosine], dim=-1)


def local_attention(query: Heads, key: Heads, value: Heads, window: int, *, causal: bool) -> Heads:
    """Attend to the tokens that are fewer than `window` positions away, in linear time.

    The sequence is cut into chunks of `window` tokens. The tokens of a chunk read those of their
    own chunk and of the chunk before it, and after it unless causal, through a mask (Beltagy et al.
    2020, "Longformer").

    Args:
        query: one per token and head.
        key: one per token and head.
        value: one per token and head.
        window: the number of positions.
        causal: read no later token.
    """
    heads, length = query.shape[1:3]
    chunk = torch.arange((length + window - 1) // window, device=query.device)[:, None] * window
    own = chunk + torch.arange(window, device=query.device)
    near = chunk - window + torch.arange((2 if causal else 3) * window, device=query.device)
    distance = own[:, :, None] - near[:, None]
    reads = (distance < window) & (distance >= 0 if causal else distance > -window)
    # The last chunk is padded; padding reads itself, as a softmax of nothing has no value.
    reads = reads & (((near >= 0) & (near < length))[:, None] | (distance == 0))

    def take(x: Heads, position: Int[Tensor, "chunks n"]) -> Float[Tensor, "rows chunks n width"]:
        taken = x.flatten(0, 1).index_select(1, position.clamp(0, length - 1).flatten())
        cut: Tensor = taken.unflatten(1, (-1, position.shape[1]))
        return cut

    attended = F.scaled_dot_product_attention(
        take(query, own), take(key, near), take(value, near), attn_mask=reads
    )
    joined: Tensor = attended.flatten(1, 2).unflatten(0, (-1, heads))
    return joined.index_select(2, torch.arange(length, device=query.device))
