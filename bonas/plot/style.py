"""What several plots have in common: series that are told apart, and axes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import ceil, floor, log10
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.ticker import (
    FixedLocator,
    FuncFormatter,
    LogLocator,
    MaxNLocator,
    NullFormatter,
    NullLocator,
)

# Okabe & Ito (2008): told apart by colour-blind eyes; line styles and markers tell them apart in
# print.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
STYLES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">", "h")
INK = "#333333"
GRID = 0.3
"""Opacity of a grid."""


def axes(ax: Axes | None, width: float = 6.4, height: float = 4.0) -> Axes:
    """The given axes, or those of a new figure of so many inches."""
    if ax is None:
        _, ax = plt.subplots(figsize=(width, height), layout="constrained")
    return ax


def line(index: int) -> dict[str, Any]:
    """How to draw line number `index`: no two of the first 28 have the same colour and style."""
    return {
        "color": COLOURS[index % len(COLOURS)],
        "linestyle": STYLES[index % len(STYLES)],
        "marker": MARKERS[index % len(MARKERS)],
        # Few, and at other places than those of the next line.
        "markevery": (0.04 + 0.03 * (index % 4), 0.2),
        "markersize": 5,
    }


def steps(
    ax: Axes, index: int, label: str, x: Float[np.ndarray, " n"], y: Float[np.ndarray, " n"]
) -> None:
    """Draw line number `index` as right-continuous steps; at a single place it is a marker.

    Args:
        ax: where to draw.
        index: of the line among those of the plot.
        label: of the line in the legend.
        x: ascending.
        y: the value from each of them on.
    """
    drawn = line(index)
    if not np.ptp(x) and not np.ptp(y):
        drawn["markevery"] = 1  # a line of no length has no markers at parts of its length
    ax.step(x, y, where="post", label=label, **drawn)


def nothing(ax: Axes, reason: str = "nothing has succeeded yet") -> None:
    """Write into empty axes why they are empty."""
    ax.text(0.5, 0.5, reason, ha="center", va="center", color=INK, transform=ax.transAxes)


def words(name: str) -> str:
    """Return a name as matplotlib shows it: letter by letter, and never hidden.

    Matplotlib hides labels that begin with an underscore, and reads what is between two dollar
    signs as a formula.
    """
    return f"{' ' if name.startswith('_') else ''}{name}".replace("$", r"\$")


def labels(names: Collection[str]) -> list[str]:
    """Return the label of each series; several are told apart even where a name is empty."""
    return [words(name or ("(no name)" if len(names) > 1 else "")) for name in names]


def legend(ax: Axes, **settings: Any) -> None:
    """Add a legend if anything has a label."""
    if ax.get_legend_handles_labels()[0]:
        ax.legend(**settings)


def logarithmic(ax: Axes, lowest: float) -> None:
    """A logarithmic vertical axis with plain numbers; with a zero at its end if one is drawn.

    Negative values have no logarithm: where one is drawn, the axis stays linear.

    Args:
        ax: what is drawn already.
        lowest: of the values that are drawn and above zero; infinite if there are none.
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
        few = high / low < 30  # matplotlib's own ticks would be one or two powers of ten
        ax.yaxis.set_major_locator(
            MaxNLocator(7, steps=[1, 2, 5, 10]) if few else LogLocator(subs=(1, 2, 5))
        )
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())


def _round_numbers(low: float, high: float) -> list[float]:
    """1, 2 and 5 times the powers of ten in a range; the powers alone where it is wide."""
    first, last = floor(log10(low)), ceil(log10(high))
    digits = (1, 2, 5) if last - first <= 4 else (1,)
    every = [float(f"{digit}e{power}") for power in range(first, last + 1) for digit in digits]
    return [number for number in every if low <= number <= high]


def logarithmic_clock(ax: Axes, lowest: float) -> None:
    """Make the horizontal axis logarithmic; with a zero at its end if one is drawn.

    Args:
        ax: what is drawn already.
        lowest: of the places that are above zero; infinite if there are none.
    """
    if not np.isfinite(lowest):
        return
    if ax.dataLim.x0 > 0:
        ax.set_xscale("log")
    elif ax.dataLim.x0 == 0:
        ax.set_xscale("symlog", linthresh=lowest, linscale=0.4)
        ax.set_xlim(left=-0.15 * lowest)


def budget_axis(ax: Axes, budgets: Sequence[float]) -> None:
    """A horizontal axis with ticks at budgets, logarithmic if they grow at least eightfold.

    Of many budgets a few have ticks, the last one among them.

    Args:
        ax: what is drawn already.
        budgets: one or more, above zero.
    """
    kept = sorted(budgets)[:: -ceil(len(budgets) / 8)]
    if max(budgets) >= 8 * min(budgets):
        logarithmic_clock(ax, min(budgets))
        kept = [*kept, 0.0] if ax.dataLim.x0 == 0 else kept
    ax.xaxis.set_major_locator(FixedLocator(kept))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_locator(NullLocator())


def star(ax: Axes, x: float, y: float, label: str) -> None:
    """Marks the point that matters most."""
    ax.scatter(
        [x], [y], s=180, marker="*", color=COLOURS[1], edgecolors="black", zorder=3, label=label
    )
    legend(ax)


def ink_on(shade: Sequence[float]) -> str:
    """Black or white, whichever can be read on a colour (red, green, blue within [0, 1])."""
    red, green, blue = shade[:3]
    return "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "white"


def shades(count: int) -> list[tuple[float, float, float, float]]:
    """So many shades from light to dark, which differ in grey as they do in colour."""
    found = colormaps["cividis_r"](np.linspace(0.05, 0.95, count) if count != 1 else [0.5])
    return [(float(r), float(g), float(b), float(a)) for r, g, b, a in found]
