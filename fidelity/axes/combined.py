"""An objective whose budget is a share of the cost, reduced along several axes at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ConfigSpace import Configuration

from fidelity.axes.axis import Axis, AxisError
from fidelity.axes.single_axis import train_at
from fidelity.objective import Context
from fidelity.tasks.task import Measure
from fidelity.training.training import Training


@dataclass(frozen=True)
class Combined:
    """An objective that trains from scratch for the share of the full cost that is the budget.

    All axes are reduced together. An axis of weight w, of weights that sum to W, is reduced until
    its own share of the cost is budget ** (w / W): their product is the budget, by the cost models
    of the axes. With epochs and resolution of equal weight, the budget 1/4 trains half of the
    epochs on images with half as many pixels.

    With a single axis the budget is a share of the cost in place of a size: a fraction of the
    training data, for instance. Nothing is resumed: a promotion spends its whole budget.

    Attributes:
        training: at full size.
        weights: the share of the reduction that each axis takes, above 0.

    Raises:
        AxisError: there is no axis, a weight is not positive, or the training lacks a size.
    """

    training: Training
    weights: Mapping[Axis, float]
    resumes: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not self.weights:
            raise AxisError("no axis is given: give one or more, such as {Images(): 1}")
        for axis, weight in self.weights.items():
            if not 0 < weight < math.inf:
                raise AxisError(
                    f"the weight of {type(axis).__name__} is {weight}: it must be above 0 and "
                    "finite; leave out an axis that should not change"
                )
            axis.size(self.training)

    @property
    def max_budget(self) -> float:
        """1: the full training run."""
        return 1.0

    @property
    def measure(self) -> Measure:
        """The meaning of the cost, which is that of the task."""
        return self.training.measure

    def sizes(self, budget: float) -> dict[Axis, float]:
        """Return the size along each axis at a budget, before it is rounded.

        Raises:
            AxisError: the budget is not in (0, 1].
        """
        if not 0 < budget <= 1:
            raise AxisError(
                f"the budget is {budget}: it is a share of the cost of a full training, above 0 "
                "and at most 1; use for instance Hyperband(1 / 27, 1)"
            )
        total = sum(self.weights.values())
        return {
            axis: axis.size(self.training)
            * budget ** (weight / total / axis.exponent(self.training))
            for axis, weight in self.weights.items()
        }

    def __call__(
        self,
        configuration: Configuration,
        budget: float,
        seed: int = 0,
        context: Context | None = None,
    ) -> dict[str, float]:
        """Train for this share of the cost and evaluate on the validation part.

        Args:
            configuration: the network, a configuration of the training's space.
            budget: the share of the cost of a full training run, in (0, 1].
            seed: of initial weights, order, augmentation and dropout.
            context: the device, and the checkpoint to leave.

        Returns:
            The result of `Training`, and 'relative_cost': the budget, apart from the rounding of
            sizes.

        Raises:
            AxisError: the budget is out of range, or an axis cannot be reduced so far.
            InvalidArchitecture: there is nothing to train, or images shrink to nothing.
            Diverged: the loss is not finite.
        """
        return train_at(self.training, self.sizes(budget), configuration, seed, context)
