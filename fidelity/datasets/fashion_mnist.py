"""Fashion-MNIST from its idx files, gzipped or not."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from fidelity.augment import HorizontalFlip, PadCrop
from fidelity.datasets.arrays import from_arrays
from fidelity.datasets.dataset import DataError, Dataset

DEBIAN = Path("/usr/share/datasets/fashion-mnist")
"""The folder of Debian's package dataset-fashion-mnist."""


def fashion_mnist(root: str | Path | None = None) -> Dataset:
    """Return Fashion-MNIST: 60,000 and 10,000 test images of clothes, (1, 28, 28), 10 classes.

    10,000 of the 60,000 are the validation part. Nothing is downloaded.

    Source: Xiao, Rasul and Vollgraf (2017), arXiv:1708.07747.

    Args:
        root: the folder with the four idx files, gzipped or not; tried before `DEBIAN`.

    Raises:
        DataError: a file is missing or is no idx file.
    """
    folders = [DEBIAN] if root is None else [Path(root), DEBIAN]
    images, labels, test_images, test_labels = (
        _read(_find(f"{part}-{kind}-ubyte", folders))
        for part in ("train", "t10k")
        for kind in ("images-idx3", "labels-idx1")
    )
    return from_arrays(
        images,
        labels,
        validation=1 / 6,
        test=(test_images, test_labels),
        augment=(PadCrop(2), HorizontalFlip()),
        name="fashion-mnist",
    )


def _find(name: str, folders: list[Path]) -> Path:
    for folder in folders:
        for path in (folder / name, folder / f"{name}.gz"):
            if path.is_file():
                return path
    raise DataError(
        f"Fashion-MNIST: found neither {name} nor {name}.gz in {' or '.join(map(str, folders))}. "
        "On Debian or Ubuntu: apt install dataset-fashion-mnist; elsewhere get the four files "
        "of https://github.com/zalandoresearch/fashion-mnist and give their folder as root"
    )


def _read(path: Path) -> UInt8[np.ndarray, ...]:
    """Return the array of an idx file of unsigned bytes.

    The format: two zero bytes, the type (8), the number of dimensions, each dimension as a
    big-endian 32-bit integer, then the bytes (http://yann.lecun.com/exdb/mnist).
    """
    try:
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read ({error}): get the file again") from error
    dimensions = content[3] if content[:3] == b"\0\0\x08" and len(content) > 3 else 0
    header = 4 + 4 * dimensions
    if dimensions == 0 or len(content) < header:
        raise DataError(f"{path} is no idx file of unsigned bytes: get the file again")
    shape = struct.unpack(f">{dimensions}I", content[4:header])
    if len(content) - header != int(np.prod(shape, dtype=np.int64)):
        raise DataError(
            f"{path} announces an array of shape {shape}, but holds {len(content) - header} "
            "bytes: get the file again"
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)
