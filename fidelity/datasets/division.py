"""The division of given examples into parts, by fractions and a way to split."""

from __future__ import annotations

from typing import Any, TypeGuard

import numpy as np
import torch

from fidelity.datasets.part import Part
from fidelity.datasets.splits import Division, Examples, Positions, Split
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


def selected(part: Part, positions: Positions) -> Part:
    """Return the examples at these positions; the part itself, uncopied, if that is all of them.

    Args:
        part: the given examples.
        positions: of those to select.
    """
    if np.array_equal(positions, np.arange(len(part))):
        return part
    return part.select(torch.from_numpy(positions))
