"""Keys of trials: of configurations with equal keys only one has to be evaluated."""

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

from spaces.configurations.active_choices import Activation
from spaces.configurations.grid import value_grid
from spaces.space import Space, provides, record, sample

RANDOM_CONTEXTS = 48
"""Random configurations in which a hyperparameter is varied before it counts as unlabelled."""

MAX_NEAR_CONTEXTS = 256
"""Configurations near corners of the space in which it is varied after those."""

MIN_ACTIVE = 8
"""A hyperparameter that was active in fewer of these configurations stays undecided."""

VALUES_PER_CONTEXT = 2
"""Other values of a hyperparameter that are tried in one configuration."""


@runtime_checkable
class Keyed(Protocol):
    """A space whose configurations say more than the network, such as how to train it."""

    def key(self, configuration: Configuration) -> str:
        """Return a name of everything that the cost depends on."""
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
        the architecture never shows are a part of the key, see `unlabelled`. In a space without
        `architecture` the values are the key.
    """
    if isinstance(space, Keyed):
        return space.key(configuration)
    if not provides(space, "architecture"):
        return values_key(configuration)
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


def values_key(configuration: Configuration) -> str:
    """Return the key of a configuration that stands for no network: all active values."""
    return combined_key("", record(configuration))


def combined_key(graph: str, others: Mapping[str, object]) -> str:
    """Return the key of a network together with hyperparameters that it does not show.

    Args:
        graph: the key of the network.
        others: the values of the hyperparameters by name, as JSON can hold them.
    """
    values = json.dumps(others, sort_keys=True)
    return hashlib.sha256(f"{graph} {values}".encode()).hexdigest()[:24]


@runtime_checkable
class Declaring(Protocol):
    """A space that declares which hyperparameters its architecture never shows.

    Attributes:
        unlabelled: their names; nothing is probed.
    """

    unlabelled: Collection[str]


def unlabelled(space: Space) -> Collection[str]:
    """Return the hyperparameters whose change never changes the architecture.

    They are not architecture (a learning rate, for instance), and two configurations that differ
    in one of them are two trials. A hyperparameter that changes the graph in some contexts only,
    such as an operation behind a zero, is not among them. A space that does not declare them is
    probed on its first use, always with the same configurations; a warning names them.

    Args:
        space: any space; one with keys of its own or without `architecture` has none.
    """
    if isinstance(space, Keyed) or not provides(space, "architecture"):
        return ()
    if isinstance(space, Declaring):
        return space.unlabelled
    return _probed(_Same(space))


class _Same:
    """A space compared by identity: spaces need not be hashable, nor fast to compare."""

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
    """A search for unlabelled hyperparameters, which varies one at a time.

    It compares architectures as they are written, not their canonical graphs: an operation behind a
    zero is still written down.

    Args:
        space: the space, whose own random state is left alone.
    """

    def __init__(self, space: Space) -> None:
        self._space = space
        self._activation = Activation(space.configuration_space)
        self._rng = np.random.default_rng(0)
        self._grids = [value_grid(h) for h, _ in self._activation.entries]
        self._pending = {i for i, grid in enumerate(self._grids) if len(grid) > 1}
        self._active = dict.fromkeys(self._pending, 0)

    def unlabelled(self) -> frozenset[str]:
        for number, context in enumerate(self._contexts()):
            self._try(context, number)
            if not self._pending:
                break
        at = self._space.configuration_space.at
        return frozenset(at[i] for i in self._pending if self._active[i] >= MIN_ACTIVE)

    def _contexts(self) -> Iterator[Configuration]:
        """Yield random configurations, then corners of the space and their neighbours.

        A choice may matter at a single value of another one: the last of 16 layers only at depth
        16, which few random configurations have.
        """
        drawn = sample(self._space.configuration_space, RANDOM_CONTEXTS, self._rng)
        yield from drawn
        near = (c for base in [*self._corners(), *drawn[:2]] for c in self._near(base))
        yield from itertools.islice(near, MAX_NEAR_CONTEXTS)

    def _near(self, base: Configuration) -> Iterator[Configuration]:
        yield base
        for index, grid in enumerate(self._grids):
            for value in grid:
                if (changed := self._changed(base, index, value)) is not None:
                    yield changed

    def _corners(self) -> Iterator[Configuration]:
        """Yield all hyperparameters at their first values, and all at their last ones."""
        for end in (0, -1):
            vector = np.array([grid[end] for grid in self._grids])
            corner = self._activation.repair(vector, self._rng, range(len(vector)))
            if corner is not None:
                yield corner

    def _try(self, context: Configuration, number: int) -> None:
        """Vary in `context` every hyperparameter that has not changed an architecture yet."""
        vector = context.get_array()
        active = [index for index in self._pending if not np.isnan(vector[index])]
        if not active:
            return
        graph = self._space.architecture(context)
        for index in active:
            self._active[index] += 1
            others = self._grids[index][~np.isclose(self._grids[index], vector[index])]
            for offset in range(min(VALUES_PER_CONTEXT, len(others))):
                value = others[(number * VALUES_PER_CONTEXT + offset) % len(others)]
                changed = self._changed(context, index, value)
                if changed is not None and self._space.architecture(changed) != graph:
                    self._pending.remove(index)
                    break

    def _changed(self, base: Configuration, index: int, value: float) -> Configuration | None:
        vector = base.get_array()
        if np.isnan(vector[index]) or np.isclose(vector[index], value):
            return None
        return self._activation.changed(vector, index, value, self._rng)
