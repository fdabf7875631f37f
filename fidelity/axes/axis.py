"""The protocol of a fidelity axis, one way in which a training can be made cheaper."""

from __future__ import annotations

from typing import Protocol

from fidelity.training.training import Training


class AxisError(ValueError):
    """A training that an axis cannot be applied to: the message says why and how to mend it."""


class Axis(Protocol):
    """A size of a training that may be lowered: epochs, images, pixels, channels, cells.

    The cost of a training grows as size ** exponent. This model leaves out what the axis does not
    change (the validation, the first convolution).
    """

    def size(self, training: Training) -> float:
        """Return the size of a training along this axis, above 0.

        Raises:
            AxisError: the training has no such size.
        """
        ...

    def exponent(self, training: Training) -> float:
        """Return the power of the size with which the cost of a training grows, above 0."""
        ...

    def apply(self, training: Training, size: float) -> Training:
        """Return the training at another size, which is rounded to a possible one.

        Args:
            training: the training to make cheaper; it does not change.
            size: above 0 and at most `self.size(training)`, at which the training itself
                is returned.

        Raises:
            AxisError: the training has no such size, or cannot be made so small.
        """
        ...
