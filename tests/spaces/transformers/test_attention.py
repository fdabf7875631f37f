from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from spaces.transformers.attention import Attention, local_attention, rotate
from spaces.transformers.forms import AttentionForm


def masked(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    """Attention as it is defined."""
    scores = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
    weights = scores.masked_fill(~mask, float("-inf")).softmax(-1)
    return weights @ value


@pytest.mark.parametrize("causal", [False, True])
def test_attention_is_that_of_torch(causal: bool) -> None:
    torch.manual_seed(0)
    ours = Attention(8, AttentionForm(2, 4, 2, causal=causal))
    theirs = nn.MultiheadAttention(8, 2, batch_first=True)
    parts = (ours.query, ours.key, ours.value)
    theirs.in_proj_weight.data = torch.cat([part.weight for part in parts])
    theirs.in_proj_bias.data = torch.cat([part.bias for part in parts])
    theirs.out_proj.load_state_dict(ours.output.state_dict())
    x = torch.randn(3, 6, 8)
    mask = nn.Transformer.generate_square_subsequent_mask(6) if causal else None
    torch.testing.assert_close(ours(x), theirs(x, x, x, attn_mask=mask)[0])


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("window", [1, 2, 4, 9])
@pytest.mark.parametrize("length", [1, 3, 4, 8, 13])
def test_local_attention_is_that_of_a_mask(causal: bool, window: int, length: int) -> None:
    torch.manual_seed(0)
    query, key, value = torch.randn(3, 2, 2, length, 4, requires_grad=True).unbind()
    position = torch.arange(length)
    distance = position[:, None] - position
    mask = (distance < window) & (distance >= 0 if causal else distance > -window)
    found = local_attention(query, key, value, window, causal=causal)
    torch.testing.assert_close(found, masked(query, key, value, mask))
    found.sum().backward()


def test_groups_share_keys_and_values() -> None:
    torch.manual_seed(0)
    shared = Attention(8, AttentionForm(4, 2, 2, causal=True))
    whole = Attention(8, AttentionForm(4, 2, 4, causal=True))
    state = shared.state_dict()
    for name in ("key", "value"):
        weight = state[f"{name}.weight"].view(2, 2, 8).repeat_interleave(2, 0)
        state[f"{name}.weight"] = weight.reshape(8, 8)
        bias = state[f"{name}.bias"].view(2, 2).repeat_interleave(2, 0)
        state[f"{name}.bias"] = bias.reshape(8)
    whole.load_state_dict(state)
    x = torch.randn(2, 5, 8)
    torch.testing.assert_close(shared(x), whole(x))


def test_rotated_products_depend_on_the_distance_alone() -> None:
    torch.manual_seed(0)
    query, key = torch.randn(2, 6).unbind()
    rotated_queries, rotated_keys = (rotate(x.expand(1, 1, 10, 6))[0, 0] for x in (query, key))
    products = rotated_queries @ rotated_keys.T
    for distance in range(-9, 10):
        diagonal = products.diagonal(distance)
        torch.testing.assert_close(diagonal, diagonal[:1].expand_as(diagonal))
    torch.testing.assert_close(rotated_queries.norm(dim=1), query.norm().expand(10))
    torch.testing.assert_close(products[0, 0], query @ key)
