"""Candidates for the next evaluation: where an acquisition function is maximised."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from ConfigSpace import Configuration, ConfigurationSpace
from ConfigSpace.hyperparameters import (
    CategoricalHyperparameter,
    Constant,
    IntegerHyperparameter,
    OrdinalHyperparameter,
)
from ConfigSpace.util import deactivate_inactive_hyperparameters

from bonas.strategies.strategy import Exhausted
from spaces.configurations.mutation import neighbours
from spaces.encoding import Encoder
from spaces.space import Space, sample

ATTEMPTS = 20


def size(space: ConfigurationSpace) -> float:
    """How many configurations there are, conditions left aside; infinite with a real number."""
    total = 1.0
    for hyperparameter in space.values():
        total *= len(_choices(hyperparameter)) or np.inf
    return total


def every(space: ConfigurationSpace) -> list[Configuration]:
    """All configurations of a finite space, each once.

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
    found: dict[bytes, Configuration] = {}
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
        found.setdefault(configuration.get_array().tobytes(), configuration)
    return list(found.values())


def _choices(hyperparameter: object) -> Sequence[float]:
    """The values of a hyperparameter as its vector holds them; empty for a real one."""
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

    A space that is small enough is listed once and never proposes a network twice; of a larger
    one, samples are drawn.

    Attributes:
        all_below: spaces of at most so many configurations are listed completely.
        samples: how many random networks.
        parents: of how many of the best the neighbours are added.
        renewed: in a space that is not listed, the samples are kept for so many trials, because
            building the graphs and features of new ones takes longer than everything else.
    """

    all_below: int = 20_000
    samples: int = 400
    parents: int = 8
    renewed: int = 25


@dataclass
class Pool:
    """The networks of one space by key, computed once: the same for whoever asks.

    Attributes:
        space: the space.
        candidates: the settings.
        encoder: of the space.
    """

    space: Space
    candidates: Candidates
    encoder: Encoder
    _listed: dict[str, Configuration] | None = field(init=False, default=None, repr=False)
    _samples: tuple[int, dict[str, Configuration]] | None = field(
        init=False, default=None, repr=False
    )
    _near: dict[bytes, dict[str, Configuration]] = field(
        init=False, default_factory=dict, repr=False
    )

    def listed(self) -> dict[str, Configuration] | None:
        """All networks of the space; None if it is too large to list."""
        space = self.space.configuration_space
        most = self.candidates.all_below
        if space.conditions or space.forbidden_clauses:
            most //= 20  # each of all combinations has to be checked, at a millisecond
        if self._listed is None and size(space) <= most:
            self._listed = self._by_key(every(space))
        return self._listed

    def unseen(
        self,
        asked: set[str],
        best: Sequence[Configuration],
        trials: int,
        rng: np.random.Generator,
    ) -> dict[str, Configuration]:
        """Candidates by key that are not in `asked`: neighbours of the best, then samples.

        Args:
            asked: the keys of networks that are not wanted.
            best: what was evaluated, the best first.
            trials: how many there were so far.
            rng: the source of randomness.

        Raises:
            Exhausted: there is no such network, or none was found.
        """
        found: dict[str, Configuration] = {}
        for parent in best[: self.candidates.parents]:
            found |= self._neighbours(parent)
        listed = self.listed()
        if listed is not None:
            # The representatives of the list, so that a network has one configuration only.
            found = {key: listed[key] for key in found if key not in asked}
            names = [key for key in listed if key not in asked]
            for place in rng.permutation(len(names))[: self.candidates.samples]:
                found[names[place]] = listed[names[place]]
            if not found:
                raise Exhausted("every architecture of the space has been proposed")
            return found
        found |= self._sampled(trials // self.candidates.renewed)
        found = {key: chosen for key, chosen in found.items() if key not in asked}
        for _ in range(ATTEMPTS):
            if found:
                return found
            drawn = self._by_key(sample(self.space.configuration_space, 16, rng))
            found = {key: chosen for key, chosen in drawn.items() if key not in asked}
        raise Exhausted(f"{ATTEMPTS} rounds of candidates held no architecture that is new")

    def random(self, asked: set[str], rng: np.random.Generator) -> Configuration:
        """A random network that is not in `asked`.

        Raises:
            Exhausted: as `unseen`.
        """
        listed = self.listed()
        if listed is not None:
            names = [key for key in listed if key not in asked]
            if not names:
                raise Exhausted("every architecture of the space has been proposed")
            return listed[names[rng.integers(len(names))]]
        for _ in range(ATTEMPTS):
            for chosen in sample(self.space.configuration_space, 16, rng):
                if self.encoder.key(chosen) not in asked:
                    return chosen
        raise Exhausted(f"{ATTEMPTS} rounds of samples held no architecture that is new")

    def _sampled(self, block: int) -> dict[str, Configuration]:
        if self._samples is None or self._samples[0] != block:
            # From a generator of their own: a fresh object finds the same ones.
            rng = np.random.default_rng([block, self.candidates.samples])
            drawn = sample(self.space.configuration_space, self.candidates.samples, rng)
            self._samples = (block, self._by_key(drawn))
        return self._samples[1]

    def _neighbours(self, parent: Configuration) -> dict[str, Configuration]:
        name = parent.get_array().tobytes()
        if name not in self._near:
            self._near[name] = self._by_key(list(neighbours(parent, np.random.default_rng(0))))
        return self._near[name]

    def _by_key(self, configurations: Sequence[Configuration]) -> dict[str, Configuration]:
        found: dict[str, Configuration] = {}
        for configuration in configurations:
            found.setdefault(self.encoder.key(configuration), configuration)
        return found
