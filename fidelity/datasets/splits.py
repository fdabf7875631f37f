"""Ways to split examples into training, validation and test parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from jaxtyping import Bool, Int64

from fidelity.datasets.split import Labels, drawn
from fidelity.tasks.classes import few
from fidelity.tasks.task import DataError

Positions = Int64[np.ndarray, " selected"]
"""Positions of examples, in ascending order unless the user gave them otherwise."""


@dataclass(frozen=True, eq=False)
class Examples:
    """The examples to split.

    Attributes:
        count: their number.
        strata: the class of each example; None where there are no classes.
        validation: the number of examples of the validation part; 0 if it is given apart.
        test: the number of examples of the test part; 0 if it is given apart.
    """

    count: int
    strata: Labels | None
    validation: int
    test: int


@dataclass(frozen=True, eq=False)
class Division:
    """The positions of the examples of each part; those of a part given apart are empty."""

    train: Positions
    validation: Positions
    test: Positions


class Split(Protocol):
    """A way to split examples into three parts. One of your own is a class with this method."""

    def divide(self, examples: Examples, rng: np.random.Generator) -> Division:
        """Return the positions of each part.

        Args:
            examples: to split.
            rng: draws, where the split is random.

        Raises:
            DataError: these examples cannot be split in this way.
        """
        ...


Choice = Callable[[Positions, int], Bool[np.ndarray, " positions"]]
"""Which of the examples at these positions are split off, given the number wanted."""


def _divided(examples: Examples, choose: Choice) -> Division:
    """Split off the test part, then the validation part from the rest."""
    rest, parts = np.arange(examples.count), []
    for size in (examples.test, examples.validation):
        mask = choose(rest, size) if size else np.zeros(len(rest), dtype=bool)
        parts.append(rest[mask])
        rest = rest[~mask]
    return Division(rest, parts[1], parts[0])


@dataclass(frozen=True)
class Stratified:
    """A random split in which each part has the same share of each class."""

    def divide(self, examples: Examples, rng: np.random.Generator) -> Division:
        """See `Split`."""
        strata = examples.strata

        def choose(rest: Positions, size: int) -> Bool[np.ndarray, " positions"]:
            return drawn(len(rest), size, rng, None if strata is None else strata[rest])

        return _divided(examples, choose)


STRATIFIED = Stratified()
"""The default split."""


@dataclass(frozen=True, eq=False)
class ByGroup:
    """A random split in which all examples of a group are in the same part.

    Groups are drawn until the part is as near to the requested size as whole groups allow; classes
    are not kept in proportion.

    Attributes:
        groups: of each example, such as a patient or a speaker, in numbers or text.
    """

    groups: Any

    def divide(self, examples: Examples, rng: np.random.Generator) -> Division:
        """See `Split`."""
        groups = np.unique(_per_example(self.groups, examples, "groups"), return_inverse=True)[1]

        def choose(rest: Positions, size: int) -> Bool[np.ndarray, " positions"]:
            counts = np.bincount(groups[rest])
            order = rng.permutation(np.flatnonzero(counts))
            if len(order) < 2:
                raise DataError(
                    f"{len(order)} group is left to split in two: ByGroup needs a group for each "
                    f"part, but there are {len(np.unique(groups))} groups in all"
                )
            sizes = np.cumsum(counts[order])[:-1]  # at least one group is left
            taken = order[: int(np.argmin(np.abs(sizes - size))) + 1]
            return np.isin(groups[rest], taken)

        return _divided(examples, choose)


@dataclass(frozen=True, eq=False)
class ByTime:
    """A split by time: the latest examples are the test part, those before them validation.

    Examples of the same time are in the same part, which may therefore be larger than requested.

    Attributes:
        times: of each example: numbers or dates.
    """

    times: Any

    def divide(self, examples: Examples, rng: np.random.Generator) -> Division:
        """See `Split`."""
        times = _per_example(self.times, examples, "times")
        if times.dtype.kind not in "iufM":
            raise DataError(
                f"the times are {times.dtype}: expected numbers or dates; for text that is "
                "pandas.to_datetime(times)"
            )

        def choose(rest: Positions, size: int) -> Bool[np.ndarray, " positions"]:
            ranked = np.sort(times[rest])
            latest: Bool[np.ndarray, " positions"] = times[rest] >= ranked[-min(size, len(ranked))]
            if latest.all():
                raise DataError(
                    f"the latest {size} of {len(rest)} examples have the same time as all others, "
                    f"{ranked[0]}: nothing earlier is left to train on"
                )
            return latest

        return _divided(examples, choose)


@dataclass(frozen=True, eq=False)
class Fixed:
    """A split that you give; the fractions do not count.

    Attributes:
        train: the positions of the training examples, counted from 0.
        validation: likewise of the validation part; empty if it is given apart.
        test: likewise of the test part.
    """

    train: Any
    validation: Any
    test: Any

    def divide(self, examples: Examples, rng: np.random.Generator) -> Division:
        """See `Split`."""
        parts = []
        for name in ("train", "validation", "test"):
            apart = name != "train" and not getattr(examples, name)
            parts.append(_checked(getattr(self, name), name, examples.count, apart))
        values, counts = np.unique(np.concatenate(parts), return_counts=True)
        if (counts > 1).any():
            raise DataError(
                f"Fixed has example {few(values[counts > 1].tolist())} more than once: each "
                "belongs to one part at most"
            )
        return Division(*parts)


def _checked(positions: Any, name: str, count: int, apart: bool) -> Positions:
    """Return the positions of a part of `Fixed`; `apart` if the part is given as arrays."""
    array = np.asarray(positions)
    if apart and array.size:
        raise DataError(
            f"the {name} part is given apart, and Fixed has {array.size} examples for it: leave "
            f"one of them out, for instance {name}=()"
        )
    if array.size == 0 and apart:
        return np.zeros(0, np.int64)
    if array.ndim != 1 or not array.size or array.dtype.kind not in "iu":
        raise DataError(
            f"the {name} positions of Fixed are {array.dtype} of shape {array.shape}: expected "
            "integers, one per example of the part; for a mask that is numpy.flatnonzero(mask)"
        )
    outside = array[(array < 0) | (array >= count)]
    if outside.size:
        raise DataError(
            f"the {name} positions of Fixed include {few(outside.tolist())}: there are {count} "
            f"examples, at 0 to {count - 1}"
        )
    return array.astype(np.int64)


def _per_example(values: Any, examples: Examples, name: str) -> np.ndarray:
    """Return one value per example, none of them missing."""
    array = np.asarray(values)
    if array.shape != (examples.count,):
        raise DataError(
            f"the {name} have the shape {array.shape}: expected one for each of the "
            f"{examples.count} examples"
        )
    missing = np.flatnonzero(array != array)  # NaN and NaT alone differ from themselves
    if array.dtype.kind == "O":
        missing = np.array([i for i, v in enumerate(array) if v is None or v != v], np.int64)
        array = array.astype(str)
    if missing.size:
        raise DataError(
            f"the {name} of example {few(missing.tolist())} are missing: leave these examples out"
        )
    return array
