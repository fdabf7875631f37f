"""Labelled images, checked once and split once into training, validation and test parts.

A search uses the training and validation parts; only `Training.final` and `retrain` use the test.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int64, Shaped
from torch import Tensor

from fidelity.augment import Augmentation, as_tuple
from spaces.display.html import Html, table
from spaces.space import InputShape


class DataError(ValueError):
    """Data that cannot be used; the message says what is wrong and how to mend it."""


@dataclass(frozen=True, eq=False, repr=False)
class Part:
    """Images and their labels.

    Attributes:
        images: uint8 or float32, in their original scale.
        labels: the class of each image, counted from 0.

    Raises:
        DataError: the two do not match, or hold something that is no image or class.
    """

    images: Shaped[Tensor, "images channels height width"]
    labels: Int64[Tensor, " images"]

    def __post_init__(self) -> None:
        """Check for faults that would otherwise show only as bad networks."""
        images, labels = self.images, self.labels
        if not (isinstance(images, Tensor) and isinstance(labels, Tensor)):
            raise DataError(
                "a part holds two tensors, images and labels, not "
                f"{type(images).__name__} and {type(labels).__name__}: from_arrays converts arrays"
            )
        if images.ndim != 4:
            raise DataError(
                f"images of shape {tuple(images.shape)}: "
                "expected (images, channels, height, width), or (images, height, width)"
            )
        if labels.ndim != 1 or len(labels) != len(images):
            raise DataError(
                f"there are {len(images)} images but labels of shape {tuple(labels.shape)}: "
                "one label is needed for each image, in the same order"
            )
        if images.numel() == 0:
            raise DataError(
                f"there are no images: an array of shape {tuple(images.shape)} is empty; "
                "each of the training, validation and test parts needs some"
            )
        if labels.dtype != torch.int64 or images.dtype not in (torch.uint8, torch.float32):
            raise DataError(
                "a part holds uint8 or float32 images and int64 labels, not "
                f"{images.dtype} and {labels.dtype}: from_arrays converts other types"
            )
        _check_finite(images)
        if int(labels.min()) < 0:
            raise DataError(
                f"the label {int(labels.min())} is negative: classes are counted from 0; "
                "leave unlabelled images out, or renumber the classes"
            )

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.labels)

    def __repr__(self) -> str:
        return f"Part({len(self):,} images of {_shape(self)})"

    def to(self, device: torch.device) -> Part:
        """Return the part on a device."""
        return Part(self.images.to(device), self.labels.to(device))

    def select(self, index: Int64[Tensor, " selected"]) -> Part:
        """Return the images at these positions."""
        return Part(self.images[index], self.labels[index])


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Images for classification; two data sets are equal only if they are the same object.

    Attributes:
        name: for reports.
        train: the images that networks are trained on.
        validation: the images that a search compares networks by.
        test: the images of the final report, which no search uses.
        augment: the augmentations that suit these images, in order.
        offset: of each channel, subtracted in double precision before the values became float32;
            None where there is none. The networks of `retrain` subtract it themselves.

    Raises:
        DataError: the parts do not match, or a class has no training image.
        TypeError: an augmentation is not callable, or a class.
    """

    name: str
    train: Part
    validation: Part
    test: Part
    augment: tuple[Augmentation, ...] = ()
    offset: Float[Tensor, "1 channels 1 1"] | None = None

    def __post_init__(self) -> None:
        """Check the parts against each other."""
        for name in ("train", "validation", "test"):
            if not isinstance(part := getattr(self, name), Part):
                raise DataError(
                    f"the {name} part is {_kind(part)}: expected a Part; "
                    "fidelity.datasets.from_arrays(images, labels) makes a whole data set"
                )
        as_tuple(self.augment)
        counts = torch.bincount(self.train.labels)
        if len(counts) < 2:
            raise DataError(
                "every training image has the label 0: a classifier needs two classes or more"
            )
        absent = torch.nonzero(counts == 0).flatten().tolist()
        if absent:
            raise DataError(
                f"no training image has the label {_few(absent)}, though labels go up to "
                f"{self.classes - 1}: number the classes 0, 1, 2... without a gap, for instance "
                "labels = numpy.unique(labels, return_inverse=True)[1]"
            )
        for name, part in (("validation", self.validation), ("test", self.test)):
            shape = tuple(part.images.shape[1:])
            if shape != self.input_shape:
                raise DataError(
                    f"{name} images have the shape {shape} (channels, height, width), "
                    f"training images {self.input_shape}: they must agree"
                )
            if int(part.labels.max()) >= self.classes:
                raise DataError(
                    f"the {name} part has the label {int(part.labels.max())}, but the training "
                    f"part only has classes 0 to {self.classes - 1}"
                )

    def __repr__(self) -> str:
        return (
            f"Dataset({self.name}: {len(self.train):,} training, {len(self.validation):,} "
            f"validation, {len(self.test):,} test images of {_shape(self.train)}, "
            f"{self.classes} classes of {_balance(self)})"
        )

    def _repr_html_(self) -> Html:
        parts = {"training": self.train, "validation": self.validation, "test": self.test}
        sizes = [(f"{name} images", f"{len(part):,}") for name, part in parts.items()]
        rest = [("image", _shape(self.train)), ("classes", f"{self.classes} of {_balance(self)}")]
        return table(("data set", self.name), [*sizes, *rest])

    @property
    def input_shape(self) -> InputShape:
        """Channels, height and width of an image."""
        channels, height, width = self.train.images.shape[1:]
        return channels, height, width

    @property
    def classes(self) -> int:
        """The number of classes."""
        return int(self.train.labels.max()) + 1

    def subset(self, images: int, seed: int = 0) -> Dataset:
        """Return the data set with fewer training images, each class in proportion.

        Validation and test part stay whole, so that errors remain comparable.

        Args:
            images: the number of training images.
            seed: of the choice.

        Raises:
            DataError: there are fewer training images, or more classes than `images`.
        """
        if not self.classes <= images <= len(self.train):
            raise DataError(
                f"a subset of {images} training images is impossible: there are "
                f"{len(self.train)}, and each of the {self.classes} classes needs one"
            )
        if images == len(self.train):
            return self
        _, part = split(self.train, images, np.random.default_rng(seed))
        return replace(self, train=part)


