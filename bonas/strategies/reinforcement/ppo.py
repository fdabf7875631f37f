"""Proximal policy optimization over architectures."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from ConfigSpace import Configuration
from jaxtyping import Float
from torch import Tensor

from bonas.strategies.reinforcement.agent import Agent
from bonas.strategies.reinforcement.learner import Learning
from bonas.strategies.reinforcement.lstm_policy import LSTMPolicy
from bonas.strategies.reinforcement.policy import Policy
from bonas.strategies.reinforcement.walk import PolicyError, check_bins
from bonas.strategies.remembered import remembered
from bonas.surrogates.transform import Transform, normal_scores
from fidelity.history.history import History
from spaces.space import Space


@dataclass(frozen=True)
class ClippedSurrogate:
    """The smaller of what the advantage is worth at the new probability, clipped or not.

    Schulman et al. 2017, "Proximal policy optimization algorithms", equation 7.

    Attributes:
        clip: by how much the ratio of new and old probability may differ from 1 to any gain.

    Raises:
        PolicyError: it is not a positive number.
    """

    clip: float

    def __post_init__(self) -> None:
        if not 0 < self.clip < math.inf:
            raise PolicyError(f"the clip of PPO is a positive number, not {self.clip}")

    def __call__(
        self,
        logs: Float[Tensor, " n"],
        before: Float[Tensor, " n"],
        advantages: Float[Tensor, " n"],
    ) -> Float[Tensor, " n"]:
        """See `Gain`."""
        ratios = (logs - before).exp()
        clipped = ratios.clamp(1 - self.clip, 1 + self.clip)
        return (ratios * advantages).minimum(clipped * advantages)


@dataclass(frozen=True)
class PPO:
    """Draws networks from a policy that learns from batches of them, several steps a batch.

    Zoph et al. 2018, "Learning transferable architectures for scalable image recognition",
    appendix: the objective of `ClippedSurrogate`, a moving average of the rewards as baseline
    and a bonus for the entropy of the policy. The old probabilities are those of the policy
    when the batch is complete, also of what was proposed before the batch began.

    Everything else is as in `Reinforce`: rewards, failures and budgets (`Learning`), known and
    running networks (`Agent`), and bins.

    Attributes:
        policy: what is learned: an `LSTMPolicy` or a `LogitsPolicy`.
        rate: the learning rate of Adam.
        entropy: the weight of the entropy bonus, in rewards a nat.
        decay: of the moving average that is the baseline.
        batch: the policy is updated after so many evaluations.
        epochs: steps of Adam on each batch.
        clip: see `ClippedSurrogate`.
        reward: from the costs at one budget to rewards; `negative` for the costs themselves.
        bins: of a number; see `options_of`.

    Raises:
        PolicyError: a number is out of its range.
    """

    policy: Policy = field(default_factory=LSTMPolicy)
    rate: float = 0.01
    entropy: float = 0.01
    decay: float = 0.9
    batch: int = 10
    epochs: int = 4
    clip: float = 0.2
    reward: Transform = normal_scores
    bins: int = 10
    _agents: list[Agent] = field(init=False, default_factory=list, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_bins(self.bins)
        self._learning()

    def _learning(self) -> Learning:
        return Learning(
            ClippedSurrogate(self.clip),
            self.rate,
            self.entropy,
            self.decay,
            self.batch,
            self.epochs,
            self.reward,
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
