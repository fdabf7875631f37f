"""Search strategies: the settings, and the state of one search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from ConfigSpace import Configuration

from bonas.acquisition.candidates import Exhausted as Exhausted
from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Trial
from spaces.space import Space

if TYPE_CHECKING:
    from fidelity.proxies.proxy import Proxy


@dataclass(frozen=True)
class Again:
    """A proposal to evaluate a network again, with a seed that it has not had yet.

    Attributes:
        trial: an earlier trial of that network.
    """

    trial: Trial


@dataclass(frozen=True)
class ScoreNetworks:
    """A request to score networks by zero-cost proxies, and then to ask for a proposal again.

    A strategy makes it only where `history.scores.training_images` is above 0.

    Attributes:
        configurations: of networks that have no scores yet.
        proxies: score each of them.
        images: the size of the batch.
    """

    configurations: Sequence[Configuration]
    proxies: tuple[Proxy, ...]
    images: int


Proposal = Configuration | Again | ScoreNetworks


class Strategy(Protocol):
    """Decides which architecture to evaluate next."""

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Proposal:
        """Return the next configuration, or an evaluated one to repeat with another seed.

        It may return a request for zero-cost scores first, see `ScoreNetworks`.

        A pure function of its arguments: it may cache what it derives from them, but a fresh
        object proposes the same for the same arguments. Resuming, ask-and-tell, parallel runs
        and replay all rely on that.

        Args:
            space: the search space.
            history: all evaluations, with the running trials in `history.pending`.
            rng: the only source of randomness, a new one for each trial.

        Raises:
            Exhausted: every architecture of the space has been proposed.
        """
        ...


@runtime_checkable
class Startable(Strategy, Protocol):
    """A strategy that keeps something from one proposal to the next.

    The object itself holds settings only, so one object may serve several searches. A subclass
    inherits `propose`; a class with both methods need not be a subclass.
    """

    def start(self, space: Space) -> Strategy:
        """Return the strategy for one search of `space`, with everything that it caches.

        The returned object has the same methods and makes the same proposals, faster. The search
        owns it and drops it.
        """
        ...

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Proposal:
        """See `Strategy.propose`; derives everything from its arguments again."""
        return self.start(space).propose(space, history, rng)


def started(strategy: Strategy, space: Space) -> Strategy:
    """Return the strategy for one search: what `start` returns, or a strategy without it as it is.

    Args:
        strategy: the settings.
        space: the search space.
    """
    return strategy.start(space) if isinstance(strategy, Startable) else strategy


@runtime_checkable
class Recommender(Protocol):
    """A strategy with its own judgement of which evaluated network is the best."""

    def recommend(self, space: Space, history: History) -> Evaluation | None:
        """Return the evaluation to trust; None if none has succeeded yet.

        Args:
            space: the search space.
            history: of the search.
        """
        ...


def recommended(strategy: Strategy, space: Space, history: History) -> Evaluation | None:
    """Return the recommendation of a strategy, or the incumbent if it makes none.

    Args:
        strategy: any strategy.
        space: the search space.
        history: of the search.
    """
    if isinstance(strategy, Recommender):
        return strategy.recommend(space, history)
    return history.incumbent
