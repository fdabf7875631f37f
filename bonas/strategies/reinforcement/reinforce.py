"""REINFORCE (Williams 1992) over architectures."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from ConfigSpace import Configuration
from jaxtyping import Float
from torch import Tensor

from bonas.strategies.reinforcement.agent import Agent
from bonas.strategies.reinforcement.learner import Learning
from bonas.strategies.reinforcement.lstm_policy import LSTMPolicy
from bonas.strategies.reinforcement.policy import Policy
from bonas.strategies.reinforcement.walk import check_bins
from bonas.strategies.remembered import remembered
from bonas.surrogates.transform import Transform, normal_scores
from fidelity.history.history import History
from spaces.space import Space


def score_function(
    logs: Float[Tensor, " n"], before: Float[Tensor, " n"], advantages: Float[Tensor, " n"]
) -> Float[Tensor, " n"]:
    """What has the policy gradient: the advantage times the logarithm of the probability."""
    return advantages * logs


@dataclass(frozen=True)
class Reinforce:
    """Draws networks from a policy, and makes those with a reward above the baseline more probable.

    Zoph & Le 2017, "Neural architecture search with reinforcement learning", section 3.2: the
    policy gradient with a moving average of the rewards as baseline, here with a bonus for the
    entropy of the policy (Williams & Peng 1991). With `policy=LogitsPolicy()` it is the REINFORCE
    of Dong & Yang 2020, "NAS-Bench-201". See `Learning` for rewards, failures and budgets, and
    `Agent` for what happens when the policy draws a network that is known or running.

    A history is learned from in the order in which its evaluations ended, those of other
    strategies among them. Real hyperparameters, and integers of many values, are divided into
    bins: the policy chooses a bin, and the value in it is uniform.

    Attributes:
        policy: what is learned: an `LSTMPolicy` or a `LogitsPolicy`.
        rate: the learning rate of Adam.
        entropy: the weight of the entropy bonus, in rewards a nat.
        decay: of the moving average that is the baseline.
        batch: the policy is updated after so many evaluations.
        reward: from the costs at one budget to rewards; `negative` for the costs themselves.
        bins: of a number; see `options_of`.

    Raises:
        PolicyError: a number is out of its range.
    """

    policy: Policy = field(default_factory=LSTMPolicy)
    rate: float = 0.02
    entropy: float = 0.01
    decay: float = 0.9
    batch: int = 5
    reward: Transform = normal_scores
    bins: int = 10
    _agents: list[Agent] = field(init=False, default_factory=list, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_bins(self.bins)
        self._learning()

    def _learning(self) -> Learning:
        return Learning(
            score_function, self.rate, self.entropy, self.decay, self.batch, 1, self.reward
        )

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Configuration:
        """See `Strategy.propose`.

        Raises:
            Exhausted: there is no new network, or none was found.
            PolicyError: the policy's loss or its weights are no longer finite numbers.
        """
        agent = remembered(
            self._agents,
            space,
            lambda: Agent(space, self.policy, self._learning(), self.bins),
        )
        return agent.propose(history, rng)
