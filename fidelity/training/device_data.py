"""Where a training takes place: the device, its number format, and the data set on it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from fidelity.datasets.dataset import Dataset, Part


@dataclass(frozen=True, eq=False)
class Placed:
    """The training and validation part of a data set on a device.

    Attributes:
        train: the training part, in its own type and scale.
        validation: the validation part.
        mean: of each channel over the training part.
        scale: one over the standard deviation of each channel over the training part.
        bfloat16: whether networks compute in bfloat16 where that is safe (autocast).
    """

    train: Part
    validation: Part
    mean: Float[Tensor, "1 channels 1 1"]
    scale: Float[Tensor, "1 channels 1 1"]
    bfloat16: bool

    @property
    def device(self) -> torch.device:
        """The device."""
        return self.mean.device

    def normalise(
        self, images: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch channels height width"]:
        """Images of mean 0 and variance 1, channels last in memory."""
        normal = (images - self.mean) * self.scale
        return normal.contiguous(memory_format=torch.channels_last)

    def autocast(self) -> AbstractContextManager[None]:
        """The context in which a network computes."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.bfloat16)


# One copy for all trials of a process, gone with the data set. It is kept here and not in the
# data set, so that a data set can be sent to another process without it.
_placed: WeakKeyDictionary[Dataset, dict[torch.device, Placed]] = WeakKeyDictionary()


def place(dataset: Dataset, device: torch.device) -> Placed:
    """The data set on `device`, copied there at most once."""
    copies = _placed.setdefault(dataset, {})
    if device not in copies:
        mean, deviation = _statistics(dataset.train.images)
        copies[device] = Placed(
            _move(dataset.train, device),
            _move(dataset.validation, device),
            mean.to(device),
            # A channel that never changes carries nothing: any scale will do.
            torch.where(deviation > 0, 1 / deviation, 1.0).to(device),
            _gains_by_bfloat16(device, dataset.input_shape[1] * dataset.input_shape[2]),
        )
    return copies[device]


def choose(name: str | None) -> torch.device:
    """The device of this name; without a name the current GPU, or the CPU if there is none."""
    device = torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
    if device.type == "cuda" and device.index is None:
        return torch.device("cuda", torch.cuda.current_device())
    return device


def _move(part: Part, device: torch.device) -> Part:
    return Part(part.images.to(device), part.labels.to(device))


def _statistics(
    images: Shaped[Tensor, "images channels height width"],
) -> tuple[Float[Tensor, "1 channels 1 1"], Float[Tensor, "1 channels 1 1"]]:
    """Mean and standard deviation of each channel, without a float copy of all images.

    Differences from the first pixel are summed: squares of values far from 0 would cancel, and a
    channel that never changes would seem to.
    """
    origin = images[:1, :, :1, :1].double()
    total, squares = torch.zeros_like(origin), torch.zeros_like(origin)
    for chunk in images.split(4096):
        values = chunk.double() - origin
        total += values.sum((0, 2, 3), keepdim=True)
        squares += values.square().sum((0, 2, 3), keepdim=True)
    count = images.numel() / images.shape[1]
    mean = total / count
    variance = squares / count - mean.square()
    return (origin + mean).float(), variance.clamp(min=0).sqrt().float()


def _gains_by_bfloat16(device: torch.device, pixels: int) -> bool:
    """Whether autocast to bfloat16 makes a training faster.

    On a CPU that is so with instructions for it and images that are not tiny: measured on one
    thread of an x86 core with avx512_bf16, 8x8 images lose 2% and 32x32 images gain 21%.
    """
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type != "cpu" or pixels < 16 * 16 or not hasattr(torch.cpu, "get_capabilities"):
        return False
    return bool(torch.cpu.get_capabilities().get("avx512_bf16", False))
