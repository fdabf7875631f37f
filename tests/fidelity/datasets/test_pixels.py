from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from fidelity.datasets.dataset import DataError
from fidelity.datasets.pixels import as_array, as_tensor, offset_of, with_channels

SINCE_1970 = 1.7e9


def seconds(count: int = 50) -> np.ndarray:
    """A channel of seconds since 1970 within ten minutes, and one of small numbers."""
    rng = np.random.default_rng(0)
    late = SINCE_1970 + rng.uniform(0, 600, (count, 1, 1, 1))
    return np.concatenate([late, rng.normal(0, 1, (count, 1, 1, 1))], axis=1)


@pytest.mark.parametrize("kind", [np.float64, np.int64, np.longdouble])
def test_a_channel_that_float32_would_blur_is_centred_first(kind: type) -> None:
    pixels = seconds().astype(kind)
    offset = offset_of(pixels)
    assert offset is not None
    assert offset.dtype is torch.float32
    assert offset[0, 0].item() == pytest.approx(SINCE_1970, rel=1e-6)
    assert offset[0, 1].item() == 0
    kept = as_tensor(pixels, offset)
    assert kept.dtype is torch.float32
    restored = kept.double() + offset.double()
    np.testing.assert_allclose(
        restored.numpy()[:, 0], pixels[:, 0].astype(float), atol=1e-4, rtol=0
    )


@pytest.mark.parametrize(
    "pixels",
    [
        np.random.default_rng(0).normal(5, 1, (20, 2, 3, 3)),
        np.full((20, 1, 2, 2), 0.1),
        0.1 + np.arange(20)[:, None, None, None] * 1e-17,  # constant, but for rounding
        2**24 + 2 * np.arange(20)[:, None, None, None],  # each of them exact in float32
        seconds().astype(np.float32),
        np.arange(20, dtype=np.uint8)[:, None, None, None],
        np.full((20, 1, 2, 2), np.nan),
        np.ones((0, 1, 2, 2)),
    ],
)
def test_everything_else_keeps_its_scale(pixels: np.ndarray) -> None:
    assert offset_of(pixels) is None
    kept = as_tensor(pixels, None)
    np.testing.assert_array_equal(kept.numpy(), pixels.astype(kept.numpy().dtype))


def test_other_parts_are_shifted_by_the_same_offset() -> None:
    offset = torch.full((1, 1, 1, 1), 3.0)
    assert as_tensor(np.full((2, 1, 1, 1), 5, np.uint8), offset).flatten().tolist() == [2, 2]


def test_images_get_their_channel() -> None:
    assert with_channels(np.ones((5, 8, 8)), "images").shape == (5, 1, 8, 8)
    assert with_channels(np.ones((5, 6, 11)), "images").shape == (5, 1, 6, 11)
    assert with_channels(np.ones((5, 1, 40)), "images").shape == (5, 1, 1, 40)
    assert with_channels(np.ones((5, 2, 8, 3)), "images").shape == (5, 2, 8, 3)


@pytest.mark.parametrize(("height", "width"), [(2, 40), (20, 40), (40, 2)])
def test_what_may_be_signals_is_asked_for(height: int, width: int) -> None:
    wanted = rf"{height}x{width} pixels, or signals of {height} channels and length {width}\?"
    with pytest.raises(DataError, match=wanted):
        with_channels(np.ones((300, height, width)), "images")


def test_a_table_is_told_how_to_become_images() -> None:
    with pytest.raises(DataError, match=r"a table .* is x\[:, :, None, None\]"):
        with_channels(np.ones((5, 3)), "images")


def test_tensors_of_any_kind_are_arrays() -> None:
    given = torch.ones(2, 3, requires_grad=True)
    assert as_array(given, "images").tolist() == given.tolist()
    assert as_array(given.bfloat16(), "images").dtype == np.float32


PAIRS = TensorDataset(torch.ones(4, 1, 2, 2), torch.zeros(4))


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: PAIRS, r"a TensorDataset: .* from_arrays\(\*dataset.tensors\)"),
        (lambda: DataLoader(PAIRS), "a DataLoader: expected an array"),
        (lambda: [[1, 2], [3]], "numpy makes no array"),
    ],
)
def test_what_is_no_array_is_named(made: Callable[[], Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        as_array(made(), "images")
