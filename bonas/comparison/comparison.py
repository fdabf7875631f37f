"""The results of a comparison, as a frame, a table, tests and plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np

from bonas.analysis.sources import Runs
from bonas.analysis.trajectory import (
    Clock,
    Curve,
    Regret,
    incumbents,
    lowest_costs,
    reached,
    regrets,
    times,
    trajectory,
)
from bonas.comparison.setup import ComparisonError
from bonas.comparison.significance import Significance
from bonas.comparison.statistics import Blocks, bootstrap_mean, ranks
from fidelity.history.history import History

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Comparison:
    """Runs of several setups with the same seeds.

    The measure is the regret of the incumbent where the objective knows it, else the lowest cost so
    far (see `bonas.analysis.trajectory`). Failed runs are left out, which may flatter a setup that
    fails on hard problems: look at `failures` first.

    Attributes:
        runs: the history of each run that succeeded, by name and seed.
        failures: the traceback of each run that failed, by name and seed.
        clock: the limit of the runs, which is the axis of their plots.
        regret: the cost of a network above that of the best one; None if it is unknown.
    """

    runs: Mapping[str, Mapping[int, History]]
    failures: Mapping[tuple[str, int], str]
    clock: Clock
    regret: Regret | None = None

    @property
    def measure(self) -> str:
        """The compared quantity: 'regret', or for instance 'lowest cost' or 'lowest error'."""
        return f"lowest {Runs.of(self).measure.name}" if self.regret is None else "regret"

    @property
    def histories(self) -> dict[str, list[History]]:
        """The runs of each setup, in the order of their seeds."""
        return {name: list(runs.values()) for name, runs in self.runs.items()}

    @property
    def paired(self) -> dict[str, list[History]]:
        """The runs that tests compare: of the seeds with which every setup has a result."""
        names, seeds, _ = self._blocks()
        return {name: [self.runs[name][seed] for seed in seeds] for name in names}

    def frame(self) -> pd.DataFrame:
        """Return one row per evaluation.

        Returns:
            The columns 'name' and 'seed' of the run; 'trial', 'budget', 'status' and 'cost'; the
            totals so far: 'evaluations', 'epochs', 'seconds'; and the results so far: the 'lowest'
            cost at any budget, the cost of the 'incumbent' at the highest budget, and its 'regret'
            if it is known. Missing costs are infinite.
        """
        import pandas as pd

        frames = [
            pd.DataFrame({"name": name, "seed": seed} | self._columns(history))
            for name, runs in self.runs.items()
            for seed, history in runs.items()
        ]
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()

    def _columns(self, history: History) -> dict[str, Any]:
        best = incumbents(history)
        columns: dict[str, Any] = {
            "trial": [e.trial.number for e in history.evaluations],
            "budget": [e.trial.budget for e in history.evaluations],
            "status": [str(e.status) for e in history.evaluations],
            "cost": [e.cost for e in history.evaluations],
            "evaluations": times(history, "evaluations").astype(int),
            "epochs": times(history, "epochs"),
            "seconds": times(history, "seconds"),
            "lowest": lowest_costs(history),
            "incumbent": [np.inf if e is None else e.cost for e in best],
        }
        if self.regret is not None:
            columns["regret"] = regrets(history, self.regret)
        return columns

    def table(
        self,
        *,
        target: float | None = None,
        clock: Clock | None = None,
        confidence: float = 0.95,
        rng: np.random.Generator | None = None,
    ) -> pd.DataFrame:
        """Return one row per setup with the final results of its runs; lower is better.

        Args:
            target: the value to reach; by default the median of the baseline's final results.
            clock: of the time to the target; by default the limit of the runs.
            confidence: level of the interval.
            rng: of the bootstrap; by default seeded with 0.

        Returns:
            The columns 'runs' and 'failed', their numbers; 'mean', and 'low' and 'high', the
            bounds of its bootstrap confidence interval; 'median'; 'rank', the rank among all
            setups, from 1, averaged over the seeds; 'time', when half of the runs had reached the
            target (infinite if they never did); 'speed-up', the time of the baseline (the first
            setup) divided by that time.

        Raises:
            ComparisonError: no run has a result.
        """
        import pandas as pd

        curves = self._curves(clock or self.clock)
        names, seeds, blocks = self._blocks()
        mean_ranks = dict(zip(names, ranks(blocks).mean(axis=0), strict=True)) if seeds else {}
        ends = {name: np.array([values[-1] for _, values in of]) for name, of in curves.items()}
        first = next(iter(self.runs))
        goal = float(np.median(ends[first])) if target is None and first in ends else target
        rows = []
        for name in self.runs:
            failed = sum(failure == name for failure, _ in self.failures)
            row: dict[str, float] = {"runs": len(self.runs[name]), "failed": failed}
            if name in ends:
                generator = np.random.default_rng(0) if rng is None else rng
                low, high = bootstrap_mean(ends[name], confidence, generator)
                row |= {"mean": float(ends[name].mean()), "low": low, "high": high}
                row |= {"median": float(np.median(ends[name])), "rank": mean_ranks.get(name, nan)}
                row |= {"time": _time(curves[name], goal)}
            rows.append(row)
        frame = pd.DataFrame(rows, index=pd.Index(list(self.runs), name=self.measure))
        with np.errstate(invalid="ignore"):  # no run reached it
            frame["speed-up"] = frame["time"].iloc[0] / frame["time"]
        return frame

    def test(self, alpha: float = 0.05) -> Significance:
        """Test which differences between the final results are significant.

        Friedman's test of all setups and Nemenyi's critical difference of their mean ranks
        (Demšar 2006), and Wilcoxon's signed-rank test of each pair with Holm's correction. Only
        seeds with which every setup has a result count.

        Args:
            alpha: the significance level.

        Raises:
            ComparisonError: there are fewer than two setups or two such seeds.
        """
        names, seeds, blocks = self._blocks()
        if len(names) < 2 or len(seeds) < 2:
            raise ComparisonError(
                f"a test needs 2 setups with results and 2 seeds of all of them, but there are "
                f"{len(names)} and {len(seeds)}: compare more, or look at the failures"
            )
        return Significance.of(names, blocks, alpha)

    def plot(self, ax: Axes | None = None, *, clock: Clock | None = None, log: bool = True) -> Axes:
        """Plot the median and quartiles over time: see `bonas.plot.anytime`.

        Args:
            ax: to draw on; None makes a new one.
            clock: of the horizontal axis; by default the limit of the runs.
            log: use logarithmic axes.
        """
        from bonas import plot

        return plot.anytime(self, ax, clock=clock, log=log)

    def plot_ranks(self, ax: Axes | None = None, *, clock: Clock | None = None) -> Axes:
        """Plot mean ranks over time, of the seeds that tests compare: see `bonas.plot.mean_rank`.

        Args:
            ax: to draw on; None makes a new one.
            clock: of the horizontal axis; by default the limit of the runs.

        Raises:
            ValueError: there are fewer than two setups with results, or no such seed.
        """
        from bonas import plot

        return plot.mean_rank(self, ax, clock=clock)

    def _repr_html_(self) -> str:
        return str(self.table().to_html())

    def _curves(self, clock: Clock) -> dict[str, list[Curve]]:
        """Return the trajectories of the runs with a result."""
        curves = {
            name: [
                curve
                for history in runs.values()
                if len((curve := trajectory(history, clock, self.regret))[0])
            ]
            for name, runs in self.runs.items()
        }
        if not any(curves.values()):
            raise ComparisonError(
                "no run has a result: look at `failures`, and at the histories in `runs`"
            )
        return {name: of for name, of in curves.items() if of}

    def _blocks(self) -> tuple[tuple[str, ...], list[int], Blocks]:
        """Return names, seeds and final results, of the seeds with which every setup has one."""
        names = tuple(name for name, runs in self.runs.items() if runs)
        ends: dict[str, dict[int, float]] = {
            name: {
                seed: float(values[-1])
                for seed, history in self.runs[name].items()
                if len(values := trajectory(history, self.clock, self.regret)[1])
            }
            for name in names
        }
        first = ends[names[0]] if names else {}
        seeds = [seed for seed in first if all(seed in of for of in ends.values())]
        rows = [[ends[name][seed] for name in names] for seed in seeds]
        return names, seeds, np.array(rows).reshape(len(seeds), len(names))


def _time(curves: Sequence[Curve], target: float | None) -> float:
    """Return when half of the runs had reached the target; infinite if they never did."""
    if target is None:
        return nan
    times_to_target = sorted(reached(curve, target) for curve in curves)
    return times_to_target[(len(times_to_target) - 1) // 2]
