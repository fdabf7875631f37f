"""Your own arrays as a data set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from fidelity.augment import Augmentation
from fidelity.data import DataError, Dataset, Part, split

LabelledArrays = tuple[Any, Any]
"""Images (N, height, width) or (N, channels, height, width), and N labels."""


def from_arrays(
    images: Any,
    labels: Any,
    *,
    validation: float | LabelledArrays = 0.2,
    test: float | LabelledArrays = 0.2,
    augment: Sequence[Augmentation] = (),
    name: str = "arrays",
    seed: int = 0,
) -> Dataset:
    """A data set of your own arrays.

    Args:
        images: (N, height, width) or (N, channels, height, width), of any real type: uint8
            stays as it is, everything else becomes float32. The scale does not matter, since
            training normalises each channel.
        labels: N integers, the classes counted from 0.
        validation: what fraction of the given images to split off, each class in proportion;
            or the validation part itself, as a pair (images, labels).
        test: likewise for the test part.
        augment: the augmentations that suit these images, in order.
        name: for reports.
        seed: of the split; the same seed gives the same split.

    Raises:
        DataError: the arrays are not labelled images, or too few for the split.
    """
    _check_fractions(validation, test)
    train = _part(images, labels, "training")
    size, rng = len(train), np.random.default_rng(seed)
    if isinstance(test, float | int | np.number):
        train, test_part = split(train, round(test * size), rng)
    else:
        test_part = _part(*test, "test")
    if isinstance(validation, float | int | np.number):
        train, validation_part = split(train, round(validation * size), rng)
    else:
        validation_part = _part(*validation, "validation")
    return Dataset(name, train, validation_part, test_part, tuple(augment))


def _check_fractions(validation: float | LabelledArrays, test: float | LabelledArrays) -> None:
    total = 0.0
    for name, part in (("validation", validation), ("test", test)):
        if isinstance(part, float | int | np.number):
            if not 0 < part < 1:
                raise DataError(
                    f"the {name} fraction is {part}: it lies between 0 and 1, for instance 0.2, "
                    "or is a pair (images, labels)"
                )
            total += part
        elif len(part) != 2:
            raise DataError(
                f"the {name} part is a pair (images, labels), or a fraction such as 0.2"
            )
    if total >= 1:
        raise DataError(
            f"validation and test fraction add up to {total}: nothing is left to train on"
        )


def _part(images: Any, labels: Any, name: str) -> Part:
    """Arrays as the tensors that a part holds."""
    pixels, classes = np.asarray(images), np.asarray(labels)
    if pixels.dtype.kind not in "buif":
        raise DataError(f"the {name} images are {pixels.dtype}: expected real numbers")
    if classes.size and classes.dtype.kind not in "ui":
        raise DataError(
            f"the {name} labels are {classes.dtype}: expected integers, the classes counted from "
            "0; for instance numpy.unique(labels, return_inverse=True)[1]"
        )
    if classes.ndim == 2:
        raise DataError(
            f"the {name} labels have the shape {classes.shape}: expected one integer an image; "
            "for one-hot labels that is labels.argmax(1)"
        )
    if pixels.ndim == 3:
        pixels = pixels[:, None]
    elif pixels.ndim == 4 and pixels.shape[3] in (1, 3) and 4 < pixels.shape[1] == pixels.shape[2]:
        raise DataError(
            f"the {name} images of shape {pixels.shape} look as if their channels came last: "
            "expected (images, channels, height, width), that is images.transpose(0, 3, 1, 2)"
        )
    dtype = np.uint8 if pixels.dtype in (np.uint8, np.bool_) else np.float32
    with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused as such
        # A copy, so that what the caller later does to the arrays changes no data set.
        copy = np.array(pixels, dtype=dtype, order="C")
    return Part(torch.from_numpy(copy), torch.from_numpy(np.array(classes, dtype=np.int64)))
