"""What a peer is: something that starts a session which is asked and told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np

Choice = dict[str, str]
"""The operation on each edge."""

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = ("edge_0_1", "edge_0_2", "edge_1_2", "edge_0_3", "edge_1_3", "edge_2_3")


class Session(Protocol):
    """One search."""

    def ask(self) -> Choice:
        """What to evaluate next."""
        ...

    def tell(self, choice: Choice, cost: float) -> None:
        """The validation error in percent of what was asked last."""
        ...


@runtime_checkable
class Recommends(Protocol):
    """A session with its own judgement of which evaluated network is the best."""

    def recommend(self) -> Choice:
        """The network to trust; something has been told before."""
        ...


class Peer(Protocol):
    """An optimizer with fixed settings; it imports its library when it starts."""

    def start(self, seed: int) -> Session:
        """A fresh search.

        Raises:
            ImportError: its library is not installed.
        """
        ...


def draw(rng: np.random.Generator) -> Choice:
    """A cell at random."""
    return {edge: OPERATIONS[rng.integers(len(OPERATIONS))] for edge in EDGES}


def mutate(choice: Choice, rng: np.random.Generator) -> Choice:
    """Another operation on one edge."""
    edge = EDGES[rng.integers(len(EDGES))]
    others = [name for name in OPERATIONS if name != choice[edge]]
    return {**choice, edge: others[rng.integers(len(others))]}


@dataclass
class Seen:
    """What was evaluated, in order.

    Attributes:
        choices: one an evaluation.
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
        """Those that were not evaluated, without repetition."""
        known = {tuple(choice.values()) for choice in self.choices}
        fresh = {tuple(choice.values()): choice for choice in drawn}
        return [choice for name, choice in fresh.items() if name not in known]
