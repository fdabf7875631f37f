"""MNIST-1D: ten classes of 40 points, made to tell architectures apart in seconds."""

from __future__ import annotations

from fidelity.datasets.arrays import from_arrays
from fidelity.datasets.dataset import DataError, Dataset


def mnist1d() -> Dataset:
    """Generate MNIST-1D: 4,000 training and 1,000 test sequences, (1, 1, 40), 10 classes.

    A fifth of the training sequences is the validation part. They have a height of 1, so that
    two-dimensional networks apply. There is no augmentation: the generator has already
    shifted, scaled and sheared each sequence.

    Source: Greydanus and Kobak (2024), "Scaling down deep learning with MNIST-1D", ICML.

    Raises:
        DataError: the package mnist1d is not installed.
    """
    try:
        from mnist1d.data import get_dataset_args, make_dataset
    except ImportError as error:
        raise DataError("MNIST-1D needs the package mnist1d: pip install mnist1d") from error
    data = make_dataset(get_dataset_args())
    return from_arrays(
        data["x"][:, None, None, :],
        data["y"],
        test=(data["x_test"][:, None, None, :], data["y_test"]),
        name="mnist1d",
    )
