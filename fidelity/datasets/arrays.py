"""A data set of the user's own arrays."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Shaped
from torch import Tensor

from fidelity.augment import Augmentation
from fidelity.datasets.dataset import DataError, Dataset
from fidelity.datasets.division import assembled, check_fractions, is_fraction
from fidelity.datasets.inputs import Kind, as_inputs, converted, offset_of
from fidelity.datasets.mapped import mapped_inputs, mapping
from fidelity.datasets.part import Part
from fidelity.datasets.splits import STRATIFIED, Split
from fidelity.datasets.streamed import Streamed
from fidelity.datasets.targets import target_tensor
from fidelity.tasks.task import Task

log = logging.getLogger(__name__)

Arrays = tuple[Any, Any]
"""Inputs and targets of a part."""

NOTICE = (
    "the inputs stay on disk and are read batch by batch, which is the slower path; "
    "numpy.array(inputs) holds them in memory"
)


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
            cannot tell apart is centred first, see `Dataset.offset`. An array on disk
            (`numpy.memmap`) stays there and is read batch by batch, which is slower.
        targets: N integers, the classes counted from 0; N floating-point numbers, or (N, targets);
            masks (N, height, width) or (N, length); or the next token of each token, (N, length).
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
    _check_pairs({"validation": validation, "test": test})
    given = {"training": (inputs, targets), "validation": validation, "test": test}
    parts, offset = array_parts(given, kind)
    if isinstance(parts["training"], Part) and isinstance(parts["training"].inputs, Streamed):
        log.warning("%s: %s", name, NOTICE)
    return assembled(name, parts, task=task, split=split, augment=augment, offset=offset, seed=seed)


def array_parts(
    given: Mapping[str, Arrays | float], kind: Kind | None
) -> tuple[dict[str, Part | float], Float[Tensor, "1 c ..."] | None]:
    """Return arrays as parts, and the offset that they share; fractions stay.

    Args:
        given: by name, 'training' first; inputs and targets, or a fraction to split off.
        kind: of the examples; None lets their shapes decide.

    Raises:
        DataError: the arrays are no examples with targets.
    """
    parts: dict[str, Part | float] = {}
    offset = None
    for name, pair in given.items():
        if not isinstance(pair, tuple | list):
            parts[name] = pair
            continue
        values = as_inputs(pair[0], f"{name} inputs", kind)
        if name == "training" and kind != "tokens":
            offset = offset_of(values)
        parts[name] = _part(values, pair[1], name, kind, offset)
    return parts, offset


def _check_pairs(held_out: Mapping[str, float | Arrays]) -> None:
    for name, part in held_out.items():
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
    tokens = kind == "tokens"
    if mapping(values) is not None:
        return Part(mapped_inputs(values, tokens, offset), target_tensor(targets, name))
    return Part(converted(values, tokens, offset), target_tensor(targets, name))
