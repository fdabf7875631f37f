"""Anytime performance with a panel for each search."""

from __future__ import annotations

from math import ceil

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from bonas.analysis.sources import Runs, Sources
from bonas.analysis.trajectory import Clock, Regret
from bonas.plot.medians import Anytime
from bonas.plot.style import legend, steps
from spaces.display.palette import GREY

WIDTH, HEIGHT = 2.4, 2.2
"""Inches of a panel."""


def anytime_panels(
    histories: Sources,
    *,
    columns: int = 3,
    clock: Clock | None = None,
    label: str | None = None,
    log: bool = False,
    log_clock: bool = False,
    regret: Regret | None = None,
    band: tuple[float, float] = (0.25, 0.75),
) -> list[Axes]:
    """Draw `anytime` with a panel for each search, in which the other searches are grey.

    It suits four searches or more, whose bands would cover each other in one panel. All panels
    have the same axes.

    Args:
        histories: as for `anytime`.
        columns: the number of panels in a row.
        clock: as for `anytime`.
        label: as for `anytime`.
        log: as for `anytime`.
        log_clock: as for `anytime`.
        regret: as for `anytime`.
        band: as for `anytime`.

    Returns:
        The axes of each panel, in the order of the names; one empty panel if nothing succeeded.

    Raises:
        TypeError, JournalError: a source has no readable history.
        ValueError: `columns` is not above 0.
    """
    if columns < 1:
        raise ValueError(f"columns is {columns}: give the number of panels in a row, 1 or more")
    compared = Runs.of(histories)
    clock, regret = clock or compared.clock, regret or compared.regret
    settings = Anytime(clock, regret, label, log, log_clock, band)
    medians = settings.medians(compared)
    panels = _panels(max(len(medians), 1), columns)
    for number, (ax, each) in enumerate(zip(panels, medians, strict=False)):
        for other in medians:
            if other is not each:
                ax.step(other.times, other.middle, where="post", color=GREY, linewidth=0.9)
        steps(ax, each.index, each.name, each.times, each.middle, each.band)
        ax.set_title(each.name, fontsize=10)
        if number == 0:
            legend(ax, settings.explained(medians), named=False, fontsize=8)
    for ax in panels:
        settings.finish(ax, medians, compared)
        ax.label_outer()
    return panels


def _panels(count: int, columns: int) -> list[Axes]:
    """Return the axes of a new figure, which all share their scales and limits."""
    columns = min(columns, count)
    rows = ceil(count / columns)
    _, grid = plt.subplots(
        rows,
        columns,
        sharex=True,
        sharey=True,
        squeeze=False,
        figsize=(WIDTH * columns + 0.6, HEIGHT * rows + 0.4),
        layout="constrained",
    )
    panels: list[Axes] = list(grid.flat)
    for unused in panels[count:]:
        unused.remove()
    return panels[:count]
