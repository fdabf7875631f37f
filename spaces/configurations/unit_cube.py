"""Configurations as points of the unit cube, for methods that add and subtract vectors.

As in Awad, Mallik and Hutter 2021, "DEHB: evolutionary Hyperband for scalable, robust and efficient
hyperparameter optimization", section 3.4: a choice of k values is k equal parts of [0, 1].
"""

from __future__ import annotations

import numpy as np
from ConfigSpace import Configuration, ConfigurationSpace
from ConfigSpace.hyperparameters import (
    CategoricalHyperparameter,
    Constant,
    OrdinalHyperparameter,
)
from jaxtyping import Float

from spaces.configurations.active_choices import Activation

Point = Float[np.ndarray, " d"]


def to_unit_cube(configuration: Configuration, rng: np.random.Generator) -> Point:
    """Return a point that stands for `configuration`.

    Args:
        configuration: of d hyperparameters.
        rng: draws the position within a choice's part of [0, 1], and the coordinates of
            constants and inactive hyperparameters.

    Returns:
        (d,), each in [0, 1].
    """
    space = configuration.config_space
    vector = configuration.get_array()
    point = rng.random(len(vector))
    for index, hyperparameter in enumerate(space.values()):
        if np.isnan(vector[index]) or isinstance(hyperparameter, Constant):
            continue
        parts = _parts(hyperparameter)
        if parts:
            point[index] = (vector[index] + point[index]) / parts
        else:
            low, high = hyperparameter.lower_vectorized, hyperparameter.upper_vectorized
            point[index] = (vector[index] - low) / (high - low)
    return point


def from_unit_cube(
    space: ConfigurationSpace, point: Point, rng: np.random.Generator
) -> Configuration | None:
    """Return the configuration that `point` stands for; inactive choices ignore their coordinates.

    Args:
        space: of d hyperparameters.
        point: (d,), each in [0, 1].
        rng: see `Activation.repair`.

    Returns:
        None if a clause forbids it.
    """
    vector = np.empty(len(point))
    for index, hyperparameter in enumerate(space.values()):
        parts = _parts(hyperparameter)
        if isinstance(hyperparameter, Constant):
            vector[index] = hyperparameter.to_vector(hyperparameter.value)
        elif parts:
            vector[index] = min(np.floor(point[index] * parts), parts - 1)
        else:
            low, high = hyperparameter.lower_vectorized, hyperparameter.upper_vectorized
            value = hyperparameter.to_value(np.float64(low + point[index] * (high - low)))
            vector[index] = hyperparameter.to_vector(value)
    return Activation(space).repair(vector, rng, range(len(vector)))


def _parts(hyperparameter: object) -> int:
    """Return the number of values of a choice; 0 for a number."""
    if isinstance(hyperparameter, CategoricalHyperparameter | OrdinalHyperparameter):
        return int(hyperparameter.size)
    return 0
