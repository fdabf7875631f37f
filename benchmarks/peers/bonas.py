"""The strategies of bonas, through the interface of all peers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from bonas.strategies.strategy import Again, Proposal, Recommender, ScoreNetworks, Strategy, started
from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Trial
from peers.peer import Choice, FlatSpace
from spaces.space import Space, configuration, values


@dataclass(frozen=True, eq=False)
class Bonas:
    """A strategy of bonas at full fidelity.

    Attributes:
        strategy: one object for all seeds, whose caches name the networks of a space only once.
        deterministic: whether the objective declares that it has no noise.
    """

    strategy: Strategy
    deterministic: bool = False

    def start(self, flat: FlatSpace, seed: int) -> BonasSession:
        """See `Peer.start`."""
        return BonasSession(_started(self, flat), flat.space, seed, self.deterministic)


@cache
def _started(peer: Bonas, flat: FlatSpace) -> Strategy:
    """Start a strategy once for all seeds; naming every network of a space takes seconds."""
    return started(peer.strategy, flat.space)


class BonasSession:
    """See `Session`; draws as `benchmarks/ablations.py` does.

    Args:
        strategy: proposes; already started.
        space: to search.
        seed: of its proposals.
        deterministic: whether the objective declares that it has no noise.
    """

    def __init__(
        self, strategy: Strategy, space: Space, seed: int, deterministic: bool = False
    ) -> None:
        self.strategy = strategy
        self.seed = seed
        self.space = space
        self.history = History(self.space.configuration_space, deterministic=deterministic)
        self.repeated = False

    def ask(self) -> Choice:
        """The proposal, which may be a known network again."""
        proposal = self.propose()
        assert not isinstance(proposal, ScoreNetworks)  # it is told of no networks to score
        self.repeated = isinstance(proposal, Again)
        chosen = proposal.trial.configuration if isinstance(proposal, Again) else proposal
        return values(chosen)

    def propose(self) -> Proposal:
        """Return the strategy's next proposal."""
        rng = np.random.default_rng([self.seed, 0, len(self.history)])
        return self.strategy.propose(self.space, self.history, rng)

    def tell(self, choice: Choice, cost: float) -> None:
        """One more evaluation in the history; a repeat has a seed of its own."""
        number = len(self.history)
        chosen = configuration(self.space.configuration_space, choice)
        key = self.space.architecture(chosen).key
        trial = Trial(number, chosen, key, 200.0, number if self.repeated else 0)
        self.history.add_trial(trial)
        self.history.add_evaluation(Evaluation(trial, cost))

    def recommend(self) -> Choice:
        """The strategy's recommendation if it makes one, else the best observation."""
        best = self.history.incumbent
        if isinstance(self.strategy, Recommender):
            best = self.strategy.recommend(self.space, self.history)
        assert best is not None
        return values(best.trial.configuration)
