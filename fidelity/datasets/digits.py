"""Handwritten digits of 8x8 pixels: the smallest real images, without a file."""

from __future__ import annotations

from fidelity.augment import PadCrop
from fidelity.datasets.arrays import from_arrays
from fidelity.datasets.dataset import Dataset


def digits() -> Dataset:
    """Return the 1,797 digits that come with scikit-learn, (1, 8, 8), 10 classes.

    A fifth each is the validation and the test part.

    Source: Alpaydin and Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine
    Learning Repository, its test set.
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = bunch.images.astype("uint8")  # whole numbers from 0 to 16
    return from_arrays(images, bunch.target, augment=(PadCrop(1),), name="digits")
