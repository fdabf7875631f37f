"""Acquisition functions, most of them BoTorch's, over a finite set of candidates.

Everything is maximised, as in BoTorch: targets rise as costs fall.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from bonas.acquisition.expected_gain import EVALUATIONS, log_gain
from fidelity.botorch import LogExpectedImprovement as BoTorchLogEI
from fidelity.botorch import (
    Model,
    SobolQMCNormalSampler,
    qLogNoisyExpectedImprovement,
)
from fidelity.botorch import UpperConfidenceBound as BoTorchUCB


class Acquisition(Protocol):
    """The value of evaluating a candidate."""

    def scores(
        self,
        model: Model,
        candidates: Float[Tensor, "m d"],
        observed: Float[Tensor, "n d"],
        seed: int,
    ) -> Float[Tensor, " m"]:
        """Return one score per candidate, the higher the better.

        Args:
            model: of targets to be maximised, conditioned on the running trials.
            candidates: encoded configurations that were not evaluated.
            observed: encoded evaluated configurations, each row once.
            seed: of everything random in the function.
        """
        ...


@runtime_checkable
class ValuesRepeats(Protocol):
    """An acquisition function that also scores another evaluation of an evaluated network."""

    def with_repeats(
        self, model: Model, candidates: Float[Tensor, "m d"], observed: Float[Tensor, "n d"]
    ) -> tuple[Float[Tensor, " m"], Float[Tensor, " n"]]:
        """Return a score for each candidate and, on the same scale, for each evaluated row.

        Args:
            model: of targets to be maximised, conditioned on the running trials.
            candidates: encoded configurations that were not evaluated.
            observed: encoded evaluated configurations, each row once.
        """
        ...


@dataclass(frozen=True)
class LogExpectedImprovement:
    """The logarithm of the expected improvement over the highest observed posterior mean.

    Ament et al. 2023, "Unexpected improvements to expected improvement", equation 9.
    """

    def scores(
        self,
        model: Model,
        candidates: Float[Tensor, "m d"],
        observed: Float[Tensor, "n d"],
        seed: int,
    ) -> Float[Tensor, " m"]:
        """See `Acquisition.scores`."""
        best = _mean_and_variance(model, observed)[0].max()
        scores: Tensor = BoTorchLogEI(model, best_f=best)(candidates[:, None, :])
        return scores


@dataclass(frozen=True)
class LogKnowledgeGradient:
    """The logarithm of the expected rise in the posterior mean of the recommended network.

    Frazier, Powell and Dayanik 2009, "The knowledge-gradient policy for correlated normal
    beliefs", over evaluated networks, with an evaluation's effect on other networks left out.
    New networks and repeats of contenders are thus on one scale, and a repeat is proposed when it
    pays. Because a single repeat may be too little to change the recommendation, several are
    considered, and the best gain per evaluation counts (Frazier and Powell 2010, "Paradoxes in
    learning and the marginal value of information", KG(*)).

    Attributes:
        evaluations: the numbers of evaluations of a network that are considered.
    """

    evaluations: tuple[int, ...] = EVALUATIONS

    def scores(
        self,
        model: Model,
        candidates: Float[Tensor, "m d"],
        observed: Float[Tensor, "n d"],
        seed: int,
    ) -> Float[Tensor, " m"]:
        """See `Acquisition.scores`."""
        return self.with_repeats(model, candidates, observed)[0]

    def with_repeats(
        self, model: Model, candidates: Float[Tensor, "m d"], observed: Float[Tensor, "n d"]
    ) -> tuple[Float[Tensor, " m"], Float[Tensor, " n"]]:
        """See `ValuesRepeats.with_repeats`; minus infinity with a single evaluated row."""
        n = len(observed)
        parts = [_mean_and_variance(model, rows) for rows in (observed, candidates)]
        mean, variance = (torch.cat(part) for part in zip(*parts, strict=True))
        best = mean[:n].max()
        # The best is compared with the second, because a repeat may also lower its mean.
        second = mean[:n].topk(2).values[1] if n > 1 else best.new_tensor(math.inf)
        rival = torch.where(torch.arange(n) == mean[:n].argmax(), second, best)
        # A surrogate's noise is the same everywhere, so one row is enough.
        noisy = model.posterior(observed[:1], observation_noise=True)
        noise = (noisy.variance[0, 0] - variance[0]).clamp_min(0.0)  # type: ignore[attr-defined]
        rivals = torch.cat([rival, best.expand(len(candidates))])
        gains = log_gain(-(mean - rivals).abs(), variance, noise, self.evaluations)
        return gains[n:], gains[:n]


@dataclass(frozen=True)
class LogNoisyExpectedImprovement:
    """Expected improvement over the best of the noiseless values, averaged over samples.

    Balandat et al. 2020, "BoTorch", and Ament et al. 2023 for the logarithm.

    Attributes:
        samples: the number of samples of the posterior.
        baseline: the number of observed rows, the highest means first, to improve on.
    """

    samples: int = 64
    baseline: int = 32

    def scores(
        self,
        model: Model,
        candidates: Float[Tensor, "m d"],
        observed: Float[Tensor, "n d"],
        seed: int,
    ) -> Float[Tensor, " m"]:
        """See `Acquisition.scores`."""
        order = _mean_and_variance(model, observed)[0].argsort(descending=True, stable=True)
        function = qLogNoisyExpectedImprovement(
            model,
            X_baseline=observed[order[: self.baseline]],
            sampler=SobolQMCNormalSampler(torch.Size([self.samples]), seed=seed),
            prune_baseline=False,
            cache_root=False,
        )
        chunks = [function(chunk[:, None, :]) for chunk in torch.split(candidates, 256)]
        return torch.cat(chunks)


@dataclass(frozen=True)
class UpperConfidenceBound:
    """The mean plus `width` standard deviations (Srinivas et al. 2010).

    Attributes:
        width: in standard deviations.
    """

    width: float = 2.0

    def scores(
        self,
        model: Model,
        candidates: Float[Tensor, "m d"],
        observed: Float[Tensor, "n d"],
        seed: int,
    ) -> Float[Tensor, " m"]:
        """See `Acquisition.scores`."""
        scores: Tensor = BoTorchUCB(model, beta=self.width**2)(candidates[:, None, :])
        return scores


@dataclass(frozen=True)
class ThompsonSampling:
    """One joint sample of the posterior over all candidates (Thompson 1933)."""

    def scores(
        self,
        model: Model,
        candidates: Float[Tensor, "m d"],
        observed: Float[Tensor, "n d"],
        seed: int,
    ) -> Float[Tensor, " m"]:
        """See `Acquisition.scores`."""
        covariance = model.posterior(candidates).distribution.covariance_matrix  # type: ignore[attr-defined]
        mean = model.posterior(candidates).mean[:, 0]  # type: ignore[attr-defined]
        generator = torch.Generator().manual_seed(seed)
        # By eigenvalues, which unlike a Cholesky factor need no strictly positive matrix.
        values, vectors = torch.linalg.eigh(covariance)
        normal = torch.randn(len(values), generator=generator, dtype=torch.float64).to(mean)
        sample: Tensor = mean + vectors @ (values.clamp_min(0.0).sqrt() * normal)
        return sample


def _mean_and_variance(
    model: Model, rows: Float[Tensor, "m d"]
) -> tuple[Float[Tensor, " m"], Float[Tensor, " m"]]:
    posterior = model.posterior(rows[:, None, :])
    mean: Tensor = posterior.mean[:, 0, 0]  # type: ignore[attr-defined]
    variance: Tensor = posterior.variance[:, 0, 0]  # type: ignore[attr-defined]
    return mean, variance.clamp_min(1e-18)
