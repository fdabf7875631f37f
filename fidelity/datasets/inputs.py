"""Arrays of any real type as examples, in a number format that keeps their differences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import numpy as np
import torch
import torch.utils.data
from jaxtyping import Float, Shaped
from torch import Tensor

from fidelity.datasets.normalisation import chunk_size
from fidelity.tasks.classes import few
from fidelity.tasks.task import DataError

Kind = Literal["images", "signals", "table", "tokens"]

AXES: Mapping[str, tuple[str, ...]] = {
    "images": ("examples", "channels", "height", "width"),
    "signals": ("examples", "channels", "length"),
    "table": ("examples", "features"),
    "tokens": ("examples", "length"),
}

MAX_ROUNDING = 0.01
"""The share of a channel's standard deviation by which rounding to float32 may move a value; a
channel that needs more is centred first."""


EXACT = (np.bool_, np.uint8, np.int8, np.uint16, np.int16, np.float16, np.float32)
"""Types whose values float32 holds exactly."""


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
            f"the {name} are a {type(values).__name__}: expected an array; give inputs and targets "
            "as two arrays or tensors; for a TensorDataset from_arrays(*dataset.tensors), for "
            "others from_torch(dataset)"
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


def as_inputs(values: Any, name: str, kind: Kind | None) -> Shaped[np.ndarray, "n ..."]:
    """Return examples in the layout of their kind.

    Of three axes, the last two are height and width if neither is twice the other; with a second
    axis of length 1 the examples are signals of one channel.

    Args:
        values: anything that numpy or torch can convert.
        name: of the values, for messages.
        kind: of the examples; None lets the shape decide.

    Returns:
        (n, channels, height, width), (n, channels, length), (n, features), or tokens (n, length).

    Raises:
        DataError: the values have another shape, or are no real numbers.
    """
    array = as_array(values, name)
    if array.dtype.kind not in "buif":
        raise DataError(f"the {name} are {array.dtype}: expected real numbers")
    kind = kind or _kind(array, name)
    if kind not in AXES:
        raise DataError(f"the kind is {kind!r}: expected one of {', '.join(map(repr, AXES))}")
    if kind == "images" and array.ndim == 3:
        return array[:, None]
    if kind == "signals" and array.ndim == 2:
        return array[:, None]
    expected = AXES[kind]
    if array.ndim != len(expected):
        raise DataError(
            f"the {name} have the shape {array.shape}: expected {kind} ({', '.join(expected)})"
        )
    if kind == "tokens" and array.dtype.kind == "f":
        raise DataError(f"the {name} are {array.dtype}: tokens are integers, counted from 0")
    if kind == "tokens" and array.size and array.min() < 0:
        raise DataError(f"the {name} have the token {array.min()}: tokens are counted from 0")
    return array


def _kind(array: Shaped[np.ndarray, "n ..."], name: str) -> Kind:
    """Return the kind that a shape decides."""
    shape = array.shape
    if array.ndim == 2:
        return "table"
    if array.ndim == 3:
        height, width = shape[1:]
        if height == 1:
            return "signals"
        if height == width or max(height, width) < 2 * min(height, width):
            return "images"
        raise DataError(
            f"the {name} have the shape {shape}: are they images of {height}x{width} pixels, or "
            f"signals of {height} channels and length {width}? Say so by kind='images' or "
            "kind='signals'"
        )
    if array.ndim == 4:
        if shape[-1] in (1, 3) and 4 < shape[1] == shape[2]:
            raise DataError(
                f"the {name} of shape {shape} seem to have their channels last: "
                "expected (images, channels, height, width), that is inputs.transpose(0, 3, 1, 2)"
            )
        return "images"
    raise DataError(
        f"the {name} have the shape {shape}: expected images (examples, channels, height, width) "
        "or (examples, height, width), signals (examples, channels, length), or a table "
        "(examples, features)"
    )


def offset_of(
    values: Shaped[np.ndarray, "n c ..."],
) -> Float[Tensor, "1 c ..."] | None:
    """Return what to subtract from each channel, in double precision, before it becomes float32.

    Seconds since 1970, for instance, are 128 apart in float32. The offset is the mean of such a
    channel, and 0 for channels that float32 represents well enough.

    Returns:
        The offsets, themselves exact in float32; None if all are 0.
    """
    if values.dtype in EXACT or not values.size:
        return None
    size = chunk_size(values.shape)
    return chunked_offset(values[start : start + size] for start in range(0, len(values), size))


def chunked_offset(
    chunks: Iterable[Shaped[np.ndarray, "n c ..."]],
) -> Float[Tensor, "1 c ..."] | None:
    """Return what `offset_of` returns for the examples of all chunks, in one pass."""
    moments: _Moments | None = None
    for chunk in chunks:
        moments = moments or _Moments(chunk)
        moments.add(chunk)
    return None if moments is None else moments.offset()


class _Moments:
    """The spread of each channel, and by how much rounding to float32 moves its values."""

    def __init__(self, first: Shaped[np.ndarray, "n c ..."]) -> None:
        self.ndim = first.ndim
        # Sums of differences from the first value: squares of values far from 0 would cancel.
        self.origin = first[0].reshape(first.shape[1], -1)[:, 0].astype(np.float64)
        zeros = np.zeros(len(self.origin))
        self.rounding, self.largest, self.total, self.squares = (zeros.copy() for _ in range(4))
        self.count = 0

    def add(self, chunk: Shaped[np.ndarray, "n c ..."]) -> None:
        """Add the examples of a chunk."""
        self.count += chunk.size // chunk.shape[1]
        with np.errstate(over="ignore", invalid="ignore"):  # non-finite values are refused later
            for channel in range(chunk.shape[1]):
                exact = chunk[:, channel].astype(np.float64)
                moved = np.abs(exact - exact.astype(np.float32)).max()
                self.rounding[channel] = np.maximum(self.rounding[channel], moved)
                self.largest[channel] = np.maximum(self.largest[channel], np.abs(exact).max())
                differences = exact - self.origin[channel]
                self.total[channel] += differences.sum()
                self.squares[channel] += np.square(differences).sum()

    def offset(self) -> Float[Tensor, "1 c ..."] | None:
        """Return the mean of each channel that float32 would blur; None if there is none."""
        with np.errstate(over="ignore", invalid="ignore"):
            mean = self.total / self.count
            spread = np.sqrt(np.maximum(self.squares / self.count - np.square(mean), 0))
            # A spread this small is the rounding of float64 itself: the channel is constant.
            blurred = (self.rounding > MAX_ROUNDING * spread) & (spread > 1e-12 * self.largest)
            offset = np.where(blurred, self.origin + mean, 0).astype(np.float32)
        shaped = offset.reshape(1, -1, *[1] * (self.ndim - 2))
        return torch.from_numpy(shaped) if offset.any() else None


def as_tensor(
    values: Shaped[np.ndarray, "n c ..."], offset: Float[Tensor, "1 c ..."] | None
) -> Shaped[Tensor, "n c ..."]:
    """Return a copy as a tensor: later changes of the array change no data set.

    Args:
        values: of any real type.
        offset: see `offset_of`.

    Returns:
        uint8 for bytes and booleans without an offset, float32 for everything else. Values that
        are too large for float32 become infinite.
    """
    bytes_ = values.dtype in (np.uint8, np.bool_) and offset is None
    if offset is not None and offset.shape[1] == values.shape[1]:
        values = values.astype(np.float64) - offset.numpy()
    with np.errstate(over="ignore"):
        return torch.from_numpy(
            np.array(values, dtype=np.uint8 if bytes_ else np.float32, order="C")
        )


def converted(
    values: Shaped[np.ndarray, "n ..."], tokens: bool, offset: Float[Tensor, "1 c ..."] | None
) -> Shaped[Tensor, "n ..."]:
    """Return examples as a tensor of the type that networks read.

    Args:
        values: of any real type.
        tokens: whether they are tokens, which become int64.
        offset: see `Dataset.offset`.
    """
    return torch.from_numpy(values.astype(np.int64)) if tokens else as_tensor(values, offset)


def check_finite(finite: Shaped[Tensor, " examples"]) -> None:
    """Refuse examples that are not finite.

    Raises:
        DataError: the message names them.
    """
    if not finite.all():
        index = torch.nonzero(~finite).flatten().tolist()
        raise DataError(
            f"{len(index)} of {len(finite)} examples hold NaN or infinite values (example "
            f"{few(index)}): repair them, or leave them out"
        )
