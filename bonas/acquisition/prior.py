"""A user's prior over good configurations (Hvarfner et al. 2022, "piBO")."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from ConfigSpace import Configuration, ConfigurationSpace

MIN_DENSITY = 1e-12
"""Added to every density, so that no belief excludes a value (the paper's prior floor)."""


class Belief(Protocol):
    """A prior over the best configuration."""

    def log_density(self, configuration: Configuration) -> float:
        """Return the logarithm of the density, up to a constant."""
        ...


@dataclass(frozen=True)
class SpaceBelief:
    """A prior by the distributions of a ConfigSpace: weights of choices, normal and beta numbers.

    Attributes:
        space: the distributions of hyperparameters by name; other hyperparameters do not count.
    """

    space: ConfigurationSpace

    def log_density(self, configuration: Configuration) -> float:
        """Return the sum of the hyperparameters' log densities; inactive ones do not count."""
        total = 0.0
        for name, value in configuration.items():
            if name in self.space:
                density = self.space[name].pdf_values(np.array([value]))
                total += math.log(float(density[0]) + MIN_DENSITY)
        return total
