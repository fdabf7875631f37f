"""Shared style of the plots: distinguishable series, axes and labels."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import ceil, floor, log10
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float
from matplotlib import colormaps
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

# Okabe & Ito (2008): distinguishable with colour blindness; line styles and markers distinguish
# series in black and white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
STYLES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">", "h")
INK = "#333333"
Values = Float[np.ndarray, " n"]
GRID = 0.3
"""Opacity of grid lines."""


def axes(ax: Axes | None, width: float = 6.4, height: float = 4.0) -> Axes:
    """Return the given axes, or those of a new figure.

    Args:
        ax: the axes, or None.
        width: of a new figure, in inches.
        height: of a new figure, in inches.
    """
    if ax is None:
        _, ax = plt.subplots(figsize=(width, height), layout="constrained")
    return ax


def line(index: int) -> dict[str, Any]:
    """Return matplotlib's settings of a line; the first 28 differ in colour or line style."""
    return {
        "color": COLOURS[index % len(COLOURS)],
        "linestyle": STYLES[index % len(STYLES)],
        "marker": MARKERS[index % len(MARKERS)],
        # Few markers, offset from those of neighbouring lines.
        "markevery": (0.04 + 0.03 * (index % 4), 0.2),
        "markersize": 5,
    }


def steps(
    ax: Axes, index: int, label: str, x: Values, y: Values, band: tuple[Values, Values] | None
) -> None:
    """Draw a line as right-continuous steps, or a single point as a marker.

    Args:
        ax: the axes.
        index: of the line among those of the plot.
        label: of the line in the legend.
        x: ascending positions.
        y: the value from each position on.
        band: the lower and upper edge of a shaded band around the line, if any.
    """
    settings = line(index)
    if not np.ptp(x) and not np.ptp(y):
        settings["markevery"] = 1  # fractions of a line of length zero hold no marker
    ax.step(x, y, where="post", label=label, **settings)
    if band is not None:
        ax.fill_between(x, *band, step="post", color=settings["color"], alpha=0.2, linewidth=0)


def nothing(ax: Axes, reason: str = "nothing has succeeded yet") -> None:
    """Write into empty axes why they are empty.

    Args:
        ax: the axes.
        reason: the text.
    """
    ax.text(0.5, 0.5, reason, ha="center", va="center", color=INK, transform=ax.transAxes)


def words(name: str) -> str:
    """Return a name escaped so that matplotlib shows it literally.

    Matplotlib hides labels that begin with an underscore and typesets text between two dollar
    signs as a formula.
    """
    return f"{' ' if name.startswith('_') else ''}{name}".replace("$", r"\$")


def labels(names: Collection[str]) -> list[str]:
    """Return the label of each series; an empty name among several becomes '(no name)'."""
    return [words(name or ("(no name)" if len(names) > 1 else "")) for name in names]


def legend(ax: Axes, **settings: Any) -> None:
    """Add a legend if anything has a label."""
    if ax.get_legend_handles_labels()[0]:
        ax.legend(**settings)


def logarithmic(ax: Axes, lowest: float) -> None:
    """Make the vertical axis logarithmic with plain numbers, down to zero if the data have a zero.

    Negative values have no logarithm: with any in the data, the axis stays linear.

    Args:
        ax: axes with the data.
        lowest: the lowest positive value in the data; infinite if there is none.
    """
    low, high = ax.get_ylim()
    if ax.dataLim.y0 < 0 or not np.isfinite(lowest):
        return
    if ax.dataLim.y0 == 0:
        ax.set_yscale("symlog", linthresh=lowest, linscale=0.4)
        ax.set_ylim(-0.15 * lowest, high)
        ticks = _round_numbers(1.5 * lowest, high) or [lowest]
        ax.yaxis.set_major_locator(FixedLocator([0.0, *ticks]))
        ax.yaxis.set_minor_locator(NullLocator())
    else:
        ax.set_yscale("log")
        low, high = ax.get_ylim()
        narrow = high / low < 30  # matplotlib would label only one or two powers of ten
        ax.yaxis.set_major_locator(
            MaxNLocator(7, steps=[1, 2, 5, 10]) if narrow else LogLocator(subs=(1, 2, 5))
        )
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())


def percent(axis: Axis) -> None:
    """Show the fractions along an axis in percent."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g}%"))


def _round_numbers(low: float, high: float) -> list[float]:
    """Return 1, 2 and 5 times the powers of ten in a range; only the powers in a wide range."""
    first, last = floor(log10(low)), ceil(log10(high))
    digits = (1, 2, 5) if last - first <= 4 else (1,)
    numbers = [float(f"{digit}e{power}") for power in range(first, last + 1) for digit in digits]
    return [number for number in numbers if low <= number <= high]


def logarithmic_clock(ax: Axes, lowest: float) -> None:
    """Make the horizontal axis logarithmic, down to zero if the data have a zero.

    Args:
        ax: axes with the data.
        lowest: the lowest positive position in the data; infinite if there is none.
    """
    if not np.isfinite(lowest):
        return
    if ax.dataLim.x0 > 0:
        ax.set_xscale("log")
    elif ax.dataLim.x0 == 0:
        ax.set_xscale("symlog", linthresh=lowest, linscale=0.4)
        ax.set_xlim(left=-0.15 * lowest)


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


def star(ax: Axes, x: float, y: float, label: str) -> None:
    """Mark the most important point with a star.

    Args:
        ax: the axes.
        x: its horizontal position.
        y: its vertical position.
        label: of the star in the legend.
    """
    ax.scatter(
        [x], [y], s=180, marker="*", color=COLOURS[1], edgecolors="black", zorder=3, label=label
    )
    legend(ax)


def ink_on(shade: Sequence[float]) -> str:
    """Return the readable one of black and white on a colour (red, green, blue in [0, 1])."""
    red, green, blue = shade[:3]
    return "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "white"


def shades(count: int) -> list[tuple[float, float, float, float]]:
    """Return `count` shades from light to dark, distinguishable in greyscale too."""
    colours = colormaps["cividis_r"](np.linspace(0.05, 0.95, count) if count != 1 else [0.5])
    return [(float(r), float(g), float(b), float(a)) for r, g, b, a in colours]
