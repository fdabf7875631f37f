"""Scales of families of hyperparameters by marginal likelihood, one after another on a grid.

A lengthscale per hyperparameter would be 75 of them for a transformer of 36 layers, more than a few
dozen evaluations can tell apart; a single one hides the choices that matter behind all others.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from bonas.surrogates.kernel import (
    ConfigurationView,
    Distances,
    FeatureView,
    Tabulated,
    View,
    squared_distances,
)
from spaces.encoding import Layout

SCALES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
DEVIATION = 1.5
"""Standard deviation of the prior of the logarithm of a scale."""


@dataclass(frozen=True)
class ScaledViews:
    """Views of a kernel, of which a `ConfigurationView` has scales that can be tuned.

    Attributes:
        views: of the kernel.
        inputs: the observed rows.
        layout: of their columns; without families nothing is tuned.
    """

    views: tuple[View, ...]
    inputs: Float[Tensor, "n d"]
    layout: Layout

    @cached_property
    def distances(self) -> Tabulated:
        """The squared distances between the rows."""
        squared = squared_distances(self.views, self.inputs, self.inputs, self.layout)
        return Tabulated(squared.views, squared.budget, squared.trend)

    @property
    def log_prior(self) -> float:
        """The logarithm of the prior of all scales, up to a constant."""
        return sum(_log_prior(v.scales) for v in self.views if isinstance(v, ConfigurationView))

    def with_families(self) -> ScaledViews | None:
        """Return views with a scale of 1 per family, those of graphs left out.

        What the families tell apart is what a graph shows, and computing graphs takes longest.

        Returns:
            None if no view has scales.
        """
        ones = (1.0,) * len(self.layout.families)
        views = [
            replace(view, scales=ones) if isinstance(view, ConfigurationView) else view
            for view in self.views
            if isinstance(view, ConfigurationView | FeatureView)
        ]
        scaled = any(isinstance(view, ConfigurationView) for view in views)
        return replace(self, views=tuple(views)) if scaled else None

    def tuned(self, evidence: Callable[[Distances], float]) -> ScaledViews:
        """Return the views with each scale in turn at its best value, the others fixed.

        Args:
            evidence: the log marginal likelihood, with everything else fixed.
        """
        tuned = self
        for position, view in enumerate(self.views):
            if isinstance(view, ConfigurationView) and view.scales:
                tuned = tuned._tuned(position, view, evidence)
        return tuned

    def _tuned(
        self, position: int, view: ConfigurationView, evidence: Callable[[Distances], float]
    ) -> ScaledViews:
        parts = torch.stack([self._part(index) for index in range(len(view.scales))])
        plain = Distances(self.distances.views, self.distances.budget, self.distances.trend)

        def score(scales: tuple[float, ...]) -> float:
            weights = torch.tensor(scales).to(parts) ** -2
            views = list(plain.views)
            views[position] = torch.tensordot(weights, parts, 1)
            return evidence(replace(plain, views=views)) + _log_prior(scales)

        best = view.scales
        highest = score(best)
        for index in range(len(best)):
            for scale in SCALES:
                changed = (*best[:index], scale, *best[index + 1 :])
                if scale != best[index] and (value := score(changed)) > highest:
                    highest, best = value, changed
        views = list(self.views)
        views[position] = replace(view, scales=best)
        return replace(self, views=tuple(views))

    def _part(self, index: int) -> Float[Tensor, "n n"]:
        """Return the squared distances in one family at scale 1."""
        layout = replace(self.layout, families=self.layout.families[index : index + 1])
        return ConfigurationView((1.0,)).squared_distances(self.inputs, self.inputs, layout)


def _log_prior(scales: tuple[float, ...]) -> float:
    return -0.5 * sum((math.log(scale) / DEVIATION) ** 2 for scale in scales)
