"""The device that a training computes on, its number format, and the data set on it."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from fidelity.augment import Inputs
from fidelity.datasets.dataset import Dataset, Part
from fidelity.datasets.normalisation import PerChannel, channel_statistics, normalise
from fidelity.tasks.task import Criterion


@dataclass(frozen=True, eq=False)
class DeviceData:
    """The training and validation parts of a data set on a device.

    Attributes:
        train: the training part, in its own type and scale.
        validation: the validation part.
        criterion: the task, on the targets of the training part.
        statistics: the mean of each channel over the training part, and one over its standard
            deviation; None for tokens.
        bfloat16: whether networks compute in bfloat16 where that is safe (autocast).
    """

    train: Part
    validation: Part
    criterion: Criterion
    statistics: tuple[PerChannel, PerChannel] | None
    bfloat16: bool

    @property
    def device(self) -> torch.device:
        """The device."""
        return self.train.inputs.device

    @cached_property
    def mean_weight(self) -> Tensor:
        """The mean weight of the training examples, on the device."""
        weights = self.train.weights
        return torch.ones((), device=self.device) if weights is None else weights.mean()

    def number(self, inputs: Inputs) -> Inputs:
        """Return a batch in floating point, in its own scale; tokens as they are."""
        return inputs if self.statistics is None else inputs.float()

    def normalise(self, inputs: Inputs) -> Inputs:
        """Return inputs of mean 0 and variance 1, images channels last in memory."""
        if self.statistics is None:
            return inputs
        normal = normalise(inputs, *self.statistics)
        if normal.ndim != 4:
            return normal
        return normal.contiguous(memory_format=torch.channels_last)

    def autocast(self) -> AbstractContextManager[None]:
        """Return the context in which a network computes."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.bfloat16)


# One copy for all trials of a process, dropped with the data set. It is cached here and not in the
# data set, so that a data set can be sent to another process without it.
_copies: WeakKeyDictionary[Dataset, dict[torch.device, DeviceData]] = WeakKeyDictionary()


def copy_to_device(dataset: Dataset, device: torch.device) -> DeviceData:
    """Return the data set on a device, copied there at most once.

    Args:
        dataset: any data set; its test part is not copied.
        device: with its index, as `resolve_device` returns it.
    """
    copies = _copies.setdefault(dataset, {})
    if device not in copies:
        train = dataset.train.to(device)
        tokens = dataset.train.inputs.dtype is torch.int64
        statistics = None if tokens else channel_statistics(dataset.train.inputs)
        copies[device] = DeviceData(
            train,
            dataset.validation.to(device),
            dataset.task.criterion(train.targets),
            None if statistics is None else (statistics[0].to(device), statistics[1].to(device)),
            _gains_by_bfloat16(device, math.prod(dataset.input_shape[1:])),
        )
    return copies[device]


def resolve_device(name: str | None) -> torch.device:
    """Return the device of this name; for None the current GPU, or the CPU if there is none."""
    device = torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
    if device.type == "cuda" and device.index is None:
        return torch.device("cuda", torch.cuda.current_device())
    return device


def _gains_by_bfloat16(device: torch.device, pixels: int) -> bool:
    """Return whether autocast to bfloat16 makes a training faster.

    On a CPU it does so with instructions for it and images that are not tiny: measured on one
    thread of an x86 core with avx512_bf16, 8x8 images lose 2% and 32x32 images gain 21%.
    """
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type != "cpu" or pixels < 16 * 16 or not hasattr(torch.cpu, "get_capabilities"):
        return False
    return bool(torch.cpu.get_capabilities().get("avx512_bf16", False))
