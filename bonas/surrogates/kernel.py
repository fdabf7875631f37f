"""Kernels over encoded architectures: a weighted sum of Matern kernels, one per view.

Each view computes squared distances between two sets of rows. The graph view follows Ru et al.
2021, "Interpretable neural architecture search via Bayesian optimisation with Weisfeiler-Lehman
kernels": normalised histograms of subgraph labels. The configuration view treats an inactive
hyperparameter as one more value, after Swersky et al. 2014, "Raiders of the lost architecture".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from spaces.encoding import Layout

SPARSE_ABOVE_COLUMNS = 256
"""Columns above which histograms are multiplied as sparse matrices, because a network has a dozen
labels: with two thousand labels that is seven times as fast."""


class View(Protocol):
    """A distance between points by a part of their encoding."""

    def squared_distances(
        self, a: Float[Tensor, "*batch n d"], b: Float[Tensor, "*batch m d"], layout: Layout
    ) -> Float[Tensor, "*batch n m"]:
        """Return squared distances between rows, typically within [0, 2].

        Args:
            a: encoded configurations.
            b: encoded configurations.
            layout: of the columns of both.
        """
        ...


@dataclass(frozen=True)
class ConfigurationView:
    """The share of hyperparameters that differ, numbers by their squared difference.

    With scales it is the sum of these shares over the families of hyperparameters and of the
    squared differences of their means, each in units of its own scale: the width of a transformer
    matters more than the number of heads of one layer, and the heads of all layers together more
    than those of a single one.

    Attributes:
        scales: one per family of the layout; empty is the mean over all hyperparameters.
    """

    scales: tuple[float, ...] = ()

    def squared_distances(
        self, a: Float[Tensor, "*batch n d"], b: Float[Tensor, "*batch m d"], layout: Layout
    ) -> Float[Tensor, "*batch n m"]:
        """See `View.squared_distances`: within [0, 1] without scales."""
        if self.scales:
            return _squared_distances(self._scaled(a, layout), self._scaled(b, layout))
        columns = layout.configuration
        scale = max(len(layout.hyperparameters), 1)
        return _squared_distances(a[..., columns], b[..., columns]) / scale

    def _scaled(self, rows: Float[Tensor, "*batch n d"], layout: Layout) -> Tensor:
        pairs = list(zip(layout.families, self.scales, strict=True))
        columns = [column for family, _ in pairs for column in family.columns]
        units = [s * math.sqrt(family.size) for family, s in pairs for _ in family.columns]
        scaled: Tensor = rows[..., columns] / torch.tensor(units).to(rows)
        return scaled


@dataclass(frozen=True)
class GraphView:
    """Weisfeiler-Lehman histograms of one depth, scaled to unit length.

    Attributes:
        depth: the number of refinements; 0 counts operations.
    """

    depth: int

    def squared_distances(
        self, a: Float[Tensor, "*batch n d"], b: Float[Tensor, "*batch m d"], layout: Layout
    ) -> Float[Tensor, "*batch n m"]:
        """See `View.squared_distances`: 2 - 2 cos of the angle, within [0, 2]."""
        columns = layout.depths[self.depth]
        return _angles(a[..., columns], b[..., columns])


@dataclass(frozen=True)
class PathView:
    """Path encodings, scaled to unit length."""

    def squared_distances(
        self, a: Float[Tensor, "*batch n d"], b: Float[Tensor, "*batch m d"], layout: Layout
    ) -> Float[Tensor, "*batch n m"]:
        """See `View.squared_distances`: 2 - 2 cos of the angle, within [0, 2]."""
        return _angles(a[..., layout.paths], b[..., layout.paths])


@dataclass(frozen=True)
class FeatureView:
    """The user's features, such as resources or zero-cost proxies."""

    def squared_distances(
        self, a: Float[Tensor, "*batch n d"], b: Float[Tensor, "*batch m d"], layout: Layout
    ) -> Float[Tensor, "*batch n m"]:
        """See `View.squared_distances`: half the mean over standardised features, 1 on average.

        Raises:
            ValueError: the encoder has no features.
        """
        if layout.extra is None:
            raise ValueError(
                "a FeatureView looks at features, but the strategy has none: give it some, for "
                "instance BayesianOptimization(features=CostFeatures(space, input_shape, outputs))"
            )
        columns = layout.extra
        scale = 2 * (columns.stop - columns.start)
        distances: Tensor = _squared_distances(a[..., columns], b[..., columns]) / scale
        return distances


