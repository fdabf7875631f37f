"""Some values of a hyperparameter, from its first to its last one."""

from __future__ import annotations

import numpy as np
from ConfigSpace.hyperparameters import (
    CategoricalHyperparameter,
    Constant,
    IntegerHyperparameter,
    OrdinalHyperparameter,
)
from numpy.typing import NDArray

GRID = 5
"""Values of a real number, or of an integer of a wide range, that are tried."""


def value_grid(hyperparameter: object) -> NDArray[np.float64]:
    """Return values of a hyperparameter as vectors hold them, from the first to the last one."""
    if isinstance(hyperparameter, Constant):
        return np.asarray([hyperparameter.to_vector(hyperparameter.value)], dtype=np.float64)
    if isinstance(hyperparameter, CategoricalHyperparameter | OrdinalHyperparameter):
        return np.arange(int(hyperparameter.size), dtype=np.float64)
    if isinstance(hyperparameter, IntegerHyperparameter) and hyperparameter.size <= 2 * GRID:
        every = np.arange(hyperparameter.lower, hyperparameter.upper + 1)
        return np.asarray(hyperparameter.to_vector(every), dtype=np.float64)
    low, high = hyperparameter.lower_vectorized, hyperparameter.upper_vectorized  # type: ignore[attr-defined]
    values = hyperparameter.to_value(np.linspace(low, high, GRID))  # type: ignore[attr-defined]
    return np.unique(hyperparameter.to_vector(values))  # type: ignore[attr-defined]
