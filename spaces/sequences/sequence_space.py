"""Spaces for sequences of tokens: one output per sequence, or one per token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from ConfigSpace import Configuration

from spaces.hierarchical.space import HierarchicalSpace, MotifSpace
from spaces.motifs.families import Choices, Family
from spaces.motifs.feature_layers import Normalisation
from spaces.motifs.motifs import Chain, Choice, Motif, Repeat, Single
from spaces.motifs.plan import Plan, layers
from spaces.sequences.layers import CAUSAL, MIXERS, Embedding, feed_forward
from spaces.space import InputShape, SpaceError

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, repr=False)
class SequenceSpace(MotifSpace):
    """Networks that classify sequences of tokens.

    A network maps tokens (batch, length), integers of torch.int64, to logits (batch, outputs). It
    embeds the tokens, applies blocks, each of which mixes the tokens and then transforms each by
    itself, and takes the mean over all tokens. Sequences of different lengths are padded with a
    token of its own.

    Attributes:
        vocabulary: the number of different tokens, which are 0 to vocabulary - 1.
        widths: the choices for the width of all blocks, ascending.
        depth: the smallest and the largest number of blocks.
        mixers: the choices of each block, by name; their layers read and return
            (batch, length, width).
        expansions: the choices for the width inside a block's second half as a multiple of the
            width, ascending.
        dropouts: the choices for the dropout at the end of a block, ascending probabilities.

    Raises:
        SpaceError: a setting has nothing to choose from, or is out of its range.
    """

    vocabulary: int
    widths: tuple[int, ...] = (32, 64, 128)
    depth: tuple[int, int] = (1, 4)
    mixers: Mapping[str, Family] = field(default_factory=lambda: MIXERS)
    expansions: tuple[int, ...] = (1, 2, 4)
    dropouts: tuple[float, ...] = (0.0, 0.1, 0.2)

    def __post_init__(self) -> None:
        if self.vocabulary < 1:
            raise SpaceError(f"the vocabulary has at least 1 token, not {self.vocabulary}")
        if self.depth[0] < 1:
            raise SpaceError(f"a network has at least 1 block, not {self.depth[0]}")
        for name, least in (("widths", 1), ("expansions", 1), ("dropouts", 0)):
            choices = getattr(self, name)
            if not choices or choices[0] < least or list(choices) != sorted({*choices}):
                raise SpaceError(f"the {name} are {choices}: give 1 or more, ascending")
        if self.dropouts[-1] >= 1:
            raise SpaceError(f"a dropout is a probability below 1, not {self.dropouts[-1]}")
        _ = self.hierarchical

    @cached_property
    def hierarchical(self) -> HierarchicalSpace:
        """The same space in terms of motifs."""
        mixed = Choice({name: Single(family) for name, family in self.mixers.items()}, "mixer")
        second = Family(feed_forward, {"expansion": self.expansions, "dropout": self.dropouts})
        block = Chain({"tokens": mixed, "feed_forward": Single(second)})
        parts: dict[str, Motif] = {
            "embedding": Single(Family(self._embedding, {"width": self.widths})),
            "blocks": Repeat(block, *self.depth, name="block"),
        }
        return HierarchicalSpace(Chain(parts), (), (Normalisation("layer"),))

    def _embedding(self, channels_in: int, position: int, choices: Choices) -> Plan:
        return layers(channels_in, [Embedding(self.vocabulary, int(choices["width"]))])

    def build(
        self, configuration: Configuration, input_shape: InputShape, outputs: int
    ) -> nn.Module:
        """See `Space.build`; the network reads tokens, (batch, length) of torch.int64."""
        from spaces.motifs.build import Body
        from spaces.sequences.modules import TokenNetwork

        if len(input_shape) != 1:
            raise SpaceError(
                f"{type(self).__name__} reads sequences of tokens, whose shape is (length,), not "
                f"inputs of shape {tuple(input_shape)}: choose MacroSpace for signals (channels, "
                "length) and images"
            )
        body = Body(self.plan(configuration))
        return TokenNetwork(body, *self.head(body.channels, outputs))

    def head(self, width: int, outputs: int) -> tuple[nn.Module, ...]:
        """Return the last modules, from (batch, length, width) to logits.

        Args:
            width: of the tokens.
            outputs: the number of classes.
        """
        from torch import nn

        from spaces.sequences.modules import MeanOfTokens

        return MeanOfTokens(), nn.Linear(width, outputs)


@dataclass(frozen=True, repr=False)
class NextTokenSpace(SequenceSpace):
    """Networks that predict the next token from those so far.

    A network maps tokens (batch, length), integers of torch.int64, to logits
    (batch, outputs, length), where `outputs` is usually the vocabulary; those at a position depend
    on no later token. See `SequenceSpace` for the attributes.

    Attributes:
        mixers: the choices of each block, by name, all of them causal.

    Raises:
        SpaceError: see `SequenceSpace`.
    """

    mixers: Mapping[str, Family] = field(default_factory=lambda: CAUSAL)

    def plan(self, configuration: Configuration, channels_in: int = 1) -> Plan:
        """See `HierarchicalSpace.plan`.

        Raises:
            SpaceError: a layer depends on later tokens.
        """
        plan = super().plan(configuration, channels_in)
        for label, layer in plan.layers.items():
            if not getattr(layer, "causal", True):
                raise SpaceError(
                    f"the layer '{label}' reads later tokens, which a network that predicts them "
                    f"must not see: choose among {', '.join(CAUSAL)}"
                )
        return plan

    def head(self, width: int, outputs: int) -> tuple[nn.Module, ...]:
        """See `SequenceSpace.head`: logits per token."""
        from torch import nn

        from spaces.sequences.modules import ChannelsFirst

        return nn.Linear(width, outputs), ChannelsFirst()
