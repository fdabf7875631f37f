"""Medians and bands of the best result so far, which all plots of anytime performance draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from bonas.analysis.sources import Runs
from bonas.analysis.trajectory import Clock, Regret, quantiles, trajectory
from bonas.plot.logarithmic import logarithmic, logarithmic_clock
from bonas.plot.style import GRID, Values, clock_axis, labels, nothing, percent


@dataclass(frozen=True, eq=False)
class Median:
    """The results of the runs of one name.

    Attributes:
        index: of the name among those of the plot.
        name: as a label.
        times: ascending, what had been spent.
        middle: the median from each time on.
        band: the lower and upper edge; None for a single run.
    """

    index: int
    name: str
    times: Values
    middle: Values
    band: tuple[Values, Values] | None


@dataclass(frozen=True)
class Anytime:
    """The settings of a plot of anytime performance, see `plot.anytime`.

    Attributes:
        clock: the unit of the horizontal axis.
        regret: of a configuration; None draws the lowest cost.
        label: of the vertical axis; None for the measure of the cost, or the regret.
        log: a logarithmic vertical axis.
        log_clock: a logarithmic horizontal axis.
        edges: the quantiles at the edges of the band.
    """

    clock: Clock
    regret: Regret | None
    label: str | None
    log: bool
    log_clock: bool
    edges: tuple[float, float]

    def medians(self, compared: Runs) -> list[Median]:
        """Return those of each name that has had a success."""
        found = []
        names = labels(compared.histories)
        for index, (name, runs) in enumerate(zip(names, compared.histories.values(), strict=True)):
            curves = [trajectory(run, self.clock, self.regret) for run in runs]
            curves = [curve for curve in curves if len(curve[0])]
            if curves:
                low, high = self.edges
                times, (lower, middle, upper) = quantiles(curves, (low, 0.5, high))
                band = (lower, upper) if len(curves) > 1 else None
                found.append(Median(index, name, times, middle, band))
        return found

    def finish(self, ax: Axes, medians: Sequence[Median], compared: Runs) -> None:
        """Label and scale axes with the lines of all medians.

        Args:
            ax: the axes.
            medians: that are drawn.
            compared: the searches.
        """
        own = f"lowest {compared.measure.name} so far"
        own = own if self.regret is None else "regret of the incumbent"
        ax.set_ylabel(own if self.label is None else self.label)
        clock_axis(ax, self.clock)
        ax.grid(alpha=GRID)
        if not medians:
            nothing(ax)
        if self.log:
            costs = [cost for each in medians for cost in each.middle if cost > 0]
            logarithmic(ax, min(costs, default=float("inf")))
        if self.log_clock:
            times = [time for each in medians for time in each.times if time > 0]
            logarithmic_clock(ax, min(times, default=float("inf")))
        if self.label is None and self.regret is None and compared.measure.fraction:
            percent(ax.yaxis)

    def explained(self, medians: Sequence[Median]) -> str:
        """Return the meaning of the bands for the legend; empty if there is none."""
        low, high = (f"{100 * edge:g}" for edge in self.edges)
        return f"{low}% to {high}% of seeds" if any(each.band for each in medians) else ""
