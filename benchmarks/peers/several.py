"""Peers that search for a front: `tell` receives a cost for each of several objectives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from peers.peer import Choice
from spaces.space import Space


class FrontSession(Protocol):
    """One search."""

    def ask(self) -> Choice:
        """The choice to evaluate next."""
        ...

    def tell(self, choice: Choice, costs: Sequence[float]) -> None:
        """Record the costs of the last choice, all to be minimised."""
        ...


class FrontPeer(Protocol):
    """An optimizer with fixed settings; it imports its library when it starts."""

    def start(self, space: Space, seed: int, evaluations: int) -> FrontSession:
        """A fresh search for two objectives.

        Args:
            space: finite, of categorical choices without conditions.
            seed: of everything random.
            evaluations: the number of evaluations to come.

        Raises:
            ImportError: its library is not installed.
        """
        ...


def options(space: Space) -> dict[str, tuple[str, ...]]:
    """The values of each hyperparameter."""
    return {
        name: tuple(map(str, hyperparameter.choices))
        for name, hyperparameter in space.configuration_space.items()
    }
