"""A network that takes images in the scale of the data set."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fidelity.augment import Images
from fidelity.datasets.normalisation import PerChannel, normalise


class Normalised(nn.Module):
    """A network behind the normalisation of its images by the statistics of the training images.

    Args:
        network: from normalised images to logits.
        mean: of each channel, in the scale of the images.
        scale: one over the standard deviation of each channel.
        offset: of each channel, subtracted before the mean; see `Dataset.offset`.
    """

    mean: PerChannel
    scale: PerChannel
    offset: PerChannel | None

    def __init__(
        self,
        network: nn.Module,
        mean: PerChannel,
        scale: PerChannel,
        offset: PerChannel | None = None,
    ) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", mean.clone())
        self.register_buffer("scale", scale.clone())
        # Two steps, each exact in float32, where their sum would not be.
        self.register_buffer("offset", None if offset is None else offset.to(mean.device).clone())

    @classmethod
    def blank(cls, network: nn.Module, channels: int, offset: bool = False) -> Normalised:
        """Return one that does not change images yet, to load weights into.

        Args:
            network: from normalised images to logits.
            channels: of an image.
            offset: whether the weights include an offset.
        """
        zeros = torch.zeros(1, channels, 1, 1)
        return cls(network, zeros, torch.ones_like(zeros), zeros if offset else None)

    def forward(self, images: Images) -> Float[Tensor, "batch outputs"]:
        """Return the logits of images in the scale of the data set.

        Args:
            images: whole numbers, or floating-point numbers of single or double precision.
        """
        if self.offset is not None:
            images = images - self.offset
        logits: Tensor = self.network(normalise(images, self.mean, self.scale))
        return logits
