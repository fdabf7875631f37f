"""Arrays of any real type as images, in a number format that keeps their differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.utils.data
from jaxtyping import Float, Shaped
from torch import Tensor

from fidelity.datasets.dataset import DataError

MAX_ROUNDING = 0.01
"""The share of a channel's standard deviation by which rounding to float32 may move a value; a
channel that needs more is centred first."""


def as_array(values: Any, name: str) -> Shaped[np.ndarray, ...]:
    """Return anything that numpy or torch can convert as an array.

    Args:
        values: an array, a tensor on any device, a table, nested lists.
        name: of the values, for the message.

    Raises:
        DataError: the values are no array.
    """
    if isinstance(values, torch.utils.data.Dataset | torch.utils.data.DataLoader):
        raise DataError(
            f"the {name} are a {type(values).__name__}: expected an array; give images and labels "
            "as two arrays or tensors; for a TensorDataset from_arrays(*dataset.tensors)"
        )
    if isinstance(values, Tensor):
        exact = values.float() if values.dtype is torch.bfloat16 else values  # numpy has none
        return np.asarray(exact.numpy(force=True))
    try:
        return np.asarray(values)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"the {name} are a {type(values).__name__} of which numpy makes no array ({error}): "
            "expected an array, or lists of equal lengths"
        ) from error


def with_channels(pixels: Shaped[np.ndarray, ...], name: str) -> Shaped[np.ndarray, "n c h w"]:
    """Return images with an axis of channels, which is added where there are three axes.

    The last two of three axes are height and width if neither is twice the other, or if the height
    is 1: a signal of one channel is the same as an image that is one pixel high.

    Args:
        pixels: (n, height, width), or (n, channels, height, width).
        name: of the images, for the message.

    Raises:
        DataError: there are three axes and one side is twice the other or more, as in signals of
            several channels, or there are fewer or more axes.
    """
    shape = pixels.shape
    if len(shape) == 3:
        height, width = shape[1:]
        if height == width or height == 1 or max(height, width) < 2 * min(height, width):
            return pixels[:, None]
        raise DataError(
            f"the {name} have the shape {shape}: are they images of {height}x{width} pixels, or "
            f"signals of {height} channels and length {width}? Images of one channel are "
            "x[:, None]; signals are not supported yet, except as images that are one pixel "
            "high: x[:, :, None]"
        )
    if len(shape) != 4:
        raise DataError(
            f"the {name} have the shape {shape}: expected (images, channels, height, width), or "
            "(images, height, width); a table (examples, features) is "
            "x[:, :, None, None], each feature a channel"
        )
    return pixels


def offset_of(
    pixels: Shaped[np.ndarray, "n c h w"],
) -> Float[Tensor, "1 c 1 1"] | None:
    """Return what to subtract from each channel, in double precision, before it becomes float32.

    Seconds since 1970, for instance, are 128 apart in float32. The offset is the mean of such a
    channel, and 0 for channels that float32 represents well enough.

    Returns:
        The offsets, themselves exact in float32; None if all are 0.
    """
    offset = np.zeros(pixels.shape[1], np.float32)
    with np.errstate(over="ignore", invalid="ignore"):  # non-finite values are refused later
        for channel in range(pixels.shape[1]) if pixels.size else ():
            values = pixels[:, channel].astype(np.float64)
            rounding, spread = np.abs(values - values.astype(np.float32)).max(), values.std()
            # A spread this small is the rounding of float64 itself: the channel is constant.
            if rounding > MAX_ROUNDING * spread and spread > 1e-12 * np.abs(values).max():
                offset[channel] = values.mean()
    return torch.from_numpy(offset)[None, :, None, None] if offset.any() else None


def as_tensor(
    pixels: Shaped[np.ndarray, "n c h w"], offset: Float[Tensor, "1 c 1 1"] | None
) -> Shaped[Tensor, "n c h w"]:
    """Return a copy as a tensor: later changes of the array change no data set.

    Args:
        pixels: of any real type.
        offset: see `offset_of`.

    Returns:
        uint8 for bytes and booleans without an offset, float32 for everything else. Values that
        are too large for float32 become infinite.
    """
    bytes_ = pixels.dtype in (np.uint8, np.bool_) and offset is None
    if offset is not None and offset.shape[1] == pixels.shape[1]:
        pixels = pixels.astype(np.float64) - offset.numpy()
    with np.errstate(over="ignore"):
        return torch.from_numpy(
            np.array(pixels, dtype=np.uint8 if bytes_ else np.float32, order="C")
        )
