"""The part that all policy-gradient strategies share."""

from __future__ import annotations

from abc import abstractmethod

from bonas.strategies.reinforcement.agent import Agent
from bonas.strategies.reinforcement.learner import Learning
from bonas.strategies.reinforcement.policy import Policy
from bonas.strategies.reinforcement.walk import check_bins
from bonas.strategies.strategy import Startable
from spaces.space import Space


class PolicyGradient(Startable):
    """Settings of a strategy that draws networks from a policy and trains it by gradients.

    Attributes:
        policy: draws the networks.
        bins: of a number; see `options_of`.
    """

    policy: Policy
    bins: int

    @property
    @abstractmethod
    def learning(self) -> Learning:
        """The settings of the policy's training."""

    def __post_init__(self) -> None:
        check_bins(self.bins)
        _ = self.learning  # which checks its numbers

    def start(self, space: Space) -> Agent:
        """See `Startable.start`."""
        return Agent(space, self.policy, self.learning, self.bins)
