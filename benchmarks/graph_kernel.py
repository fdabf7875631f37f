"""The graph kernel, the configuration kernel, and their sum, compared on three spaces.

    python benchmarks/graph_kernel.py                              # what is missing
    python benchmarks/graph_kernel.py --spaces MNIST1DCells --seeds 10
    python benchmarks/graph_kernel.py --report                     # only the table

Rank correlation: as in `rank_correlation.py`, a Gaussian process is fitted to one training run of
each of 50, 100 and 200 random networks and ranks those held out, at most 1,000. Regret: as in
`ablations.py`, of the network that `BayesianOptimization` with this surrogate recommends after 25,
50 and 100 evaluations, in percent of accuracy. Three spaces:

- NAS-Bench-Macro: chains, 6,561 configurations of 3,969 networks (`nasbench_macro.py`).
- MNIST1DCells: operations on edges, 729 configurations of 483 networks, at 27 epochs.
- node cells: operations on nodes, at most 7 vertices and 9 edges, whose inner vertices have no
  order, so that a network has many configurations. 213 different networks are trained here, for
  9 epochs on MNIST-1D with 16 channels, in CPU minutes (results/graph_kernel_networks.csv). The
  space has no table, so there is no search, and with 100 training points 113 are held out.

Every seed is written to results/graph_kernel.csv; recorded seeds are not run again. The default's
searches of NAS-Bench-Macro from seed 10 on are those of bonas in results/nasbench_macro.csv: the
same seeds draw the same, and seeds 0 to 9, run both ways, agreed in every row.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from ablations import MARKS, RESULTS, Table, search
from ConfigSpace import Configuration
from make_mnist1d_cells import processor
from nasbench_macro import DATA
from nasbench_macro import load as load_macro
from rank_correlation import SIZES, correlations

from bonas.acquisition.candidates import every
from bonas.strategies.bayesian import BayesianOptimization
from bonas.surrogates.gaussian_process import GaussianProcess
from bonas.surrogates.kernel import ConfigurationView, GraphView
from fidelity.datasets.mnist1d import mnist1d
from fidelity.tables import MNIST1DCells
from fidelity.training.optimizers import SGD
from fidelity.training.training import Training
from spaces.cells.node_cell import NodeCellSpace
from spaces.encoding import Encoder
from spaces.hierarchical.macro_space import MacroSpace
from spaces.space import Space, configuration, sample, values

TARGET = RESULTS / "graph_kernel.csv"
NETWORKS = RESULTS / "graph_kernel_networks.csv"
GRAPH, CONFIGURATION, BOTH = "graph", "configuration", "both (default)"
KERNELS = {
    GRAPH: GaussianProcess((GraphView(1),)),
    CONFIGURATION: GaussianProcess((ConfigurationView(),)),
    BOTH: GaussianProcess(),
}
CORRELATION, REGRET = "rank correlation", "regret"
COLUMNS = ["study", "space", "kernel", "seed", "at", "value"]
NODE_CELLS = NodeCellSpace(7, 9, channels=16, cells=1, stacks=1)
TRAINED, EPOCHS = 213, 9

Row = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A space with accuracies.

    Attributes:
        space: the space.
        table: the networks with known accuracies.
        searched: whether the table holds all networks of the space.
        sizes: the numbers of training points, which leave networks to hold out.
    """

    space: Space
    table: Table
    searched: bool = True
    sizes: tuple[int, ...] = SIZES


def macro() -> Case:
    """NAS-Bench-Macro."""
    space = MacroSpace.nasbench_macro()
    return Case(space, load_macro(space, DATA))


def mnist1d_cells() -> Case:
    """The table in the package, after the last epoch of each of its two training runs."""
    table = MNIST1DCells()
    runs = {
        chosen.get_array().tobytes(): [
            100.0 * (1.0 - table(chosen, table.max_budget, seed)["cost"]) for seed in (0, 1)
        ]
        for chosen in every(table.space.configuration_space)
    }
    return Case(table.space, Table(runs, 100.0 * (1.0 - table.optimum)))


def node_cells() -> Case:
    """Train the networks that the file lacks, each once."""
    space = NODE_CELLS.configuration_space
    training = Training(
        NODE_CELLS, mnist1d(), EPOCHS, batch_size=320, optimizer=SGD(0.3), device="cpu"
    )
    known = list(csv.DictReader(NETWORKS.open(encoding="utf-8"))) if NETWORKS.exists() else []
    done = {row["key"] for row in known}
    drawn = sample(space, 6000, np.random.default_rng(0))
    distinct = {NODE_CELLS.architecture(chosen).key: chosen for chosen in drawn}
    for key, chosen in distinct.items():
        if key not in done and len(done) < TRAINED:
            done.add(key)
            started = time.process_time()
            cost = training(chosen, EPOCHS, seed=0)["cost"]
            row = {"key": key, "configuration": json.dumps(values(chosen)), "error": cost}
            row["cpu_seconds"] = round(time.process_time() - started, 3)
            _append(NETWORKS, [row])
    runs = {
        configuration(space, json.loads(row["configuration"])).get_array().tobytes(): [
            100.0 * (1.0 - float(row["error"]))
        ]
        for row in csv.DictReader(NETWORKS.open(encoding="utf-8"))
    }
    return Case(NODE_CELLS, Table(runs, max(run[0] for run in runs.values())), False, SIZES[:2])


