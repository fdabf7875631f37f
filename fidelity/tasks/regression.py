"""Regression: each example has one number or several."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from fidelity.tasks.classes import few
from fidelity.tasks.task import DataError, Measure, Outputs, Targets, check_cost, check_outputs

COSTS: Mapping[str, Measure] = {
    "rmse": Measure("RMSE"),
    "mae": Measure("mean absolute error"),
    "r2": Measure("1 - R²"),
}

Loss = Callable[..., Tensor]


@dataclass(frozen=True)
class Regression:
    """Each example has one number or several, which networks predict in standardised units.

    Targets are standardised over the training part for the training; metrics are in the units of
    the targets: 'rmse', the root of the mean squared error, 'mae', the mean absolute error, and
    'r2', the share of the variance that is explained. With several targets they are means over
    the targets, and 'rmses', 'maes' and 'r2s' are those of each.

    Attributes:
        cost: what a search minimises: 'rmse', 'mae' or 'r2' (as 1 minus it).
        loss: of standardised targets, a function of torch such as `torch.nn.functional.huber_loss`
            that takes predictions, targets and `reduction='none'`.

    Raises:
        ValueError: the cost is unknown.
    """

    cost: str = "rmse"
    loss: Loss = F.mse_loss

    def __post_init__(self) -> None:
        """Check the settings."""
        check_cost(self.cost, COSTS)
        if not callable(self.loss):
            raise ValueError(
                f"the loss is {self.loss!r}: expected a function such as "
                "torch.nn.functional.huber_loss"
            )

    @property
    def measure(self) -> Measure:
        """See `Task.measure`."""
        return COSTS[self.cost]

    def check(self, parts: Mapping[str, Targets], input_shape: tuple[int, ...]) -> None:
        """See `Task.check`."""
        for name, targets in parts.items():
            if targets.ndim > 2 or targets.shape[1:] != parts["training"].shape[1:]:
                raise DataError(
                    f"the {name} targets have the shape {tuple(targets.shape)}: expected one "
                    "number per example, or (examples, targets) in all parts"
                )
            finite = torch.isfinite(targets).reshape(len(targets), -1).all(1)
            if not finite.all():
                index = torch.nonzero(~finite).flatten().tolist()
                raise DataError(
                    f"{len(index)} of {len(targets)} {name} targets are NaN or infinite (example "
                    f"{few(index)}): leave these examples out"
                )
        columns = parts["training"].reshape(len(parts["training"]), -1)
        constant = torch.nonzero(columns.amax(0) == columns.amin(0)).flatten().tolist()
        if constant:
            which = (
                f"target {few(constant)} is" if parts["training"].ndim > 1 else "the targets are"
            )
            raise DataError(
                f"{which} the same number in every training example: there is nothing to learn; "
                "leave it out"
            )

    def outputs(self, targets: Targets) -> int:
        """Return the number of targets of an example."""
        return 1 if targets.ndim == 1 else targets.shape[1]

    def strata(self, targets: Targets) -> None:
        """Return None: there are no classes."""

    def criterion(self, targets: Targets) -> Numbers:
        """See `Task.criterion`."""
        columns = targets.reshape(len(targets), -1).double()
        mean, scale = columns.mean(0), columns.std(0, correction=0)
        return Numbers(self.cost, self.loss, (mean, scale))


@dataclass(frozen=True, eq=False)
class Numbers:
    """A `Criterion` of regression.

    Attributes:
        cost: the name of the metric to minimise.
        loss: of standardised targets.
        units: the mean and the standard deviation of each target.
    """

    cost: str
    loss: Loss
    units: tuple[Float[Tensor, " targets"], Float[Tensor, " targets"]]

    def losses(self, outputs: Outputs, targets: Targets) -> Float[Tensor, " batch"]:
        """See `Criterion.losses`."""
        mean, scale = self.units
        standard = ((targets.reshape(len(targets), -1) - mean) / scale).float()
        check_outputs(outputs, tuple(standard.shape))
        return self.loss(outputs, standard, reduction="none").mean(1)

    def tally(self) -> NumberTally:
        """See `Criterion.tally`."""
        return NumberTally(self.cost, self.units)


class NumberTally:
    """A `Tally` of regression, in the units of the targets.

    Args:
        cost: the name of the metric to minimise.
        units: the mean and the scale of each target.
    """

    def __init__(self, cost: str, units: tuple[Tensor, Tensor]) -> None:
        self._cost = cost
        self._mean, self._scale = units
        self._predicted: list[Tensor] = []
        self._targets: list[Tensor] = []

    def add(self, outputs: Outputs, targets: Targets) -> None:
        """See `Tally.add`."""
        self._predicted.append(outputs * self._scale + self._mean)
        self._targets.append(targets.reshape(len(targets), -1).double())

    def cost(self) -> float:
        """See `Tally.cost`."""
        value = float(self._by_target()[self._cost].mean())
        return 1 - value if self._cost == "r2" else value

    def metrics(self) -> Mapping[str, Any]:
        """See `Tally.metrics`."""
        by_target = self._by_target()
        means = {name: float(values.mean()) for name, values in by_target.items()}
        if len(self._mean) == 1:
            return means
        return {**means, **{f"{name}s": values.tolist() for name, values in by_target.items()}}

    def _by_target(self) -> dict[str, Float[Tensor, " targets"]]:
        predicted, targets = torch.cat(self._predicted), torch.cat(self._targets)
        errors = predicted - targets
        squared = errors.square().mean(0)
        variance = targets.var(0, correction=0)
        # A constant target is explained if it is predicted exactly.
        explained = torch.where(
            variance > 0, 1 - squared / variance.clamp(min=1e-300), (squared == 0).double()
        )
        return {"rmse": squared.sqrt(), "mae": errors.abs().mean(0), "r2": explained}
