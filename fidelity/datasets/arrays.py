"""A data set of the user's own arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from fidelity.augment import Augmentation, as_tuple
from fidelity.datasets.dataset import DataError, Dataset, Part, split
from fidelity.datasets.pixels import as_array, as_tensor, offset_of, with_channels

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
    """Return a data set of your own arrays.

    Args:
        images: (N, channels, height, width), or (N, height, width) unless one side is twice the
            other or more: such arrays may be signals, which are not supported yet. Any real
            type: uint8 stays uint8, everything else becomes float32. The scale does not matter,
            since training normalises each channel; a channel whose values float32 cannot tell
            apart is centred first, see `Dataset.offset`.
        labels: N integers, the classes counted from 0.
        validation: the fraction of the given images to split off, each class in proportion; or
            the validation part itself, as a pair (images, labels).
        test: likewise for the test part.
        augment: the augmentations that suit these images, in order.
        name: for reports.
        seed: of the split; the same seed gives the same split.

    Raises:
        DataError: the arrays are not labelled images, or too few for the split.
    """
    _check_fractions(validation, test)
    pixels = _pixels(images, "training images")
    offset = offset_of(pixels)
    train = _part(pixels, labels, "training", offset)
    size, rng = len(train), np.random.default_rng(seed)
    if isinstance(test, float | int | np.number):
        train, test_part = split(train, round(test * size), rng)
    else:
        test_part = _part(_pixels(test[0], "test images"), test[1], "test", offset)
    if isinstance(validation, float | int | np.number):
        train, validation_part = split(train, round(validation * size), rng)
    else:
        held_out = _pixels(validation[0], "validation images")
        validation_part = _part(held_out, validation[1], "validation", offset)
    return Dataset(name, train, validation_part, test_part, as_tuple(augment), offset)


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
        elif not isinstance(part, tuple | list) or len(part) != 2:
            raise DataError(
                f"the {name} part is a {type(part).__name__}: expected a pair (images, labels), or "
                "a fraction such as 0.2"
            )
    if total >= 1:
        raise DataError(
            f"validation and test fraction add up to {total}: nothing is left to train on"
        )


def _pixels(images: Any, name: str) -> Shaped[np.ndarray, "n c h w"]:
    """Return real numbers in the right layout."""
    pixels = as_array(images, name)
    if pixels.dtype.kind not in "buif":
        raise DataError(f"the {name} are {pixels.dtype}: expected real numbers")
    last = pixels.shape[-1:]
    if pixels.ndim == 4 and last in ((1,), (3,)) and 4 < pixels.shape[1] == pixels.shape[2]:
        raise DataError(
            f"the {name} of shape {pixels.shape} seem to have their channels last: "
            "expected (images, channels, height, width), that is images.transpose(0, 3, 1, 2)"
        )
    return with_channels(pixels, name)


def _part(
    pixels: Shaped[np.ndarray, "n c h w"],
    labels: Any,
    name: str,
    offset: Float[Tensor, "1 c 1 1"] | None,
) -> Part:
    """Return arrays as a part."""
    classes = as_array(labels, f"{name} labels")
    if classes.size and classes.dtype.kind not in "ui":
        raise DataError(
            f"the {name} labels are {classes.dtype}: expected integers, the classes counted from "
            "0; for instance numpy.unique(labels, return_inverse=True)[1]"
        )
    if classes.ndim == 2:
        raise DataError(
            f"the {name} labels have the shape {classes.shape}: expected one integer per image; "
            "for one-hot labels that is labels.argmax(1)"
        )
    return Part(as_tensor(pixels, offset), torch.from_numpy(np.array(classes, dtype=np.int64)))
