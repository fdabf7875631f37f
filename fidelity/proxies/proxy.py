"""What a zero-cost proxy is, and what its network and its batch have to be like."""

from __future__ import annotations

import copy
from typing import Protocol

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
Weighted = nn.Conv2d | nn.Linear


class ProxyError(ValueError):
    """A network or a batch that a proxy cannot score; the message says how to mend it."""


class Proxy(Protocol):
    """Scores a network that was initialised and not trained; higher promises more accuracy."""

    def __call__(
        self,
        network: nn.Module,
        images: Float[Tensor, "batch channels height width"],
        targets: Int64[Tensor, " batch"],
        generator: torch.Generator,
    ) -> float:
        """The score, which may be infinite or NaN where there is none.

        Weights, mode and gradients of the network, the batch and torch's own generators are left
        as they were.

        Args:
            network: from images to logits (batch, classes), freshly initialised.
            images: normalised, on the device and in the precision of the network.
            targets: their classes.
            generator: the only source of randomness, on the CPU.

        Raises:
            ProxyError: the network has not the layers that the proxy looks at, or the batch is
                too small or of one class.
        """
        ...


def twin(network: nn.Module) -> nn.Module:
    """A copy to be changed at will, with batch statistics in batch normalisation.

    Everything else is in evaluation mode: dropout would draw from torch's own generator.
    """
    copied = copy.deepcopy(network).eval()
    for module in copied.modules():
        if isinstance(module, BATCH_NORMS):
            module.train()
    return copied


def weighted_layers(network: nn.Module) -> list[Weighted]:
    """The convolutions and linear layers, their weights set to have gradients.

    Raises:
        ProxyError: there is none.
    """
    layers = [module for module in network.modules() if isinstance(module, Weighted)]
    if not layers:
        raise ProxyError(
            "the network has neither nn.Conv2d nor nn.Linear, whose weights this proxy scores: "
            "choose another proxy for this space"
        )
    for layer in layers:
        layer.weight.requires_grad_(True)
    return layers


def check_several(images: Float[Tensor, "batch channels height width"]) -> None:
    """Refuses a batch of which nothing can be compared and that cannot be normalised.

    Raises:
        ProxyError: there are fewer than two images.
    """
    if len(images) < 2:
        raise ProxyError(
            f"a batch of {len(images)} image: this proxy compares images, or uses batch "
            "normalisation, and needs 2 or more; 64 are usual"
        )


def check_classes(targets: Int64[Tensor, " batch"]) -> None:
    """Refuses a batch that a loss can tell nothing about.

    Raises:
        ProxyError: all images are of one class.
    """
    if len(targets.unique()) < 2:
        raise ProxyError(
            f"all {len(targets)} images of the batch have the label {int(targets[0])}: the "
            "gradient of the loss needs two classes or more; take more images, or shuffle them"
        )
