"""The division of given examples into parts, by fractions and a way to split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from fidelity.augment import Augmentation, as_tuple
from fidelity.datasets.dataset import Dataset
from fidelity.datasets.part import Part
from fidelity.datasets.splits import Division, Examples, Positions, Split
from fidelity.tasks.suited import suited_task
from fidelity.tasks.task import DataError, Targets, Task


def is_fraction(part: Any) -> TypeGuard[float]:
    """Return whether a part is to be split off, not given apart."""
    return isinstance(part, float | int | np.number)


def check_fractions(validation: Any, test: Any) -> None:
    """Refuse fractions that leave a part empty.

    Args:
        validation: a fraction, or anything else for a part that is given apart.
        test: likewise.

    Raises:
        DataError: a fraction is not between 0 and 1, or their sum is not.
    """
    fractions = {"validation": validation, "test": test}
    given = {name: part for name, part in fractions.items() if is_fraction(part)}
    for name, part in given.items():
        if not 0 < part < 1:
            raise DataError(
                f"the {name} fraction is {part}: it lies between 0 and 1, for instance 0.2, "
                "or is the part itself"
            )
    if (total := sum(given.values())) >= 1:
        raise DataError(
            f"validation and test fraction add up to {total}: nothing is left to train on"
        )


def assembled(
    name: str,
    parts: Mapping[str, Part | float],
    *,
    task: Task | None,
    split: Split,
    augment: Sequence[Augmentation],
    offset: Float[Tensor, "1 channels ..."] | None,
    seed: int,
) -> Dataset:
    """Return a data set of given examples, some of which are split off.

    Args:
        name: for reports.
        parts: 'training' are the given examples; 'validation' and 'test' are each a part given
            apart, or the fraction of the given examples to split off.
        task: what networks are trained for; None takes the one that suits the targets.
        split: the way to split.
        augment: the augmentations, in order.
        offset: see `Dataset.offset`.
        seed: of the split.

    Raises:
        DataError: the examples do not suit the task, or are too few for the split.
    """
    train, validation, test = (parts[key] for key in ("training", "validation", "test"))
    assert isinstance(train, Part)
    task = task or suited_task(train.inputs, train.targets)
    task.check({"training": train.targets}, tuple(train.inputs.shape[1:]))  # before it is split
    division = divided(split, train.targets, task, validation, test, seed)
    return Dataset(
        name,
        _selected(train, division.train),
        validation if isinstance(validation, Part) else _selected(train, division.validation),
        test if isinstance(test, Part) else _selected(train, division.test),
        as_tuple(augment),
        offset,
        task,
    )


def divided(
    split: Split, targets: Targets, task: Task, validation: Any, test: Any, seed: int
) -> Division:
    """Return the positions of the examples of each part.

    Args:
        split: the way to split.
        targets: of all given examples.
        task: names their classes.
        validation: a fraction of the given examples, or anything else for a part given apart.
        test: likewise.
        seed: of the split.

    Raises:
        DataError: these examples cannot be split in this way.
        TypeError: `split` is no way to split.
    """
    if isinstance(split, type) or not hasattr(split, "divide"):
        raise TypeError(
            f"split is {split!r}: expected an object such as Stratified(), ByGroup(groups), "
            "ByTime(times) or Fixed(train, validation, test) of fidelity.datasets"
        )
    strata = task.strata(targets)
    sizes = [
        round(part * len(targets)) if is_fraction(part) else None for part in (validation, test)
    ]
    for name, size in zip(("validation", "test"), sizes, strict=True):
        if size == 0:
            raise DataError(
                f"the {name} fraction of {len(targets)} examples is less than one example: they "
                "cannot be split off; give more examples, or choose another fraction"
            )
    examples = Examples(
        len(targets), None if strata is None else strata.numpy(), sizes[0] or 0, sizes[1] or 0
    )
    return split.divide(examples, np.random.default_rng(seed))


def _selected(part: Part, positions: Positions) -> Part:
    """Return the examples at these positions; the part itself, uncopied, if that is all of them."""
    if np.array_equal(positions, np.arange(len(part))):
        return part
    return part.select(torch.from_numpy(positions))
