"""A network that takes images as they are in the data set."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Normalised(nn.Module):
    """Normalises images by the statistics of the training images, then calls a network.

    Args:
        network: from normalised images to logits.
        mean: of each channel, in the scale of the images.
        scale: one over the standard deviation of each channel.
    """

    mean: Float[Tensor, "1 channels 1 1"]
    scale: Float[Tensor, "1 channels 1 1"]

    def __init__(
        self,
        network: nn.Module,
        mean: Float[Tensor, "1 channels 1 1"],
        scale: Float[Tensor, "1 channels 1 1"],
    ) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", mean.clone())
        self.register_buffer("scale", scale.clone())

    @classmethod
    def blank(cls, network: nn.Module, channels: int) -> Normalised:
        """Changes nothing yet: for weights that are loaded afterwards."""
        shape = (1, channels, 1, 1)
        return cls(network, torch.zeros(shape), torch.ones(shape))

    def forward(
        self, images: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch outputs"]:
        """The logits of images in the scale of the data set, as floating-point numbers."""
        logits: Tensor = self.network((images - self.mean) * self.scale)
        return logits
