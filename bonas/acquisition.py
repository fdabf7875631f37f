"""Acquisition functions: BoTorch's, over the rows of a finite set of candidates.

Everything is maximised here, as BoTorch does: targets are negative costs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from botorch.acquisition.analytic import LogExpectedImprovement as BoTorchLogEI
from botorch.models.model import Model
from jaxtyping import Float
from torch import Tensor


class Acquisition(Protocol):
    """How much it would pay to evaluate a candidate."""

    def scores(
        self,
        model: Model,
        candidates: Float[Tensor, "m d"],
        observed: Float[Tensor, "n d"],
        best: float,
        seed: int,
    ) -> Float[Tensor, " m"]:
        """One score a candidate, the higher the better.

        Args:
            model: of targets to be maximised, conditioned on what is pending.
            candidates: encoded configurations.
            observed: what was evaluated.
            best: the highest posterior mean among `observed`.
            seed: of whatever is random in the function.
        """
        ...


@dataclass(frozen=True)
class LogExpectedImprovement:
    """The logarithm of the expected improvement over `best` (Ament et al. 2023)."""

    def scores(
        self,
        model: Model,
        candidates: Float[Tensor, "m d"],
        observed: Float[Tensor, "n d"],
        best: float,
        seed: int,
    ) -> Float[Tensor, " m"]:
        """See `Acquisition.scores`."""
        with torch.no_grad():
            scores: Tensor = BoTorchLogEI(model, best_f=best)(candidates[:, None, :])
        return scores
