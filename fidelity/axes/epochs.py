"""Fewer epochs, planned as such."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fidelity.training.training import Training


@dataclass(frozen=True)
class Epochs:
    """The number of epochs; the learning rate falls to its end in each training, however short.

    A short training with a learning rate of its own ranks networks better than the beginning of
    a long one may, but it cannot be continued. Where nothing but epochs is to be lowered, the
    budgets of `Training` itself are epochs, and its checkpoints are resumed.

    Cost model: proportional to the epochs.
    """

    def size(self, training: Training) -> float:
        """The epochs of the training."""
        return training.max_epochs

    def exponent(self, training: Training) -> float:
        """1."""
        return 1

    def apply(self, training: Training, size: float) -> Training:
        """The training planned for `size` epochs, which may be a fraction."""
        return training if size == training.max_epochs else replace(training, max_epochs=size)
