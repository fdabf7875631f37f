"""The settings of a training that do not depend on the network."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from fidelity.augment import Augmentation
from fidelity.mixing import Mixing
from fidelity.training.curves import Curve
from fidelity.training.optimizers import Optimizer


@dataclass(frozen=True)
class Plan:
    """The settings of a training that do not depend on the network.

    Attributes:
        optimizer: of the weights.
        curve: of the learning rate.
        batch_size: examples per step.
        steps_per_epoch: steps in which each training example is seen at most once.
        steps: of a full training run.
        augment: the augmentations of training inputs, in order.
        mixing: of the examples of a batch; None mixes none.
        clip_norm: the largest norm of the gradient; None does not clip.
        average: the decay per step of the moving average of the weights that is evaluated; None
            evaluates the weights themselves.
        seed: of everything random.
    """

    optimizer: Optimizer
    curve: Curve
    batch_size: int
    steps_per_epoch: int
    steps: int
    augment: tuple[Augmentation, ...]
    mixing: Mixing | None
    clip_norm: float | None
    average: float | None
    seed: int

    def rate(self, step: int) -> float:
        """Return the learning rate of a step, counted from 0."""
        return self.optimizer.learning_rate * self.curve(step, self.steps)

    def order(self, epoch: int, examples: int) -> Int64[Tensor, " examples"]:
        """Return the order of the training examples in an epoch, on the CPU.

        It depends on seed and epoch alone, so a checkpoint in mid-epoch need not hold it.

        Args:
            epoch: counted from 0.
            examples: the number of training examples.
        """
        seed = np.random.SeedSequence((self.seed, epoch)).generate_state(1, np.uint64)[0]
        generator = torch.Generator().manual_seed(int(seed) >> 1)
        return torch.randperm(examples, generator=generator)

    def seed_of_rank(self, rank: int) -> int:
        """Return the seed of the dropout of one of the ranks above 0."""
        sequence = np.random.SeedSequence(self.seed, spawn_key=(rank,))
        return int(sequence.generate_state(1, np.uint64)[0]) >> 1

    def fingerprint(self) -> list[Any]:
        """Return the settings that a checkpoint must share to resume exactly, as plain values."""
        size = [self.seed, self.batch_size, self.steps_per_epoch, self.steps]
        parts = (self.optimizer, self.curve, self.mixing, self.clip_norm, self.average)
        return [*size, *map(_plain, parts)]


def _plain(value: Any) -> Any:
    """Return settings as lists, numbers and texts, which a checkpoint can hold."""
    if is_dataclass(value):
        values = [_plain(getattr(value, field.name)) for field in fields(value)]
        return [type(value).__name__, *values]
    if isinstance(value, bool | int | float | str | None):
        return value
    if isinstance(value, type):
        return value.__qualname__
    return repr(value) if isinstance(value, dict | list | tuple) else type(value).__qualname__
