"""Compare plots with reviewed pictures, in `pictures/` next to this file."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

FOLDER = Path(__file__).with_name("pictures")
BLOCK = 8
"""Side in pixels of the squares whose mean colours are compared: versions of freetype draw fonts
slightly differently."""

TOLERANCE = 0.03
"""Maximal root mean squared difference between squares, of colours within [0, 1]."""


def paper(width: float = 4.0, height: float = 3.0) -> Axes:
    """Return axes of the given size in hundreds of pixels."""
    return plt.subplots(figsize=(width, height), layout="constrained")[1]


def check(ax: Axes, name: str) -> None:
    """Check that a plot equals its reviewed picture.

    A picture that is missing is written; look at it before you commit it.
    """
    figure = ax.figure
    assert isinstance(figure, Figure)
    vectors = BytesIO()
    figure.savefig(vectors, format="svg")
    assert b"</svg>" in vectors.getvalue()
    file, drawn = FOLDER / f"{name}.png", BytesIO()
    figure.savefig(drawn, format="png", dpi=100)
    picture = Image.open(drawn).convert("RGB")
    if not file.exists():
        picture.quantize(128, dither=Image.Dither.NONE).save(file, optimize=True)
        raise AssertionError(f"{file} was missing: look at it, and run the test again")
    difference = distance(np.asarray(picture) / 255, read(file))
    assert difference < TOLERANCE, f"{name} differs by {difference:.3f}: look at both"


def read(file: Path) -> np.ndarray:
    """Return colours within [0, 1], of shape (rows, columns, 3)."""
    return np.asarray(Image.open(file).convert("RGB")) / 255


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """Return the difference of two pictures; 1 if their sizes differ by more than 2%."""
    if any(abs(a - b) > 0.02 * b + 1 for a, b in zip(one.shape[:2], other.shape[:2], strict=True)):
        return 1.0
    return float(np.sqrt(np.mean((_blocks(one, other) - _blocks(other, one)) ** 2)))


def _blocks(picture: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return mean colours of squares, of the part that both pictures share."""
    rows, columns = (
        min(a, b) // BLOCK for a, b in zip(picture.shape, other.shape[:2], strict=False)
    )
    part = picture[: rows * BLOCK, : columns * BLOCK]
    means: np.ndarray = part.reshape(rows, BLOCK, columns, BLOCK, 3).mean(axis=(1, 3))
    return means


def named(ax: Axes) -> bool:
    """Return whether both axes have labels."""
    return bool(ax.get_xlabel()) and bool(ax.get_ylabel())
