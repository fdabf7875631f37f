"""Smaller networks: fewer channels, or fewer cells, of the same architecture."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

import numpy as np

from fidelity.axes.axis import AxisError
from fidelity.training.training import Training
from spaces.joint import JointSpace
from spaces.space import Space


@dataclass(frozen=True)
class Width:
    """The channels of a network's first stage, from which those of the others follow.

    Each width is trained from scratch, although weights of a narrow network could be carried over
    into a wide one (Chen et al. 2016, "Net2Net", ICLR).

    Cost model: the square of the channels. The first convolution, whose input is the image, and
    depthwise convolutions grow only with the channels themselves.

    Attributes:
        field: the field of the space that holds the channels.
    """

    field: str = "channels"

    def size(self, training: Training) -> float:
        """Return the channels that the space builds with."""
        return _size(training.space, self.field)

    def exponent(self, training: Training) -> float:
        """Return 2."""
        return 2

    def apply(self, training: Training, size: float) -> Training:
        """See `Axis`; the size is a number of channels, rounded to a whole one."""
        return _resized(training, self.field, size)


@dataclass(frozen=True)
class Depth:
    """The number of cells per stage or, in `DartsSpace`, in all.

    Each depth is trained from scratch, although weights of a shallow network could be carried over
    into a deep one whose new cells start as the identity (Chen et al. 2016, "Net2Net", ICLR).

    Cost model: proportional to the cells; the layers between and around them do not change.

    Attributes:
        field: the field of the space that holds the number of cells.
    """

    field: str = "cells"

    def size(self, training: Training) -> float:
        """Return the cells that the space builds with."""
        return _size(training.space, self.field)

    def exponent(self, training: Training) -> float:
        """Return 1."""
        return 1

    def apply(self, training: Training, size: float) -> Training:
        """See `Axis`; the size is a number of cells, rounded to a whole one."""
        return _resized(training, self.field, size)


def _size(space: Space, field: str) -> float:
    if isinstance(space, JointSpace):
        return _size(space.space, field)
    size = getattr(space, field) if field in _fields(space) else None
    if not isinstance(size, int | np.integer) or isinstance(size, bool):
        numbers = [f for f in _fields(space) if type(getattr(space, f)) is int]
        raise AxisError(
            f"{type(space).__name__} has no field '{field}' that holds a whole number, so that "
            "its networks cannot be made smaller by it: "
            + (f"name one of {', '.join(numbers)}, or " if numbers else "")
            + "choose another axis"
        )
    return int(size)


def _fields(space: Space) -> list[str]:
    return [f.name for f in fields(space)] if is_dataclass(space) else []


def _resized(training: Training, field: str, size: float) -> Training:
    whole = max(1, round(size))
    if whole == _size(training.space, field):
        return training
    return replace(training, space=_with(training.space, field, whole))


def _with(space: Space, field: str, size: int) -> Space:
    if isinstance(space, JointSpace):
        return replace(space, space=_with(space.space, field, size))
    settings: Any = {field: size}
    resized: Space = replace(space, **settings)  # type: ignore[type-var]  # _size has checked
    if resized.configuration_space != space.configuration_space:
        raise AxisError(
            f"'{field}' of {type(space).__name__} changes what there is to choose, so that a "
            f"configuration means nothing at {field} = {size}: choose another field or axis"
        )
    return resized
