"""What several plots have in common: series that are told apart, and axes."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import (
    FuncFormatter,
    LogLocator,
    MaxNLocator,
    NullFormatter,
    SymmetricalLogLocator,
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


def logarithmic(ax: Axes, lowest: float) -> None:
    """A logarithmic vertical axis with plain numbers; with a zero at its end if one is drawn.

    Args:
        ax: what is drawn already.
        lowest: of the values that are drawn and above zero.
    """
    low, high = ax.get_ylim()
    if min(ax.dataLim.y0, low) <= 0 and ax.dataLim.y0 <= 0:
        ax.set_yscale("symlog", linthresh=lowest, linscale=0.4)
        ax.set_ylim(bottom=-0.15 * lowest)
        ax.yaxis.set_major_locator(SymmetricalLogLocator(base=10, linthresh=lowest, subs=(1, 2, 5)))
    else:
        ax.set_yscale("log")
        low, high = ax.get_ylim()
        few = high / low < 30  # matplotlib's own ticks would be one or two powers of ten
        ax.yaxis.set_major_locator(
            MaxNLocator(7, steps=[1, 2, 5, 10]) if few else LogLocator(subs=(1, 2, 5))
        )
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())
