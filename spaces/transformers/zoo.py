"""Well-known transformers as configurations of two spaces, to start a search from.

space = zoo.vision()
network = space.build(zoo.vit_tiny(), (3, 224, 224), 1000)
"""

from __future__ import annotations

from functools import cache

from ConfigSpace import Configuration

from spaces.space import configuration
from spaces.transformers.inputs import Patches, Tokens
from spaces.transformers.transformer_space import TransformerSpace

HEAD_WIDTH = 64
"""Of all networks here; their width is this times the number of heads."""


@cache
def vision() -> TransformerSpace:
    """Return the space around ViT-Ti and DeiT-S, for images whose sides are multiples of 16.

    Its choices are like those of Chen et al. (2021), "AutoFormer: searching transformers for visual
    recognition".
    """
    return TransformerSpace(
        Patches(16, class_token=True),
        widths=(192, 216, 240, 320, 384, 448),
        depth=(10, 14),
        heads=(3, 4, 5, 6, 7),
        ratios=(3, 3.5, 4),
        head_width=HEAD_WIDTH,
    )


@cache
def language() -> TransformerSpace:
    """Return the space around GPT-2 small, for its 50,257 tokens and 1,024 positions."""
    return TransformerSpace(
        Tokens(50_257, 1024),
        widths=(384, 512, 640, 768, 896),
        depth=(8, 14),
        heads=(4, 8, 12, 16),
        ratios=(2, 3, 4),
        head_width=HEAD_WIDTH,
        causal=True,
    )


def vit_tiny() -> Configuration:
    """Return ViT-Ti/16 of `vision()`, which has 5,717,416 parameters for 224x224 and 1,000 classes.

    Touvron et al. (2021), "Training data-efficient image transformers" (DeiT), table 1, where it is
    DeiT-Ti; the exact number is that of `vit_tiny_patch16_224` in timm.
    """
    return _uniform(vision(), 192, 12)


def deit_small() -> Configuration:
    """Return DeiT-S of `vision()`, which has 22,050,664 parameters for 224x224 and 1,000 classes.

    Touvron et al. (2021), "Training data-efficient image transformers" (DeiT), table 1; the exact
    number is that of `deit_small_patch16_224` in timm.
    """
    return _uniform(vision(), 384, 12)


def gpt2_small() -> Configuration:
    """Return GPT-2 small of `language()`, which has 124,439,808 parameters.

    Radford et al. (2019), "Language models are unsupervised multitask learners"; the number is that
    of the published weights, which the paper gives as 117M.
    """
    return _uniform(language(), 768, 12)


def _uniform(space: TransformerSpace, width: int, depth: int) -> Configuration:
    """Return the network of equal layers with the largest hidden width."""
    values: dict[str, object] = {"width": width, "depth": depth}
    for number in range(1, depth + 1):
        values |= {f"layer{number}:heads": width // HEAD_WIDTH, f"layer{number}:ratio": 4}
    return configuration(space.configuration_space, values)
