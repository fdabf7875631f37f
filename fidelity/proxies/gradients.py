"""Proxies of the gradient of the loss with respect to the weights."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from fidelity.proxies.proxy import (
    Batch,
    check_several,
    check_targets,
    scratch_copy,
    weighted_layers,
)


@dataclass(frozen=True)
class SNIP:
    """The summed connection sensitivities |weight * gradient| of convolutions and linear layers.

    Lee et al. (2019), "SNIP: single-shot network pruning based on connection sensitivity",
    equation 4, before it is normalised; summed over a network by Abdelfattah et al. (2021),
    "Zero-cost proxies for lightweight NAS", section 3.2.
    """

    def __call__(self, network: nn.Module, batch: Batch, generator: Generator) -> float:
        """See `Proxy`."""
        gradients = _gradients(network, batch)
        return float(sum((weight * gradient).abs().sum() for weight, gradient in gradients))


@dataclass(frozen=True)
class GradNorm:
    """The summed Euclidean norms of the gradients of convolutions and linear layers.

    Abdelfattah et al. (2021), "Zero-cost proxies for lightweight NAS", section 3.1.
    """

    def __call__(self, network: nn.Module, batch: Batch, generator: Generator) -> float:
        """See `Proxy`."""
        gradients = _gradients(network, batch)
        return float(sum(gradient.norm() for _, gradient in gradients))


def _gradients(network: nn.Module, batch: Batch) -> list[tuple[Tensor, Tensor]]:
    """Return each weight tensor with its gradient of the loss; 0 where it has none.

    Raises:
        ProxyError: see `Proxy`.
    """
    check_several(batch)
    check_targets(batch)
    copied = scratch_copy(network)
    weights: list[Tensor] = [layer.weight for layer in weighted_layers(copied)]
    with torch.enable_grad():
        loss = batch.losses(copied(batch.inputs), batch.targets).mean()
        gradients = torch.autograd.grad(loss, weights, materialize_grads=True)
    return [(weight.detach(), g) for weight, g in zip(weights, gradients, strict=True)]
