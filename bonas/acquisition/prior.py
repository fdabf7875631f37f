"""A user's belief about where good configurations are (Hvarfner et al. 2022, "piBO")."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from ConfigSpace import Configuration, ConfigurationSpace

FLOOR = 1e-12
"""The least density of a value, so that no belief excludes it (the paper's prior floor)."""


class Belief(Protocol):
    """How plausible it is that a configuration is the best one."""

    def log_density(self, configuration: Configuration) -> float:
        """The logarithm of a density, up to a constant."""
        ...


@dataclass(frozen=True)
class SpaceBelief:
    """The distributions of a ConfigSpace: weights of choices, normal and beta numbers.

    Attributes:
        space: has the hyperparameters that the belief is about, by name, with distributions that
            say what is likely; hyperparameters that it lacks are left out of the belief.
    """

    space: ConfigurationSpace

    def log_density(self, configuration: Configuration) -> float:
        """The sum of the hyperparameters' log densities; inactive ones do not count."""
        total = 0.0
        for name, value in configuration.items():
            if name in self.space:
                density = self.space[name].pdf_values(np.array([value]))
                total += math.log(float(density[0]) + FLOOR)
        return total