def _angles(
    a: Float[Tensor, "*batch n d"], b: Float[Tensor, "*batch m d"]
) -> Float[Tensor, "*batch n m"]:
    """Return 2 - 2 cos of the angles between the rows of `a` and `b`, 1 with a row of zeros."""
    norms_a, norms_b = (torch.linalg.vector_norm(rows, dim=-1) for rows in (a, b))
    cosines = _inner(a, b).div_(norms_a.clamp_min(1e-12)[..., :, None])
    cosines = cosines.div_(norms_b.clamp_min(1e-12)[..., None, :])
    # In place, here and below: allocating such matrices takes longer than filling them.
    distances = cosines.mul_(-2.0).add_((norms_a > 0).to(a)[..., :, None])
    return distances.add_((norms_b > 0).to(a)[..., None, :]).clamp_min_(0.0)


def _squared_distances(
    a: Float[Tensor, "*batch n d"], b: Float[Tensor, "*batch m d"]
) -> Float[Tensor, "*batch n m"]:
    distances = _inner(a, b).mul_(-2.0)
    distances = distances.add_((a * a).sum(-1)[..., :, None]).add_((b * b).sum(-1)[..., None, :])
    # For equal rows, rounding may leave a negative number.
    return distances.clamp_min_(0.0)


def _inner(
    a: Float[Tensor, "*batch n d"], b: Float[Tensor, "*batch m d"]
) -> Float[Tensor, "*batch n m"]:
    if a.ndim == b.ndim == 2 and a.shape[1] > SPARSE_ABOVE_COLUMNS:
        return (b.to_sparse() @ a.T.contiguous()).T
    return a @ b.transpose(-1, -2)


def matern(squared: Float[Tensor, "*batch n m"], lengthscale: float) -> Float[Tensor, "*batch n m"]:
    """Return the Matern kernel of smoothness 5/2 (Rasmussen and Williams 2006, equation 4.17).

    Args:
        squared: distances, squared.
        lengthscale: in units of the distance.
    """
    r = (squared * (5.0 / lengthscale**2)).sqrt_()
    return r.square().div_(3.0).add_(r).add_(1.0) * torch.exp(-r)


@dataclass(frozen=True)
class Hyperparameters:
    """The hyperparameters of a sum of Matern kernels with noise.

    Attributes:
        lengthscales: one per view.
        weights: one per view; they sum to 1.
        noise: the variance of the noise as a share of the signal's.
        budget: the lengthscale along the budget, where there is one.
        trend: the standard deviation of the slope along the trend, where there is one, in standard
            deviations of the kernel.
    """

    lengthscales: tuple[float, ...]
    weights: tuple[float, ...]
    noise: float
    budget: float = 1.0
    trend: float = 0.0


@dataclass(frozen=True)
class Distances:
    """Squared distances between two sets of rows.

    Attributes:
        views: one matrix per view.
        budget: along the budget; None where rows have none.
        trend: products of the trend's values instead of distances; None where rows have none.
    """

    views: Sequence[Float[Tensor, "*batch n m"]]
    budget: Float[Tensor, "*batch n m"] | None = None
    trend: Float[Tensor, "*batch n m"] | None = None

    def matern(self, view: int, lengthscale: float) -> Float[Tensor, "*batch n m"]:
        """Return the Matern kernel of one view.

        Args:
            view: its position.
            lengthscale: in units of the distance.
        """
        return matern(self.views[view], lengthscale)

    def along_budget(self, lengthscale: float) -> Float[Tensor, "*batch n m"] | None:
        """Return the kernel's factor of the budgets; None where rows have none."""
        return None if self.budget is None else along_budget(self.budget, lengthscale)


@dataclass(frozen=True)
class Tabulated(Distances):
    """Distances whose kernels are computed once per lengthscale, for a search over a grid."""

    _kernels: dict[tuple[int, float], Tensor] = field(init=False, default_factory=dict, repr=False)
    _budgets: dict[float, Tensor | None] = field(init=False, default_factory=dict, repr=False)

    def matern(self, view: int, lengthscale: float) -> Float[Tensor, "*batch n m"]:
        """See `Distances.matern`."""
        key = view, lengthscale
        if key not in self._kernels:
            self._kernels[key] = super().matern(view, lengthscale)
        return self._kernels[key]

    def along_budget(self, lengthscale: float) -> Float[Tensor, "*batch n m"] | None:
        """See `Distances.along_budget`."""
        if lengthscale not in self._budgets:
            self._budgets[lengthscale] = super().along_budget(lengthscale)
        return self._budgets[lengthscale]


