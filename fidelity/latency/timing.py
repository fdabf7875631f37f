"""The results of a latency measurement."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


def checked(seconds: float, what: str) -> float:
    """Return a latency after a check: it is finite and not negative.

    Args:
        seconds: the latency.
        what: what it is the latency of, for the message.

    Raises:
        ValueError: it is negative, NaN or infinite.
    """
    if not (seconds >= 0 and math.isfinite(seconds)):
        raise ValueError(
            f"{what} is {seconds} seconds: a latency is a finite number of seconds, 0 or more; "
            "measure it again"
        )
    return seconds


@dataclass(frozen=True)
class Timing:
    """The median and the quartiles of repeated measurements.

    The median, because disturbances on a shared machine only ever add to a measurement.

    Attributes:
        median: in seconds.
        lower: the first quartile, in seconds.
        upper: the third quartile, in seconds.
        repeats: the number of measurements.

    Raises:
        ValueError: a number is negative, NaN or infinite, out of order, or there is none.
    """

    median: float
    lower: float
    upper: float
    repeats: int

    def __post_init__(self) -> None:
        """Check ranges and order."""
        if self.repeats < 1:
            raise ValueError(f"a timing of {self.repeats} repeats: at least 1 is needed")
        for name in ("lower", "median", "upper"):
            checked(getattr(self, name), f"the {name} of a timing")
        if not self.lower <= self.median <= self.upper:
            raise ValueError(
                f"the quartiles {self.lower} and {self.upper} do not enclose the median "
                f"{self.median}"
            )

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Timing:
        """Return the timing of these measurements, in seconds.

        Raises:
            ValueError: there is none, or one is negative, NaN or infinite.
        """
        if not len(seconds):
            raise ValueError("a timing of 0 repeats: at least 1 is needed")
        for value in seconds:
            checked(value, "a repeat")
        lower, median, upper = np.quantile(seconds, [0.25, 0.5, 0.75])
        return cls(float(median), float(lower), float(upper), len(seconds))

    @property
    def spread(self) -> float:
        """The interquartile range as a fraction of the median; 0 if the median is 0."""
        return (self.upper - self.lower) / self.median if self.median else 0.0
