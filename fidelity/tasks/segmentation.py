"""Segmentation: each pixel of an image, or each point of a signal, has a class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor

from fidelity.tasks.classes import check_labels, confusion, intersections_over_unions
from fidelity.tasks.task import DataError, Measure, Outputs, Targets, check_cost, check_outputs

COSTS: Mapping[str, Measure] = {
    "mean_iou": Measure("1 - mean IoU"),
    "error": Measure("error per pixel", fraction=True),
}


@dataclass(frozen=True)
class Segmentation:
    """Each pixel of an image has a class; networks return one map per class.

    Targets are masks (examples, height, width), in uint8 or int64; those of signals are (examples,
    length), and their points count as pixels. The metrics are 'mean_iou', the
    mean over classes of intersection over union, over all pixels of the part; 'error', the fraction
    of pixels that are classified wrongly; and 'ious' by class (NaN for one that is neither
    present nor predicted, which the mean leaves out).

    Attributes:
        cost: what a search minimises: 'mean_iou' (as 1 minus it) or 'error'.
        ignored: the label of pixels that do not count; None counts all.

    Raises:
        ValueError: the cost is unknown.
    """

    cost: str = "mean_iou"
    ignored: int | None = None

    def __post_init__(self) -> None:
        """Check the settings."""
        check_cost(self.cost, COSTS)

    @property
    def measure(self) -> Measure:
        """See `Task.measure`."""
        return COSTS[self.cost]

    def check(self, parts: Mapping[str, Targets], input_shape: tuple[int, ...]) -> None:
        """See `Task.check`."""
        for name, masks in parts.items():
            sides = tuple(input_shape[1:])
            if len(sides) not in (1, 2) or tuple(masks.shape[1:]) != sides:
                kind = "the images" if len(sides) == 2 else "the inputs"
                raise DataError(
                    f"the {name} masks have the shape {tuple(masks.shape)}, {kind} "
                    f"{tuple(input_shape)}: expected masks (examples, height, width) for images "
                    "(channels, height, width), or (examples, length) for signals (channels, "
                    "length), of the same size"
                )
        check_labels({name: self._counting(name, masks) for name, masks in parts.items()})

    def _counting(self, name: str, masks: Targets) -> Targets:
        """Return the labels of the pixels that count."""
        labels = masks if self.ignored is None else masks[masks != self.ignored]
        if not labels.numel():
            raise DataError(f"every pixel of the {name} masks has the ignored label {self.ignored}")
        return labels

    def outputs(self, targets: Targets) -> int:
        """Return the number of classes."""
        return int(self._counting("training", targets).max()) + 1

    def strata(self, targets: Targets) -> None:
        """Return None: splits are random."""

    def criterion(self, targets: Targets) -> Pixels:
        """See `Task.criterion`."""
        return Pixels(self.cost, self.outputs(targets), self.ignored)


@dataclass(frozen=True)
class Pixels:
    """A `Criterion` of segmentation.

    Attributes:
        cost: the name of the metric to minimise.
        classes: their number.
        ignored: the label of pixels that do not count.
    """

    units: ClassVar[None] = None

    cost: str
    classes: int
    ignored: int | None

    def losses(self, outputs: Outputs, targets: Targets) -> Float[Tensor, " batch"]:
        """See `Criterion.losses`."""
        check_outputs(outputs, (len(targets), self.classes, *targets.shape[1:]))
        labels = targets.long()
        if self.ignored is None:
            return F.cross_entropy(outputs, labels, reduction="none").flatten(1).mean(1)
        losses = F.cross_entropy(outputs, labels, reduction="none", ignore_index=self.ignored)
        counting = (labels != self.ignored).flatten(1).sum(1)
        return losses.flatten(1).sum(1) / counting.clamp(min=1)

    def tally(self) -> PixelTally:
        """See `Criterion.tally`."""
        return PixelTally(self.cost, self.classes, self.ignored)


class PixelTally:
    """A `Tally` of segmentation.

    Args:
        cost: the name of the metric to minimise.
        classes: their number.
        ignored: the label of pixels that do not count.
    """

    def __init__(self, cost: str, classes: int, ignored: int | None) -> None:
        self._cost, self._classes, self._ignored = cost, classes, ignored
        self._counts: list[Int64[Tensor, "classes classes"]] = []

    def add(self, outputs: Outputs, targets: Targets) -> None:
        """See `Tally.add`."""
        labels = targets.long()
        if self._ignored is not None:
            labels = labels.masked_fill(labels == self._ignored, -1)
        self._counts.append(confusion(outputs.argmax(1), labels, self._classes))

    def cost(self) -> float:
        """See `Tally.cost`."""
        value = float(self.metrics()[self._cost])
        return 1 - value if self._cost == "mean_iou" else value

    def metrics(self) -> Mapping[str, Any]:
        """See `Tally.metrics`."""
        matrix = torch.stack(self._counts).sum(0)
        overlaps = intersections_over_unions(matrix)
        count = int(matrix.sum())
        return {
            "mean_iou": float(overlaps.nanmean()),
            "error": (count - int(matrix.diagonal().sum())) / count,
            "ious": overlaps.tolist(),
        }