def squared_distances(
    views: Sequence[View],
    a: Float[Tensor, "*batch n d"],
    b: Float[Tensor, "*batch m d"],
    layout: Layout,
) -> Distances:
    """Return the squared distances between rows in each view and along the budget; see `Distances`.

    Args:
        views: of the kernel.
        a: encoded configurations.
        b: encoded configurations.
        layout: of the columns of both.
    """
    distances = [view.squared_distances(a, b, layout) for view in views]
    along = trend = None
    if (columns := layout.budget) is not None:
        along = _squared_distances(a[..., columns], b[..., columns])
    if (columns := layout.trend) is not None:
        trend = _inner(a[..., columns], b[..., columns])
    return Distances(distances, along, trend)


def covariance(
    distances: Distances, hyperparameters: Hyperparameters
) -> Float[Tensor, "*batch n m"]:
    """Return the weighted sum of the views' Matern kernels; 1 on the diagonal.

    A trend adds the covariance of a line through 0 with a random slope (Rasmussen and Williams
    2006, section 4.2.2), so 1 + (deviation of the slope * trend)^2 is on the diagonal. With
    budgets it is multiplied by exp(-distance / lengthscale) along them: evaluations of similar
    networks are as similar as their budgets. This kernel is Markov, so the highest observed budget
    of a network says all that its lower budgets say about the highest one.

    Args:
        distances: between the rows.
        hyperparameters: of the kernel.
    """
    total = torch.zeros_like(distances.views[0])
    pairs = zip(hyperparameters.lengthscales, hyperparameters.weights, strict=True)
    for view, (lengthscale, weight) in enumerate(pairs):
        if weight > 0:
            total = total.add_(distances.matern(view, lengthscale), alpha=weight)
    if distances.trend is not None and hyperparameters.trend > 0:
        total = total.add_(distances.trend, alpha=hyperparameters.trend**2)
    budgets = distances.along_budget(hyperparameters.budget)
    return total if budgets is None else total.mul_(budgets)


def along_budget(
    squared: Float[Tensor, "*batch n m"], lengthscale: float
) -> Float[Tensor, "*batch n m"]:
    """Return the kernel's factor of the budgets.

    Args:
        squared: distances along the budget, squared.
        lengthscale: in units of the distance.
    """
    return torch.exp(squared.sqrt() / -lengthscale)


def log_evidence(
    distances: Distances,
    targets: Float[Tensor, " n"],
    hyperparameters: Hyperparameters,
    basis: Float[Tensor, "n p"] | None = None,
) -> float:
    """Return the log marginal likelihood at its maximum over the variance, up to a constant.

    Rasmussen and Williams 2006, equation 2.30; the variance that maximises it is the mean of
    the squared whitened targets, so it needs no search. With a `basis` the mean is a linear
    function of it that is integrated out (equation 2.45), so whatever its coefficients can
    fit is no evidence for a kernel.

    Args:
        distances: between the observed rows.
        targets: the observations.
        hyperparameters: of the kernel.
        basis: of the mean; None is a mean of 0.
    """
    factor, info = torch.linalg.cholesky_ex(
        noisy(covariance(distances, hyperparameters), hyperparameters.noise)
    )
    if int(info) != 0:
        return -math.inf
    white = torch.linalg.solve_triangular(factor, targets[:, None], upper=False)
    squares, n = float(white.square().sum()), len(targets)
    volume = float(factor.diagonal().log().sum())
    if basis is not None:
        columns = torch.linalg.solve_triangular(factor, basis, upper=False)
        # The ridge makes the system regular with a single budget.
        inner = noisy(columns.T @ columns, 1e-6)
        explained = columns.T @ white
        squares -= float((explained * torch.linalg.solve(inner, explained)).sum())
        volume += 0.5 * float(torch.logdet(inner))
        n = max(n - basis.shape[1], 1)
    return -0.5 * n * math.log(max(squares / n, 1e-300)) - volume


def noisy(matrix: Float[Tensor, "*batch n n"], noise: float) -> Float[Tensor, "*batch n n"]:
    """Return `matrix` with `noise` added to its diagonal.

    Args:
        matrix: or a batch of them.
        noise: variance.
    """
    return matrix + noise * torch.eye(matrix.shape[-1], dtype=matrix.dtype, device=matrix.device)
