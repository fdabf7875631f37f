"""NAS-Bench-201 with noise-free queries, as in papers on predictors; peers of `nasbench201.py`.

    python benchmarks/nasbench201_noise_free.py                          # 50 seeds
    python benchmarks/nasbench201_noise_free.py --evaluations 300 bonas  # a longer search
    python benchmarks/nasbench201_noise_free.py --report                 # only the page
    python benchmarks/nasbench201_noise_free.py --quick                  # a minute, results/quick

A query returns the mean validation accuracy of all training runs that the table holds of a
network, so a repeated query says nothing new. `regret` is the best mean of the table minus that of
the best network evaluated, in percent, because these papers report the best network queried.
`until_best` is the number of evaluations up to the first one of the best network, where the search
ends with a regret of 0; it is nan while that network has not been evaluated.

bonas and Optuna's Gaussian process know that the objective is deterministic; everything else
is as in `nasbench201.py`. Every seed is written to results/nasbench201_noise_free_<dataset>.csv;
recorded seeds are not run again.
"""

from __future__ import annotations

import argparse
import math
import shutil
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from ablations import RESULTS, Table, load
from nasbench201 import EVALUATIONS, PEERS, QUICK, TITLES, Rows, Truth, one_thread, progress, run
from nasbench201_noise_free_report import MARKS, report
from peers.bonas import Bonas
from peers.optuna import OptunaGP
from peers.peer import EDGES, OPERATIONS, FlatSpace, Peer

from spaces.cells.cell import CellSpace

SLOW = ("bonas, SMAC strategy", "Syne Tune BORE", "SMAC3")
"""Peers that run only on request: each proposal takes a quarter of a second."""


def deterministic(peer: Peer) -> Peer:
    """Return the peer with its setting for noise-free objectives, if it has one."""
    return replace(peer, deterministic=True) if isinstance(peer, Bonas | OptunaGP) else peer


CONTESTANTS: Mapping[str, Peer] = {name: deterministic(peer) for name, peer in PEERS.items()}


def means(table: Table) -> Table:
    """Return the table with the mean of its runs as the only run of each network."""
    runs = {network: [float(np.mean(values))] for network, values in table.runs.items()}
    return Table(runs, table.best)


def search(peer: Peer, truth: Truth, seed: int, evaluations: int) -> Rows:
    """Run one search until it finds the best network; return its result at `MARKS` and at the end.

    Args:
        peer: searches.
        truth: a table of means.
        seed: of the peer.
        evaluations: the maximal number of queries.
    """
    regrets: list[float] = []
    for state in progress(peer, truth, seed, evaluations):
        regrets.append(truth.regret(state.choices[-1]))
        if regrets[-1] == 0.0:
            break
    return [
        {
            "evaluations": mark,
            "regret": min(regrets[:mark]),
            "until_best": len(regrets) if min(regrets[:mark]) == 0.0 else math.nan,
        }
        for mark in sorted({*MARKS, evaluations})
        if mark <= evaluations
    ]


def main() -> None:
    """Run the requested searches, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="name", help=f"of: {'; '.join(CONTESTANTS)}")
    parser.add_argument("--datasets", nargs="+", default=list(TITLES), choices=TITLES)
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--evaluations", type=int, default=EVALUATIONS, help="of each search")
    parser.add_argument("--quick", action="store_true", help="one data set, few seeds")
    parser.add_argument("--report", action="store_true", help="only the page")
    arguments = parser.parse_args()
    for name in set(arguments.names) - set(CONTESTANTS):
        parser.error(f"there is no peer {name!r}; there are: {'; '.join(CONTESTANTS)}")
    one_thread()
    directory = RESULTS / "quick" if arguments.quick else RESULTS
    if arguments.quick:
        shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True, exist_ok=True)
    size = QUICK if arguments.quick else (arguments.seeds, arguments.evaluations)
    files = {name: directory / f"nasbench201_noise_free_{name}.csv" for name in TITLES}
    space = CellSpace.nasbench201()
    flat = FlatSpace(space, dict.fromkeys(EDGES, OPERATIONS))
    datasets = ["cifar10"] if arguments.quick else arguments.datasets
    for dataset in () if arguments.report else datasets:
        truth = Truth(flat, means(load(space, dataset)))
        for name in arguments.names or [name for name in CONTESTANTS if name not in SLOW]:
            run(name, CONTESTANTS[name], files[dataset], truth, *size, search)
    titled = {TITLES[name]: file for name, file in files.items()}
    print(report(titled, directory / "nasbench201_noise_free.md"))


if __name__ == "__main__":
    main()
