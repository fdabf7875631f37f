"""REINFORCE (Williams 1992) over architectures."""

from __future__ import annotations

from dataclasses import dataclass, field

from jaxtyping import Float
from torch import Tensor

from bonas.strategies.reinforcement.learner import Learning
from bonas.strategies.reinforcement.lstm_policy import LSTMPolicy
from bonas.strategies.reinforcement.policy import Policy
from bonas.strategies.reinforcement.policy_gradient import PolicyGradient
from bonas.surrogates.transform import Transform, normal_scores


def score_function(
    logs: Float[Tensor, " n"], before: Float[Tensor, " n"], advantages: Float[Tensor, " n"]
) -> Float[Tensor, " n"]:
    """Return the advantage times the log probability: its gradient is the policy gradient.

    Args:
        logs: log probabilities of the evaluated networks.
        before: unused.
        advantages: of the evaluated networks.
    """
    return advantages * logs


@dataclass(frozen=True)
class Reinforce(PolicyGradient):
    """Draws networks from a policy and raises the probability of those above the baseline.

    Zoph & Le 2017, "Neural architecture search with reinforcement learning", section 3.2: the
    policy gradient with a moving average of the rewards as baseline, here with a bonus for the
    entropy of the policy (Williams & Peng 1991). With `policy=LogitsPolicy()` it is the REINFORCE
    of Dong & Yang 2020, "NAS-Bench-201". See `Learning` for rewards, failures and budgets, and
    `Agent` for draws of networks that are known or running.

    The policy is trained on all evaluations in the order in which they ended, including those
    of other strategies. Real hyperparameters, and integers with many values, are divided into
    bins: the policy chooses a bin, and the value in it is uniform.

    Attributes:
        policy: the trained policy: an `LSTMPolicy` or a `LogitsPolicy`.
        rate: the learning rate of Adam.
        entropy: the weight of the entropy bonus, in rewards per nat.
        decay: of the moving average that is the baseline.
        batch: the number of evaluations per update of the policy.
        reward: maps the costs at one budget to rewards; `negative` for the costs themselves.
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

    @property
    def learning(self) -> Learning:
        """See `PolicyGradient.learning`."""
        return Learning(
            score_function, self.rate, self.entropy, self.decay, self.batch, 1, self.reward
        )
