"""Models of several members: mean and covariance are the moments of their predictions."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from fidelity.botorch import (
    FantasizeMixin,
    GPyTorchPosterior,
    Model,
    MultivariateNormal,
    Posterior,
    PosteriorTransform,
)


class Members(Model, FantasizeMixin):
    """A BoTorch model of one output whose posterior is normal with the members' moments.

    Args:
        inputs: the observed rows.
        targets: the observations.
        noise: the variance of an observation around the members' mean.
    """

    def __init__(
        self, inputs: Float[Tensor, "n d"], targets: Float[Tensor, "n 1"], noise: float
    ) -> None:
        super().__init__()
        self.inputs = inputs
        self.targets = targets
        self.noise = noise

    @abstractmethod
    def predictions(self, rows: Float[Tensor, "m d"]) -> Float[Tensor, "members m"]:
        """Return the predictions of each member."""

    @abstractmethod
    def refitted(self, inputs: Float[Tensor, "n d"], targets: Float[Tensor, "n 1"]) -> Members:
        """Return a model with the same settings, fitted to other observations.

        Args:
            inputs: the observed rows.
            targets: the observations.
        """

    @property
    def num_outputs(self) -> int:
        """The number of outputs: one."""
        return 1

    @property
    def batch_shape(self) -> torch.Size:
        """The shape of batches of models: there are none."""
        return torch.Size()

    def posterior(  # type: ignore[override]
        self,
        X: Float[Tensor, "*batch q d"],
        output_indices: list[int] | None = None,
        observation_noise: bool | Tensor = False,
        posterior_transform: PosteriorTransform | None = None,
    ) -> Posterior:
        """See `Model.posterior`: the normal distribution at `X` with the members' moments."""
        rows = X.to(self.inputs).reshape(-1, X.shape[-1])
        members = self.predictions(rows).reshape(-1, *X.shape[:-1])  # (members, *batch, q)
        mean = members.mean(0)
        spread = (members - mean).movedim(0, -1)  # (*batch, q, members)
        covariance = spread @ spread.transpose(-1, -2) / (len(members) - 1)
        # Without a floor, members that agree, or fewer members than points, make it singular.
        floor = 1e-6 * float(self.targets.var(correction=0)) + 1e-9
        extra = floor + (self.noise if observation_noise is not False else 0.0)
        covariance = covariance + extra * torch.eye(X.shape[-2]).to(covariance)
        posterior = GPyTorchPosterior(MultivariateNormal(mean, covariance))
        return posterior if posterior_transform is None else posterior_transform(posterior)

    def condition_on_observations(
        self, X: Float[Tensor, "q d"], Y: Float[Tensor, "q 1"], **_: Any
    ) -> Members:
        """Return a model that is fitted again with more observations.

        Args:
            X: their rows.
            Y: the observations.

        Raises:
            ValueError: there are batches, over which a refit has no closed form.
        """
        if X.dim() != 2 or Y.dim() != 2:
            raise ValueError(
                f"{type(self).__name__} is fitted again for each set of observations: pass inputs "
                f"(q, d) and targets (q, 1), not {tuple(X.shape)} and {tuple(Y.shape)}"
            )
        return self.refitted(
            torch.cat([self.inputs, X.to(self.inputs)]),
            torch.cat([self.targets, Y.to(self.targets)]),
        )
