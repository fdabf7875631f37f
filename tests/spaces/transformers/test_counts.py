from __future__ import annotations

import numpy as np
import pytest
import torch
from ConfigSpace import Configuration
from torch import nn

from spaces.resources.resources import Resources, count_resources
from spaces.space import InputShape, configuration, sample
from spaces.transformers import counts, zoo
from spaces.transformers.attention import Attention
from spaces.transformers.forms import AttentionForm
from spaces.transformers.inputs import Patches, Tokens
from spaces.transformers.transformer_space import TransformerSpace
from tests.spaces.transformers.test_transformer_space import LENGTH, VOCABULARY, causal, chosen

FLOAT = 4  # bytes
LONG = 8


def counted(
    space: TransformerSpace, drawn: Configuration, shape: InputShape, outputs: int
) -> Resources:
    with torch.device("meta"):
        network = space.build(drawn, shape, outputs)
    return count_resources(network, shape)


@pytest.mark.parametrize(
    ("drawn", "width", "parameters"),
    [(zoo.vit_tiny(), 192, 5_717_416), (zoo.deit_small(), 384, 22_050_664)],
)
def test_vision_transformers_have_the_published_parameters(
    drawn: Configuration, width: int, parameters: int
) -> None:
    found = counted(zoo.vision(), drawn, (3, 224, 224), 1000)
    assert found.parameters == parameters
    length = 14 * 14 + 1
    linear = 12 * 12 * width**2 * length
    attention = 12 * 2 * length**2 * width
    patches = 16 * 16 * 3 * width * (length - 1)
    assert found.multiply_adds == linear + attention + patches + 1000 * width
    assert found.cache_bytes_per_token == 0


def test_gpt2_small_has_the_published_parameters() -> None:
    found = counted(zoo.language(), zoo.gpt2_small(), (1024,), 50_257)
    assert found.parameters == 124_439_808
    width, length = 768, 1024
    linear = 12 * 12 * width**2 * length
    attention = 12 * 2 * length**2 * width
    assert found.multiply_adds == linear + attention + 50_257 * width * length
    assert found.cache_bytes_per_token == FLOAT * 12 * 2 * width
    # The tokens, their last normalisation and the logits.
    assert found.peak_activation_bytes == LONG * length + FLOAT * length * (width + 50_257)


def test_formulas_equal_the_counts_of_networks() -> None:
    space = causal()
    for drawn in sample(space.configuration_space, 40, np.random.default_rng(0)):
        found, form = counted(space, drawn, (LENGTH,), VOCABULARY), space.form(drawn)
        assert found.parameters == counts.language_model_parameters(form, VOCABULARY, 20)
        multiply_adds = counts.language_model_multiply_adds(form, VOCABULARY, LENGTH)
        assert found.multiply_adds == multiply_adds
        assert found.cache_bytes_per_token == FLOAT * counts.cached_numbers(form)


def test_a_window_costs_its_chunks() -> None:
    space = TransformerSpace(
        Tokens(VOCABULARY, 32), widths=(8,), depth=(1, 2), heads=(2,), ratios=(2,), windows=(0, 4)
    )

    def multiply_adds(window: int) -> int:
        values = {"depth": 1, "layer1:window": window}
        drawn = configuration(space.configuration_space, values)
        return counted(space, drawn, (30,), 3).multiply_adds

    linear = (4 * 8 * 8 + 2 * 8 * 16) * 30 + 8 * 3
    assert multiply_adds(0) == linear + 2 * 30 * 30 * 8
    assert multiply_adds(4) == linear + 2 * 32 * 12 * 8


def test_grouped_keys_make_the_cache_smaller() -> None:
    space = causal(depth=(1, 1), widths=(16,), windows=(0,))
    found = {}
    for shared in (1, 2):
        values = {"depth": 1, "positions": "rotary", "bias": False, "layer1:activation": "gelu"}
        values |= {"layer1:heads": 4, "layer1:shared_by": shared, "layer1:ratio": 1}
        values |= {"layer1:norm": "pre"}
        drawn = configuration(space.configuration_space, values)
        found[shared] = counted(space, drawn, (LENGTH,), VOCABULARY).cache_bytes_per_token
    assert found == {1: FLOAT * 2 * 16, 2: FLOAT * 2 * 8}


def test_the_peak_of_attention_by_hand() -> None:
    length, width, heads = 10, 8, 2
    found = count_resources(Attention(width, AttentionForm(heads, 4, heads)), (length, width))
    # Input, queries, keys and values, the scaled keys, the scores and their softmax.
    numbers = 5 * length * width + 2 * heads * length**2
    assert found.peak_activation_bytes == FLOAT * numbers


def test_the_peak_of_a_network_by_hand() -> None:
    space = TransformerSpace(Patches(2), widths=(8, 16), depth=(1, 2), heads=(2, 4), ratios=(2, 4))
    wide = chosen(space, 16, 2, heads=4, ratio=2)
    length = 64
    found = counted(space, wide, (3, 16, 16), 5)
    # A block keeps its input besides the peak of attention.
    attention = 6 * length * 16 + 2 * 4 * length**2
    assert found.peak_activation_bytes == FLOAT * attention + FLOAT * 3 * 16 * 16


def test_weights_are_no_activations() -> None:
    found = count_resources(nn.Linear(100, 50), (100,))
    assert found.peak_activation_bytes == FLOAT * (100 + 50)


def test_half_precision_halves_the_cache() -> None:
    attention = Attention(8, AttentionForm(2, 4, 1, causal=True))
    assert count_resources(attention, (3, 8)).cache_bytes_per_token == FLOAT * 8
    assert count_resources(attention.half(), (3, 8)).cache_bytes_per_token == FLOAT * 4
