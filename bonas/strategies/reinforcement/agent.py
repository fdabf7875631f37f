"""The agent: draws networks from a policy while the policy is trained on the history."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from ConfigSpace import Configuration
from ConfigSpace.exceptions import ForbiddenValueError

from bonas.acquisition.candidates import Candidates, Pool
from bonas.strategies.reinforcement.learner import Learner, Learning
from bonas.strategies.reinforcement.policy import Policy, draw
from bonas.strategies.reinforcement.walk import Walk
from fidelity.history.history import History
from spaces.keys import Keys
from spaces.space import Space

ATTEMPTS = 20
"""Configurations drawn from the policy for one proposal, at most."""

MAX_LISTED = 2000
"""Configurations of a space that is listed when the policy draws nothing new; to list a larger one
would take longer than a proposal may."""


@dataclass(frozen=True)
class Agent:
    """A policy on one space, with the training that it has received so far.

    Where the policy draws a network that was proposed before, at whatever budget, or a
    configuration that a forbidden clause excludes, it draws again, `ATTEMPTS` times in all. If
    nothing is new, a random new network is proposed, so a policy that has collapsed onto
    known networks does not end the search.

    Attributes:
        space: the search space.
        policy: before its training.
        learning: the settings of its training.
        bins: the options of a number; see `options_of`.
    """

    space: Space
    policy: Policy
    learning: Learning
    bins: int

    @cached_property
    def _walk(self) -> Walk:
        return Walk(self.space.configuration_space, self.bins)

    @cached_property
    def _learner(self) -> Learner:
        return Learner(self.policy, self._walk, self.learning)

    @cached_property
    def _pool(self) -> Pool:
        return Pool(self.space, Candidates(all_below=MAX_LISTED), Keys(self.space))

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Configuration:
        """See `Strategy.propose`.

        Raises:
            Exhausted: there is no new network, or none was found.
            PolicyError: the policy's loss or its weights are no longer finite numbers.
        """
        policy = self._learner.trained(history)
        asked = history.keys()
        # The first is new most of the time; if not, the others are drawn together.
        for walks in (1, ATTEMPTS - 1):
            for vector in draw(policy, self._walk, walks, rng):
                configuration = Configuration(self.space.configuration_space, vector=vector)
                if _allowed(configuration) and self._pool.keys.key(configuration) not in asked:
                    return configuration
        return self._pool.random(asked, rng)


def _allowed(configuration: Configuration) -> bool:
    """Return whether no clause forbids the configuration."""
    if configuration.config_space.forbidden_clauses:
        try:
            configuration.check_valid_configuration()
        except ForbiddenValueError:
            return False
    return True
