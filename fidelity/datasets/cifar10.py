"""CIFAR-10 from its "python version": pickles, read without executing anything in them."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from fidelity.augment import HorizontalFlip, PadCrop
from fidelity.datasets.arrays import from_arrays
from fidelity.datasets.dataset import DataError, Dataset

FOLDER = "cifar-10-batches-py"


def cifar10(root: str | Path) -> Dataset:
    """Return CIFAR-10: 50,000 and 10,000 test photographs, (3, 32, 32), 10 classes.

    10,000 of the 50,000 are the validation part, as in NAS-Bench-101. Nothing is downloaded.

    Source: Krizhevsky (2009), "Learning multiple layers of features from tiny images".

    Args:
        root: the folder `cifar-10-batches-py` of the unpacked archive, or its parent.

    Raises:
        DataError: a file is missing, is no CIFAR-10 batch, or needs more than arrays.
    """
    folders = [Path(root), Path(root) / FOLDER]
    batches = [_read(_find(f"data_batch_{number}", folders)) for number in range(1, 6)]
    images = np.concatenate([images for images, _ in batches])
    labels = np.concatenate([labels for _, labels in batches])
    return from_arrays(
        images,
        labels,
        test=_read(_find("test_batch", folders)),
        augment=(PadCrop(4), HorizontalFlip()),
        name="cifar10",
    )


def _find(name: str, folders: list[Path]) -> Path:
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    raise DataError(
        f"CIFAR-10: found no {name} in {' or '.join(map(str, folders))}. Get "
        "cifar-10-python.tar.gz from https://www.cs.toronto.edu/~kriz/cifar.html, unpack it and "
        f"give the folder {FOLDER} as root"
    )


def _read(path: Path) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return the images (N, 3, 32, 32) and labels (N) of one batch."""
    try:
        batch = _ArraysOnly(io.BytesIO(path.read_bytes()), encoding="bytes").load()
        images = np.asarray(batch[b"data"], dtype=np.uint8).reshape(-1, 3, 32, 32)
        return images, np.asarray(batch[b"labels"], dtype=np.int64)
    except Exception as error:  # whatever a damaged or foreign file makes pickle raise
        raise DataError(
            f"{path} is no batch of the python version of CIFAR-10 ({error}): get the archive again"
        ) from error


def _encode(text: str, encoding: str) -> bytes:
    """Return bytes from the text that Python 3 writes for them into a pickle of protocol 2."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"the encoding {encoding!r} is not allowed")
    return text.encode("latin1")


def _dtype(name: str, align: int, copy: int) -> np.dtype[Any]:
    """Return a dtype; numpy 2.4 warns about the integers that old pickles have as flags."""
    return np.dtype(name, align=bool(align), copy=bool(copy))


class _ArraysOnly(pickle.Unpickler):
    """An unpickler of containers, numbers, bytes and numpy arrays that calls nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("numpy", "ndarray"):
            return np.ndarray
        if (module, name) == ("numpy", "dtype"):
            return _dtype
        if module in {"numpy.core.multiarray", "numpy._core.multiarray"} and name == "_reconstruct":
            # The array rebuilder under its present name, without naming a private module.
            return np.empty(0).__reduce__()[0]
        if (module, name) == ("_codecs", "encode"):
            return _encode
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no image needs")
