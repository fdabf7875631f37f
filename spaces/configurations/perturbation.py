"""Perturbation: every choice of a configuration changes with some probability."""

from __future__ import annotations

import math

import numpy as np
from ConfigSpace import Configuration
from ConfigSpace.hyperparameters import (
    CategoricalHyperparameter,
    Constant,
    OrdinalHyperparameter,
)

from spaces.configurations.mutation import STEP, mutate, variants

RATE = 0.5
"""The probability that a choice changes (Mallik et al. 2023, "PriorBand", section 5.1)."""


def perturb(configuration: Configuration, rng: np.random.Generator) -> Configuration:
    """Change each active choice with probability `RATE`, and one of them at least.

    A categorical gets another value, an ordinal a neighbouring one, and a number takes a normal
    step, as in `neighbours`. A change that a clause forbids is left out.

    Args:
        configuration: the centre; it is not changed.
        rng: draws the choices and their new values.

    Raises:
        SpaceError: nothing can be changed.
    """
    changed = configuration
    for index in np.flatnonzero(rng.random(len(configuration.get_array())) < RATE):
        changed = next(variants(changed, int(index), rng), changed)
    return mutate(configuration, rng) if changed == configuration else changed


def log_closeness(one: Configuration, centre: Configuration) -> float:
    """Return the logarithm of the density of `perturb` around `centre`, up to a constant.

    A choice that is inactive in one of the two does not count, because it is drawn at random
    where it becomes active. A number counts by the density of a step, whether it changed or not.

    Args:
        one: the configuration whose density is computed.
        centre: a configuration of the same space.
    """
    total = 0.0
    choices = centre.config_space.values()
    for choice, a, b in zip(choices, one.get_array(), centre.get_array(), strict=True):
        if isinstance(choice, Constant) or math.isnan(a) or math.isnan(b):
            continue
        if isinstance(choice, CategoricalHyperparameter):
            total += math.log(1 - RATE if a == b else RATE / (choice.size - 1))
        elif isinstance(choice, OrdinalHyperparameter):
            total += math.log(1 - RATE) if a == b else abs(a - b) * math.log(RATE / 2)
        else:
            width = choice.upper_vectorized - choice.lower_vectorized
            total -= 0.5 * ((a - b) / (STEP * width)) ** 2 if width > 0 else 0.0
    return total
