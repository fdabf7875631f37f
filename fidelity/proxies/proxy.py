"""The protocol of zero-cost proxies, and the checks of their networks and batches."""

from __future__ import annotations

import copy
from typing import Protocol

from jaxtyping import Int64
from torch import Generator, Tensor, nn

from fidelity.augment import Images

BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
Weighted = nn.Conv2d | nn.Linear
Targets = Int64[Tensor, " batch"]


class ProxyError(ValueError):
    """A network or batch that a proxy cannot score; the message says how to mend it."""


class Proxy(Protocol):
    """A score of a network at initialisation; a higher one promises more accuracy."""

    def __call__(
        self, network: nn.Module, images: Images, targets: Targets, generator: Generator
    ) -> float:
        """Return the score, which may be infinite or NaN where there is none.

        The network with its mode and gradients, the batch and torch's own generators do not change.

        Args:
            network: from images to logits (batch, classes), freshly initialised.
            images: normalised, on the device and in the precision of the network.
            targets: their classes.
            generator: the only source of randomness, on the CPU.

        Raises:
            ProxyError: the network lacks the layers that the proxy scores, or the batch is too
                small or of one class.
        """
        ...


def scratch_copy(network: nn.Module) -> nn.Module:
    """Return a copy of a network whose batch normalisation uses the statistics of each batch.

    Everything else is in evaluation mode: dropout would draw from torch's own generator.
    """
    copied = copy.deepcopy(network).eval()
    for module in copied.modules():
        if isinstance(module, BATCH_NORMS):
            module.train()
    return copied


def weighted_layers(network: nn.Module) -> list[Weighted]:
    """Return the convolutions and linear layers, with gradients enabled for their weights.

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


def check_several(images: Images) -> None:
    """Refuse a batch too small to compare images or to normalise.

    Raises:
        ProxyError: there are fewer than two images.
    """
    if len(images) < 2:
        raise ProxyError(
            f"a batch of {len(images)} image: this proxy compares images, or uses batch "
            "normalisation, and needs 2 or more; 64 are usual"
        )


def check_classes(targets: Targets) -> None:
    """Refuse a batch of a single class, whose loss says nothing about a network.

    Raises:
        ProxyError: all images are of one class.
    """
    if len(targets.unique()) < 2:
        raise ProxyError(
            f"all {len(targets)} images of the batch have the label {int(targets[0])}: the "
            "gradient of the loss needs two classes or more; take more images, or shuffle them"
        )
