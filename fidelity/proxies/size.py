"""The size of a network, the baseline for other proxies.

Ning et al. (2021), "Evaluating efficient performance estimators of neural architectures", found
few proxies better than these.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Generator, nn

from fidelity.proxies.proxy import Batch
from spaces.resources.resources import Cost, cost


@dataclass(frozen=True)
class Parameters:
    """The number of trainable weights."""

    def __call__(self, network: nn.Module, batch: Batch, generator: Generator) -> float:
        """See `Proxy`; only the shape of the inputs is used."""
        return float(_resources(network, batch).parameters)


@dataclass(frozen=True)
class MultiplyAdds:
    """The multiply-adds of convolutions and linear layers for one image."""

    def __call__(self, network: nn.Module, batch: Batch, generator: Generator) -> float:
        """See `Proxy`; only the shape of the inputs is used."""
        return float(_resources(network, batch).multiply_adds)


def _resources(network: nn.Module, batch: Batch) -> Cost:
    return cost(network, tuple(batch.inputs.shape[1:]))
