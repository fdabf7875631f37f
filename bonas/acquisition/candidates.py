"""Candidates: the configurations over which an acquisition function is maximised."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from ConfigSpace import Configuration, ConfigurationSpace
from ConfigSpace.hyperparameters import (
    CategoricalHyperparameter,
    Constant,
    IntegerHyperparameter,
    OrdinalHyperparameter,
)
from ConfigSpace.util import deactivate_inactive_hyperparameters

from spaces.configurations.mutation import neighbours
from spaces.keys import Keyed
from spaces.space import Space, sample

ATTEMPTS = 20
"""Attempts to find a new architecture at random before the space is taken to be exhausted."""


class Exhausted(Exception):
    """Raised where no new architecture is left to propose."""


def size(space: ConfigurationSpace) -> float:
    """Return the number of configurations, conditions ignored; infinite with a real number."""
    total = 1.0
    for hyperparameter in space.values():
        total *= len(_choices(hyperparameter)) or np.inf
    return total


def every(space: ConfigurationSpace) -> list[Configuration]:
    """Return all configurations of a finite space, each once.

    Raises:
        ValueError: the space has a real hyperparameter.
    """
    choices = [_choices(hyperparameter) for hyperparameter in space.values()]
    if not all(choices):
        raise ValueError("a space with a real hyperparameter has no list of configurations")
    if not space.conditions and not space.forbidden_clauses:
        return [
            Configuration(space, vector=np.array(vector, dtype=np.float64))
            for vector in itertools.product(*choices)
        ]
    configurations: dict[bytes, Configuration] = {}
    for vector in itertools.product(*choices):
        values = {
            name: space[name].to_value(np.float64(number))
            for name, number in zip(space, vector, strict=True)
        }
        try:
            configuration = deactivate_inactive_hyperparameters(values, space)
            configuration.check_valid_configuration()
        except ValueError:  # a forbidden combination
            continue
        configurations.setdefault(configuration.get_array().tobytes(), configuration)
    return list(configurations.values())


def _choices(hyperparameter: object) -> Sequence[float]:
    """Return the values of a hyperparameter as vectors hold them; none for a real one."""
    if isinstance(hyperparameter, Constant):
        return [float(hyperparameter.to_vector(hyperparameter.value))]
    if isinstance(hyperparameter, CategoricalHyperparameter | OrdinalHyperparameter):
        return [float(i) for i in range(int(hyperparameter.size))]
    if isinstance(hyperparameter, IntegerHyperparameter) and hyperparameter.size <= 4096:
        values = np.arange(hyperparameter.lower, hyperparameter.upper + 1)
        return [float(v) for v in hyperparameter.to_vector(values)]
    return []


@dataclass(frozen=True)
class Candidates:
    """Random networks of the space and neighbours of the best.

    A small space is listed once, and no network of it is ever proposed twice; a larger one is
    sampled.

    Attributes:
        all_below: the number of configurations up to which a space is listed completely.
        samples: the number of random networks.
        parents: the number of the best networks whose neighbours are added.
        renewed: the number of trials for which the samples of a space that is not listed are
            kept, because building the graphs and features of new ones dominates a proposal.
    """

    all_below: int = 20_000
    samples: int = 400
    parents: int = 8
    renewed: int = 25


class ByVector:
    """Keys of configurations that are cheap to compute, and tell no two networks alike."""

    def key(self, configuration: Configuration) -> str:
        """See `Keyed.key`."""
        return str(configuration.get_array().tobytes().hex())


@dataclass
class Pool:
    """The candidates of one space by key; each is computed once.

    Attributes:
        space: the search space.
        candidates: the settings.
        keys: the keys of the configurations: an `Encoder`, or `Keys` where nothing is encoded.
    """

    space: Space
    candidates: Candidates
    keys: Keyed
    _samples: tuple[int, dict[str, Configuration]] | None = field(
        init=False, default=None, repr=False
    )
    _near: dict[bytes, dict[str, Configuration]] = field(
        init=False, default_factory=dict, repr=False
    )

    @cached_property
    def listed(self) -> dict[str, Configuration] | None:
        """All networks of the space by key; None if it is too large to list."""
        space = self.space.configuration_space
        largest = self.candidates.all_below
        if space.conditions or space.forbidden_clauses:
            largest //= 20  # each of all combinations is checked, which takes a millisecond
        return self._by_key(every(space)) if size(space) <= largest else None

    def unseen(
        self,
        asked: set[str],
        best: Sequence[Configuration],
        trials: int,
        rng: np.random.Generator,
    ) -> dict[str, Configuration]:
        """Return candidates by key that are not in `asked`: neighbours of the best, then samples.

        Args:
            asked: the keys of the networks of earlier trials.
            best: the evaluated configurations, the best first.
            trials: the number of trials so far.
            rng: the source of randomness.

        Raises:
            Exhausted: there is no such network, or none was found.
        """
        candidates: dict[str, Configuration] = {}
        for parent in best[: self.candidates.parents]:
            candidates |= self.near(parent)
        listed = self.listed
        if listed is not None:
            # The representatives of the list, so that a network has one configuration only.
            candidates = {key: listed[key] for key in candidates if key not in asked}
            new = [key for key in listed if key not in asked]
            for index in rng.permutation(len(new))[: self.candidates.samples]:
                candidates[new[index]] = listed[new[index]]
            if not candidates:
                raise Exhausted("every architecture of the space has been proposed")
            return candidates
        candidates |= self._sampled(trials // self.candidates.renewed)
        candidates = {key: c for key, c in candidates.items() if key not in asked}
        for _ in range(ATTEMPTS):
            if candidates:
                return candidates
            drawn = self._by_key(sample(self.space.configuration_space, 16, rng))
            candidates = {key: c for key, c in drawn.items() if key not in asked}
        raise Exhausted(f"{ATTEMPTS} rounds of candidates held no architecture that is new")

    def near(self, parent: Configuration) -> dict[str, Configuration]:
        """Return the neighbours of a configuration by key, evaluated or not.

        Args:
            parent: of the space.
        """
        vector = parent.get_array().tobytes()
        if vector not in self._near:
            self._near[vector] = self._by_key(list(neighbours(parent, np.random.default_rng(0))))
        return self._near[vector]

    def random(self, asked: set[str], rng: np.random.Generator) -> Configuration:
        """Return a random network that is not in `asked`.

        Args:
            asked: the keys of the networks of earlier trials.
            rng: the source of randomness.

        Raises:
            Exhausted: there is no such network, or none was found.
        """
        listed = self.listed
        if listed is not None:
            new = [key for key in listed if key not in asked]
            if not new:
                raise Exhausted("every architecture of the space has been proposed")
            return listed[new[rng.integers(len(new))]]
        for _ in range(ATTEMPTS):
            for configuration in sample(self.space.configuration_space, 16, rng):
                if self.keys.key(configuration) not in asked:
                    return configuration
        raise Exhausted(f"{ATTEMPTS} rounds of samples held no architecture that is new")

    def _sampled(self, block: int) -> dict[str, Configuration]:
        if self._samples is None or self._samples[0] != block:
            # From a generator of their own, so that a fresh object draws the same ones.
            rng = np.random.default_rng([block, self.candidates.samples])
            drawn = sample(self.space.configuration_space, self.candidates.samples, rng)
            self._samples = (block, self._by_key(drawn))
        return self._samples[1]

    def _by_key(self, configurations: Sequence[Configuration]) -> dict[str, Configuration]:
        first: dict[str, Configuration] = {}
        for configuration in configurations:
            first.setdefault(self.keys.key(configuration), configuration)
        return first
