"""An objective whose budget is a size of the training: its images, pixels, channels or cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import ClassVar

from ConfigSpace import Configuration

from fidelity.axes.axis import Axis, AxisError
from fidelity.objective import Context
from fidelity.tasks.task import Measure
from fidelity.training.training import Training


@dataclass(frozen=True)
class AlongAxis:
    """An objective that trains from scratch, to the end, at a size along `axis`: the budget.

    Nothing is resumed: a promotion retrains from scratch and spends its whole budget. For epochs
    that end early and resume from a checkpoint, use `Training` itself.

    Attributes:
        training: at full size.
        axis: the budget is a size along it: images, pixels, channels, cells or epochs. Budgets
            between two whole sizes are rounded.
    """

    training: Training
    axis: Axis
    resumes: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Check that the training has a size along the axis.

        Raises:
            AxisError: it has none.
        """
        _ = self.max_budget

    @property
    def max_budget(self) -> float:
        """The size of `training` along the axis."""
        return self.axis.size(self.training)

    @property
    def measure(self) -> Measure:
        """The meaning of the cost, which is that of the task."""
        return self.training.measure

    def __call__(
        self,
        configuration: Configuration,
        budget: float,
        seed: int = 0,
        context: Context | None = None,
    ) -> dict[str, float]:
        """Train at this size and evaluate on the validation part.

        No learning curve is reported: epochs are no steps along the axis.

        Args:
            configuration: the network, a configuration of the training's space.
            budget: the size, above 0 and at most `max_budget`.
            seed: of initial weights, order, augmentation and dropout.
            context: the device, and the checkpoint to leave.

        Returns:
            The result of `Training`, and 'relative_cost', the share of the cost of a training at
            full size by the cost model of the axis.

        Raises:
            AxisError: the budget is out of range.
            InvalidArchitecture: there is nothing to train, or images shrink to nothing.
            Diverged: the loss is not finite.
        """
        if not 0 < budget <= self.max_budget:
            name = type(self.axis).__name__
            raise AxisError(
                f"the budget is {budget} along {name}: it must be above 0 and at most "
                f"{self.max_budget:g}, the size of the training; set the schedule's budgets "
                "within that range, or enlarge the training"
            )
        return train_at(self.training, {self.axis: budget}, configuration, seed, context)


def train_at(
    training: Training,
    sizes: Mapping[Axis, float],
    configuration: Configuration,
    seed: int,
    context: Context | None,
) -> dict[str, float]:
    """Return the result of a training at these sizes, with its 'relative_cost' by the cost models.

    Args:
        training: at full size.
        sizes: along each axis, applied in this order.
        configuration: the network.
        seed: of the training.
        context: the device, and the checkpoint to leave; none is read, nothing is reported.
    """
    reduced = training
    for axis, size in sizes.items():
        reduced = axis.apply(reduced, size)
    own = Context()
    if context is not None:
        context.checkpoint.source = None
        own = Context(context.checkpoint, context.device)
    result = reduced(configuration, reduced.max_epochs, seed, own)
    shares = {axis: axis.size(reduced) / axis.size(training) for axis in sizes}
    cost = prod(share ** axis.exponent(training) for axis, share in shares.items())
    return {**result, "relative_cost": cost}
