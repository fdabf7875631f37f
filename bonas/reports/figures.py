"""Figures of the page: SVG in the colours of the page, without references outside it."""

from __future__ import annotations

import io
import re
from typing import Any

from fidelity.history.history import History
from spaces.architecture.architecture import Architecture
from spaces.display.html import Html, element
from spaces.display.svg import svg

INK = "#123456"
"""A placeholder, replaced by the text colour of the page, which may be light or dark."""

SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "bonas",  # makes the element identifiers reproducible
    "font.family": "sans-serif",
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def anytime_svg(history: History) -> Html:
    """Return the curve of the lowest cost so far, or a sentence if nothing has succeeded."""
    if history.incumbent is None:
        return element("p", "Nothing has succeeded yet.", class_="soft")
    import matplotlib
    from matplotlib.figure import Figure

    from bonas import plot
    from bonas.plot.style import COLOURS

    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(8, 3.4), layout="constrained")
        ax = figure.subplots()
        plot.anytime({"this search": history}, ax)
        ax.set_xlabel("budget spent")
        if (legend := ax.get_legend()) is not None:
            legend.remove()
        ax.lines[0].set(marker="o", markersize=3)  # a single evaluation has no line
        file = io.StringIO()
        no_metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(file, format="svg", transparent=True, metadata=no_metadata)
    drawn = file.getvalue()
    # Inline SVG needs neither XML declarations nor schema names.
    drawn = drawn[drawn.index("<svg") :].replace(INK, "currentColor")
    drawn = drawn.replace(COLOURS[0].lower(), "var(--accent)")
    drawn = re.sub(r"\s*<metadata>.*?</metadata>", "", drawn, flags=re.DOTALL)
    return element(
        "div", _named(drawn, f"Lowest {history.goal.measure.name} so far"), class_="figure"
    )


def picture(architecture: Architecture) -> Html:
    """Return a drawing of the canonical graph of an architecture."""
    drawn = _named(svg(architecture.canonical()), "Architecture of the best network")
    return element("div", drawn, class_="figure picture")


def _named(drawn: str, name: str) -> Html:
    """Return inline SVG with a name for screen readers, without the namespaces of files."""
    drawn = re.sub(r' xmlns(:\w+)?="[^"]*"', "", drawn).replace("xlink:href", "href")
    return Html(drawn.replace("<svg", f'<svg role="img" aria-label="{name}"', 1))
