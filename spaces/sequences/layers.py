"""Layers for sequences of tokens, and the families of blocks that mix the tokens.

A block is x + mix(norm(x)), as in Yu et al. (2022), "MetaFormer is actually what you need for
vision"; a feed-forward block has a linear layer, GELU and a linear layer instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from math import gcd
from typing import TYPE_CHECKING

from spaces.motifs.families import Choices, Family
from spaces.motifs.feature_layers import Dense, Normalisation, dropout
from spaces.motifs.layers import Layer
from spaces.motifs.plan import Draft, Plan

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Embedding:
    """A vector for each token, and its position.

    Attributes:
        vocabulary: the number of different tokens, which are 0 to vocabulary - 1.
        width: of the vectors.
    """

    vocabulary: int
    width: int

    @property
    def label(self) -> str:
        """For instance `embedding 65 32`: the vocabulary, then the width."""
        return f"embedding {self.vocabulary} {self.width}"

    def channels(self, channels_in: int) -> int:
        """Return the width."""
        return self.width

    def build(self, channels_in: int) -> nn.Module:
        """Return the embedding."""
        from spaces.sequences.modules import Embed

        return Embed(self.vocabulary, self.width)


@dataclass(frozen=True)
class TokenConvolution:
    """A convolution over the tokens.

    Attributes:
        kernel: an odd number of tokens.
        causal: read a token and those before it; otherwise tokens on both sides.
    """

    kernel: int
    causal: bool

    @property
    def label(self) -> str:
        """For instance `causal token conv 3`."""
        return f"{_causal(self.causal)}token conv {self.kernel}"

    def channels(self, channels_in: int) -> int:
        """Return those of the input."""
        return channels_in

    def build(self, channels_in: int) -> nn.Module:
        """Return the convolution."""
        from spaces.sequences.modules import Convolve

        return Convolve(channels_in, self.kernel, causal=self.causal)


@dataclass(frozen=True)
class Attention:
    """Multi-head self-attention.

    Attributes:
        heads: the number of heads; it divides the width.
        causal: read a token and those before it; otherwise all tokens.
    """

    heads: int
    causal: bool

    @property
    def label(self) -> str:
        """For instance `causal attention 4`."""
        return f"{_causal(self.causal)}attention {self.heads}"

    def channels(self, channels_in: int) -> int:
        """Return those of the input."""
        return channels_in

    def build(self, channels_in: int) -> nn.Module:
        """Return the attention."""
        from spaces.sequences.modules import Attend

        return Attend(channels_in, self.heads, causal=self.causal)


@dataclass(frozen=True)
class Recurrence:
    """A gated recurrent unit, which is causal."""

    label: str = "gru"

    def channels(self, channels_in: int) -> int:
        """Return those of the input."""
        return channels_in

    def build(self, channels_in: int) -> nn.Module:
        """Return the unit."""
        from spaces.sequences.modules import Recur

        return Recur(channels_in)


def _causal(causal: bool) -> str:
    return "causal " if causal else ""


def _residual(width: int, *branch: Layer) -> Plan:
    draft = Draft(width)
    return draft.finish(0, draft.chain([Normalisation("layer"), *branch], 0))


def _convolution(causal: bool, width: int, position: int, choices: Choices) -> Plan:
    return _residual(width, TokenConvolution(int(choices["kernel"]), causal))


def _attention(causal: bool, width: int, position: int, choices: Choices) -> Plan:
    return _residual(width, Attention(gcd(width, int(choices["heads"])), causal))


def recurrent(channels_in: int, position: int, choices: Choices) -> Plan:
    """See `Block`: a gated recurrent unit."""
    return _residual(channels_in, Recurrence())


def feed_forward(channels_in: int, position: int, choices: Choices) -> Plan:
    """See `Block`: two linear layers; the choices are expansion and dropout."""
    hidden = Dense(channels_in * int(choices["expansion"]), "gelu")
    last = Dense(channels_in)
    return _residual(channels_in, hidden, last, *dropout(float(choices["dropout"])))


_KERNEL = {"kernel": (3, 7, 15)}
_HEADS = {"heads": (1, 2, 4)}
CAUSAL: Mapping[str, Family] = {
    "causal_convolution": Family(partial(_convolution, True), _KERNEL),
    "causal_attention": Family(partial(_attention, True), _HEADS),
    "gru": Family(recurrent),
}
"""Blocks in which a token depends on no later one."""

MIXERS: Mapping[str, Family] = {
    "convolution": Family(partial(_convolution, False), _KERNEL),
    "attention": Family(partial(_attention, False), _HEADS),
    **CAUSAL,
}
"""Blocks that mix the tokens of a sequence."""
