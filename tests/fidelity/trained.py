"""A training of milliseconds, and how to compare what two of them left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fidelity.augment import HorizontalFlip, PadCrop
from fidelity.checkpoint import Checkpoint
from fidelity.datasets import from_arrays
from fidelity.datasets.dataset import Dataset
from fidelity.training.training import Training
from tests.fidelity.fakes import TinySpace

SPACE = TinySpace(channels=8)


def stripes(count: int = 200, size: int = 6, seed: int = 0) -> Dataset:
    """Horizontal stripes against vertical ones, in noise: easy, but not at once."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    across = (np.arange(size) % 2)[None, :] * np.ones((size, 1))
    pixels = np.where(labels[:, None, None] == 1, across, across.T)
    pixels = pixels + rng.normal(0, 0.3, pixels.shape)
    return from_arrays(pixels, labels, augment=(PadCrop(1), HorizontalFlip()), name="stripes")


DATASET = stripes()
TRAINING = Training(SPACE, DATASET, max_epochs=9, batch_size=32, device="cpu")  # 3 steps an epoch


def saved(path: Path) -> dict[str, Any]:
    """What training goes on from; the curve is left out, which begins where the trial did."""
    state = Checkpoint(source=path).load()
    assert state is not None
    del state["curve"]
    return state


def assert_identical(one: Any, other: Any) -> None:
    """Equal to the last bit, whatever it is nested in."""
    assert type(one) is type(other)
    if isinstance(one, Tensor):
        assert torch.equal(one, other)
    elif isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_identical(one[key], other[key])
    elif isinstance(one, list | tuple):
        assert len(one) == len(other)
        for left, right in zip(one, other, strict=True):
            assert_identical(left, right)
    else:
        assert one == other
