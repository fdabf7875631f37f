"""The value of each step of a search with several budgets, in units of the surrogate's targets.

Pandora's box (Weitzman 1979; for Bayesian optimization Xie et al. 2024, "Cost-aware Bayesian
optimization via the Pandora's box Gittins index"): a step is worth its expected gain minus its
spending at the going rate.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from bonas.surrogates.budget_grid import GridPosterior
from bonas.surrogates.multi_fidelity import Joint

if TYPE_CHECKING:
    from torch import Tensor

NODES = np.polynomial.hermite_e.hermegauss(16)
"""Nodes and weights of the Gauss-Hermite quadrature."""


@dataclass(frozen=True)
class GittinsIndex:
    """Values of training the candidates further and of repeating the finished networks.

    The gain of an evaluation at the highest budget is the expected rise of the posterior mean of
    the recommended network (the knowledge gradient; Frazier, Powell and Dayanik 2009). The
    going rate is the highest gain per unit of spending of any network that is trained to the
    highest budget at once, or again.

    Attributes:
        joint: the surrogates; their first rows are the candidates, the others the finished.
        rates: what each row spends per unit of budget.
        reached: the budget from which each candidate is resumed.
        budgets: all budgets, ascending.
        posterior: of the candidates at these budgets.
        best: the highest mean of the finished at the highest budget.
        noise: the variance of one observation there.
        gains: of each candidate at the highest budget.
        repeat_gains: of repeating each of the finished; 0 where a repeat is not allowed.
        going_rate: gain per unit of spending.
    """

    joint: Joint
    rates: Float[Tensor, " r"]
    reached: Float[Tensor, " m"]
    budgets: tuple[float, ...]
    posterior: GridPosterior
    best: float
    noise: float
    gains: Float[Tensor, " m"]
    repeat_gains: Float[Tensor, " f"]
    going_rate: float

    @property
    def max_budget(self) -> float:
        """The highest budget."""
        return self.budgets[-1]

    def at_once(self) -> Float[Tensor, " m"]:
        """Return the values of training each candidate to the highest budget."""
        return self.gains - self.going_rate * self._spent(self.max_budget)

    def repeats(self) -> Float[Tensor, " f"]:
        """Return the values of training each of the finished again."""
        spent = self.max_budget * self.rates[len(self.reached) :]
        return self.repeat_gains - self.going_rate * spent

    def at(self, budget: float) -> Float[Tensor, " m"]:
        """Return the values of training to a lower `budget` and deciding there.

        Minus infinity where the budget was reached. The expectation over the observation at
        `budget` is computed by Gauss-Hermite quadrature.
        """
        import torch

        from bonas.acquisition.expected_gain import log_gain

        low, below = self.budgets.index(budget), self.reached < budget
        posterior, rates = self.posterior[below], self.rates[: len(self.reached)][below]
        variance = posterior.variance[:, -1]
        observed = posterior.variance[:, low] + posterior.noise[:, low]
        # The standard deviation of the change at the highest budget by one observation at `budget`.
        change = posterior.covariance[:, low, -1] / observed.sqrt()
        change = torch.minimum(change.abs(), variance.sqrt() * (1 - 1e-6))
        remaining_variance = variance - change.square()
        nodes, weights = NODES
        after = posterior.mean[:, -1:] + change[:, None] * torch.tensor(nodes)
        remaining_budget = self.max_budget - (budget if self.joint.resumes else 0.0)
        owed = self.going_rate * remaining_budget * rates
        gains = log_gain(after - self.best, remaining_variance[:, None], self.noise).exp()
        remaining = (gains - owed[:, None]).clamp_min(0.0)
        values = torch.full_like(self.gains, -math.inf)
        values[below] = remaining @ torch.tensor(weights / math.sqrt(2 * math.pi))
        return values - self.going_rate * self._spent(budget)

    def _spent(self, budget: float) -> Float[Tensor, " m"]:
        before = self.reached if self.joint.resumes else 0.0 * self.reached
        return (budget - before) * self.rates[: len(self.reached)]


def _highest(scores: Float[Tensor, " m"]) -> int:
    return int(scores.argmax())


def gittins_index(
    joint: Joint,
    reached: Sequence[float],
    repeatable: Sequence[bool],
    budgets: Sequence[float],
    highest: Callable[[Float[Tensor, " m"]], int] = _highest,
) -> GittinsIndex:
    """Return the values of all steps.

    Args:
        joint: its first rows are the candidates, the others the finished networks.
        reached: the budget from which each candidate is resumed; 0 for a new one.
        repeatable: whether each of the finished may be trained to the highest budget again.
        budgets: all budgets of the search, ascending.
        highest: returns the index of the candidate with the highest score of those that may be
            trained; the going rate is not that of a network beyond a constraint.
    """
    import torch

    from bonas.acquisition.expected_gain import log_gain

    m = len(reached)
    posterior = joint.over(budgets)
    mean, variance = posterior.mean[:, -1], posterior.variance[:, -1].clamp_min(1e-18)
    noise, max_budget = float(posterior.noise[0, -1]), budgets[-1]
    rates = joint.log_rates.exp()
    before = torch.tensor(reached, dtype=rates.dtype)
    finished = mean[m:]
    best = float((finished if len(finished) else mean).max())
    gains = log_gain(mean[:m] - best, variance[:m], noise).exp()
    repeat_gains = torch.zeros(len(finished), dtype=rates.dtype)
    if len(finished) > 1:
        first, second = finished.topk(2).values
        # The best is compared with the second, because a repeat may also lower its mean.
        rival = torch.where(torch.arange(len(finished)) == finished.argmax(), second, first)
        repeat_gains = log_gain(-(finished - rival).abs(), variance[m:], noise).exp()
        repeat_gains = repeat_gains * torch.tensor(repeatable)
    spent = (max_budget - (before if joint.resumes else 0.0)) * rates[:m]
    once, again = gains / spent, repeat_gains / (max_budget * rates[m:])
    going_rate = max([float(once[highest(once)]), *again.tolist()])
    return GittinsIndex(
        joint,
        rates,
        before,
        tuple(budgets),
        posterior[:m],
        best,
        noise,
        gains,
        repeat_gains,
        going_rate,
    )
