"""What proposes networks from a policy that learns."""

from __future__ import annotations

import numpy as np
from ConfigSpace import Configuration
from ConfigSpace.exceptions import ForbiddenValueError

from bonas.acquisition.candidates import Candidates, Pool
from bonas.strategies.reinforcement.learner import Learner, Learning
from bonas.strategies.reinforcement.policy import Policy, draw
from bonas.strategies.reinforcement.walk import Walk
from fidelity.history.history import History
from spaces.encoding import Encoder
from spaces.space import Space

ATTEMPTS = 20
"""So many configurations are drawn from the policy for one proposal, at most."""

LISTED = 2000
"""Spaces of at most so many configurations are listed when the policy has nothing new; to list a
larger one would take longer than a proposal may."""


class Agent:
    """A policy on one space, and what it proposes.

    A network that was asked for already, at whatever budget, is running or known: the policy draws
    another configuration, `ATTEMPTS` in all. So does one that a forbidden clause forbids. If none
    of them is new, a random new network is proposed, so that a policy that has collapsed onto
    known networks does not end the search.

    Args:
        space: the space.
        policy: before it has learned.
        learning: how it learns.
        bins: the options of a number; see `options_of`.

    Attributes:
        space: the space.
    """

    def __init__(self, space: Space, policy: Policy, learning: Learning, bins: int) -> None:
        self.space = space
        self._walk = Walk(space.configuration_space, bins)
        self._learner = Learner(policy, self._walk, learning)
        self._pool = Pool(space, Candidates(all_below=LISTED), Encoder(space, depth=0))

    def propose(self, history: History, rng: np.random.Generator) -> Configuration:
        """See `Strategy.propose`.

        Raises:
            Exhausted: there is no new network, or none was found.
            PolicyError: the policy's loss or its weights are no longer finite numbers.
        """
        policy = self._learner.learned(history)
        asked = history.keys()
        # The first is new most of the time; if not, the others are drawn together.
        for walks in (1, ATTEMPTS - 1):
            for vector in draw(policy, self._walk, walks, rng):
                found = Configuration(self.space.configuration_space, vector=vector)
                if _allowed(found) and self._pool.encoder.key(found) not in asked:
                    return found
        return self._pool.random(asked, rng)


def _allowed(configuration: Configuration) -> bool:
    """Whether no clause forbids it."""
    if configuration.config_space.forbidden_clauses:
        try:
            configuration.check_valid_configuration()
        except ForbiddenValueError:
            return False
    return True
