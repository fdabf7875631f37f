"""Examples with targets, checked once and split once into training, validation and test parts.

A search uses the training and validation parts; only `Training.final` and `retrain` use the test.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from fidelity.augment import Augmentation, as_tuple
from fidelity.datasets.encoder import FrameEncoder
from fidelity.datasets.part import Part as Part
from fidelity.datasets.split import split
from fidelity.tasks.classification import Classification
from fidelity.tasks.task import DataError as DataError
from fidelity.tasks.task import Task
from spaces.display.html import Html, table
from spaces.space import InputShape


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Examples for training; two data sets are equal only if they are the same object.

    Attributes:
        name: for reports.
        train: the examples that networks are trained on.
        validation: the examples that a search compares networks by.
        test: the examples of the final report, which no search uses.
        augment: the augmentations that suit these examples, in order.
        offset: of each channel, subtracted in double precision before the values became float32;
            None where there is none. The networks of `retrain` subtract it themselves.
        task: what networks are trained for, and the cost by which they are compared.
        class_names: the name of each class, in the order of the outputs; None where the targets
            were numbers.
        encoder: turns new rows of a frame into inputs of the networks; None without a frame.

    Raises:
        DataError: the parts do not match, or the targets are none of the task.
        TypeError: an augmentation is not callable, or a class; the task is none.
    """

    name: str
    train: Part
    validation: Part
    test: Part
    augment: tuple[Augmentation, ...] = ()
    offset: Float[Tensor, "1 channels ..."] | None = None
    task: Task = field(default_factory=Classification)
    class_names: tuple[str, ...] | None = field(default=None, compare=False)
    encoder: FrameEncoder | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        """Check the parts against each other."""
        for name in ("train", "validation", "test"):
            if not isinstance(part := getattr(self, name), Part):
                raise DataError(
                    f"the {name} part is {_kind(part)}: expected a Part; "
                    "fidelity.datasets.from_arrays(inputs, targets) makes a whole data set"
                )
        as_tuple(self.augment)
        if isinstance(self.task, type) or not hasattr(self.task, "criterion"):
            raise TypeError(
                f"the task is {self.task!r}: expected an object such as Classification(), "
                "Regression() or another one of fidelity.tasks"
            )
        for name, part in (("validation", self.validation), ("test", self.test)):
            shape = tuple(part.inputs.shape[1:])
            if shape != self.input_shape:
                raise DataError(
                    f"{name} {part.noun} have the shape {shape}, training {self.train.noun} "
                    f"{self.input_shape}: they must agree"
                )
        parts = {"training": self.train, "validation": self.validation, "test": self.test}
        self.task.check({name: part.targets for name, part in parts.items()}, self.input_shape)

    def __repr__(self) -> str:
        return (
            f"Dataset({self.name}: {len(self.train):,} training, {len(self.validation):,} "
            f"validation, {len(self.test):,} test {self.train.noun} of {self.train.shape_text}, "
            f"{self._targets_text})"
        )

    def _repr_html_(self) -> Html:
        parts = {"training": self.train, "validation": self.validation, "test": self.test}
        noun = self.train.noun
        sizes = [(f"{name} {noun}", f"{len(part):,}") for name, part in parts.items()]
        rest = [(noun.removesuffix("s"), self.train.shape_text), ("task", self._targets_text)]
        return table(("data set", self.name), [*sizes, *rest])

    @property
    def _targets_text(self) -> str:
        """The classes with the shares of the smallest and the largest, or the name of the task."""
        strata = self.task.strata(self.train.targets)
        if strata is None:
            plural = "" if self.outputs == 1 else "s"
            return f"{type(self.task).__name__} with {self.outputs} output{plural}"
        shares = torch.bincount(strata) * (100 / len(self.train))
        low, high = (f"{float(share):.1f}" for share in (shares.min(), shares.max()))
        return f"{self.outputs} classes of " + (f"{low}%" if low == high else f"{low} to {high}%")

    @property
    def input_shape(self) -> InputShape:
        """The shape of an example: (channels, height, width), (channels, length) or (features,)."""
        return tuple(self.train.inputs.shape[1:])

    @cached_property
    def outputs(self) -> int:
        """The number of outputs of a network: of classes, of targets or of tokens."""
        return self.task.outputs(self.train.targets)

    def subset(self, examples: int, seed: int = 0) -> Dataset:
        """Return the data set with fewer training examples, each class in proportion.

        Validation and test part stay whole, so that costs remain comparable.

        Args:
            examples: the number of training examples.
            seed: of the choice.

        Raises:
            DataError: there are fewer training examples, or more classes than `examples`.
        """
        strata = self.task.strata(self.train.targets)
        least = 1 if strata is None else self.outputs
        if not least <= examples <= len(self.train):
            raise DataError(
                f"a subset of {examples} training {self.train.noun} is impossible: there are "
                f"{len(self.train)}"
                + ("" if strata is None else f", and each of the {least} classes needs one")
            )
        if examples == len(self.train):
            return self
        _, part = split(self.train, examples, np.random.default_rng(seed), strata)
        return replace(self, train=part)


def check_dataset(dataset: object) -> None:
    """Refuse everything but a `Dataset`.

    Raises:
        TypeError: the message names what was given.
    """
    if not isinstance(dataset, Dataset):
        raise TypeError(
            f"the data set is {_kind(dataset)}: expected a fidelity.Dataset; "
            "fidelity.datasets.from_arrays(inputs, targets) makes one of arrays or tensors, and "
            "from_torch(dataset) of a torch Dataset"
        )


def _kind(value: object) -> str:
    if isinstance(value, type):
        return f"the class {value.__name__}, not an object of it"
    if callable(value) and hasattr(value, "__name__"):
        return f"the function {value.__name__}, which was not called"
    return f"a {type(value).__name__}"
