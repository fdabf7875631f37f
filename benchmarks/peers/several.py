"""Peers that look for a front: what is told is a cost for each of several objectives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from peers.peer import Choice
from spaces.space import Space


class FrontSession(Protocol):
    """One search."""

    def ask(self) -> Choice:
        """What to evaluate next."""
        ...

    def tell(self, choice: Choice, costs: Sequence[float]) -> None:
        """The costs of what was asked last, all to be minimised."""
        ...


class FrontPeer(Protocol):
    """An optimizer with fixed settings; it imports its library when it starts."""

    def start(self, space: Space, seed: int, evaluations: int) -> FrontSession:
        """A fresh search for two objectives.

        Args:
            space: finite, of categorical choices without conditions.
            seed: of everything random.
            evaluations: how many there will be.

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
