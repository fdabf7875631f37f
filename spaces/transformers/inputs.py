"""The inputs of transformers: images and signals in patches, and sequences of tokens."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Protocol

from spaces.space import InputShape, SpaceError

if TYPE_CHECKING:
    from torch import nn

    from spaces.transformers.modules import TokenEmbedding


class Inputs(Protocol):
    """A kind of inputs, and how they become tokens."""

    def label(self, width: int, *, learned: bool) -> str:
        """Return the label of the embedding in architectures.

        Args:
            width: of the tokens.
            learned: whether each position has a learned vector.
        """
        ...

    def embedding(
        self, width: int, input_shape: InputShape, *, learned: bool, dropout: float
    ) -> nn.Module:
        """Return a module from inputs to tokens (batch, length, width).

        Args:
            width: of the tokens.
            input_shape: of one input, see `spaces.InputShape`.
            learned: add a learned vector for each position.
            dropout: of the tokens, a probability.

        Raises:
            SpaceError: it cannot read inputs of this shape.
        """
        ...


@dataclass(frozen=True)
class Patches:
    """Images (channels, height, width) or signals (channels, length), cut into patches.

    Dosovitskiy et al. (2021), "An image is worth 16x16 words".

    Attributes:
        size: height and width of a patch, or its length in a signal.
        class_token: begin with a learned token, which the head reads; otherwise it reads the mean
            of all tokens.

    Raises:
        SpaceError: the size is not positive.
    """

    size: int
    class_token: bool = False

    def __post_init__(self) -> None:
        if self.size < 1:
            raise SpaceError(f"a patch has at least 1 pixel, not {self.size}")

    def label(self, width: int, *, learned: bool) -> str:
        """See `Inputs.label`; for instance `patches 16 to 192 class token positions`."""
        words = [f"patches {self.size} to {width}"]
        words += ["class token"] if self.class_token else []
        return " ".join([*words, "positions"] if learned else words)

    def embedding(
        self, width: int, input_shape: InputShape, *, learned: bool, dropout: float
    ) -> nn.Module:
        """See `Inputs.embedding`."""
        from torch import nn

        from spaces.transformers.modules import PatchEmbedding

        channels, *sides = input_shape
        if len(sides) not in (1, 2):
            raise SpaceError(
                f"patches are cut from images (channels, height, width) and signals (channels, "
                f"length), not from inputs of shape {tuple(input_shape)}: choose Tokens for "
                "sequences of tokens, Perceptrons or ResidualPerceptrons for tables"
            )
        if any(side % self.size for side in sides):
            raise SpaceError(
                f"patches of {self.size} do not divide inputs of shape {tuple(input_shape)}: "
                f"choose a size that divides {' and '.join(map(str, sides))}, or resize the inputs"
            )
        layer = nn.Conv2d if len(sides) == 2 else nn.Conv1d
        return PatchEmbedding(
            layer(channels, width, self.size, self.size),
            width,
            prod(side // self.size for side in sides),
            class_token=self.class_token,
            learned=learned,
            dropout=dropout,
        )


@dataclass(frozen=True)
class Tokens:
    """Sequences (length,) of integers.

    Attributes:
        vocabulary: the number of different tokens, which are 0 to vocabulary - 1.
        length: the number of learned positions, that is, of the longest sequence; with rotary
            positions a sequence may have any length.

    Raises:
        SpaceError: a number is not positive.
    """

    vocabulary: int
    length: int

    def __post_init__(self) -> None:
        if self.vocabulary < 1 or self.length < 1:
            raise SpaceError(
                f"the vocabulary is {self.vocabulary} and the length {self.length}: give numbers "
                "from 1"
            )

    def label(self, width: int, *, learned: bool) -> str:
        """See `Inputs.label`; for instance `embedding 50257 768 positions 1024`."""
        words = f"embedding {self.vocabulary} {width}"
        return f"{words} positions {self.length}" if learned else words

    def embedding(
        self, width: int, input_shape: InputShape, *, learned: bool, dropout: float
    ) -> TokenEmbedding:
        """See `Inputs.embedding`."""
        from spaces.transformers.modules import TokenEmbedding

        if len(input_shape) != 1:
            raise SpaceError(
                f"sequences of tokens have the shape (length,), not {tuple(input_shape)}: choose "
                "Patches for signals (channels, length) and images"
            )
        if learned and input_shape[0] > self.length:
            raise SpaceError(
                f"sequences of {input_shape[0]} tokens are longer than the {self.length} learned "
                f"positions: give Tokens({self.vocabulary}, length={input_shape[0]}), or choose "
                "rotary positions"
            )
        positions = self.length if learned else 0
        return TokenEmbedding(self.vocabulary, width, positions, dropout)
