"""Random splits in two, each class in proportion."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Int64
from torch import Tensor

from fidelity.datasets.part import Part
from fidelity.tasks.task import DataError

Labels = Int64[np.ndarray, " examples"]


def split(
    part: Part, size: int, rng: np.random.Generator, strata: Int64[Tensor, " examples"] | None
) -> tuple[Part, Part]:
    """Split examples off, each class in proportion and with at least one example on either side.

    Args:
        part: the examples to split.
        size: the number of examples to split off.
        rng: draws them.
        strata: the class of each example; None where there are no classes.

    Returns:
        The rest, and the part with `size` examples, both in their old order.

    Raises:
        DataError: a class has fewer than two examples, or `size` leaves a class without one.
    """
    selected = drawn(len(part), size, rng, None if strata is None else strata.numpy())
    mask = torch.from_numpy(selected)
    return part.select(torch.nonzero(~mask).flatten()), part.select(torch.nonzero(mask).flatten())


def drawn(
    examples: int, size: int, rng: np.random.Generator, strata: Labels | None
) -> Bool[np.ndarray, " examples"]:
    """Return which examples are split off, as `split` draws them.

    Args:
        examples: their number.
        size: the number of examples to split off.
        rng: draws them.
        strata: the class of each example; None where there are no classes.

    Raises:
        DataError: a class has fewer than two examples, or `size` leaves a class without one.
    """
    selected = np.zeros(examples, dtype=bool)
    if strata is not None:
        _select(selected, size, rng, strata)
        return selected
    if not 0 < size < examples:
        raise DataError(
            f"{size} of {examples} examples cannot be split off so that both sides have some: "
            "give more examples, or choose another fraction"
        )
    selected[rng.permutation(examples)[:size]] = True
    return selected


def _select(
    selected: Bool[np.ndarray, " examples"], size: int, rng: np.random.Generator, labels: Labels
) -> None:
    """Mark `size` examples in `selected`, each class in proportion."""
    counts = np.bincount(labels)
    present = np.flatnonzero(counts)
    short = [int(c) for c in present if counts[c] < 2]
    if short or not len(present) <= size <= len(labels) - len(present):
        fewest = int(present[np.argmin(counts[present])])
        raise DataError(
            f"{size} of {len(labels)} examples cannot be split off so that each class is on both "
            f"sides: class {fewest} has {counts[fewest]} of them; give more examples of it, leave "
            "the class out, or choose another fraction"
        )
    for label, count in zip(present, _shares(counts[present], size), strict=True):
        selected[rng.permutation(np.flatnonzero(labels == label))[:count]] = True


def _shares(counts: Int64[np.ndarray, " classes"], size: int) -> Int64[np.ndarray, " classes"]:
    """Return examples per class that sum to `size`, by largest remainders, within 1 to n - 1."""
    exact = counts * (size / counts.sum())
    shares = np.clip(np.floor(exact).astype(np.int64), 1, counts - 1)
    while shares.sum() != size:
        step = 1 if shares.sum() < size else -1
        free = (shares < counts - 1) if step > 0 else (shares > 1)
        short = np.where(free, step * (exact - shares), -np.inf)
        shares[np.argmax(short)] += step
    return np.asarray(shares)
