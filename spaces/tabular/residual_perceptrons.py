"""Residual multi-layer perceptrons, for tables of features.

Gorishniy et al. (2021), "Revisiting deep learning models for tabular data", section 3.2: a ResNet
of linear layers, which they found to be a strong baseline.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, ClassVar

from ConfigSpace import Configuration, ConfigurationSpace

from spaces.architecture.architecture import Architecture
from spaces.display.html import Shown
from spaces.motifs.feature_layers import Dense, Normalisation, NormalisationKind, dropout
from spaces.motifs.layers import Layer, Relu
from spaces.motifs.plan import Draft, Plan
from spaces.motifs.scope import Declared, Scope
from spaces.space import InputShape, SpaceError

if TYPE_CHECKING:
    from torch import nn

FEATURES = 1
"""Features of the tables for which an architecture is drawn; no label depends on their number."""


@dataclass(frozen=True, repr=False)
class ResidualPerceptrons(Shown):
    """Networks of a linear layer, residual blocks of the same width, and a linear layer.

    A block is x + dropout(linear(dropout(relu(linear(norm(x)))))). Standardise the features: the
    first layer reads them as they are.

    Attributes:
        depth: the smallest and the largest number of blocks.
        widths: the choices for the width of all blocks, ascending.
        factors: the choices for the width inside a block as a multiple of the width, ascending.
        normalisations: the choices for the normalisation: `batch`, `layer`.
        hidden_dropouts: the choices for the dropout inside a block, ascending probabilities.
        residual_dropouts: the choices for the dropout at the end of a block, the same.

    Raises:
        SpaceError: a setting has nothing to choose from, or is out of its range.
    """

    unlabelled: ClassVar[tuple[str, ...]] = ()  # the labels of a plan name all that it builds

    depth: tuple[int, int] = (1, 6)
    widths: tuple[int, ...] = (32, 64, 128, 256)
    factors: tuple[int, ...] = (1, 2, 4)
    normalisations: tuple[NormalisationKind, ...] = ("batch", "layer")
    hidden_dropouts: tuple[float, ...] = (0.0, 0.1, 0.25, 0.5)
    residual_dropouts: tuple[float, ...] = (0.0, 0.1, 0.25)

    def __post_init__(self) -> None:
        """Check the settings."""
        if unknown := sorted({*self.normalisations} - {"batch", "layer"}):
            raise SpaceError(f"the normalisations {unknown} are unknown: choose 'batch' or 'layer'")
        for name in ("widths", "factors", "hidden_dropouts", "residual_dropouts"):
            choices = getattr(self, name)
            if not choices or list(choices) != sorted({*choices}):
                raise SpaceError(f"the {name} are {choices}: give 1 or more, ascending")
        if min(*self.widths, *self.factors) < 1:
            raise SpaceError(
                f"the widths are {self.widths} and the factors {self.factors}: give numbers from 1"
            )
        for choices in (self.hidden_dropouts, self.residual_dropouts):
            if choices[0] < 0 or choices[-1] >= 1:
                raise SpaceError(f"a dropout is a probability from 0 to below 1, not {choices}")
        _ = self.configuration_space

    @cached_property
    def configuration_space(self) -> ConfigurationSpace:
        """The depth, the width, and the form of all blocks."""
        declared = Declared()
        scope = Scope(declared)
        scope.integer("depth", *self.depth)
        scope.ordinal("width", self.widths)
        scope.ordinal("factor", self.factors)
        scope.categorical("normalisation", self.normalisations)
        scope.ordinal("hidden_dropout", self.hidden_dropouts)
        scope.ordinal("residual_dropout", self.residual_dropouts)
        return declared.space()

    def plan(self, configuration: Configuration, features: int = FEATURES) -> Plan:
        """Return the architecture together with the meaning of its labels.

        Args:
            configuration: of this space.
            features: of the table.
        """
        width = int(configuration["width"])
        norm = Normalisation("batch" if configuration["normalisation"] == "batch" else "layer")
        block: list[Layer] = [
            norm,
            Dense(width * int(configuration["factor"]), "relu"),
            *dropout(float(configuration["hidden_dropout"])),
            Dense(width),
            *dropout(float(configuration["residual_dropout"])),
        ]
        draft = Draft(features)
        node = draft.add(Dense(width), 0)
        for number in range(int(configuration["depth"])):
            draft.begin(f"block{number + 1}")
            node = draft.sum(node, draft.chain(block, node))
        draft.begin("end")
        return draft.finish(draft.chain([norm, Relu()], node))

    def architecture(self, configuration: Configuration) -> Architecture:
        """Return the graph, without the last linear layer, which all networks have."""
        return self.plan(configuration).architecture

    def build(
        self, configuration: Configuration, input_shape: InputShape, outputs: int
    ) -> nn.Module:
        """See `Space.build`; inputs of any shape, such as (features,), are flattened."""
        from torch import nn

        from spaces.motifs.build import Body

        body = Body(self.plan(configuration, prod(input_shape)))
        return nn.Sequential(nn.Flatten(), body, nn.Linear(body.channels, outputs))
