"""Classification: each example has one class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor

from fidelity.tasks.classes import (
    area_under_roc,
    check_labels,
    confusion,
    f1_scores,
    recalls,
)
from fidelity.tasks.task import DataError, Measure, Outputs, Targets, check_cost, check_outputs

COSTS: Mapping[str, Measure] = {
    "error": Measure("error", fraction=True),
    "balanced_error": Measure("balanced error", fraction=True),
    "macro_f1": Measure("1 - macro F1"),
    "auroc": Measure("1 - AUROC"),
}
BALANCED = "balanced"


@dataclass(frozen=True)
class Classification:
    """Each example has one class; networks are trained by cross-entropy.

    The metrics are 'error', the fraction that is classified wrongly; 'balanced_error', its mean
    over classes; 'macro_f1', the mean F1 score; 'auroc', the mean area under the ROC curve of each
    class against all others; and 'recalls' by class. Classes without an example in the evaluated
    part are left out of means.

    Attributes:
        cost: what a search minimises: 'error', 'balanced_error', 'macro_f1' or 'auroc'; the last
            two as 1 minus the metric.
        class_weights: of the loss: 'balanced' gives each class the same weight in total; a tuple
            has one number per class; None weights examples alike.
        label_smoothing: the share of the target distribution that is spread over all classes, in
            [0, 1).

    Raises:
        ValueError: the cost is unknown, or a number is out of range.
    """

    cost: str = "error"
    class_weights: str | tuple[float, ...] | None = None
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        """Check the settings."""
        check_cost(self.cost, COSTS)
        if not 0 <= self.label_smoothing < 1:
            raise ValueError(
                f"label_smoothing is {self.label_smoothing}: it must be in [0, 1), for instance 0.1"
            )
        weights = self.class_weights
        if isinstance(weights, str) and weights != BALANCED:
            raise ValueError(f"class_weights is {weights!r}: expected 'balanced' or a tuple")
        if isinstance(weights, tuple) and not all(weight > 0 for weight in weights):
            raise ValueError(f"class_weights is {weights}: every weight must be above 0")

    @property
    def measure(self) -> Measure:
        """See `Task.measure`."""
        return COSTS[self.cost]

    def check(self, parts: Mapping[str, Targets], input_shape: tuple[int, ...]) -> None:
        """See `Task.check`."""
        for name, labels in parts.items():
            if labels.ndim != 1:
                raise DataError(
                    f"the {name} labels have the shape {tuple(labels.shape)}: expected one integer "
                    "per example; for one-hot labels that is labels.argmax(1); "
                    "task=MultiLabel() is for several labels per example"
                )
        classes = check_labels(parts)
        if isinstance(self.class_weights, tuple) and len(self.class_weights) != classes:
            raise DataError(
                f"there are {len(self.class_weights)} class weights for {classes} classes: give "
                "one per class, or 'balanced'"
            )

    def outputs(self, targets: Targets) -> int:
        """Return the number of classes."""
        return int(targets.max()) + 1

    def strata(self, targets: Targets) -> Int64[Tensor, " examples"]:
        """Return the classes."""
        return targets.long()

    def criterion(self, targets: Targets) -> Classes:
        """See `Task.criterion`."""
        classes = self.outputs(targets)
        return Classes(self.cost, classes, self._weights(targets, classes), self.label_smoothing)

    def _weights(self, targets: Targets, classes: int) -> Float[Tensor, " classes"] | None:
        """Return the weights of the classes, with a mean of 1 over the examples."""
        if self.class_weights is None:
            return None
        counts = torch.bincount(targets.long(), minlength=classes).float()
        if isinstance(self.class_weights, str):
            weights = 1 / counts
        else:
            weights = torch.tensor(self.class_weights, device=targets.device)
        return weights * (counts.sum() / (weights * counts).sum())


@dataclass(frozen=True, eq=False)
class Classes:
    """A `Criterion` of classification.

    Attributes:
        cost: the name of the metric to minimise.
        classes: their number.
        weights: of the loss, by class.
        smoothing: of the targets.
    """

    units: ClassVar[None] = None

    cost: str
    classes: int
    weights: Float[Tensor, " classes"] | None
    smoothing: float

    def losses(self, outputs: Outputs, targets: Targets) -> Float[Tensor, " batch"]:
        """See `Criterion.losses`."""
        check_outputs(outputs, (len(targets), self.classes))
        labels = targets.long()
        losses = F.cross_entropy(outputs, labels, reduction="none", label_smoothing=self.smoothing)
        return losses if self.weights is None else losses * self.weights[labels]

    def tally(self) -> ClassTally:
        """See `Criterion.tally`."""
        return ClassTally(self.cost, self.classes)


class ClassTally:
    """A `Tally` of classification.

    Args:
        cost: the name of the metric to minimise.
        classes: their number.
    """

    def __init__(self, cost: str, classes: int) -> None:
        self._cost = cost
        self._classes = classes
        self._outputs: list[Outputs] = []
        self._labels: list[Targets] = []

    def add(self, outputs: Outputs, targets: Targets) -> None:
        """See `Tally.add`."""
        self._outputs.append(outputs)
        self._labels.append(targets)

    def cost(self) -> float:
        """See `Tally.cost`."""
        if self._cost == "auroc":
            return 1 - self._auroc()
        value = _counted(self._confusion())[self._cost]
        return 1 - value if self._cost == "macro_f1" else value

    def metrics(self) -> Mapping[str, Any]:
        """See `Tally.metrics`."""
        matrix = self._confusion()
        return {**_counted(matrix), "auroc": self._auroc(), "recalls": recalls(matrix).tolist()}

    def _confusion(self) -> Int64[Tensor, "classes classes"]:
        predicted = torch.cat(self._outputs).argmax(1)
        return confusion(predicted, torch.cat(self._labels), self._classes)

    def _auroc(self) -> float:
        """Return the mean area under the ROC curve over the classes that have one."""
        probabilities = torch.cat(self._outputs).double().softmax(1)
        labels = torch.cat(self._labels)
        areas = [area_under_roc(probabilities[:, c], labels == c) for c in range(self._classes)]
        return float(torch.tensor(areas, dtype=torch.float64).nanmean())


def _counted(matrix: Int64[Tensor, "classes classes"]) -> dict[str, float]:
    """Return the metrics that counts of predictions suffice for."""
    right, count = int(matrix.diagonal().sum()), int(matrix.sum())
    return {
        "error": (count - right) / count,
        "balanced_error": 1 - float(recalls(matrix).nanmean()),
        "macro_f1": float(f1_scores(matrix).nanmean()),
    }
