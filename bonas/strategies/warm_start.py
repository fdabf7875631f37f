"""Warm starts: a search that begins with given configurations."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from ConfigSpace import Configuration

from bonas.roles import STRATEGY, check_role
from bonas.strategies.strategy import Proposal, Startable, Strategy, recommended, started
from fidelity.history.history import History
from fidelity.history.trial import Evaluation
from spaces.keys import trial_key
from spaces.space import Space, SpaceError, configuration, values


@dataclass(frozen=True)
class StartFrom(Startable):
    """Proposes given configurations first, then those of another strategy.

    Attributes:
        configurations: proposed in this order; those that were proposed before are left out.
        strategy: proposes afterwards; it learns from the given configurations as from all others.
    """

    configurations: tuple[Configuration, ...]
    strategy: Strategy

    def __post_init__(self) -> None:
        check_role("strategy", self.strategy, STRATEGY, "strategies.RandomSearch()")

    def start(self, space: Space) -> StartFrom:
        """See `Startable.start`."""
        return replace(self, strategy=started(self.strategy, space))

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Proposal:
        """See `Strategy.propose`."""
        asked = history.keys()
        for first in self.configurations:
            if trial_key(space, first) not in asked:
                return first
        return self.strategy.propose(space, history, rng)

    def recommend(self, space: Space, history: History) -> Evaluation | None:
        """See `Recommender.recommend`."""
        return recommended(self.strategy, space, history)


def best_of(history: History, space: Space, count: int) -> tuple[Configuration, ...]:
    """Return the best networks of an earlier search as configurations of `space`, for `StartFrom`.

    The costs of the two searches are not compared, so the data sets may differ. Networks that
    `space` does not contain are left out.

    Args:
        history: of the earlier search.
        space: of the new search.
        count: the maximal number of networks, each of them once.
    """
    best: dict[str, Configuration] = {}
    for budget in reversed(history.budgets):
        successes = [e for e in history.at(budget) if e.succeeded]
        for evaluation in sorted(successes, key=lambda e: e.cost):
            try:
                converted = configuration(
                    space.configuration_space, values(evaluation.trial.configuration)
                )
            except SpaceError:
                continue
            best.setdefault(trial_key(space, converted), converted)
    return tuple(best.values())[:count]
