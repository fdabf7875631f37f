"""The training of a policy on a history: rewards, baseline, and updates in order."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from bonas.strategies.reinforcement.policy import Distribution, Policy, evaluate
from bonas.strategies.reinforcement.walk import PolicyError, Walk
from bonas.surrogates.observations import Observations
from bonas.surrogates.transform import Transform
from fidelity.history.history import History
from fidelity.history.trial import Evaluation

Gain = Callable[
    [Float[Tensor, " n"], Float[Tensor, " n"], Float[Tensor, " n"]], Float[Tensor, " n"]
]
"""The objective of an update, one value per evaluation: a function of the log probabilities, of
these before the update, and of the advantages."""


@dataclass(frozen=True)
class Learning:
    """The settings of the training.

    An evaluation is compared with those at its own budget that ended before it or in the same
    batch: `reward` maps their costs to rewards, where a failure has the worst cost
    seen. Its advantage is its reward minus a moving average of the rewards at that budget.

    Attributes:
        gain: the objective, which is maximised together with the entropy of the policy.
        rate: the learning rate of Adam.
        entropy: the weight of the entropy, in rewards per nat.
        decay: of the moving average.
        batch: evaluations per update.
        passes: steps of the optimizer per update.
        reward: maps costs to rewards.

    Raises:
        PolicyError: a number is out of its range.
    """

    gain: Gain
    rate: float
    entropy: float
    decay: float
    batch: int
    passes: int
    reward: Transform

    def __post_init__(self) -> None:
        for name, value, least in (
            ("batch", self.batch, 1),
            ("number of passes", self.passes, 1),
            ("weight of the entropy", self.entropy, 0),
        ):
            if not least <= value < math.inf:
                raise PolicyError(f"the {name} is a number from {least} on, not {value}")
        if not 0 < self.rate < math.inf:
            raise PolicyError(f"the learning rate is a positive number, not {self.rate}")
        if not 0 <= self.decay < 1:
            raise PolicyError(
                f"the decay of the baseline is at least 0 and less than 1, not {self.decay}"
            )


class Learner:
    """A policy on one space, and the state of its training.

    Args:
        policy: before its training.
        walk: of the space.
        learning: the settings.
    """

    def __init__(self, policy: Policy, walk: Walk, learning: Learning) -> None:
        self._policy = policy
        self._walk = walk
        self._learning = learning
        self._restart()

    def _restart(self) -> None:
        self._distribution = self._policy.start(self._walk)
        self._optimizer = torch.optim.Adam(list(self._distribution.parameters), self._learning.rate)
        self._used: list[Evaluation] = []
        self._at: dict[float, list[Evaluation]] = defaultdict(list)
        self._baselines: dict[float, float] = {}

    def trained(self, history: History) -> Distribution:
        """Return the policy after all complete batches of a history.

        Earlier updates are kept if the history begins with their evaluations; a fresh object makes
        the same updates one after another.

        Raises:
            PolicyError: the policy's loss or its weights are no longer finite numbers.
        """
        evaluations, used = history.evaluations, self._used
        if len(used) > len(evaluations) or any(
            a is not b for a, b in zip(used, evaluations, strict=False)
        ):
            self._restart()
        size = self._learning.batch
        for first in range(len(self._used), len(evaluations) - size + 1, size):
            self._update(evaluations[first : first + size])
        return self._distribution

    def _update(self, batch: Sequence[Evaluation]) -> None:
        self._used += batch
        learning = self._learning
        advantages = torch.tensor(self._advantages(batch), dtype=torch.float64)
        configurations = [evaluation.trial.configuration for evaluation in batch]
        options = torch.from_numpy(self._walk.options(configurations))
        before = None
        with torch.enable_grad():
            for _ in range(learning.passes):
                logs, entropies = evaluate(self._distribution, self._walk, options)
                before = logs.detach() if before is None else before
                gains = learning.gain(logs, before, advantages)
                loss = -(gains + learning.entropy * entropies).mean()
                if loss.requires_grad:  # else there is nothing to decide in this space
                    self._optimizer.zero_grad()
                    loss.backward()
                    self._optimizer.step()
                self._check(loss.detach())

    def _check(self, loss: Tensor) -> None:
        values = [loss, *self._distribution.parameters]
        if all(bool(value.isfinite().all()) for value in values):
            return
        number = len(self._used)
        self._restart()  # a spoilt policy is not used again
        raise PolicyError(
            f"the policy cannot learn from the first {number} evaluations: its loss is "
            f"{float(loss)}, or a weight is not finite. Let the rewards be finite numbers of about "
            f"1, as those of normal_scores are, and lower the learning rate, {self._learning.rate}"
        )

    def _advantages(self, batch: Sequence[Evaluation]) -> list[float]:
        """Return the rewards minus the baselines, and update the baselines."""
        indices = []
        for evaluation in batch:
            at = self._at[evaluation.trial.budget]
            indices.append(len(at))
            at.append(evaluation)
        rewards = {
            budget: self._learning.reward(Observations(self._at[budget]).costs)
            for budget in {evaluation.trial.budget for evaluation in batch}
        }
        advantages = []
        for evaluation, index in zip(batch, indices, strict=True):
            budget = evaluation.trial.budget
            reward = float(rewards[budget][index])
            baseline = self._baselines.setdefault(budget, reward)
            advantages.append(reward - baseline)
            decay = self._learning.decay
            self._baselines[budget] = decay * baseline + (1 - decay) * reward
        return advantages
