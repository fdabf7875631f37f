"""Shared style of the plots: distinguishable series, axes and labels."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import to_rgba
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from bonas.analysis.trajectory import LABELS, Clock
from spaces.display.palette import BLACK, BLUE, GREEN, GREY, INK, ORANGE, PINK, SKY, VERMILION

# Line styles and markers distinguish series in black and white.
COLOURS = (BLUE, VERMILION, GREEN, PINK, ORANGE, SKY, BLACK)
STYLES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">", "h")
Values = Float[np.ndarray, " n"]
GRID = 0.3
"""Opacity of grid lines."""

BAND_FILL, BAND_EDGE = 0.1, 0.6
"""Opacity inside a band and width of its edge in points: bands that overlap stay visible."""


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
        colour = settings["color"]
        ax.fill_between(
            x,
            *band,
            step="post",
            facecolor=to_rgba(colour, BAND_FILL),
            edgecolor=to_rgba(colour, 0.7),
            linewidth=BAND_EDGE,
            zorder=1.5,
        )


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


def legend(ax: Axes, band: str = "", *, named: bool = True, **settings: Any) -> None:
    """Add a legend if anything has a label or is explained.

    Args:
        ax: the axes.
        band: the meaning of shaded bands, if there are any.
        named: whether the legend names the lines; otherwise their ends are labelled.
        settings: of matplotlib's legend.
    """
    handles, names = ax.get_legend_handles_labels() if named else ([], [])
    if band:
        handles.append(Patch(facecolor=GREY, edgecolor=INK, linewidth=BAND_EDGE, alpha=0.5))
        names.append(f"band: {band}")
    if handles:
        # Matplotlib warns of its own default if the search for the best place takes a second.
        ax.legend(handles, names, **{"loc": "best", **settings})


def clock_axis(ax: Axes, clock: Clock) -> None:
    """Label the horizontal axis with a clock; evaluations have ticks at whole numbers only.

    Args:
        ax: the axes.
        clock: the unit.
    """
    ax.set_xlabel(LABELS[clock])
    if clock == "evaluations":
        ax.xaxis.set_major_locator(
            MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True, min_n_ticks=1)
        )


def percent(axis: Axis) -> None:
    """Show the fractions along an axis in percent."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g}%"))


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
