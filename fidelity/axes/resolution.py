"""Smaller images.

Chrabaszcz et al. (2017), "A downsampled variant of ImageNet as an alternative to the CIFAR
datasets", arXiv:1707.08819.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F

from fidelity.axes.dataset_cache import reduced
from fidelity.datasets.dataset import Dataset, Part
from fidelity.training.training import Training

CHUNK = 4096
"""Images resized at a time: a float copy of all would take much memory."""


@dataclass(frozen=True)
class Resolution:
    """The longer side of the images in pixels; the shorter one stays in proportion.

    Each pixel is the mean over the area that it covers, as float32. Training, validation and test
    images are resized, once for all trials. Augmentations do not change: they count in pixels.

    A network that halves its images several times has a lowest resolution: below it, images shrink
    to nothing and the trial is invalid.

    Cost model: the square of the side (the side itself for images that are one pixel high).
    """

    def size(self, training: Training) -> float:
        """Return the longer side of an image, in pixels."""
        return max(training.dataset.input_shape[1:])

    def exponent(self, training: Training) -> float:
        """Return 2, or 1 for images that are one pixel high or wide."""
        return 1 if min(training.dataset.input_shape[1:]) == 1 else 2

    def apply(self, training: Training, size: float) -> Training:
        """See `Axis`; the size is the longer side in pixels, rounded to a whole number."""
        _, *sides = training.dataset.input_shape
        longer = max(1, round(size))
        height, width = (max(1, round(side * longer / max(sides))) for side in sides)
        if [height, width] == sides:
            return training
        key = (type(self), height, width)
        dataset = reduced(
            training.dataset, key, lambda: _resized(training.dataset, (height, width))
        )
        return replace(training, dataset=dataset)


def _resized(dataset: Dataset, size: tuple[int, int]) -> Dataset:
    train, validation, test = (
        _resized_part(part, size) for part in (dataset.train, dataset.validation, dataset.test)
    )
    return replace(dataset, train=train, validation=validation, test=test)


def _resized_part(part: Part, size: tuple[int, int]) -> Part:
    chunks = [F.adaptive_avg_pool2d(chunk.float(), size) for chunk in part.inputs.split(CHUNK)]
    return replace(part, inputs=torch.cat(chunks))
