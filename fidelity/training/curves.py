"""Learning-rate curves: the share of the peak learning rate at each step of a training.

A curve depends on the position alone, so that a training that stops and resumes follows the same
one as a training that never stopped.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


class Curve(Protocol):
    """A learning-rate curve."""

    def __call__(self, step: int, steps: int) -> float:
        """Return the share of the peak learning rate, in [0, 1].

        Args:
            step: counted from 0.
            steps: of a full training run.
        """
        ...


@dataclass(frozen=True)
class Constant:
    """A linear warm-up, then the peak.

    Attributes:
        warm_up: the fraction of all steps in which the learning rate rises, in [0, 1).
    """

    warm_up: float = 0.0

    def __post_init__(self) -> None:
        """Check the settings."""
        _check(self.warm_up)

    def __call__(self, step: int, steps: int) -> float:
        """See `Curve`."""
        return _warmed_up(self.warm_up, step, steps, lambda progress: 1.0)


@dataclass(frozen=True)
class Cosine:
    """A linear warm-up, then half a period of a cosine.

    Source: Loshchilov and Hutter (2017), "SGDR", ICLR; the warm-up: Goyal et al. (2017),
    arXiv:1706.02677.

    Attributes:
        warm_up: the fraction of all steps in which the learning rate rises, in [0, 1).
    """

    warm_up: float = 0.0

    def __post_init__(self) -> None:
        """Check the settings."""
        _check(self.warm_up)

    def __call__(self, step: int, steps: int) -> float:
        """See `Curve`."""
        return _warmed_up(self.warm_up, step, steps, lambda p: (1 + math.cos(math.pi * p)) / 2)


@dataclass(frozen=True)
class Linear:
    """A linear warm-up, then a linear fall to 0.

    Attributes:
        warm_up: the fraction of all steps in which the learning rate rises, in [0, 1).
    """

    warm_up: float = 0.0

    def __post_init__(self) -> None:
        """Check the settings."""
        _check(self.warm_up)

    def __call__(self, step: int, steps: int) -> float:
        """See `Curve`."""
        return _warmed_up(self.warm_up, step, steps, lambda progress: 1 - progress)


@dataclass(frozen=True)
class OneCycle:
    """A rise along a cosine from a low learning rate, then a fall along a cosine to almost 0.

    Source: Smith and Topin (2019), "Super-convergence", arXiv:1708.07120.

    Attributes:
        warm_up: the fraction of all steps in which the learning rate rises, in [0, 1).
        start: the share of the peak at the beginning, in (0, 1].
        end: the share of the peak at the end, in [0, 1].
    """

    warm_up: float = 0.3
    start: float = 0.04
    end: float = 4e-6

    def __post_init__(self) -> None:
        """Check the settings."""
        _check(self.warm_up)
        if not 0 < self.start <= 1 or not 0 <= self.end <= 1:
            raise ValueError(
                f"start and end are {self.start} and {self.end}: they are shares of the peak, "
                "between 0 and 1"
            )

    def __call__(self, step: int, steps: int) -> float:
        """See `Curve`."""
        rising = round(self.warm_up * steps)
        if step < rising:
            return _between(self.start, 1.0, (step + 1) / rising)
        return _between(1.0, self.end, (step - rising) / (steps - rising))


def _warmed_up(warm_up: float, step: int, steps: int, fall: Callable[[float], float]) -> float:
    """Return a linear rise to the peak, then what `fall` makes of the progress, in [0, 1)."""
    rising = round(warm_up * steps)
    if step < rising:
        return (step + 1) / rising
    return fall((step - rising) / (steps - rising))


def _between(first: float, last: float, progress: float) -> float:
    """Return the point of half a period of a cosine from one value to another."""
    return last + (first - last) * (1 + math.cos(math.pi * progress)) / 2


def _check(warm_up: float) -> None:
    if not 0 <= warm_up < 1:
        raise ValueError(f"warm_up is {warm_up}: it must be in [0, 1)")
