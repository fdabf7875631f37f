"""Expected hypervolume improvement in closed form, as a logarithm.

Everything is maximised here, as in `bonas.acquisition`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from fidelity.botorch import FastNondominatedPartitioning, log_ei_helper

MIN_DEVIATION = 1e-6
"""The standard deviation of a known value, in units of the targets' spread: the logarithm
then still orders values that improve nothing by their distance to an improvement."""


@dataclass(frozen=True)
class Marginals:
    """Normal posteriors of one objective, one per candidate.

    Attributes:
        means: of the candidates.
        deviations: standard deviations; 0 where the value is known.
    """

    means: Float[Tensor, " m"]
    deviations: Float[Tensor, " m"]

    def log_excess(self, levels: Float[Tensor, " c"]) -> Float[Tensor, "m c"]:
        """Return the logarithm of E[max(value - level, 0)]; minus infinity at an infinite level."""
        deviations = self.deviations.clamp_min(MIN_DEVIATION)[:, None]
        finite = torch.isfinite(levels)
        distance = (self.means[:, None] - torch.where(finite, levels, 0.0)) / deviations
        excess: Tensor = log_ei_helper(distance) + deviations.log()
        return torch.where(finite, excess, -math.inf)


def cells(
    front: Float[Tensor, "n k"], reference: Float[Tensor, " k"]
) -> tuple[Float[Tensor, "c k"], Float[Tensor, "c k"]]:
    """Partition the region above the reference that no point dominates into disjoint boxes.

    Args:
        front: points; dominated ones and those below the reference change nothing.
        reference: the reference point.

    Returns:
        The lower and the upper corners of the boxes; an upper one may be infinite.
    """
    if len(reference) > 2:
        lower, upper = FastNondominatedPartitioning(reference, front).get_hypercell_bounds()
        return lower, upper
    inside = front[(front > reference).all(-1)]
    if len(reference) == 1:
        best = torch.cat([inside, reference[None]]).amax(0, keepdim=True)
        return best, torch.full_like(best, math.inf)
    first = inside[:, 0].sort(descending=True).indices
    inside = inside[first]
    # From the highest first value down, the points whose second value is a new record.
    records = inside[:, 1].cummax(0).values if len(inside) else inside[:, 1]
    before = torch.cat([reference[1:], records[:-1]]) if len(inside) else records
    inside = inside[inside[:, 1] > before]
    # Strips along the first value, each above the second value of the point to its right.
    infinite = torch.full_like(reference[:1], math.inf)
    borders = torch.cat([infinite, inside[:, 0], reference[:1]])
    floors = torch.cat([reference[1:], inside[:, 1]])
    lower = torch.stack([borders[1:], floors], -1)
    upper = torch.stack([borders[:-1], infinite.expand(len(floors))], -1)
    return lower, upper


def log_expected_improvement(
    beliefs: Sequence[Marginals], lower: Float[Tensor, "c k"], upper: Float[Tensor, "c k"]
) -> Float[Tensor, " m"]:
    """Return the logarithm of the hypervolume that each candidate is expected to add.

    With independent normal posteriors of the objectives, the expected volume that a candidate
    dominates in a box is a product of differences of one-dimensional expected improvements (Yang
    et al. 2019, "Efficient computation of expected hypervolume improvement using box
    decomposition algorithms"), so no sample is needed. It is computed in logarithms
    throughout (Ament et al. 2023, "Unexpected improvements to expected improvement").

    Args:
        beliefs: one per objective.
        lower: the lower corners of the boxes from `cells`.
        upper: the upper corners.
    """
    total = torch.zeros(len(beliefs[0].means), len(lower)).to(lower)
    for column, belief in enumerate(beliefs):
        low = belief.log_excess(lower[:, column])
        high = belief.log_excess(upper[:, column])
        # log(exp(low) - exp(high)); rounding may leave nothing of a narrow box.
        total = total + low + torch.log(-torch.expm1((high - low).clamp_max(0.0)))
    return total.logsumexp(-1)
