"""Fewer epochs, over which the learning rate is planned."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fidelity.training.training import Training


@dataclass(frozen=True)
class Epochs:
    """The number of epochs; the learning rate falls to its end in each training, however short.

    A short training with a learning rate of its own may rank networks better than the beginning of
    a long one does, but it cannot be resumed. To reduce epochs alone, use `Training` itself: its
    budgets are epochs, and its checkpoints are resumed.

    Cost model: proportional to the epochs.
    """

    def size(self, training: Training) -> float:
        """Return the epochs of the training."""
        return training.max_epochs

    def exponent(self, training: Training) -> float:
        """Return 1."""
        return 1

    def apply(self, training: Training, size: float) -> Training:
        """See `Axis`; the size is a number of epochs and may be a fraction."""
        return training if size == training.max_epochs else replace(training, max_epochs=size)
