"""The file of a network's weights."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from fidelity.disk import write_whole


def save_weights(weights: Mapping[str, Tensor], path: Path) -> None:
    """Write weights for `torch.load(path, weights_only=True)`.

    Args:
        weights: by name, as in a `state_dict`.
        path: the file; its folder exists.

    Raises:
        OSError: the disk refuses it. (Where torch writes to a disk that is full, it says only
            that a position is unexpected.)
    """
    packed = io.BytesIO()
    torch.save(weights, packed)
    write_whole(path, packed.getbuffer())
