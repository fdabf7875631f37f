"""Counts of predicted classes, and checks of labels, for all tasks with classes."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Float, Int64, Shaped
from torch import Tensor

from fidelity.tasks.task import DataError

WHOLE = (torch.int64, torch.uint8)
"""The types of labels."""

SHOWN = 5


def few(numbers: list[int]) -> str:
    """Return the first numbers of a list as text."""
    shown = ", ".join(map(str, numbers[:SHOWN]))
    return shown if len(numbers) <= SHOWN else f"{shown}, ... ({len(numbers)} in all)"


def confusion(
    predicted: Int64[Tensor, ...], labels: Shaped[Tensor, ...], classes: int
) -> Int64[Tensor, "classes classes"]:
    """Return the number of examples of each class (rows) that got each prediction (columns).

    Args:
        predicted: the predicted class of each example.
        labels: the true ones; those outside the classes are not counted.
        classes: their number.
    """
    labels = labels.long()
    counted = (labels >= 0) & (labels < classes)
    pairs = (labels * classes + predicted)[counted]
    return torch.bincount(pairs, minlength=classes * classes).view(classes, classes)


def recalls(matrix: Int64[Tensor, "classes classes"]) -> Float[Tensor, " classes"]:
    """Return the share of each class that is predicted as such; NaN for an absent class."""
    return matrix.diagonal().double() / matrix.sum(1)


def f1_scores(matrix: Int64[Tensor, "classes classes"]) -> Float[Tensor, " classes"]:
    """Return the harmonic mean of recall and precision per class.

    NaN for a class that is neither present nor predicted.
    """
    return 2 * matrix.diagonal().double() / (matrix.sum(0) + matrix.sum(1))


def intersections_over_unions(
    matrix: Int64[Tensor, "classes classes"],
) -> Float[Tensor, " classes"]:
    """Return the intersection over union per class; NaN where the union is empty."""
    shared = matrix.diagonal().double()
    return shared / (matrix.sum(0) + matrix.sum(1) - shared)


def area_under_roc(
    scores: Float[Tensor, " examples"], positive: Shaped[Tensor, " examples"]
) -> float:
    """Return the probability that a positive example has a higher score than a negative one.

    Ties count half (Mann and Whitney 1947).

    Args:
        scores: of the examples.
        positive: whether each is positive.

    Returns:
        NaN if there is no positive or no negative example.
    """
    mask = positive.bool()
    positives, negatives = scores[mask], scores[~mask].sort().values
    if not len(positives) or not len(negatives):
        return float("nan")
    below = torch.searchsorted(negatives, positives)
    up_to = torch.searchsorted(negatives, positives, right=True)
    return float((below + up_to).double().mean() / (2 * len(negatives)))


def check_labels(parts: Mapping[str, Shaped[Tensor, "examples ..."]]) -> int:
    """Return the number of classes, after a check that labels count them from 0.

    Args:
        parts: the labels by the name of their part; 'training' decides which classes exist.

    Raises:
        DataError: a label is no whole number or negative, a class has no training example, or
            another part has a class that the training part lacks.
    """
    for name, labels in parts.items():
        if labels.dtype not in WHOLE:
            raise DataError(
                f"the {name} targets are {labels.dtype}: expected integers, the classes counted "
                "from 0; for instance numpy.unique(labels, return_inverse=True)[1], or "
                "task=Regression() to predict numbers"
            )
        if int(labels.min()) < 0:
            raise DataError(
                f"the label {int(labels.min())} is negative: classes are counted from 0; "
                "leave unlabelled examples out, or renumber the classes"
            )
    counts = torch.bincount(parts["training"].flatten().long())
    if len(counts) < 2:
        raise DataError(
            "every training example has the label 0: a classifier needs two classes or more"
        )
    absent = torch.nonzero(counts == 0).flatten().tolist()
    if absent:
        raise DataError(
            f"no training example has the label {few(absent)}, though labels go up to "
            f"{len(counts) - 1}: number the classes 0, 1, 2... without a gap, for instance "
            "labels = numpy.unique(labels, return_inverse=True)[1]; or give task=Regression() if "
            "they are numbers to predict"
        )
    for name, labels in parts.items():
        if int(labels.max()) >= len(counts):
            raise DataError(
                f"the {name} part has the label {int(labels.max())}, but the training "
                f"part only has classes 0 to {len(counts) - 1}"
            )
    return len(counts)
