"""Torch modules for sequences of tokens, (batch, length, width) in and out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

Tokens = Float[Tensor, "batch length width"]


class Embed(nn.Module):
    """A vector of each token plus sines and cosines of its position (Vaswani et al. 2017).

    Args:
        vocabulary: the number of different tokens.
        width: of the vectors.
    """

    def __init__(self, vocabulary: int, width: int) -> None:
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width)

    def forward(self, x: Int[Tensor, "batch length"]) -> Tokens:
        """Return the sum of both, for sequences of any length."""
        vectors: Tensor = self.tokens(x)
        length, width = vectors.shape[1:]
        position = torch.arange(length, device=x.device, dtype=vectors.dtype)[:, None]
        pair = torch.arange(0, width, 2, device=x.device, dtype=vectors.dtype)
        angle = position * torch.exp(pair * (-math.log(10_000.0) / width))
        waves = torch.stack([angle.sin(), angle.cos()], dim=2).flatten(1)[:, :width]
        return vectors + waves


class Convolve(nn.Module):
    """A convolution over the tokens that keeps the length.

    Args:
        width: in and out.
        kernel: an odd number of tokens.
        causal: read a token and those before it; otherwise tokens on both sides.
    """

    def __init__(self, width: int, kernel: int, *, causal: bool) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(width, width, kernel)
        self.before = kernel - 1 if causal else kernel // 2
        self.after = kernel - 1 - self.before

    def forward(self, x: Tokens) -> Tokens:
        """Convolve the zero-padded sequence."""
        padded = nn.functional.pad(x.transpose(1, 2), (self.before, self.after))
        result: Tensor = self.convolution(padded)
        return result.transpose(1, 2)


class Attend(nn.Module):
    """Multi-head self-attention (Vaswani et al. 2017).

    Args:
        width: in and out, a multiple of `heads`.
        heads: the number of parts of the width, each with its own attention.
        causal: read a token and those before it; otherwise all tokens.

    Attributes:
        cached_numbers: the keys and values of a token, which generation keeps for later tokens;
            see `spaces.resources.resources`.
    """

    weight_parts: ClassVar[Mapping[str, int]] = {"read.weight": 3, "read.bias": 3}

    def __init__(self, width: int, heads: int, *, causal: bool) -> None:
        super().__init__()
        self.cached_numbers = 2 * width if causal else 0
        self.heads = heads
        self.causal = causal
        self.read = nn.Linear(width, 3 * width)
        self.write = nn.Linear(width, width)

    def forward(self, x: Tokens) -> Tokens:
        """Return the attended values."""
        parts = self.read(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        query, key, value = parts.unbind(0)
        attended = nn.functional.scaled_dot_product_attention(
            query, key, value, is_causal=self.causal
        )
        result: Tensor = self.write(attended.transpose(1, 2).flatten(2))
        return result


class Recur(nn.Module):
    """A gated recurrent unit, which reads a token and those before it (Cho et al. 2014).

    Args:
        width: in and out.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.unit = nn.GRU(width, width, batch_first=True)

    def forward(self, x: Tokens) -> Tokens:
        """Return the state after each token."""
        states: Tensor = self.unit(x)[0]
        return states


class MeanOfTokens(nn.Module):
    """The mean over the tokens of a sequence."""

    def forward(self, x: Tokens) -> Float[Tensor, "batch width"]:
        """Return one vector per sequence."""
        return x.mean(1)


class ChannelsFirst(nn.Module):
    """Tokens as (batch, width, length), which is the layout of torch's losses per token."""

    def forward(self, x: Tokens) -> Float[Tensor, "batch width length"]:
        """Return a view."""
        return x.transpose(1, 2)


class TokenNetwork(nn.Sequential):
    """Modules one after another, of which the first reads tokens.

    Attributes:
        input_dtype: of the inputs, see `spaces.resources.example_input`.
    """

    input_dtype = torch.int64
