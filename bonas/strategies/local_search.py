"""Local search: from the best of a few random networks to better and better neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from ConfigSpace import Configuration

from bonas.strategies.networks import Networks
from bonas.strategies.remembered import remembered
from fidelity.history.history import History
from fidelity.history.trial import Evaluation
from spaces.space import Space


@dataclass(frozen=True)
class LocalSearch:
    """Evaluates the neighbours of the current network and moves to each that is better.

    White, Nolen and Savani 2021, "Exploring the loss landscape in neural architecture search", in
    the variant that moves as soon as a better neighbour is found. Where none of a network's
    neighbours is better, the search begins anew at random. Neighbours that are known are not
    evaluated again.

    With several budgets a network counts as better at a higher budget than at a lower one, and
    by its cost at the same one. With several workers the neighbours of one network are evaluated
    at once, and random networks when all of them are being evaluated. A number has neighbours in
    a few directions only, which are always the same for one network.

    Attributes:
        initial: how many random networks each descent begins with.

    Raises:
        ValueError: there is no network to begin with.
    """

    initial: int = 10
    _memory: list[Networks] = field(init=False, default_factory=list, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.initial < 1:
            raise ValueError(f"a descent begins with at least 1 network, not {self.initial}")

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Configuration:
        """See `Strategy.propose`."""
        networks = remembered(self._memory, space, lambda: Networks(space))
        asked = history.keys()
        descent = _Descent(networks, self.initial)
        for evaluation in history.evaluations:
            descent.ended(evaluation)
        near = descent.neighbours()
        # To name a network takes longer than to make its configuration, so the first one will do.
        for place in rng.permutation(len(near)):
            if networks.key(neighbour := near[int(place)]) not in asked:
                return neighbour
        return networks.random(asked, rng)


class _Descent:
    """Where the present descent has got to, from the order in which evaluations ended alone.

    Args:
        networks: of the space.
        initial: how many networks it begins with.
    """

    def __init__(self, networks: Networks, initial: int) -> None:
        self._networks = networks
        self._initial = initial
        self._evaluated: set[str] = set()
        self._begun = 0  # the new networks of this descent
        self._current: Evaluation | None = None

    def ended(self, evaluation: Evaluation) -> None:
        """Moves to a better network, or begins anew where there is no better neighbour."""
        key = evaluation.trial.key
        self._begun += key not in self._evaluated
        self._evaluated.add(key)
        current = self._current
        if evaluation.succeeded and (current is None or _rank(evaluation) < _rank(current)):
            self._current = evaluation
        if self._searching and self._optimal():
            self._begun, self._current = 0, None

    @property
    def _searching(self) -> bool:
        return self._current is not None and self._begun >= self._initial

    def _optimal(self) -> bool:
        return all(self._networks.key(near) in self._evaluated for near in self.neighbours())

    def neighbours(self) -> Sequence[Configuration]:
        """Those of the current network; none before a descent has its first networks."""
        if self._current is None or not self._searching:
            return ()
        return self._networks.neighbours(self._current.trial.configuration)


def _rank(evaluation: Evaluation) -> tuple[float, float]:
    """The lower the better."""
    return -evaluation.trial.budget, evaluation.cost
