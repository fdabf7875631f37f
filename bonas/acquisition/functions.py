"""Acquisition functions: BoTorch's, over the rows of a finite set of candidates.

Everything is maximised here, as BoTorch does: targets grow as costs fall.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from fidelity.botorch import LogExpectedImprovement as BoTorchLogEI
from fidelity.botorch import (
    Model,
    SobolQMCNormalSampler,
    log_ei_helper,
    qLogNoisyExpectedImprovement,
)
from fidelity.botorch import UpperConfidenceBound as BoTorchUCB


class Acquisition(Protocol):
    """How much it would pay to evaluate a candidate."""

    def scores(
        self,
        model: Model,
        candidates: Float[Tensor, "m d"],
        observed: Float[Tensor, "n d"],
        seed: int,
    ) -> Float[Tensor, " m"]:
        """One score a candidate, the higher the better.

        Args:
            model: of targets to be maximised, conditioned on what is pending.
            candidates: encoded configurations that were not evaluated.
            observed: what was evaluated, each row once.
            seed: of whatever is random in the function.
        """
        ...


@runtime_checkable
class ValuesRepeats(Protocol):
    """An acquisition function that also says what evaluating once more is worth."""

    def with_repeats(
        self, model: Model, candidates: Float[Tensor, "m d"], observed: Float[Tensor, "n d"]
    ) -> tuple[Float[Tensor, " m"], Float[Tensor, " n"]]:
        """A score for each candidate and, on the same scale, for each evaluated row."""
        ...


@dataclass(frozen=True)
class LogExpectedImprovement:
    """Ament et al. 2023, "Unexpected improvements to expected improvement", equation 9.

    The improvement is over the highest posterior mean among what was observed.
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
    """The gain in the posterior mean of the network that would be recommended, and its logarithm.

    Frazier, Powell and Dayanik 2009, "The knowledge-gradient policy for correlated normal
    beliefs", over evaluated networks, with an evaluation's effect on other networks left out.
    New networks and repeats of contenders are so on one scale, and a repeat is proposed when it
    pays. Because a single repeat may be too little to change a choice, several are considered and
    the best gain an evaluation counts (Frazier and Powell 2010, "Paradoxes in learning and the
    marginal value of information", KG(*)).

    Attributes:
        evaluations: how many evaluations of a network are considered.
    """

    evaluations: tuple[int, ...] = (1, 2, 4)

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
        """See `ValuesRepeats.with_repeats`; minus infinity where only one is evaluated."""
        n = len(observed)
        parts = [_mean_and_variance(model, rows) for rows in (observed, candidates)]
        mean, variance = (torch.cat(part) for part in zip(*parts, strict=True))
        best = mean[:n].max()
        # The best is compared with the second, because a repeat may also lower its mean.
        second = mean[:n].topk(2).values[1] if n > 1 else best.new_tensor(math.inf)
        rival = torch.where(torch.arange(n) == mean[:n].argmax(), second, best)
        # Noise is the same everywhere in a surrogate, so one row tells it.
        noisy = model.posterior(observed[:1], observation_noise=True)
        noise = (noisy.variance[0, 0] - variance[0]).clamp_min(0.0)  # type: ignore[attr-defined]
        rivals = torch.cat([rival, best.expand(len(candidates))])
        gains = self._gain(mean, variance, noise, rivals)
        return gains[n:], gains[:n]

    def _gain(
        self,
        mean: Float[Tensor, " k"],
        variance: Float[Tensor, " k"],
        noise: Float[Tensor, ""],
        rival: Float[Tensor, " k"],
    ) -> Float[Tensor, " k"]:
        gains = []
        for count in self.evaluations:
            # The standard deviation of the change of the mean by `count` evaluations.
            change = variance / (variance + noise / count).sqrt()
            change = change.clamp_min(1e-12)
            distance = -(mean - rival).abs() / change
            gains.append(log_ei_helper(distance) + change.log() - math.log(count))
        return torch.stack(gains).amax(0)


@dataclass(frozen=True)
class LogNoisyExpectedImprovement:
    """Expected improvement over the best of the noiseless values, averaged over samples.

    Balandat et al. 2020, "BoTorch", and Ament et al. 2023 for the logarithm.

    Attributes:
        samples: how many.
        baseline: the improvement is over so many of the observed, the highest means first.
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
