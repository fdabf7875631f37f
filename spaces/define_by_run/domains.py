"""Domains of choices: a list, or a range of numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import BuiltinFunctionType, FunctionType
from typing import Any

import numpy as np
from ConfigSpace import Categorical, Float, Integer, OrdinalHyperparameter
from ConfigSpace.hyperparameters import Hyperparameter
from ConfigSpace.hyperparameters.hp_components import ROUND_PLACES

from spaces.space import SpaceError

MAX_TRIED = 64
"""Integer ranges of more values than this decide nothing: only some of their values are tried."""

GRID = 5
"""The values that are tried of a range of numbers that decides nothing."""


@dataclass(frozen=True)
class Options:
    """A list of values, or the names of alternatives.

    Attributes:
        values: all different; numbers in ascending order are treated as ordered.
    """

    values: tuple[Any, ...]

    @property
    def tried(self) -> tuple[Any, ...]:
        """The values that are tried to find out what they decide: all."""
        return self.values

    @property
    def decides(self) -> bool:
        """Whether other choices may depend on this one."""
        return True

    def hyperparameter(self, name: str) -> Hyperparameter[Any, Any]:
        """Return the hyperparameter of a name."""
        ascending = all(map(_is_number, self.values)) and list(self.values) == sorted(self.values)
        if ascending:
            return OrdinalHyperparameter(name, list(self.values))
        return Categorical(name, list(self.values))

    def value(self, hyperparameter: Hyperparameter[Any, Any], number: float) -> Any:
        """Return the value that stands in a configuration's vector as `number`.

        Args:
            hyperparameter: that of `hyperparameter`.
            number: the entry of the vector, a position in the list.
        """
        return self.values[round(number)]

    def __str__(self) -> str:
        """Return the list as it was written."""
        return f"[{', '.join(map(_text, self.values))}]"


@dataclass(frozen=True)
class Range:
    """The numbers from `low` to `high`, both included.

    Attributes:
        low: the smallest number, which is also the first one tried.
        high: the largest number.
        log: whether numbers are drawn and compared by their logarithms.
        whole: whether they are integers.
    """

    low: float
    high: float
    log: bool
    whole: bool

    @property
    def tried(self) -> tuple[float, ...]:
        """The values that are tried to find out what they decide; all if it may decide anything."""
        if self.decides:
            return tuple(range(int(self.low), int(self.high) + 1))
        grid = np.linspace(self.low, self.high, GRID)
        return tuple(int(value) if self.whole else float(value) for value in grid)

    @property
    def decides(self) -> bool:
        """Whether other choices may depend on this one."""
        return self.whole and self.high - self.low < MAX_TRIED

    def hyperparameter(self, name: str) -> Hyperparameter[Any, Any]:
        """Return the hyperparameter of a name."""
        if self.whole:
            return Integer(name, (int(self.low), int(self.high)), log=self.log)
        return Float(name, (float(self.low), float(self.high)), log=self.log)

    def value(self, hyperparameter: Hyperparameter[Any, Any], number: float) -> float:
        """Return the value that stands in a configuration's vector as `number`.

        Args:
            hyperparameter: that of `hyperparameter`.
            number: the entry of the vector, in the unit interval.
        """
        value = hyperparameter.to_value(number)
        # As ConfigSpace rounds, so that a configuration that is read back has the same values.
        return int(value) if self.whole else float(np.round(value, ROUND_PLACES))

    def __str__(self) -> str:
        """Return both ends, and the scale where it is logarithmic."""
        kind = "integers" if self.whole else "numbers"
        return f"{kind} {self.low:g} to {self.high:g}{', log' if self.log else ''}"


Domain = Options | Range


def options(name: str, choices: Sequence[Any] | Mapping[str, Any]) -> Domain:
    """Return the domain of a list, a range or the keys of a mapping.

    Args:
        name: of the choice, for messages.
        choices: as they were given to `pick`.

    Raises:
        SpaceError: there are none, two are equal, or one cannot be written down.
    """
    if not isinstance(choices, Sequence | Mapping) or isinstance(choices, str):
        raise SpaceError(
            f"{name!r} is picked from {choices!r}: give a list, a range, or a dictionary from "
            "names to functions that make a part; pick.integer and pick.real take ranges"
        )
    if isinstance(choices, range) and choices.step == 1 and len(choices) > 1:
        return Range(choices.start, choices.stop - 1, log=False, whole=True)
    values = tuple(v.item() if isinstance(v, np.generic) else v for v in choices)
    if not values:
        raise SpaceError(f"{name!r} has nothing to pick from: give 1 or more choices")
    for value in values:
        if not _can_be_written(value):
            raise SpaceError(
                f"{name!r} is picked from a list with {value!r}, which has no lasting name: "
                'give a dictionary, for instance {"conv": lambda: Block(width)}'
            )
    if len(set(map(_identity, values))) < len(values):
        raise SpaceError(f"{name!r} is picked from {values}, where two choices are equal")
    return Options(values)


def number_range(name: str, low: float, high: float, *, log: bool, whole: bool) -> Range:
    """Return the domain of a range of numbers.

    Args:
        name: of the choice, for messages.
        low: the smallest number.
        high: the largest number.
        log: whether its scale is logarithmic.
        whole: whether the numbers are integers.

    Raises:
        SpaceError: the range is empty, or has no logarithms.
    """
    if not low < high or not np.isfinite([low, high]).all():
        raise SpaceError(f"{name!r} ranges from {low} to {high}: give a lower and a higher end")
    if log and low <= 0:
        raise SpaceError(f"{name!r} ranges from {low} on a logarithmic scale: start above 0")
    if whole and (low != int(low) or high != int(high)):
        raise SpaceError(f"{name!r} ranges over integers from {low} to {high}: give whole ends")
    return Range(low, high, log, whole)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _can_be_written(value: object) -> bool:
    if isinstance(value, tuple):
        return all(map(_can_be_written, value))
    if isinstance(value, FunctionType | BuiltinFunctionType):
        return value.__name__ != "<lambda>"
    return value is None or isinstance(value, bool | int | float | str | type)


def _identity(value: object) -> tuple[type, object]:
    """Return what tells values apart: 1, 1.0 and True are three choices."""
    return type(value), value


def _text(value: object) -> str:
    return value.__name__ if isinstance(value, type | FunctionType) else repr(value)
