"""Proximal policy optimization over architectures."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from jaxtyping import Float
from torch import Tensor

from bonas.strategies.reinforcement.learner import Learning
from bonas.strategies.reinforcement.lstm_policy import LSTMPolicy
from bonas.strategies.reinforcement.policy import Policy
from bonas.strategies.reinforcement.policy_gradient import PolicyGradient
from bonas.strategies.reinforcement.walk import PolicyError
from bonas.surrogates.transform import Transform, normal_scores


@dataclass(frozen=True)
class ClippedSurrogate:
    """The smaller of the clipped and the unclipped objective.

    Schulman et al. 2017, "Proximal policy optimization algorithms", equation 7.

    Attributes:
        clip: the difference from 1 of the ratio of new and old probability beyond which
            there is no gain.

    Raises:
        PolicyError: `clip` is not a positive number.
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
class PPO(PolicyGradient):
    """Draws networks from a policy that is trained on batches of them, several steps per batch.

    Zoph et al. 2018, "Learning transferable architectures for scalable image recognition",
    appendix: the objective of `ClippedSurrogate`, a moving average of the rewards as baseline
    and a bonus for the entropy of the policy. The old probabilities are those of the policy
    when the batch is complete, also for networks that were proposed before the batch began.

    Rewards, failures and budgets (`Learning`), known and running networks (`Agent`) and bins are
    as in `Reinforce`.

    Attributes:
        policy: the trained policy: an `LSTMPolicy` or a `LogitsPolicy`.
        rate: the learning rate of Adam.
        entropy: the weight of the entropy bonus, in rewards per nat.
        decay: of the moving average that is the baseline.
        batch: the number of evaluations per update of the policy.
        epochs: steps of Adam on each batch.
        clip: see `ClippedSurrogate`.
        reward: maps the costs at one budget to rewards; `negative` for the costs themselves.
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

    @property
    def learning(self) -> Learning:
        """See `PolicyGradient.learning`."""
        return Learning(
            ClippedSurrogate(self.clip),
            self.rate,
            self.entropy,
            self.decay,
            self.batch,
            self.epochs,
            self.reward,
        )
