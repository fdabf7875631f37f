"""A small hierarchical space with every kind of hyperparameter, and a cost on it."""

from __future__ import annotations

from functools import cached_property

from ConfigSpace import (
    Categorical,
    Configuration,
    ConfigurationSpace,
    Constant,
    EqualsCondition,
    Float,
    ForbiddenAndConjunction,
    ForbiddenEqualsClause,
    Integer,
    OrdinalHyperparameter,
)
from torch import nn

from spaces.architecture.architecture import Architecture, chain
from spaces.space import InputShape


class Hierarchy:
    """Conditions two deep, an integer of many values, a real number, and a forbidden pair."""

    @cached_property
    def configuration_space(self) -> ConfigurationSpace:
        space = ConfigurationSpace()
        kind = Categorical("kind", ["cell", "chain"])
        part = Categorical("part", ["a", "b", "c"])
        depth = Integer("depth", (1, 3))
        width = Integer("width", (1, 512), log=True)
        ordered = OrdinalHyperparameter("ordered", [1, 2, 4])
        rate = Float("rate", (1e-4, 1.0), log=True)
        space.add(kind, part, depth, width, ordered, rate, Constant("version", 1))
        space.add(
            EqualsCondition(part, kind, "cell"),
            EqualsCondition(depth, kind, "chain"),
            EqualsCondition(rate, part, "a"),
        )
        space.add(
            ForbiddenAndConjunction(
                ForbiddenEqualsClause(part, "b"), ForbiddenEqualsClause(ordered, 4)
            )
        )
        return space

    def architecture(self, configuration: Configuration) -> Architecture:
        return chain([str(sorted(dict(configuration).items()))])

    def build(
        self, configuration: Configuration, input_shape: InputShape, outputs: int
    ) -> nn.Module:
        raise NotImplementedError


def cost(configuration: Configuration, budget: float = 1.0) -> float:
    """Chains that are deep are good."""
    return 4.0 - int(configuration.get("depth", 0)) + 1 / budget
