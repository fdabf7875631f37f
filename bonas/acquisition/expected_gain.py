"""Expected gains of evaluations with normal posteriors, as logarithms."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from fidelity.botorch import log_ei_helper

EVALUATIONS = (1, 2, 4)
"""Numbers of evaluations of one network of which the best gain per evaluation counts: a single one
may be too little to change the recommendation (Frazier and Powell 2010, KG(*))."""


def log_gain(
    gap: Float[Tensor, "*m"],
    variance: Float[Tensor, "*m"],
    noise: float | Tensor,
    evaluations: tuple[int, ...] = EVALUATIONS,
) -> Float[Tensor, "*m"]:
    """Return the logarithm of the expected rise of the highest posterior mean per evaluation.

    Frazier, Powell and Dayanik 2009, "The knowledge-gradient policy for correlated normal
    beliefs", with the effect on other networks left out.

    Args:
        gap: posterior means of the evaluated networks minus the highest mean of the others.
        variance: posterior variances of the networks.
        noise: variance of one observation.
        evaluations: numbers of evaluations, of which the best gain per evaluation counts.
    """
    gains = []
    for count in evaluations:
        # The standard deviation of the change of the mean by `count` evaluations.
        change = variance / (variance + noise / count).sqrt()
        gains.append(log_improvement(gap, change) - math.log(count))
    return torch.stack(gains).amax(0)


def log_improvement(
    gap: Float[Tensor, "*m"], deviation: Float[Tensor, "*m"]
) -> Float[Tensor, "*m"]:
    """Return the logarithm of the expected improvement by a normal value.

    Args:
        gap: its mean minus the value to improve on.
        deviation: its standard deviation.
    """
    deviation = deviation.clamp_min(1e-12)
    result: Tensor = log_ei_helper(gap / deviation) + deviation.log()
    return result
