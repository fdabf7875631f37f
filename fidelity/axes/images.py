"""Fewer training images.

Klein et al. (2017), "Fast Bayesian optimization of machine learning hyperparameters on large
datasets", AISTATS.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Int64

from fidelity.axes.axis import AxisError
from fidelity.axes.dataset_cache import reduced
from fidelity.datasets.dataset import Dataset
from fidelity.training.training import Training


@dataclass(frozen=True)
class Images:
    """The number of training images, each class in proportion; an epoch is a pass over them.

    Smaller sets are nested in larger ones: each is the beginning of one order of all images.
    Validation and test part stay whole, so that errors remain comparable.

    Cost model: proportional to the images.

    Attributes:
        seed: of the order.
    """

    seed: int = 0

    def size(self, training: Training) -> float:
        """Return the number of training images."""
        return len(training.dataset.train)

    def exponent(self, training: Training) -> float:
        """Return 1."""
        return 1

    def apply(self, training: Training, size: float) -> Training:
        """See `Axis`; the size is a number of images, rounded to a whole one.

        Raises:
            AxisError: there are more classes than images.
        """
        dataset, images = training.dataset, round(size)
        if images == len(dataset.train):
            return training
        strata = dataset.task.strata(dataset.train.targets)
        least = 1 if strata is None else dataset.outputs
        if images < least:
            raise AxisError(
                f"{images} training images are too few: each of the {least} classes of "
                f"{dataset.name} needs one; raise the lowest budget"
            )
        key = (type(self), self.seed, images)
        return replace(
            training, dataset=reduced(dataset, key, lambda: self._first(dataset, images))
        )

    def _first(self, dataset: Dataset, images: int) -> Dataset:
        order = _order(dataset, np.random.default_rng(self.seed))
        index = torch.from_numpy(np.sort(order[:images]))
        return replace(dataset, train=dataset.train.select(index))


def _order(dataset: Dataset, rng: np.random.Generator) -> Int64[np.ndarray, " images"]:
    strata = dataset.task.strata(dataset.train.targets)
    if strata is None:
        return rng.permutation(len(dataset.train))
    return stratified_order(strata.numpy(), rng)


def stratified_order(
    labels: Int64[np.ndarray, " images"], rng: np.random.Generator
) -> Int64[np.ndarray, " images"]:
    """Return an order whose first n images hold the classes in proportion, for every n.

    The classes are spread evenly over the order, each in a random order of its own; one image of
    each class comes before all others.

    Args:
        labels: the class of each image.
        rng: draws the order.
    """
    positions = np.empty(len(labels))
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        positions[members] = (np.arange(len(members)) + 0.5) / len(members)
        positions[members[0]] = 0.0
    # Ties, between equally large classes, must not favour the classes of low number.
    return np.asarray(np.lexsort((rng.random(len(labels)), positions)))