def check_dataset(dataset: object) -> None:
    """Refuse everything but a `Dataset`.

    Raises:
        TypeError: the message names what was given.
    """
    if not isinstance(dataset, Dataset):
        raise TypeError(
            f"the data set is {_kind(dataset)}: expected a fidelity.Dataset; "
            "fidelity.datasets.from_arrays(images, labels) makes one of arrays or tensors, and "
            "from_arrays(*dataset.tensors) of a torch TensorDataset"
        )


def _shape(part: Part) -> str:
    """Return channels, height and width of an image, such as '3x32x32'."""
    return "x".join(map(str, part.images.shape[1:]))


def _balance(dataset: Dataset) -> str:
    """Return the shares of the smallest and the largest class of the training part."""
    shares = torch.bincount(dataset.train.labels) * (100 / len(dataset.train))
    low, high = (f"{float(share):.1f}" for share in (shares.min(), shares.max()))
    return f"{low}%" if low == high else f"{low} to {high}%"


def _kind(value: object) -> str:
    if isinstance(value, type):
        return f"the class {value.__name__}, not an object of it"
    if callable(value) and hasattr(value, "__name__"):
        return f"the function {value.__name__}, which was not called"
    return f"a {type(value).__name__}"


def split(part: Part, size: int, rng: np.random.Generator) -> tuple[Part, Part]:
    """Split images off, each class in proportion and with at least one image on either side.

    Args:
        part: the images to split.
        size: the number of images to split off.
        rng: draws them.

    Returns:
        The rest, and the part with `size` images, both in their old order.

    Raises:
        DataError: a class has fewer than two images, or `size` leaves a class without one.
    """
    labels = part.labels.numpy()
    counts = np.bincount(labels)
    present = np.flatnonzero(counts)
    short = [int(c) for c in present if counts[c] < 2]
    if short or not len(present) <= size <= len(labels) - len(present):
        fewest = int(present[np.argmin(counts[present])])
        raise DataError(
            f"{size} of {len(labels)} images cannot be split off so that each class is on both "
            f"sides: class {fewest} has {counts[fewest]} of them; give more images of it, leave "
            "the class out, or choose another fraction"
        )
    selected = np.zeros(len(labels), dtype=bool)
    for label, count in zip(present, _shares(counts[present], size), strict=True):
        selected[rng.permutation(np.flatnonzero(labels == label))[:count]] = True
    mask = torch.from_numpy(selected)
    return part.select(torch.nonzero(~mask).flatten()), part.select(torch.nonzero(mask).flatten())


def _shares(counts: Int64[np.ndarray, " classes"], size: int) -> Int64[np.ndarray, " classes"]:
    """Return images per class that sum to `size`, by largest remainders, within 1 to n - 1."""
    exact = counts * (size / counts.sum())
    shares = np.clip(np.floor(exact).astype(np.int64), 1, counts - 1)
    while shares.sum() != size:
        step = 1 if shares.sum() < size else -1
        free = (shares < counts - 1) if step > 0 else (shares > 1)
        short = np.where(free, step * (exact - shares), -np.inf)
        shares[np.argmax(short)] += step
    return np.asarray(shares)


def _check_finite(images: Shaped[Tensor, "images channels height width"]) -> None:
    if not images.is_floating_point():
        return
    finite = torch.isfinite(images).flatten(1).all(1)
    if not finite.all():
        index = torch.nonzero(~finite).flatten().tolist()
        raise DataError(
            f"{len(index)} of {len(images)} images hold NaN or infinite values (image "
            f"{_few(index)}): repair them, or leave them out"
        )


def _few(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:5]))
    return shown if len(numbers) <= 5 else f"{shown}, ... ({len(numbers)} in all)"
