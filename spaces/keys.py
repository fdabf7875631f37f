"""Keys of trials: equal keys need to be evaluated only once."""

from __future__ import annotations

import hashlib
import itertools
import json
import warnings
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol, runtime_checkable

import numpy as np
from ConfigSpace import Configuration
from ConfigSpace.hyperparameters import (
    CategoricalHyperparameter,
    Constant,
    IntegerHyperparameter,
    OrdinalHyperparameter,
)
from numpy.typing import NDArray

from spaces.configurations.activation import Activation
from spaces.space import Space, record, sample

CONTEXTS = 48
"""Random configurations in which a hyperparameter is varied before it is taken to be unlabelled."""

MOST_NEAR = 256
"""Configurations near corners of the space in which it is varied after that."""

ENOUGH = 8
"""A hyperparameter that was active in fewer of the tried configurations stays undecided."""

CHANGES = 2
"""Other values of a hyperparameter that are tried in one configuration."""

GRID = 5
"""Values of a real number, or of an integer of a wide range, that are tried."""


@runtime_checkable
class Keyed(Protocol):
    """A space whose configurations say more than the network, such as how to train it."""

    def key(self, configuration: Configuration) -> str:
        """Names everything that the cost depends on."""
        ...


@dataclass
class Keys:
    """The keys of a space's configurations, each computed once.

    Attributes:
        space: the space of the configurations.
    """

    space: Space
    _keys: dict[bytes, str] = field(init=False, default_factory=dict, repr=False, compare=False)

    def key(self, configuration: Configuration) -> str:
        """See `trial_key`."""
        vector = configuration.get_array().tobytes()
        if vector not in self._keys:
            self._keys[vector] = trial_key(self.space, configuration)
        return self._keys[vector]


def trial_key(space: Space, configuration: Configuration) -> str:
    """Return the key of a configuration: equal keys need to be evaluated only once.

    Args:
        space: the space of the configuration.
        configuration: one of its configurations.

    Returns:
        The key of the space if it has its own, else that of the architecture. Hyperparameters that
        the architecture never shows are a part of the key, see `unlabelled`.
    """
    if isinstance(space, Keyed):
        return space.key(configuration)
    return graph_key(space, configuration, space.architecture(configuration).key)


def graph_key(space: Space, configuration: Configuration, graph: str) -> str:
    """Return the key of a configuration whose architecture has the key `graph`.

    Args:
        space: the space of the configuration, which has no keys of its own.
        configuration: one of its configurations.
        graph: the key of its architecture.
    """
    names = unlabelled(space)
    if not names:
        return graph
    return combined_key(graph, {n: v for n, v in record(configuration).items() if n in names})


def combined_key(graph: str, others: Mapping[str, object]) -> str:
    """Return a key that names a network and the values of hyperparameters that it does not show."""
    chosen = json.dumps(others, sort_keys=True)
    return hashlib.sha256(f"{graph} {chosen}".encode()).hexdigest()[:24]


@runtime_checkable
class Declaring(Protocol):
    """A space that knows which hyperparameters its architecture never shows, so nothing is probed.

    Attributes:
        unlabelled: their names.
    """

    unlabelled: Collection[str]


def unlabelled(space: Space) -> Collection[str]:
    """Return the hyperparameters whose change never changes the architecture.

    They are not architecture (a learning rate, for instance), and two configurations that differ
    in one of them are two trials. A hyperparameter that changes the graph in some contexts only,
    such as an operation behind a zero, is not among them. A space that does not declare them is
    probed on its first use, always with the same configurations; a warning names what was found.

    Args:
        space: any space; one with keys of its own has none.
    """
    if isinstance(space, Keyed):
        return ()
    if isinstance(space, Declaring):
        return space.unlabelled
    return _probed(_Same(space))


class _Same:
    """A space that equals itself only: spaces need not be hashable, nor quick to compare."""

    def __init__(self, space: Space) -> None:
        self.space = space

    def __hash__(self) -> int:
        return id(self.space)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.space is other.space


@lru_cache(maxsize=32)
def _probed(same: _Same) -> frozenset[str]:
    names = _Probe(same.space).unlabelled()
    if names:
        warnings.warn(
            f"the architectures of {type(same.space).__name__} do not depend on "
            f"{', '.join(map(repr, sorted(names)))}: configurations that differ only in this are "
            "evaluated separately. Let `architecture` label whatever changes the network, put "
            "training hyperparameters into a `JointSpace`, or name them in the attribute "
            "`unlabelled` of the space",
            stacklevel=4,
        )
    return names


class _Probe:
    """Varies one hyperparameter at a time and compares architectures as they are written.

    Not their canonical graphs: an operation behind a zero is still written down.

    Args:
        space: the space, whose own random state is left alone.
    """

    def __init__(self, space: Space) -> None:
        self._space = space
        self._activation = Activation(space.configuration_space)
        self._rng = np.random.default_rng(0)
        self._grids = [_grid(h) for h, _ in self._activation.entries]
        self._pending = {i for i, grid in enumerate(self._grids) if len(grid) > 1}
        self._active = dict.fromkeys(self._pending, 0)

    def unlabelled(self) -> frozenset[str]:
        for number, context in enumerate(self._contexts()):
            self._try(context, number)
            if not self._pending:
                break
        at = self._space.configuration_space.at
        return frozenset(at[i] for i in self._pending if self._active[i] >= ENOUGH)

    def _contexts(self) -> Iterator[Configuration]:
        """Random configurations, then corners of the space and what is one change away.

        A choice may matter at a single value of another one: the last of 16 layers only at depth
        16, which few random configurations have.
        """
        drawn = sample(self._space.configuration_space, CONTEXTS, self._rng)
        yield from drawn
        near = (c for base in [*self._corners(), *drawn[:2]] for c in self._near(base))
        yield from itertools.islice(near, MOST_NEAR)

    def _near(self, base: Configuration) -> Iterator[Configuration]:
        yield base
        for index, grid in enumerate(self._grids):
            for value in grid:
                if (changed := self._changed(base, index, value)) is not None:
                    yield changed

    def _corners(self) -> Iterator[Configuration]:
        """All hyperparameters at their first values, and all at their last ones."""
        for end in (0, -1):
            vector = np.array([grid[end] for grid in self._grids])
            found = self._activation.repair(vector, self._rng, range(len(vector)))
            if found is not None:
                yield found

    def _try(self, context: Configuration, number: int) -> None:
        """Varies in `context` every hyperparameter that has not changed an architecture yet."""
        vector = context.get_array()
        active = [index for index in self._pending if not np.isnan(vector[index])]
        if not active:
            return
        graph = self._space.architecture(context)
        for index in active:
            self._active[index] += 1
            others = self._grids[index][~np.isclose(self._grids[index], vector[index])]
            for place in range(min(CHANGES, len(others))):
                value = others[(number * CHANGES + place) % len(others)]
                changed = self._changed(context, index, value)
                if changed is not None and self._space.architecture(changed) != graph:
                    self._pending.remove(index)
                    break

    def _changed(self, base: Configuration, index: int, value: float) -> Configuration | None:
        vector = base.get_array().copy()
        if np.isnan(vector[index]) or np.isclose(vector[index], value):
            return None
        vector[index] = value
        return self._activation.repair(vector, self._rng, self._activation.dependants(index))


def _grid(hyperparameter: object) -> NDArray[np.float64]:
    """Values of a hyperparameter as vectors hold them, from the first to the last one."""
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
