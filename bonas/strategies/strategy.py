"""What a search strategy is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from ConfigSpace import Configuration

from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Trial
from spaces.space import Space


@dataclass(frozen=True)
class Again:
    """A proposal to evaluate a network once more, with a seed that it has not had yet.

    Attributes:
        trial: an earlier trial of that network.
    """

    trial: Trial


Proposal = Configuration | Again


class Strategy(Protocol):
    """Decides which architecture to look at next."""

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Proposal:
        """What to evaluate next: a configuration, or a known one again with another seed.

        A pure function of its arguments: it may cache what it derives from them, but a fresh
        object that is given the same ones proposes the same. Resuming, ask-and-tell, parallel
        runs and replay all follow from that.

        Args:
            space: the space to search.
            history: everything that was evaluated, and in `history.pending` what is running.
            rng: the only source of randomness, a new one for each trial.

        Raises:
            Exhausted: every architecture of the space has been proposed.
        """
        ...


class Exhausted(Exception):
    """Raised by a strategy that has nothing left to propose."""


@runtime_checkable
class Recommender(Protocol):
    """A strategy with its own judgement of which evaluated network is the best."""

    def recommend(self, space: Space, history: History) -> Evaluation | None:
        """The evaluation to trust; None if nothing has succeeded yet."""
        ...
