"""Language models of HW-GPT-Bench: perplexity against parameters, and below a number of them.

    python benchmarks/hw_gpt.py                             # everything that is installed
    python benchmarks/hw_gpt.py --seeds 3 "random search"   # some methods
    python benchmarks/hw_gpt.py --report                    # only the tables
    python benchmarks/hw_gpt.py --quick                     # two minutes, in results/quick

A query returns the perplexity of a GPT-2-like network by the published surrogate, which has no
noise, and its parameters, which are computed. Three scales: networks of 10 to 12, 22 to 24 and 34
to 36 layers, with a width, a bias, and per layer the MLP ratio and the number of heads.

`front`: both objectives. The result is the hypervolume of all evaluated networks up to a reference
point, in percent of the box between that point and the ideal one. The reference point has the
largest perplexity and parameters of 2,000 random networks, the ideal one the lowest perplexity that
a local search of 20 starts found and the parameters of the smallest network.

`constrained`: the lowest perplexity with at most as many parameters as 25% of random networks have.
All methods know the parameters of a network before it is evaluated: bonas from the attribute
`computed` of the objective; Optuna's suggestions are drawn again, at no cost, until one is
feasible.

The scales of families (`bonas.surrogates.family_scales`) and the local search over candidates
(`bonas.acquisition.climbing`) were chosen on scale s with seeds from 100 on, without the seeds of
the page and without scales m and l. Every search is written to results/hw_gpt.csv, and recorded
searches are not run again. A method whose library is missing is skipped with a message.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ConfigSpace import Configuration
from hw_gpt_report import MARKS, SEEDS, report

from bonas import Search, strategies
from bonas.search.progress import Silent
from bonas.strategies.multi_objective import MultiObjectiveBayesianOptimization
from bonas.strategies.nsga2 import NSGA2
from bonas.strategies.strategy import Strategy
from fidelity import Constraint
from fidelity.history.pareto import hypervolume
from fidelity.tables.hw_gpt import HWGPTBench, Scale
from spaces.configurations.mutation import neighbours
from spaces.space import configuration, sample

RESULTS = Path(__file__).parent / "results"
FILE = Path(__file__).parents[2] / "shared" / "data" / "hw_gpt_bench_perplexity.npz"
SCALES: tuple[Scale, ...] = ("s", "m", "l")
RANDOM_NETWORKS = 2000
PERCENTILE = 25
LOCAL_SEARCHES = 20
MAX_REJECTED = 1000
QUICK = (2, 25)
"""Seeds and evaluations."""

Point = tuple[float, float]
"""The perplexity and the parameters of a network."""


@dataclass(frozen=True)
class Problem:
    """A scale, and the number of evaluations."""

    table: HWGPTBench
    evaluations: int

    @cached_property
    def _random(self) -> np.ndarray:
        rng = np.random.default_rng(2024)
        drawn = sample(self.table.space.configuration_space, RANDOM_NETWORKS, rng)
        return np.array([self.point(one) for one in drawn])

    def point(self, chosen: Configuration) -> Point:
        """Evaluate a network."""
        found = self.table(chosen)
        return found["cost"], found["parameters"]

    @property
    def limit(self) -> float:
        """The largest feasible number of parameters."""
        return float(np.percentile(self._random[:, 1], PERCENTILE))

    @cached_property
    def ideal(self) -> Point:
        """The lowest perplexity by local search, and the parameters of the smallest network."""
        rng = np.random.default_rng(2025)
        starts = sample(self.table.space.configuration_space, LOCAL_SEARCHES, rng)
        cost = min(self._descended(start, rng) for start in starts)
        smallest = {"width": min(self.table.space.widths), "depth": self.table.space.depth[0]}
        values: dict[str, object] = {**smallest, "bias": False}
        for number in range(1, self.table.space.depth[0] + 1):
            values[f"layer{number}:ratio"] = min(self.table.space.ratios)
            values[f"layer{number}:heads"] = min(self.table.space.heads)
        space = self.table.space.configuration_space
        return cost, self.table.parameters(configuration(space, values))

    def _descended(self, start: Configuration, rng: np.random.Generator) -> float:
        best, cost = start, self.table(start)["cost"]
        improved = True
        while improved:
            improved = False
            for near in neighbours(best, rng):
                if (value := self.table(near)["cost"]) < cost:
                    best, cost, improved = near, value, True
                    break
        return cost

    def volume(self, points: list[Point]) -> float:
        """Return the hypervolume of evaluated networks, in percent of the box."""
        reference = self._random.max(axis=0)
        box = np.prod(reference - np.array(self.ideal))
        return float(100 * hypervolume(np.array(points), reference.tolist()) / box)


Method = Callable[[Problem, int], list[Point]]
"""A search with a seed; it returns the evaluated networks in order."""


def front(strategy: Strategy) -> Method:
    """Search with a strategy of bonas for both objectives."""

    def run(problem: Problem, seed: int) -> list[Point]:
        table, objectives = problem.table, ("cost", "parameters")
        with Search(
            table.space, table, strategy=strategy, objectives=objectives, seed=seed
        ) as search:
            return _points(search, problem)

    return run


def constrained(strategy: Strategy) -> Method:
    """Search with a strategy of bonas below the number of parameters."""

    def run(problem: Problem, seed: int) -> list[Point]:
        table = problem.table
        limit = Constraint("parameters", at_most=problem.limit)
        with Search(
            table.space, table, strategy=strategy, constraints=[limit], seed=seed
        ) as search:
            return _points(search, problem)

    return run


def _points(search: Search, problem: Problem) -> list[Point]:
    history = search.run(evaluations=problem.evaluations, progress=Silent())
    return [problem.point(evaluation.trial.configuration) for evaluation in history.evaluations]


def optuna_front(sampler: str, **settings: Any) -> Method:
    """Search with a sampler of Optuna for both objectives."""

    def run(problem: Problem, seed: int) -> list[Point]:
        study = _study(sampler, seed, ["minimize", "minimize"], settings)
        points = []
        for _ in range(problem.evaluations):
            trial = study.ask()
            points.append(problem.point(suggested(trial, problem.table)))
            study.tell(trial, list(points[-1]))
        return points

    return run


def optuna_constrained(sampler: str, **settings: Any) -> Method:
    """Search with a sampler of Optuna below the number of parameters."""

    def run(problem: Problem, seed: int) -> list[Point]:
        from optuna.trial import TrialState

        study = _study(sampler, seed, ["minimize"], settings)
        points: list[Point] = []
        rejected = 0
        while len(points) < problem.evaluations:
            trial = study.ask()
            chosen = suggested(trial, problem.table)
            if problem.table.parameters(chosen) > problem.limit and rejected < MAX_REJECTED:
                rejected += 1
                study.tell(trial, state=TrialState.FAIL)
                continue
            points.append(problem.point(chosen))
            study.tell(trial, points[-1][0])
        return points

    return run


def _study(sampler: str, seed: int, directions: list[str], settings: Mapping[str, Any]) -> Any:
    import warnings

    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "multivariate" and "group" are experimental
        made = getattr(optuna.samplers, sampler)(seed=seed, **settings)
    return optuna.create_study(sampler=made, directions=directions)


def suggested(trial: Any, table: HWGPTBench) -> Configuration:
    """Return the network that Optuna suggests; ordered choices are whole numbers."""
    space = table.space

    def of(name: str, options: tuple[Any, ...]) -> Any:
        return options[trial.suggest_int(name, 0, len(options) - 1)]

    depth = trial.suggest_int("depth", *space.depth)
    bias = trial.suggest_categorical("bias", [True, False])
    values: dict[str, Any] = {"width": of("width", space.widths), "depth": depth, "bias": bias}
    for number in range(1, depth + 1):
        for name, options in (("ratio", space.ratios), ("heads", space.heads)):
            values[f"layer{number}:{name}"] = of(f"layer{number}:{name}", options)
    return configuration(space.configuration_space, values)


GROUPED = {"multivariate": True, "group": True}
METHODS: Mapping[str, Mapping[str, Method]] = {
    "front": {
        "bonas": front(MultiObjectiveBayesianOptimization()),
        "bonas, NSGA-II": front(NSGA2()),
        "random search": front(strategies.RandomSearch()),
        "Optuna NSGA-II, population 20": optuna_front("NSGAIISampler", population_size=20),
        "Optuna MOTPE": optuna_front("TPESampler"),
        "Optuna MOTPE, multivariate": optuna_front("TPESampler", **GROUPED),
    },
    "constrained": {
        "bonas": constrained(strategies.BayesianOptimization()),
        "bonas, evolution": constrained(strategies.RegularizedEvolution()),
        "random search": constrained(strategies.RandomSearch()),
        "Optuna TPE": optuna_constrained("TPESampler"),
        "Optuna TPE, multivariate": optuna_constrained("TPESampler", **GROUPED),
    },
}


def results(kind: str, problem: Problem, points: list[Point]) -> Iterator[dict[str, float]]:
    """Yield the result after each of `MARKS`."""
    for mark in MARKS:
        if mark > len(points):
            continue
        if kind == "front":
            yield {"evaluations": mark, "value": problem.volume(points[:mark])}
        else:
            feasible = [cost for cost, size in points[:mark] if size <= problem.limit]
            yield {"evaluations": mark, "value": min(feasible, default=float("nan"))}


def known(target: Path) -> set[tuple[str, str, str, int]]:
    """The searches that a file records."""
    if not target.exists():
        return set()
    with target.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {(r["problem"], r["scale"], r["method"], int(r["seed"])) for r in rows}


def append(target: Path, rows: list[dict[str, Any]]) -> None:
    """Append the rows of one search."""
    fresh = not target.exists()
    with target.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        if fresh:
            writer.writeheader()
        writer.writerows(
            {k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()} for row in rows
        )


def run(name: str, kind: str, problem: Problem, seed: int, target: Path) -> None:
    """Run one search and record it."""
    started = time.process_time()
    try:
        points = METHODS[kind][name](problem, seed)
    except ImportError as error:
        print(f"{name}: left out, its library is not installed ({error})", flush=True)
        return
    seconds = time.process_time() - started
    if len(points) < problem.evaluations:
        raise SystemExit(
            f"{name} was interrupted after {len(points)} evaluations: nothing recorded"
        )
    head = {"problem": kind, "scale": problem.table.scale, "method": name, "seed": seed}
    found = results(kind, problem, points)
    append(target, [{**head, **row, "cpu_seconds": seconds} for row in found])
    print(f"{seed} {kind} {problem.table.scale} {name}: {seconds:.0f} s", flush=True)


def main() -> None:
    """Run the requested searches, then write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("methods", nargs="*", metavar="METHOD", help="all by default")
    parser.add_argument("--scales", nargs="+", default=list(SCALES), choices=SCALES)
    parser.add_argument("--file", type=Path, default=FILE, help="the surrogates")
    parser.add_argument("--first", type=int, default=0, help="seed")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="how many")
    parser.add_argument("--quick", action="store_true", help="two seeds of 25 evaluations, scale s")
    parser.add_argument("--report", action="store_true", help="only the tables")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    directory = RESULTS / "quick" if arguments.quick else RESULTS
    directory.mkdir(parents=True, exist_ok=True)
    target = directory / "hw_gpt.csv"
    count, evaluations = QUICK if arguments.quick else (arguments.seeds, MARKS[-1])
    scales = ["s"] if arguments.quick else arguments.scales
    if arguments.quick:
        target.unlink(missing_ok=True)
    problems = [Problem(HWGPTBench(arguments.file, scale), evaluations) for scale in scales]
    done = known(target)
    for seed in range(0 if arguments.report else count):
        for problem in problems:
            for kind, methods in METHODS.items():
                for name in methods:
                    key = (kind, problem.table.scale, name, arguments.first + seed)
                    if key not in done and name in (arguments.methods or methods):
                        run(name, kind, problem, arguments.first + seed, target)
    print(report(target))


if __name__ == "__main__":
    main()
