"""Attention with any number of heads of any size."""

from __future__ import annotations

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


class PrunedAttention(nn.Module):
    """The remaining part of an `nn.MultiheadAttention`, whose heads would share all channels.

    Args:
        attention: its weights have been sliced already; it is not used any more.
        head_size: channels of a head.
    """

    def __init__(self, attention: nn.MultiheadAttention, head_size: int) -> None:
        super().__init__()
        self.in_proj_weight = attention.in_proj_weight
        self.in_proj_bias = attention.in_proj_bias
        self.out_proj = attention.out_proj
        self.batch_first = attention.batch_first
        self.dropout = attention.dropout
        self.head_size = head_size

    def forward(
        self,
        query: Float[Tensor, "batch to channels"],
        key: Float[Tensor, "batch from channels"],
        value: Float[Tensor, "batch from channels"],
    ) -> tuple[Float[Tensor, "batch to outputs"], None]:
        """Return the attended values, and None in place of the weights.

        Args:
            query: attends.
            key: is compared with the queries.
            value: is summed.
        """
        weights = self.in_proj_weight.chunk(3)
        biases = [None] * 3 if self.in_proj_bias is None else self.in_proj_bias.chunk(3)
        heads = []
        for inputs, weight, bias in zip((query, key, value), weights, biases, strict=True):
            rows = inputs if self.batch_first else inputs.transpose(0, 1)
            projected = F.linear(rows, weight, bias)
            heads.append(projected.unflatten(-1, (-1, self.head_size)).transpose(1, 2))
        rate = self.dropout if self.training else 0.0
        mixed = F.scaled_dot_product_attention(heads[0], heads[1], heads[2], dropout_p=rate)
        result: Tensor = self.out_proj(mixed.transpose(1, 2).flatten(2))
        return (result if self.batch_first else result.transpose(0, 1)), None
