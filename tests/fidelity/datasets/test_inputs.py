from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from fidelity.datasets.dataset import DataError
from fidelity.datasets.inputs import Kind, as_array, as_inputs, as_tensor, offset_of

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


@pytest.mark.parametrize(
    ("shape", "kept"),
    [
        ((5, 8, 8), (5, 1, 8, 8)),
        ((5, 6, 11), (5, 1, 6, 11)),
        ((5, 2, 8, 3), (5, 2, 8, 3)),
        ((5, 1, 40), (5, 1, 40)),
        ((5, 7), (5, 7)),
    ],
)
def test_the_shape_decides_where_it_can(shape: tuple[int, ...], kept: tuple[int, ...]) -> None:
    assert as_inputs(np.ones(shape), "inputs", None).shape == kept


@pytest.mark.parametrize(
    ("kind", "shape", "kept"),
    [
        ("images", (5, 2, 40), (5, 1, 2, 40)),
        ("signals", (5, 2, 40), (5, 2, 40)),
        ("signals", (5, 8, 8), (5, 8, 8)),
        ("signals", (5, 40), (5, 1, 40)),
        ("table", (5, 40), (5, 40)),
        ("tokens", (5, 40), (5, 40)),
    ],
)
def test_the_kind_decides_where_it_is_given(
    kind: Kind, shape: tuple[int, ...], kept: tuple[int, ...]
) -> None:
    assert as_inputs(np.ones(shape, int), "inputs", kind).shape == kept


@pytest.mark.parametrize(("height", "width"), [(2, 40), (20, 40), (40, 2)])
def test_what_may_be_signals_is_asked_for(height: int, width: int) -> None:
    wanted = rf"{height}x{width} pixels, or signals of {height} channels and length {width}\?"
    with pytest.raises(DataError, match=wanted):
        as_inputs(np.ones((300, height, width)), "inputs", None)


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        ("images", np.ones((5, 3)), "expected images \\(examples, channels, height, width\\)"),
        ("signals", np.ones((5, 3, 2, 2)), "expected signals \\(examples, channels, length\\)"),
        ("table", np.ones((5, 3, 2)), "expected table \\(examples, features\\)"),
        ("tokens", np.ones((5, 3)), "tokens are integers, counted from 0"),
        ("tokens", -np.ones((5, 3), int), "the token -1: tokens are counted from 0"),
        ("sound", np.ones((5, 3)), "the kind is 'sound': expected one of 'images', 'signals'"),
    ],
)
def test_values_of_another_kind_are_refused(kind: Kind, values: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        as_inputs(values, "inputs", kind)


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
