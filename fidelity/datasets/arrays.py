"""A data set of the user's own arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from fidelity.augment import Augmentation, as_tuple
from fidelity.datasets.dataset import DataError, Dataset
from fidelity.datasets.division import check_fractions, divided, is_fraction, selected
from fidelity.datasets.inputs import Kind, as_inputs, as_tensor, offset_of
from fidelity.datasets.part import Part
from fidelity.datasets.splits import Positions, Split, Stratified
from fidelity.datasets.targets import check_decided, target_tensor
from fidelity.tasks.suited import suited_task
from fidelity.tasks.task import Task

Arrays = tuple[Any, Any]
"""Inputs and targets of a part."""

STRATIFIED = Stratified()


def from_arrays(
    inputs: Any,
    targets: Any,
    *,
    task: Task | None = None,
    kind: Kind | None = None,
    split: Split = STRATIFIED,
    validation: float | Arrays = 0.2,
    test: float | Arrays = 0.2,
    augment: Sequence[Augmentation] = (),
    name: str = "arrays",
    seed: int = 0,
) -> Dataset:
    """Return a data set of your own arrays.

    Args:
        inputs: images (N, channels, height, width) or (N, height, width), signals (N, channels,
            length), a table (N, features), or sequences of tokens (N, length). Any real type:
            uint8 stays uint8, everything else becomes float32, tokens int64. The scale does not
            matter, since training normalises each channel or feature; one whose values float32
            cannot tell apart is centred first, see `Dataset.offset`.
        targets: N integers, the classes counted from 0; N floating-point numbers, or (N, targets);
            masks (N, height, width); or the next token of each token, (N, length).
        task: what networks are trained for; None takes the one that suits the targets.
        kind: 'images', 'signals', 'table' or 'tokens', where the shape does not decide.
        split: the way to split: `Stratified()` draws each class in proportion, `ByGroup(groups)`
            whole groups; `ByTime(times)` takes the latest; `Fixed(train, validation, test)` holds
            the positions of each part.
        validation: the fraction of the given examples to split off; or the validation part itself,
            as a pair (inputs, targets).
        test: likewise for the test part.
        augment: the augmentations that suit these examples, in order.
        name: for reports.
        seed: of the split; the same seed gives the same split.

    Raises:
        DataError: the arrays are no examples with targets of the task, or too few for the split.
    """
    check_fractions(validation, test)
    _check_pairs(validation, test)
    values = as_inputs(inputs, "training inputs", kind)
    offset = None if kind == "tokens" else offset_of(values)
    train = _part(values, targets, "training", kind, offset)
    if task is None:
        check_decided(train.targets)
        task = suited_task(train.inputs, train.targets)
    task.check({"training": train.targets}, tuple(train.inputs.shape[1:]))  # before it is split
    division = divided(split, train.targets, task, validation, test, seed)

    def held_out(name: str, given: float | Arrays, positions: Positions) -> Part:
        if is_fraction(given):
            return selected(train, positions)
        values = as_inputs(given[0], f"{name} inputs", kind)
        return _part(values, given[1], name, kind, offset)

    return Dataset(
        name,
        selected(train, division.train),
        held_out("validation", validation, division.validation),
        held_out("test", test, division.test),
        as_tuple(augment),
        offset,
        task,
    )


def _check_pairs(validation: float | Arrays, test: float | Arrays) -> None:
    for name, part in (("validation", validation), ("test", test)):
        if not is_fraction(part) and (not isinstance(part, tuple | list) or len(part) != 2):
            raise DataError(
                f"the {name} part is a {type(part).__name__}: expected a pair (inputs, targets), "
                "or a fraction such as 0.2"
            )


def _part(
    values: Shaped[np.ndarray, "n ..."],
    targets: Any,
    name: str,
    kind: Kind | None,
    offset: Float[Tensor, "1 c ..."] | None,
) -> Part:
    """Return arrays as a part."""
    inputs = torch.from_numpy(values.astype(np.int64)) if kind == "tokens" else None
    inputs = as_tensor(values, offset) if inputs is None else inputs
    return Part(inputs, target_tensor(targets, name))
