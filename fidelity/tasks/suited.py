"""The task that suits targets whose task is not named."""

from __future__ import annotations

from typing import Any

import torch

from fidelity.tasks.classification import Classification
from fidelity.tasks.next_token import NextToken
from fidelity.tasks.regression import Regression
from fidelity.tasks.segmentation import Segmentation
from fidelity.tasks.task import DataError, Targets, Task

FEW = 20
"""Whole numbers in floating point with at most so many different values may be classes."""


def suited_task(inputs: Any, targets: Targets) -> Task:
    """Return the task that suits the types and shapes of inputs and targets.

    Floating-point targets are numbers to predict; integers (examples, height, width) of images and
    (examples, length) of signals are masks; integers in the shape of integer inputs are next
    tokens; all other integers are classes.

    Args:
        inputs: of the training part, a tensor or used like one (examples that are streamed).
        targets: of the same examples.

    Raises:
        DataError: the targets may be classes as well as numbers.
    """
    _check_decided(targets)
    if targets.is_floating_point():
        return Regression()
    if inputs.ndim == 4 and targets.ndim == 3:
        return Segmentation()
    if inputs.ndim == 3 and targets.shape[1:] == inputs.shape[2:]:
        return Segmentation()
    if inputs.dtype is torch.int64 and targets.shape == inputs.shape and inputs.ndim == 2:
        return NextToken(1 + int(torch.maximum(inputs.max(), targets.max())))
    return Classification()


def _check_decided(targets: Targets) -> None:
    """Refuse targets that may be classes as well as numbers.

    Raises:
        DataError: they are a few different whole numbers in floating point.
    """
    if not targets.is_floating_point() or targets.ndim > 1 or not torch.isfinite(targets).all():
        return
    values = targets.unique()
    if len(values) <= FEW and bool((values == values.round()).all()):
        raise DataError(
            f"the targets are {len(values)} different whole numbers in floating point: give "
            "targets.astype(int) if they are classes, or task=Regression() if they are numbers"
        )
