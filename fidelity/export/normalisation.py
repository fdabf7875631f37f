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
        offset: of each channel, subtracted before the mean; see `Dataset.offset`.
    """

    mean: Float[Tensor, "1 channels 1 1"]
    scale: Float[Tensor, "1 channels 1 1"]
    offset: Float[Tensor, "1 channels 1 1"] | None

    def __init__(
        self,
        network: nn.Module,
        mean: Float[Tensor, "1 channels 1 1"],
        scale: Float[Tensor, "1 channels 1 1"],
        offset: Float[Tensor, "1 channels 1 1"] | None = None,
    ) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", mean.clone())
        self.register_buffer("scale", scale.clone())
        # Two steps, each exact in float32, where their sum would not be.
        self.register_buffer("offset", None if offset is None else offset.to(mean.device).clone())

    @classmethod
    def blank(cls, network: nn.Module, channels: int, offset: bool = False) -> Normalised:
        """Changes nothing yet: for weights that are loaded afterwards.

        Args:
            network: from normalised images to logits.
            channels: of an image.
            offset: whether there is an offset among the weights.
        """
        zeros = torch.zeros(1, channels, 1, 1)
        return cls(network, zeros, torch.ones_like(zeros), zeros if offset else None)

    def forward(
        self, images: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch outputs"]:
        """The logits of images in the scale in which the data set was given.

        Args:
            images: whole numbers, or floating-point numbers of single or double precision.
        """
        if self.offset is not None:
            images = images - self.offset
        normal = (images - self.mean) * self.scale
        if normal.dtype is not self.scale.dtype:
            normal = normal.to(self.scale.dtype)
        logits: Tensor = self.network(normal)
        return logits
