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
        path: of the file; its folder exists.

    Raises:
        OSError: the disk refuses it. (torch itself, on a full disk, reports only an unexpected
            position.)
    """
    packed = io.BytesIO()
    torch.save(weights, packed)
    write_whole(path, packed.getbuffer())
