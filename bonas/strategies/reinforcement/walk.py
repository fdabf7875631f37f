"""A configuration space as a walk: one decision after another, each among finitely many options.

Parents come before children, so the walk knows whether the next hyperparameter is active.
Numbers are those of ConfigSpace's vectors, in which logarithmic scales are linear.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from ConfigSpace import Configuration, ConfigurationSpace
from ConfigSpace.hyperparameters import (
    CategoricalHyperparameter,
    Constant,
    Hyperparameter,
    IntegerHyperparameter,
    OrdinalHyperparameter,
)
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Numbers = NDArray[np.int64]


class PolicyError(ValueError):
    """An invalid policy, or one that cannot be trained further: the message says why."""


INACTIVE = -1
"""The option of an inactive hyperparameter."""


class Options(Protocol):
    """The options of a hyperparameter."""

    def __len__(self) -> int:
        """Return the number of options."""
        ...

    def draw(self, option: int, rng: np.random.Generator) -> float:
        """Return a value of this option, as vectors hold it.

        Args:
            option: its index.
            rng: the source of randomness.
        """
        ...

    def of(self, value: float) -> int:
        """Return the option to which a value of a vector belongs."""
        ...


@dataclass(frozen=True)
class Listed:
    """Each value is an option.

    Attributes:
        values: all of them, ascending.
    """

    values: Vector

    def __len__(self) -> int:
        """See `Options`."""
        return len(self.values)

    def draw(self, option: int, rng: np.random.Generator) -> float:
        """See `Options.draw`; nothing is random."""
        return float(self.values[option])

    def of(self, value: float) -> int:
        """See `Options.of`."""
        return int(np.abs(self.values - value).argmin())


@dataclass(frozen=True)
class RealBins:
    """Each interval of a real hyperparameter is an option; its values are equally likely.

    Attributes:
        edges: of the intervals, ascending, one more than intervals.
    """

    edges: Vector

    def __len__(self) -> int:
        """See `Options`."""
        return len(self.edges) - 1

    def draw(self, option: int, rng: np.random.Generator) -> float:
        """See `Options.draw`."""
        return float(rng.uniform(self.edges[option], self.edges[option + 1]))

    def of(self, value: float) -> int:
        """See `Options.of`."""
        return int(np.searchsorted(self.edges[1:-1], value, side="right"))


@dataclass(frozen=True)
class IntegerBins:
    """Each range of an integer hyperparameter is an option, its integers equally likely.

    Attributes:
        hyperparameter: converts between integers and vectors.
        edges: the first integer of each range, ascending, and the last integer plus 1.
    """

    hyperparameter: IntegerHyperparameter
    edges: Numbers

    def __len__(self) -> int:
        """See `Options`."""
        return len(self.edges) - 1

    def draw(self, option: int, rng: np.random.Generator) -> float:
        """See `Options.draw`."""
        drawn = rng.integers(self.edges[option], self.edges[option + 1])
        return float(self.hyperparameter.to_vector(int(drawn)))

    def of(self, value: float) -> int:
        """See `Options.of`."""
        number = int(self.hyperparameter.to_value(np.float64(value)))
        return int(np.searchsorted(self.edges[1:-1], number, side="right"))


def check_bins(bins: int) -> None:
    """Raise a PolicyError if there are fewer than 2 bins."""
    if bins < 2:
        raise PolicyError(f"a number is divided into at least 2 bins, not {bins}")


def options_of(hyperparameter: Hyperparameter[Any, Any], bins: int) -> Options:
    """Return the options of any hyperparameter.

    Args:
        hyperparameter: of a configuration space.
        bins: the number of options of a real hyperparameter, of equal width on its own scale, and
            the maximal number of an integer's ranges, of about equal width.
    """
    if isinstance(hyperparameter, Constant):
        return Listed(np.array([hyperparameter.to_vector(hyperparameter.value)], dtype=np.float64))
    if isinstance(hyperparameter, CategoricalHyperparameter | OrdinalHyperparameter):
        return Listed(np.arange(int(hyperparameter.size), dtype=np.float64))
    edges = np.linspace(hyperparameter.lower_vectorized, hyperparameter.upper_vectorized, bins + 1)
    if not isinstance(hyperparameter, IntegerHyperparameter):
        return RealBins(edges)
    first, last = int(hyperparameter.lower), int(hyperparameter.upper)
    if last - first < bins:
        values = np.arange(first, last + 1)
        return Listed(np.asarray(hyperparameter.to_vector(values), dtype=np.float64))
    inner = np.asarray(hyperparameter.to_value(edges[1:-1]), dtype=np.int64)
    # On a logarithmic scale several low edges are the same integer: empty ranges are left out.
    return IntegerBins(hyperparameter, np.unique([first, *inner, last + 1]))


@dataclass(frozen=True)
class Decision:
    """One hyperparameter.

    Attributes:
        options: of the hyperparameter.
        conditions: under all of which it is active.
    """

    options: Options
    conditions: tuple[Any, ...]

    def active(self, vector: Vector) -> bool:
        """Return whether the hyperparameter is active, given the earlier decisions."""
        return all(condition.satisfied_by_vector(vector) for condition in self.conditions)


class Walk:
    """The decisions of a space, parents first.

    Args:
        space: any configuration space.
        bins: see `options_of`.

    Attributes:
        decisions: one per hyperparameter.
        sizes: the number of options of each decision.

    Raises:
        PolicyError: there are fewer than 2 bins.
    """

    def __init__(self, space: ConfigurationSpace, bins: int) -> None:
        check_bins(bins)
        conditions = space.parent_conditions_of
        self.decisions = tuple(
            Decision(options_of(hyperparameter, bins), tuple(conditions[name]))
            for name, hyperparameter in space.items()
        )
        self.sizes = tuple(len(decision.options) for decision in self.decisions)

    @property
    def slices(self) -> list[slice]:
        """The positions of each decision's options among the options of all."""
        ends = itertools.accumulate(self.sizes)
        return [slice(end - size, end) for end, size in zip(ends, self.sizes, strict=True)]

    def options(self, configurations: Sequence[Configuration]) -> Numbers:
        """Return the option of each decision, `INACTIVE` where the hyperparameter was.

        Returns:
            One row per configuration, one column per decision.
        """
        return np.array(
            [
                [
                    INACTIVE if np.isnan(value) else decision.options.of(value)
                    for decision, value in zip(
                        self.decisions, configuration.get_array(), strict=True
                    )
                ]
                for configuration in configurations
            ],
            dtype=np.int64,
        ).reshape(len(configurations), len(self.decisions))
