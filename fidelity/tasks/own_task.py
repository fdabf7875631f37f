"""A task of the user's own loss and metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from fidelity.tasks.task import DataError, Measure, Outputs, Targets

Losses = Callable[[Outputs, Targets], Float[Tensor, " batch"]]
Metric = Callable[[Outputs, Targets], float | Tensor]


@dataclass(frozen=True)
class OwnTask:
    """A loss and metrics of your own.

    Attributes:
        size: the number of outputs of a network.
        loss: of each example, from outputs and targets of a batch, (batch,).
        metrics: by name, each from all outputs and targets of a part, on the device, to a number.
        cost: the name of the metric that a search minimises; one to be maximised is defined as
            minus itself, or as 1 minus itself.
        fraction: whether the cost is a fraction, shown in percent.

    Raises:
        ValueError: there is no metric of that name, or no output.
    """

    size: int
    loss: Losses
    metrics: Mapping[str, Metric] = field(hash=False)
    cost: str
    fraction: bool = False

    def __post_init__(self) -> None:
        """Check the settings."""
        if self.size < 1:
            raise ValueError(f"size is {self.size}: a network has 1 output or more")
        if self.cost not in self.metrics:
            names = ", ".join(map(repr, self.metrics)) or "none"
            raise ValueError(f"the cost is {self.cost!r}: expected the name of a metric ({names})")

    @property
    def measure(self) -> Measure:
        """See `Task.measure`."""
        return Measure(self.cost, self.fraction)

    def check(self, parts: Mapping[str, Targets], input_shape: tuple[int, ...]) -> None:
        """See `Task.check`: refuses targets that are not finite."""
        for name, targets in parts.items():
            if not torch.isfinite(targets).all():
                raise DataError(f"the {name} targets hold NaN or infinite values: leave them out")

    def outputs(self, targets: Targets) -> int:
        """Return `size`."""
        return self.size

    def strata(self, targets: Targets) -> None:
        """Return None: splits are random."""

    def criterion(self, targets: Targets) -> OwnCriterion:
        """See `Task.criterion`."""
        return OwnCriterion(self)


@dataclass(frozen=True)
class OwnCriterion:
    """A `Criterion` of a task of the user's own.

    Attributes:
        task: the task.
    """

    units: ClassVar[None] = None

    task: OwnTask

    def losses(self, outputs: Outputs, targets: Targets) -> Float[Tensor, " batch"]:
        """See `Criterion.losses`.

        Raises:
            DataError: the loss does not return one number per example.
        """
        losses = self.task.loss(outputs, targets)
        if losses.shape != (len(targets),):
            raise DataError(
                f"the loss returned the shape {tuple(losses.shape)} for {len(targets)} examples: "
                "expected one number per example; losses of torch take reduction='none'"
            )
        return losses

    def tally(self) -> OwnTally:
        """See `Criterion.tally`."""
        return OwnTally(self.task)


class OwnTally:
    """A `Tally` of a task of the user's own.

    Args:
        task: the task.
    """

    def __init__(self, task: OwnTask) -> None:
        self._task = task
        self._outputs: list[Outputs] = []
        self._targets: list[Targets] = []

    def add(self, outputs: Outputs, targets: Targets) -> None:
        """See `Tally.add`."""
        self._outputs.append(outputs)
        self._targets.append(targets)

    def cost(self) -> float:
        """See `Tally.cost`."""
        return self._value(self._task.metrics[self._task.cost])

    def metrics(self) -> Mapping[str, Any]:
        """See `Tally.metrics`."""
        return {name: self._value(metric) for name, metric in self._task.metrics.items()}

    def _value(self, metric: Metric) -> float:
        return float(metric(torch.cat(self._outputs), torch.cat(self._targets)))
