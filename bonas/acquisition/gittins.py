"""What the steps of a search with several budgets are worth, in units of its targets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from bonas.surrogates.multi_fidelity import Joint

if TYPE_CHECKING:
    from torch import Tensor

EVALUATIONS = (1, 2, 4)
"""So many evaluations of a network are considered, and the best gain of one of them counts: one
may be too little to change what is recommended (Frazier and Powell 2010, KG(*))."""


@dataclass(frozen=True)
class Worth:
    """Steps of candidates and repeats of what is finished, compared with the going rate.

    The gain of an evaluation at the highest budget is that of the posterior mean of what would
    be recommended (the knowledge gradient; Frazier, Powell and Dayanik 2009). The most gain
    per unit of spending of any network that is trained to the highest budget at once, or again, is
    the going rate.

    Attributes:
        joint: the surrogates; their first rows are the candidates, the others what is finished.
        rates: what each row spends per unit of budget.
        reached: the budget from which each candidate is continued.
        max_budget: the highest budget.
        top: the candidates at the highest budget.
        best: the highest mean of the finished there.
        noise: the variance of one observation.
        gains: of each candidate at the highest budget.
        again: the gain of repeating each of the finished; 0 where that is not possible.
        going: the going rate.
    """

    joint: Joint
    rates: Float[Tensor, " r"]
    reached: Float[Tensor, " m"]
    max_budget: float
    top: Float[Tensor, "m d"]
    best: float
    noise: float
    gains: Float[Tensor, " m"]
    again: Float[Tensor, " f"]
    going: float

    def at_once(self) -> Float[Tensor, " m"]:
        """Of training each candidate to the highest budget."""
        return self.gains - self.going * self._spent(self.max_budget)

    def repeats(self) -> Float[Tensor, " f"]:
        """Of training each of the finished once more."""
        return self.again - self.going * self.max_budget * self.rates[len(self.reached) :]

    def of(self, budget: float) -> Float[Tensor, " m"]:
        """Of training to a lower `budget` and then deciding; never where it was reached."""
        import torch

        m = len(self.reached)
        low = self.joint.at(budget)[:m]
        both: Any = self.joint.model.posterior(torch.stack([low, self.top], 1))
        noisy: Any = self.joint.model.posterior(low[:, None], observation_noise=True)
        covariance = both.distribution.covariance_matrix
        told = covariance[:, 0, 1] / noisy.variance[:, 0, 0].sqrt()
        variance = covariance[:, 1, 1]
        told = torch.minimum(told.abs(), variance.sqrt() * (1 - 1e-6))
        rest = variance - told.square()
        nodes, weights = np.polynomial.hermite_e.hermegauss(16)
        after = both.mean[:, 1, :] + told[:, None] * torch.tensor(nodes)
        rest_of_way = self.max_budget - (budget if self.joint.resumes else 0.0)
        owed = self.going * rest_of_way * self.rates[:m]
        value = (gain(after - self.best, rest[:, None], self.noise) - owed[:, None]).clamp_min(0.0)
        value = value @ torch.tensor(weights / math.sqrt(2 * math.pi))
        value = value - self.going * self._spent(budget)
        return value.masked_fill(self.reached >= budget, -math.inf)

    def _spent(self, budget: float) -> Float[Tensor, " m"]:
        before = self.reached if self.joint.resumes else 0.0 * self.reached
        return (budget - before) * self.rates[: len(self.reached)]


def worth(
    joint: Joint, reached: Sequence[float], repeatable: Sequence[bool], max_budget: float
) -> Worth:
    """What the steps are worth.

    Args:
        joint: its first rows are the candidates, the others what is finished.
        reached: the budget from which each candidate is continued; 0 for a new one.
        repeatable: which of the finished may be trained to the highest budget once more.
        max_budget: the highest budget.
    """
    import torch

    m = len(reached)
    rows = joint.at(max_budget)
    posterior: Any = joint.model.posterior(rows[:, None])
    mean, variance = posterior.mean[:, 0, 0], posterior.variance[:, 0, 0].clamp_min(1e-18)
    noisy: Any = joint.model.posterior(rows[:1], observation_noise=True)
    noise = max(0.0, float(noisy.variance[0, 0] - variance[0]))
    rates = joint.log_rates.exp()
    before = torch.tensor(reached, dtype=rates.dtype)
    finished = mean[m:]
    best = float((finished if len(finished) else mean).max())
    gains = gain(mean[:m] - best, variance[:m], noise)
    again = torch.zeros(len(finished), dtype=rates.dtype)
    if len(finished) > 1:
        first, second = finished.topk(2).values
        # The best is compared with the second, because a repeat may also lower its mean.
        rival = torch.where(torch.arange(len(finished)) == finished.argmax(), second, first)
        again = gain(-(finished - rival).abs(), variance[m:], noise)
        again = again * torch.tensor(repeatable)
    spent = (max_budget - (before if joint.resumes else 0.0)) * rates[:m]
    going = torch.cat([gains / spent, again / (max_budget * rates[m:])]).max()
    top = rows[:m]
    return Worth(joint, rates, before, max_budget, top, best, noise, gains, again, float(going))


def gain(
    gap: Float[Tensor, "*m"], variance: Float[Tensor, "*m"], noise: float
) -> Float[Tensor, "*m"]:
    """The expected rise of the highest mean by an evaluation of what is `gap` above it."""
    import torch

    found = []
    for count in EVALUATIONS:
        # The standard deviation of the change of the mean by `count` evaluations.
        change = (variance / (variance + noise / count).sqrt()).clamp_min(1e-12)
        found.append(improvement(gap, change) / count)
    return torch.stack(torch.broadcast_tensors(*found)).amax(0)


def improvement(gap: Float[Tensor, "*m"], deviation: Float[Tensor, "*m"]) -> Float[Tensor, "*m"]:
    """Expected improvement by a normal value `gap` above the best."""
    import torch

    z = gap / deviation.clamp_min(1e-12)
    density = torch.exp(-0.5 * z.square()) / math.sqrt(2 * math.pi)
    result: Tensor = gap * torch.special.ndtr(z) + deviation * density
    return result.clamp_min(0.0)