CASES = {"NAS-Bench-Macro": macro, "MNIST1DCells": mnist1d_cells, "node cells": node_cells}


def rank(name: str, case: Case, seeds: int, known: set[tuple[str, ...]]) -> Iterator[list[Row]]:
    """Yield the rank correlations of each seed that is not `known`."""
    space = case.space.configuration_space
    encoder = Encoder(case.space, depth=1, paths=False)
    drawn = [
        Configuration(space, vector=np.frombuffer(vector).copy()) for vector in case.table.runs
    ]
    for seed in range(seeds):
        if (CORRELATION, name, GRAPH, str(seed)) not in known:
            found = correlations(encoder, drawn, case.table, seed, KERNELS, case.sizes)
            yield [_row(CORRELATION, name, kernel, seed, at, rho) for kernel, at, rho in found]


def regrets(name: str, case: Case, seeds: int, known: set[tuple[str, ...]]) -> Iterator[list[Row]]:
    """Yield the regrets of each search that is not `known`."""
    strategies = {kernel: BayesianOptimization(process) for kernel, process in KERNELS.items()}
    for seed in range(seeds if case.searched else 0):
        for kernel, strategy in strategies.items():
            if (REGRET, name, kernel, str(seed)) not in known:
                found = search(strategy, case.space, case.table, seed, MARKS[2])
                yield [
                    _row(REGRET, name, kernel, seed, row["evaluations"], row["regret"])
                    for row in found
                ]


def _row(study: str, space: str, kernel: str, seed: int, at: float, value: float) -> Row:
    return dict(zip(COLUMNS, (study, space, kernel, seed, at, round(value, 4)), strict=True))


def run(name: str, case: Case, seeds: int) -> None:
    """Run both studies of one space."""
    known = set()
    if TARGET.exists():
        with TARGET.open(newline="", encoding="utf-8") as file:
            known = {tuple(row[column] for column in COLUMNS[:4]) for row in csv.DictReader(file)}
    for rows in rank(name, case, min(seeds, 10), known):
        _append(TARGET, rows)
    for rows in regrets(name, case, seeds, known):
        _append(TARGET, rows)


def _append(target: Path, rows: list[Row]) -> None:
    fresh = not target.exists()
    with target.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        if fresh:
            writer.writeheader()
        writer.writerows(rows)


def report() -> str:
    """Write graph_kernel.md, and return it."""
    frame = pd.read_csv(TARGET)
    lines = [
        f"Written {datetime.datetime.now(datetime.UTC):%Y-%m-%d} by `benchmarks/graph_kernel.py`, "
        f"one thread on {processor()}, {os.cpu_count()} cores, torch {torch.__version__}.\n"
    ]
    lines += _table(frame, CORRELATION, SIZES, "training points", "mean (standard deviation)")
    lines += _table(frame, REGRET, MARKS[:3], "evaluations", "percent, median / mean")
    lines += [
        "The last column is the number of seeds in which the kernel was better and worse than the",
        "configuration kernel alone, at each of the three sizes; the rest are ties.",
    ]
    text = "\n".join(lines) + "\n"
    TARGET.with_suffix(".md").write_text(text, encoding="utf-8")
    return text


def _table(
    frame: pd.DataFrame, study: str, marks: tuple[int, ...], what: str, how: str
) -> list[str]:
    lines = [
        f"## {study.capitalize()}: {how} over seeds\n",
        f"| space | kernel | seeds | {' | '.join(map(str, marks))} {what} | better, worse |",
        "| --- " * (len(marks) + 4) + "|",
    ]
    for (space, kernel), own in frame[frame["study"] == study].groupby(["space", "kernel"]):
        wide = own.pivot_table(index="seed", columns="at", values="value")
        rows = frame[(frame["study"] == study) & (frame["space"] == space)]
        rows = rows[rows["kernel"] == CONFIGURATION]
        rival = rows.pivot_table(index="seed", columns="at", values="value")
        cells, counts = [], []
        for mark in marks:
            if mark not in wide:
                cells.append("")
                continue
            values = wide[mark]
            if study == CORRELATION:
                cells.append(f"{values.mean():.3f} ({values.std():.3f})")
            else:
                cells.append(f"{values.median():.2f} / {values.mean():.2f}")
            gain = (values - rival[mark]) * (1 if study == CORRELATION else -1)
            counts.append(f"{(gain > 0).sum()}, {(gain < 0).sum()}")
        last = "" if kernel == CONFIGURATION else "; ".join(counts)
        lines.append(f"| {space} | {kernel} | {len(wide)} | {' | '.join(cells)} | {last} |")
    return [*lines, ""]


def main() -> None:
    """Run what is missing, then write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spaces", nargs="+", default=list(CASES), choices=CASES)
    parser.add_argument("--seeds", type=int, default=50, help="of each search; at most 10 rankings")
    parser.add_argument("--report", action="store_true", help="only the table")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for name in () if arguments.report else arguments.spaces:
        run(name, CASES[name](), arguments.seeds)
    print(report())


if __name__ == "__main__":
    main()
