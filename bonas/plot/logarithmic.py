"""Logarithmic axes with plain numbers at their ticks, between the powers of ten too."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, log10

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import (
    FixedLocator,
    FuncFormatter,
    LogLocator,
    MaxNLocator,
    NullFormatter,
    NullLocator,
)

NARROW = 5
"""Ratio of the ends of an axis below which 1, 2 and 5 times powers of ten are too few ticks."""

MANY_DECADES = 4
"""From here on only powers of ten have numbers."""


def logarithmic(ax: Axes, lowest: float) -> None:
    """Make the vertical axis logarithmic with plain numbers, down to zero if the data have a zero.

    Negative values have no logarithm: with any in the data, the axis stays linear.

    Args:
        ax: axes with the data.
        lowest: the lowest positive value in the data; infinite if there is none.
    """
    high = ax.get_ylim()[1]
    # Panels that share an axis share its scale.
    start = min(panel.dataLim.y0 for panel in ax.get_shared_y_axes().get_siblings(ax))
    if start < 0 or not np.isfinite(lowest):
        return
    if start == 0:
        ax.set_yscale("symlog", linthresh=lowest, linscale=0.4)
        ax.set_ylim(-0.15 * lowest, high)
        _numbers_from_zero(ax.yaxis, lowest, high)
    else:
        ax.set_yscale("log")
        _numbers(ax.yaxis, *ax.get_ylim())


def logarithmic_clock(ax: Axes, lowest: float) -> None:
    """Make the horizontal axis logarithmic, down to zero if the data have a zero.

    Args:
        ax: axes with the data.
        lowest: the lowest positive position in the data; infinite if there is none.
    """
    if not np.isfinite(lowest):
        return
    high = ax.get_xlim()[1]
    start = min(panel.dataLim.x0 for panel in ax.get_shared_x_axes().get_siblings(ax))
    if start > 0:
        ax.set_xscale("log")
        _numbers(ax.xaxis, *ax.get_xlim())
    elif start == 0:
        ax.set_xscale("symlog", linthresh=lowest, linscale=0.4)
        ax.set_xlim(-0.15 * lowest, high)
        _numbers_from_zero(ax.xaxis, lowest, high)


def plain_numbers(axis: Axis) -> None:
    """Write numbers at the major ticks, without powers of ten, and none at the minor ones."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def _numbers(axis: Axis, low: float, high: float) -> None:
    if high / low < NARROW:
        axis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
    elif high / low < 10**MANY_DECADES:
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    else:
        axis.set_major_locator(LogLocator())
    plain_numbers(axis)


def _numbers_from_zero(axis: Axis, lowest: float, high: float) -> None:
    ticks = _round_numbers(1.5 * lowest, high) or [lowest]
    axis.set_major_locator(FixedLocator([0.0, *ticks]))
    axis.set_minor_locator(NullLocator())
    plain_numbers(axis)


def _round_numbers(low: float, high: float) -> list[float]:
    """Return 1, 2 and 5 times the powers of ten in a range; only the powers in a wide range."""
    first, last = floor(log10(low)), ceil(log10(high))
    digits = (1, 2, 5) if last - first <= MANY_DECADES else (1,)
    numbers = [float(f"{digit}e{power}") for power in range(first, last + 1) for digit in digits]
    return [number for number in numbers if low <= number <= high]


def budget_axis(ax: Axes, budgets: Sequence[float]) -> None:
    """Put ticks at budgets, on a logarithmic horizontal axis if they grow at least eightfold.

    At most 8 budgets have ticks, the highest one among them.

    Args:
        ax: axes with the data.
        budgets: one or more, above zero.
    """
    ticks = sorted(budgets)[:: -ceil(len(budgets) / 8)]
    if max(budgets) >= 8 * min(budgets):
        logarithmic_clock(ax, min(budgets))
        ticks = [*ticks, 0.0] if ax.dataLim.x0 == 0 else ticks
    ax.xaxis.set_major_locator(FixedLocator(ticks))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_locator(NullLocator())
