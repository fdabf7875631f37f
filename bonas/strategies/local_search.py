"""Local search: from the best of a few random networks to better and better neighbours."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, field

import numpy as np
from ConfigSpace import Configuration

from bonas.acquisition.prior import Belief
from bonas.strategies.networks import Networks
from bonas.strategies.strategy import Startable, Strategy
from fidelity.history.history import History
from fidelity.history.trial import Evaluation
from spaces.space import Space


@dataclass(frozen=True)
class LocalSearch(Startable):
    """Evaluates the neighbours of the current network and moves to each one that is better.

    White, Nolen and Savani 2021, "Exploring the loss landscape in neural architecture search", in
    the variant that moves as soon as a better neighbour is found. At a local optimum the search
    restarts at random. Known neighbours are not evaluated again.

    With several budgets a network at a higher budget is better than one at a lower budget;
    at equal budgets the cost decides. Several workers evaluate the neighbours of one network in
    parallel, and random networks once all of these are running. A number has neighbours in
    a few directions only, which are always the same for one network.

    Attributes:
        initial: the number of random networks at the beginning of each descent.
        belief: the user's prior over the best configuration; random networks are drawn from it
            too (see `bonas.acquisition.ensemble_sampling.Ensemble`).

    Raises:
        ValueError: `initial` is below 1.
    """

    initial: int = 10
    belief: Belief | None = None

    def __post_init__(self) -> None:
        if self.initial < 1:
            raise ValueError(f"a descent begins with at least 1 network, not {self.initial}")

    def start(self, space: Space) -> Strategy:
        """See `Startable.start`."""
        return _LocalSearch(self, Networks(space, self.belief))


@dataclass(frozen=True)
class _LocalSearch:
    settings: LocalSearch
    networks: Networks = field(repr=False, compare=False)

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Configuration:
        asked = history.keys()
        descent = _Descent(self.networks, self.settings.initial, history.refused)
        for evaluation in history.evaluations:
            descent.add(evaluation)
        neighbours = descent.neighbours()
        # A key takes longer to compute than its configuration, so the first new one is taken.
        for index in rng.permutation(len(neighbours)):
            if self.networks.key(neighbour := neighbours[int(index)]) not in asked:
                return neighbour
        return self.networks.random(history, rng)


class _Descent:
    """The progress of the current descent, replayed from the evaluations in their order of ending.

    Args:
        networks: of the space.
        initial: the number of networks that it begins with.
        refused: the keys of networks beyond a constraint: they are never evaluated, and an optimum
            is one among the others.
    """

    def __init__(self, networks: Networks, initial: int, refused: Set[str]) -> None:
        self._networks = networks
        self._initial = initial
        self._refused = refused
        self._evaluated: set[str] = set()
        self._new_networks = 0  # of this descent
        self._current: Evaluation | None = None

    def add(self, evaluation: Evaluation) -> None:
        """Move to a better network, or restart where no neighbour is better."""
        key = evaluation.trial.key
        self._new_networks += key not in self._evaluated
        self._evaluated.add(key)
        current = self._current
        if evaluation.succeeded and (current is None or _rank(evaluation) < _rank(current)):
            self._current = evaluation
        if self._descending and self._optimal():
            self._new_networks, self._current = 0, None

    @property
    def _descending(self) -> bool:
        return self._current is not None and self._new_networks >= self._initial

    def _optimal(self) -> bool:
        keys = map(self._networks.key, self.neighbours())
        return all(key in self._evaluated or key in self._refused for key in keys)

    def neighbours(self) -> Sequence[Configuration]:
        """Return those of the current network; none before the descent has its first networks."""
        if self._current is None or not self._descending:
            return ()
        return self._networks.neighbours(self._current.trial.configuration)


def _rank(evaluation: Evaluation) -> tuple[float, float]:
    """Return a sort key, lower for better evaluations."""
    return -evaluation.trial.budget, evaluation.cost
