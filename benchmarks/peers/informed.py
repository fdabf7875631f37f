"""Bayesian optimization of bonas that knows something before its first evaluation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from ConfigSpace import Configuration

from bonas.strategies.bayesian import BayesianOptimization
from bonas.strategies.prior_knowledge import prior_knowledge
from bonas.strategies.strategy import Proposal, ScoreNetworks, Strategy, started
from fidelity.history.history import History
from fidelity.history.scores import Scored
from peers.bonas import BonasSession
from peers.peer import FlatSpace
from spaces.space import Space

Lookup = Callable[[Configuration], Mapping[str, float]]
"""Returns the published scores of a network by the names of the proxies."""


@dataclass(frozen=True)
class Informed:
    """Bayesian optimization with published zero-cost scores, earlier searches, or both.

    Attributes:
        strategy: its `zero_cost` says how many networks are scored.
        scores: of any network; None scores none.
        earlier: the earlier searches for each seed.
        part: what the knowledge is used for, by a change of the started strategy.
    """

    strategy: BayesianOptimization = field(default_factory=BayesianOptimization)
    scores: Lookup | None = None
    earlier: Callable[[int], Sequence[History]] = lambda seed: ()
    part: Callable[[Strategy], Strategy] = lambda strategy: strategy

    def start(self, flat: FlatSpace, seed: int) -> InformedSession:
        """See `Peer.start`."""
        shared, settings, space = _started(flat), self.strategy, flat.space
        prior = prior_knowledge(
            settings.zero_cost,
            self.earlier(seed),
            space,
            shared.encoder,
            shared.pool,
            settings.surrogate,
        )
        strategy = replace(shared, settings=settings, prior=prior)
        return InformedSession(self.part(strategy), space, seed, self.scores)


@cache
def _started(flat: FlatSpace) -> Any:
    """Return the default strategy, whose caches serve all seeds."""
    return started(BayesianOptimization(zero_cost=None), flat.space)


class InformedSession(BonasSession):
    """See `Session`; scores what the strategy requests.

    Args:
        strategy: proposes.
        space: to search.
        seed: of its proposals.
        scores: of any network; None scores none.
    """

    def __init__(self, strategy: Strategy, space: Space, seed: int, scores: Lookup | None) -> None:
        super().__init__(strategy, space, seed)
        self.scores = scores
        self.history.scores.training_images = 0.0 if scores is None else float("inf")

    def propose(self) -> Proposal:
        """Return a proposal; scores what it needs first."""
        while isinstance(proposal := super().propose(), ScoreNetworks):
            assert self.scores is not None
            for chosen in proposal.configurations:
                key = self.space.architecture(chosen).key
                self.history.scores.add(Scored(chosen, key, self.scores(chosen)))
        return proposal
