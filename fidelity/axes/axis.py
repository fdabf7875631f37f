"""What a fidelity axis is: one way in which a training can be made cheaper."""

from __future__ import annotations

from typing import Protocol

from fidelity.training.training import Training


class AxisError(ValueError):
    """A training that an axis cannot be applied to: the message says why and how to mend it."""


class Axis(Protocol):
    """A size of a training that may be lowered: epochs, images, pixels, channels, cells.

    The cost of a training grows as size ** exponent. That is a model: what an axis leaves as it
    is (the validation, the first convolution) is not in it.
    """

    def size(self, training: Training) -> float:
        """How large a training is along this axis, above 0.

        Raises:
            AxisError: the training has no such size.
        """
        ...

    def exponent(self, training: Training) -> float:
        """The power of the size with which the cost of a training grows, above 0."""
        ...

    def apply(self, training: Training, size: float) -> Training:
        """The same training at another size, which is rounded to one that there is.

        Args:
            training: the one to lower; it is left as it is.
            size: above 0 and at most `self.size(training)`, at which the training itself
                is returned.

        Raises:
            AxisError: the training has no such size, or cannot be made so small.
        """
        ...
