"""The size of a network: the baselines that other proxies have to beat.

Ning et al. (2021), "Evaluating efficient performance estimators of neural architectures", found
few proxies better than these.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from spaces.resources.resources import Cost, cost


@dataclass(frozen=True)
class Parameters:
    """The number of trainable weights."""

    def __call__(
        self,
        network: nn.Module,
        images: Float[Tensor, "batch channels height width"],
        targets: Int64[Tensor, " batch"],
        generator: torch.Generator,
    ) -> float:
        """See `Proxy`; only the shape of the images counts."""
        return float(_cost(network, images).parameters)


@dataclass(frozen=True)
class MultiplyAdds:
    """The multiply-adds of convolutions and linear layers for one image."""

    def __call__(
        self,
        network: nn.Module,
        images: Float[Tensor, "batch channels height width"],
        targets: Int64[Tensor, " batch"],
        generator: torch.Generator,
    ) -> float:
        """See `Proxy`; only the shape of the images counts."""
        return float(_cost(network, images).multiply_adds)


def _cost(network: nn.Module, images: Float[Tensor, "batch channels height width"]) -> Cost:
    channels, height, width = images.shape[1:]
    return cost(network, (channels, height, width))
