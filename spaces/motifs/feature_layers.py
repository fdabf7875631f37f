"""Layers that read the last dimension: features of a table, the width of a token.

Tables are (batch, features), tokens (batch, length, width); the layers of `spaces.motifs.layers`
read images (batch, channels, height, width).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from spaces.motifs.layers import Layer

if TYPE_CHECKING:
    from torch import nn

NormalisationKind = Literal["batch", "layer"]
FeatureActivation = Literal["none", "relu", "gelu"]


@dataclass(frozen=True)
class Dense:
    """A linear layer and an activation function.

    Attributes:
        width: features out.
        activation: after it.
    """

    width: int
    activation: FeatureActivation = "none"

    @property
    def label(self) -> str:
        """For instance `linear 64 relu`."""
        words = ["linear", str(self.width)]
        return " ".join(words if self.activation == "none" else [*words, self.activation])

    def channels(self, channels_in: int) -> int:
        """Return the width."""
        return self.width

    def build(self, channels_in: int) -> nn.Module:
        """Return the layer and the activation."""
        from torch import nn

        linear = nn.Linear(channels_in, self.width)
        activations: dict[FeatureActivation, list[nn.Module]] = {
            "none": [],
            "relu": [nn.ReLU()],
            "gelu": [nn.GELU()],
        }
        return nn.Sequential(linear, *activations[self.activation])


@dataclass(frozen=True)
class Normalisation:
    """Normalisation of each feature over the batch, or of each row over its features.

    Attributes:
        kind: `batch` is for tables alone; `layer` is for tables and tokens.
    """

    kind: NormalisationKind

    @property
    def label(self) -> str:
        """For instance `batch norm`."""
        return f"{self.kind} norm"

    def channels(self, channels_in: int) -> int:
        """Return those of the input."""
        return channels_in

    def build(self, channels_in: int) -> nn.Module:
        """Return the normalisation."""
        from torch import nn

        return nn.BatchNorm1d(channels_in) if self.kind == "batch" else nn.LayerNorm(channels_in)


@dataclass(frozen=True)
class Dropout:
    """Zeros in place of random entries during training.

    Attributes:
        probability: of a zero.
    """

    probability: float

    @property
    def label(self) -> str:
        """For instance `dropout 0.1`."""
        return f"dropout {self.probability:g}"

    def channels(self, channels_in: int) -> int:
        """Return those of the input."""
        return channels_in

    def build(self, channels_in: int) -> nn.Module:
        """Return the dropout."""
        from torch import nn

        return nn.Dropout(self.probability)


def dropout(probability: float) -> list[Layer]:
    """Return the layers of dropout; none where the probability is 0."""
    return [Dropout(probability)] if probability else []
