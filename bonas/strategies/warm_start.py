"""Where a search starts: named configurations, or the best of an earlier search."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ConfigSpace import Configuration

from bonas.roles import STRATEGY, check_role
from bonas.strategies.strategy import Proposal, Strategy
from fidelity.history.history import History
from fidelity.history.trial import Evaluation
from spaces.keys import trial_key
from spaces.space import Space, configuration, values


@dataclass(frozen=True)
class StartFrom:
    """Proposes given configurations first, then what another strategy proposes.

    Attributes:
        configurations: proposed in this order, the ones that were asked for already left out.
        strategy: what comes after them; it learns from them as from everything else.
    """

    configurations: tuple[Configuration, ...]
    strategy: Strategy

    def __post_init__(self) -> None:
        """Check that the strategy is one."""
        check_role("strategy", self.strategy, STRATEGY, "strategies.RandomSearch()")

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Proposal:
        """See `Strategy.propose`."""
        asked = history.keys()
        for chosen in self.configurations:
            if trial_key(space, chosen) not in asked:
                return chosen
        return self.strategy.propose(space, history, rng)

    def recommend(self, space: Space, history: History) -> Evaluation | None:
        """What the other strategy recommends, or else the incumbent."""
        from bonas.strategies.strategy import Recommender

        if isinstance(self.strategy, Recommender):
            return self.strategy.recommend(space, history)
        return history.incumbent


def best_of(history: History, space: Space, count: int) -> tuple[Configuration, ...]:
    """The best networks of an earlier search, as configurations of `space`, for `StartFrom`.

    Costs of the two searches are not compared, so they may be of another data set. What is no
    configuration of `space` is left out.

    Args:
        history: of the earlier search.
        space: of the new one.
        count: how many at most; each network once.
    """
    from spaces.space import SpaceError

    found: dict[str, Configuration] = {}
    for budget in reversed(history.budgets):
        successes = [e for e in history.at(budget) if e.succeeded]
        for evaluation in sorted(successes, key=lambda e: e.cost):
            try:
                chosen = configuration(
                    space.configuration_space, values(evaluation.trial.configuration)
                )
            except SpaceError:
                continue
            found.setdefault(trial_key(space, chosen), chosen)
    return tuple(found.values())[:count]
