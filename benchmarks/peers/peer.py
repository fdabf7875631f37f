"""The protocol of a peer: it starts a session with ask and tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from ConfigSpace import ConfigurationSpace

from spaces.space import Space

Choice = dict[str, str]
"""Of a network: what was chosen for each name, such as the operation on each edge."""

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = ("edge_0_1", "edge_0_2", "edge_1_2", "edge_0_3", "edge_1_3", "edge_2_3")


@dataclass(frozen=True, eq=False)
class FlatSpace:
    """A finite space without conditions, in the terms of all peers.

    Attributes:
        space: its architectures.
        values: of each hyperparameter those that it can have; the order is that of the peers.
    """

    space: Space
    values: Mapping[str, tuple[str, ...]]

    def configuration_space(self, seed: int) -> ConfigurationSpace:
        """The same choices for a peer that asks for ConfigSpace, with a generator of its own."""
        return ConfigurationSpace({name: list(v) for name, v in self.values.items()}, seed=seed)


class Session(Protocol):
    """One search."""

    def ask(self) -> Choice:
        """The choice to evaluate next."""
        ...

    def tell(self, choice: Choice, cost: float) -> None:
        """Record the error in percent of the last choice."""
        ...


@runtime_checkable
class Recommends(Protocol):
    """A session with its own judgement of which evaluated network is the best."""

    def recommend(self) -> Choice:
        """The network to recommend, after at least one result."""
        ...


class Peer(Protocol):
    """An optimizer with fixed settings; it imports its library when it starts."""

    def start(self, flat: FlatSpace, seed: int) -> Session:
        """A fresh search.

        Args:
            flat: the space to search.
            seed: of everything random.

        Raises:
            ImportError: its library is not installed.
        """
        ...


def draw(flat: FlatSpace, rng: np.random.Generator) -> Choice:
    """A network at random."""
    return {name: values[rng.integers(len(values))] for name, values in flat.values.items()}


def mutate(flat: FlatSpace, choice: Choice, rng: np.random.Generator) -> Choice:
    """Another value of one hyperparameter."""
    name = list(flat.values)[rng.integers(len(flat.values))]
    others = [value for value in flat.values[name] if value != choice[name]]
    return {**choice, name: others[rng.integers(len(others))]}


@dataclass
class Seen:
    """The evaluations in order.

    Attributes:
        choices: one per evaluation.
        costs: of each of them.
    """

    choices: list[Choice] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)

    def add(self, choice: Choice, cost: float) -> None:
        """Appends one evaluation."""
        self.choices.append(choice)
        self.costs.append(cost)

    def best_first(self, most: int) -> list[Choice]:
        """The `most` best choices by single observations."""
        return [self.choices[i] for i in np.argsort(self.costs, kind="stable")[:most]]

    def unseen(self, drawn: list[Choice]) -> list[Choice]:
        """The choices that were not evaluated, without repetition."""
        known = {tuple(choice.values()) for choice in self.choices}
        fresh = {tuple(choice.values()): choice for choice in drawn}
        return [choice for name, choice in fresh.items() if name not in known]
