"""The posterior of networks at several budgets at once.

A kernel that is a product over architecture and budget needs the architectures' covariance once,
whatever the number of budgets; it is most of the time of a posterior.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from jaxtyping import Bool, Float

if TYPE_CHECKING:
    from torch import Tensor

    from fidelity.botorch import Model


@dataclass(frozen=True)
class GridPosterior:
    """The posterior of each network at each budget; networks are apart from each other.

    Attributes:
        mean: of each network at each budget.
        covariance: of each network between budgets, without the noise of observations.
        noise: the variance of one observation of each network at each budget.
    """

    mean: Float[Tensor, "m b"]
    covariance: Float[Tensor, "m b b"]
    noise: Float[Tensor, "m b"]

    def __getitem__(self, networks: slice | Bool[Tensor, " m"]) -> GridPosterior:
        """Return the posterior of some of the networks."""
        return GridPosterior(self.mean[networks], self.covariance[networks], self.noise[networks])

    @property
    def variance(self) -> Float[Tensor, "m b"]:
        """The variance of each network at each budget, at least 0."""
        return self.covariance.diagonal(dim1=-2, dim2=-1).clamp_min(0.0)

    def correlation(self, first: int, second: int) -> Float[Tensor, " m"]:
        """Return the correlation of each network's values at two budgets.

        Args:
            first: the position of a budget.
            second: the position of another.
        """
        variances = self.variance[:, first] * self.variance[:, second]
        return self.covariance[:, first, second] / variances.clamp_min(1e-300).sqrt()


@runtime_checkable
class HasGridPosterior(Protocol):
    """A model with a faster way to the posterior over a grid than `Model.posterior`."""

    def grid_posterior(
        self, rows: Float[Tensor, "m d"], budgets: Float[Tensor, " b"]
    ) -> GridPosterior:
        """Return the same as `grid_posterior` for a model without this method.

        Args:
            rows: the networks, without the last column, which is the budget.
            budgets: values of that column.
        """
        ...


def grid(rows: Float[Tensor, "m d"], budgets: Float[Tensor, " b"]) -> Float[Tensor, "m b d+1"]:
    """Return each row with each budget as its last column.

    Args:
        rows: the networks, without the budget.
        budgets: values of the last column.
    """
    import torch

    m, b = len(rows), len(budgets)
    column = budgets.to(rows)[None, :, None].expand(m, b, 1)
    return torch.cat([rows[:, None].expand(m, b, -1), column], -1)


def grid_posterior(
    model: Model, rows: Float[Tensor, "m d"], budgets: Float[Tensor, " b"]
) -> GridPosterior:
    """Return the joint posterior of each network at all budgets.

    Args:
        model: over rows whose last column is the budget; a single one, not a batch.
        rows: the networks, without the budget.
        budgets: values of that column.
    """
    if isinstance(model, HasGridPosterior):
        return model.grid_posterior(rows, budgets)
    points = grid(rows, budgets)
    posterior: Any = model.posterior(points)
    noisy: Any = model.posterior(points, observation_noise=True)
    noise = (noisy.variance - posterior.variance)[..., 0].clamp_min(0.0)
    return GridPosterior(posterior.mean[..., 0], posterior.distribution.covariance_matrix, noise)
