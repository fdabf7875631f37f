"""The size of a network, the baseline for other proxies.

Ning et al. (2021), "Evaluating efficient performance estimators of neural architectures", found
few proxies better than these.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Generator, nn

from fidelity.augment import Images
from fidelity.proxies.proxy import Targets
from spaces.resources.resources import Cost, cost


@dataclass(frozen=True)
class Parameters:
    """The number of trainable weights."""

    def __call__(
        self, network: nn.Module, images: Images, targets: Targets, generator: Generator
    ) -> float:
        """See `Proxy`; only the shape of the images is used."""
        return float(_resources(network, images).parameters)


@dataclass(frozen=True)
class MultiplyAdds:
    """The multiply-adds of convolutions and linear layers for one image."""

    def __call__(
        self, network: nn.Module, images: Images, targets: Targets, generator: Generator
    ) -> float:
        """See `Proxy`; only the shape of the images is used."""
        return float(_resources(network, images).multiply_adds)


def _resources(network: nn.Module, images: Images) -> Cost:
    channels, height, width = images.shape[1:]
    return cost(network, (channels, height, width))
