"""Arrays of targets as tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from fidelity.datasets.inputs import as_array
from fidelity.tasks.task import DataError, Targets


def target_tensor(targets: Any, name: str) -> Targets:
    """Return a copy of targets as a tensor of int64, uint8 (masks of bytes) or float64.

    Args:
        targets: anything that numpy or torch can convert.
        name: of the part, for messages.

    Raises:
        DataError: the targets are no numbers.
    """
    array = as_array(targets, f"{name} targets")
    if array.size and array.dtype.kind not in "buif":
        raise DataError(
            f"the {name} targets are {array.dtype}: expected numbers; for classes with names that "
            "is numpy.unique(targets, return_inverse=True)[1]"
        )
    if array.dtype.kind == "f":
        dtype: Any = np.float64
    else:
        dtype = np.uint8 if array.ndim > 1 and array.dtype in (np.uint8, np.bool_) else np.int64
    return torch.from_numpy(np.array(array, dtype=dtype))
