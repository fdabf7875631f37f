"""Anytime performance: the best result so far against what was spent on it."""

from __future__ import annotations

from matplotlib.axes import Axes

from bonas.analysis.sources import Runs, Sources
from bonas.analysis.trajectory import Clock, Regret
from bonas.plot.line_ends import label_ends
from bonas.plot.medians import Anytime
from bonas.plot.style import axes, legend, steps


def anytime(
    histories: Sources,
    ax: Axes | None = None,
    *,
    clock: Clock | None = None,
    label: str | None = None,
    log: bool = False,
    log_clock: bool = False,
    regret: Regret | None = None,
    band: tuple[float, float] = (0.25, 0.75),
) -> Axes:
    """Draw the lowest cost so far, or the regret, of one or several searches.

    The curves are right-continuous steps, from the moment at which all runs of a name have had a
    success; a run keeps its final value after its end. The names stand at the right ends of the
    lines where there is room, and in a legend otherwise.

    Args:
        histories: histories, searches or directories by name, or a comparison. Several of one name
            (seeds) are drawn as their median and a band.
        ax: the axes; by default a new figure.
        clock: the unit of the horizontal axis; by default epochs, or the clock of a comparison.
        label: of the vertical axis, with the unit if there is one; by default the measure of the
            cost, a fraction in percent, or the regret.
        log: makes the vertical axis logarithmic, with plain numbers at the ticks. With zeros in the
            data, it is linear below the lowest positive value; with negative values, everywhere.
        log_clock: makes the horizontal axis logarithmic; with a zero in the data, it is linear
            below the lowest positive time.
        regret: of a configuration, such as `table.regret`; if given, the regret of the incumbent
            is drawn instead of the lowest cost. By default the regret of a comparison, if known.
        band: the quantiles at the edges of the band.

    Raises:
        TypeError, JournalError: a source has no readable history.
    """
    compared = Runs.of(histories)
    clock, regret = clock or compared.clock, regret or compared.regret
    settings = Anytime(clock, regret, label, log, log_clock, band)
    ax = axes(ax)
    medians = settings.medians(compared)
    for each in medians:
        steps(ax, each.index, each.name, each.times, each.middle, each.band)
    settings.finish(ax, medians, compared)
    legend(ax, settings.explained(medians), named=not label_ends(ax))
    return ax
