"""Multi-label classification: each example has any number of labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from fidelity.tasks.classes import area_under_roc, few
from fidelity.tasks.task import DataError, Measure, Outputs, Targets, check_cost, check_outputs

COSTS: Mapping[str, Measure] = {
    "error": Measure("error per label", fraction=True),
    "example_error": Measure("examples with an error", fraction=True),
    "macro_f1": Measure("1 - macro F1"),
    "auroc": Measure("1 - AUROC"),
}


@dataclass(frozen=True)
class MultiLabel:
    """Each example has any number of labels, given as 0 or 1 per label.

    Networks are trained by binary cross-entropy; a label is predicted where its output is
    positive. The metrics are 'error', the fraction of wrong labels (the Hamming loss);
    'example_error', the fraction of examples with a wrong label; 'macro_f1', the mean F1 score over
    labels (0 for one that is neither present nor predicted); 'auroc', the mean area under the ROC
    curve over labels that both occur and are absent; and 'f1_scores' by label.

    Attributes:
        cost: what a search minimises: 'error', 'example_error', 'macro_f1' or 'auroc'; the last
            two as 1 minus the metric.

    Raises:
        ValueError: the cost is unknown.
    """

    cost: str = "error"

    def __post_init__(self) -> None:
        """Check the settings."""
        check_cost(self.cost, COSTS)

    @property
    def measure(self) -> Measure:
        """See `Task.measure`."""
        return COSTS[self.cost]

    def check(self, parts: Mapping[str, Targets], input_shape: tuple[int, ...]) -> None:
        """See `Task.check`."""
        for name, labels in parts.items():
            if labels.ndim != 2 or labels.shape[1] != parts["training"].shape[1]:
                raise DataError(
                    f"the {name} labels have the shape {tuple(labels.shape)}: expected (examples, "
                    "labels), each 0 or 1, with the same labels in all parts"
                )
            if not ((labels == 0) | (labels == 1)).all():
                raise DataError(
                    f"the {name} labels have other values than 0 and 1: with several labels per "
                    "example each is absent (0) or present (1)"
                )
        present = parts["training"].double().mean(0)
        useless = torch.nonzero((present == 0) | (present == 1)).flatten().tolist()
        if useless:
            raise DataError(
                f"label {few(useless)} is the same in every training example: there is nothing to "
                "learn; leave it out"
            )

    def outputs(self, targets: Targets) -> int:
        """Return the number of labels."""
        return targets.shape[1]

    def strata(self, targets: Targets) -> None:
        """Return None: splits are random."""

    def criterion(self, targets: Targets) -> Labels:
        """See `Task.criterion`."""
        return Labels(self.cost)


@dataclass(frozen=True)
class Labels:
    """A `Criterion` of several labels.

    Attributes:
        cost: the name of the metric to minimise.
    """

    units: ClassVar[None] = None

    cost: str

    def losses(self, outputs: Outputs, targets: Targets) -> Float[Tensor, " batch"]:
        """See `Criterion.losses`."""
        check_outputs(outputs, tuple(targets.shape))
        losses = F.binary_cross_entropy_with_logits(outputs, targets.float(), reduction="none")
        return losses.mean(1)

    def tally(self) -> LabelTally:
        """See `Criterion.tally`."""
        return LabelTally(self.cost)


class LabelTally:
    """A `Tally` of several labels.

    Args:
        cost: the name of the metric to minimise.
    """

    def __init__(self, cost: str) -> None:
        self._cost = cost
        self._outputs: list[Outputs] = []
        self._labels: list[Bool[Tensor, "batch labels"]] = []

    def add(self, outputs: Outputs, targets: Targets) -> None:
        """See `Tally.add`."""
        self._outputs.append(outputs)
        self._labels.append(targets.bool())

    def cost(self) -> float:
        """See `Tally.cost`."""
        if self._cost == "auroc":
            return 1 - self._auroc()
        value = float(self._counted()[self._cost])
        return 1 - value if self._cost == "macro_f1" else value

    def metrics(self) -> Mapping[str, Any]:
        """See `Tally.metrics`."""
        return {**self._counted(), "auroc": self._auroc(), "f1_scores": self._f1_scores().tolist()}

    def _counted(self) -> dict[str, float]:
        wrong = (torch.cat(self._outputs) > 0) != torch.cat(self._labels)
        return {
            "error": float(wrong.double().mean()),
            "example_error": float(wrong.any(1).double().mean()),
            "macro_f1": float(self._f1_scores().mean()),
        }

    def _f1_scores(self) -> Float[Tensor, " labels"]:
        predicted, labels = torch.cat(self._outputs) > 0, torch.cat(self._labels)
        either = (predicted.sum(0) + labels.sum(0)).double()
        return 2 * (predicted & labels).sum(0) / either.clamp(min=1)

    def _auroc(self) -> float:
        outputs, labels = torch.cat(self._outputs).double(), torch.cat(self._labels)
        columns = range(labels.shape[1])
        areas = [area_under_roc(outputs[:, column], labels[:, column]) for column in columns]
        return float(torch.tensor(areas, dtype=torch.float64).nanmean())
