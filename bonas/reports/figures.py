"""Figures of the page: SVG that takes the colours of the page and names nothing outside it."""

from __future__ import annotations

import io
import re
from typing import Any

from fidelity.history.history import History
from spaces.architecture.architecture import Architecture
from spaces.display.html import Html, element
from spaces.display.svg import svg

INK = "#123456"
"""What matplotlib draws in this colour gets that of the page's text, be the page light or dark."""

SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "bonas",  # or the names of its parts would differ each time
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
    """The lowest cost so far against what was spent, and a sentence where there is none."""
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
        ax.set_xlabel("budget spent (epochs, where it counts them)")
        if (legend := ax.get_legend()) is not None:
            legend.remove()
        ax.lines[0].set(marker="o", markersize=3)  # one evaluation alone would be no line
        written = io.StringIO()
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(written, format="svg", transparent=True, metadata=nothing)
    drawn = written.getvalue()
    # Within a page neither the declarations nor the names of schemas are needed.
    drawn = drawn[drawn.index("<svg") :].replace(INK, "currentColor")
    drawn = drawn.replace(COLOURS[0].lower(), "var(--accent)")
    drawn = re.sub(r"\s*<metadata>.*?</metadata>", "", drawn, flags=re.DOTALL)
    return element("div", _named(drawn, "Lowest cost so far"), class_="figure")


def picture(architecture: Architecture) -> Html:
    """What remains of the graph of an architecture."""
    drawn = _named(svg(architecture.canonical()), "The architecture of the incumbent")
    return element("div", drawn, class_="figure picture")


def _named(drawn: str, name: str) -> Html:
    """Inline SVG with a name for screen readers, without the namespaces that only files need."""
    drawn = re.sub(r' xmlns(:\w+)?="[^"]*"', "", drawn).replace("xlink:href", "href")
    return Html(drawn.replace("<svg", f'<svg role="img" aria-label="{name}"', 1))
