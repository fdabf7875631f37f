"""Proxies of the gradient of the loss with respect to the weights."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from fidelity.proxies.proxy import check_classes, check_several, twin, weighted_layers


@dataclass(frozen=True)
class SNIP:
    """The summed connection sensitivities |weight * gradient| of convolutions and linear layers.

    Lee et al. (2019), "SNIP: single-shot network pruning based on connection sensitivity",
    equation 4, before it is normalised; summed over a network by Abdelfattah et al. (2021),
    "Zero-cost proxies for lightweight NAS", section 3.2.
    """

    def __call__(
        self,
        network: nn.Module,
        images: Float[Tensor, "batch channels height width"],
        targets: Int64[Tensor, " batch"],
        generator: torch.Generator,
    ) -> float:
        """See `Proxy`; the loss is the cross-entropy."""
        found = _gradients(network, images, targets)
        return float(sum((weight * gradient).abs().sum() for weight, gradient in found))


@dataclass(frozen=True)
class GradNorm:
    """The summed Euclidean norms of the gradients of convolutions and linear layers.

    Abdelfattah et al. (2021), "Zero-cost proxies for lightweight NAS", section 3.1.
    """

    def __call__(
        self,
        network: nn.Module,
        images: Float[Tensor, "batch channels height width"],
        targets: Int64[Tensor, " batch"],
        generator: torch.Generator,
    ) -> float:
        """See `Proxy`; the loss is the cross-entropy."""
        found = _gradients(network, images, targets)
        return float(sum(gradient.norm() for _, gradient in found))


def _gradients(
    network: nn.Module,
    images: Float[Tensor, "batch channels height width"],
    targets: Int64[Tensor, " batch"],
) -> list[tuple[Tensor, Tensor]]:
    """Each weight tensor with the gradient of the cross-entropy; 0 where it plays no part.

    Raises:
        ProxyError: as `Proxy` says.
    """
    check_several(images)
    check_classes(targets)
    differentiated = twin(network)
    weights: list[Tensor] = [layer.weight for layer in weighted_layers(differentiated)]
    with torch.enable_grad():
        loss = nn.functional.cross_entropy(differentiated(images), targets)
        gradients = torch.autograd.grad(loss, weights, materialize_grads=True)
    return [(weight.detach(), g) for weight, g in zip(weights, gradients, strict=True)]
