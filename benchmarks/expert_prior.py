"""Gains by an expert's belief, and losses by a wrong one, on the table in the package.

    python benchmarks/expert_prior.py
    python benchmarks/expert_prior.py --quick
    python benchmarks/expert_prior.py --report

Searches of `MNIST1DCells` under `Hyperband(1, 27)`, one worker. A belief gives each of the six
edges of a cell the same weights for its operations: the best cells have many convolutions and few
poolings, so a right belief prefers convolutions, and a wrong one has its weights in reverse. The
rank correlation of a belief's density with the error is in the report. `belief alone` draws every
network from the belief, without ensemble sampling.

The regret is that of the incumbent, in percent of validation accuracy below the best cell, after
budgets in units of full training runs of 27 epochs. Every seed is written to
results/expert_prior.csv, and recorded seeds are not run again; the tables are in
results/expert_prior.md. `--quick` runs two seeds of everything and writes no file.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from ConfigSpace import Categorical, Configuration, ConfigurationSpace
from scipy.stats import spearmanr

from bonas import Search
from bonas.acquisition.candidates import every
from bonas.acquisition.prior import Belief, SpaceBelief
from bonas.runners import Simulated
from bonas.search.progress import Silent
from bonas.strategies import MultiFidelityBayesianOptimization, RandomSearch, Strategy, started
from fidelity import History, Hyperband
from fidelity.tables import MNIST1DCells
from spaces.space import Space

RESULTS = Path(__file__).parent / "results"
TARGET = RESULTS / "expert_prior.csv"
TABLE = MNIST1DCells()
FULL = TABLE.max_budget
MARKS = (3, 6, 13, 20)
"""Budgets in full training runs; the first bracket of Hyperband takes 3, the first four take 13."""
RESAMPLES = 10_000
"""Bootstrap samples of a confidence interval."""

WEIGHTS = {
    "right": {"nor_conv_3x3": 3.0, "skip_connect": 2.0, "avg_pool_3x3": 1.0},
    "right and certain": {"nor_conv_3x3": 16.0, "skip_connect": 4.0, "avg_pool_3x3": 1.0},
    "wrong": {"nor_conv_3x3": 1.0, "skip_connect": 2.0, "avg_pool_3x3": 3.0},
    "wrong and certain": {"nor_conv_3x3": 1.0, "skip_connect": 4.0, "avg_pool_3x3": 16.0},
}
NONE = "none"
FIELDS = ("method", "belief", "seed", "runs", "regret")
Row = tuple[str, str, int, int, float]
"""The values of `FIELDS`."""


def belief(weights: Mapping[str, float]) -> SpaceBelief:
    """The same weights of operations on each edge."""
    operations = list(weights)
    return SpaceBelief(
        ConfigurationSpace(
            space=[
                Categorical(edge, operations, weights=list(weights.values()))
                for edge in TABLE.space.configuration_space
            ]
        )
    )


BELIEFS: Mapping[str, Belief | None] = {
    NONE: None,
    **{name: belief(weights) for name, weights in WEIGHTS.items()},
}


@dataclass(frozen=True)
class Alone:
    """Draws every network from a belief, without ensemble sampling."""

    belief: SpaceBelief

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Configuration:
        """See `Strategy.propose`."""
        return self.belief.sample(space.configuration_space, rng)


def strategies() -> Mapping[tuple[str, str], Strategy]:
    """All strategies by method and belief, each started once for all seeds."""
    made: dict[tuple[str, str], Strategy] = {}
    for name, believed in BELIEFS.items():
        made["random search", name] = RandomSearch(believed)
        made["joint BO", name] = MultiFidelityBayesianOptimization(belief=believed)
        if isinstance(believed, SpaceBelief):
            made["belief alone", name] = Alone(believed)
    return {names: started(strategy, TABLE.space) for names, strategy in made.items()}


def regrets(strategy: Strategy, seed: int) -> Iterator[tuple[int, float]]:
    """Run one search; yield the regret of the incumbent at each of `MARKS`."""
    schedule = Hyperband(1, FULL)
    with Search(TABLE.space, TABLE, strategy=strategy, schedule=schedule, seed=seed) as search:
        for mark in MARKS:
            history = search.run(epochs=mark * FULL, runner=Simulated(), progress=Silent())
            assert history.incumbent is not None
            yield mark, 100.0 * TABLE.regret(history.incumbent.trial.configuration)


def run(seeds: int, known: Set[tuple[str, str, int]]) -> Iterator[list[Row]]:
    """Run the searches that are not known yet, seed by seed; yield the rows of each."""
    everyone = strategies()
    for seed in range(seeds):
        for (method, believed), strategy in everyone.items():
            if (method, believed, seed) in known:
                continue
            start = time.perf_counter()
            found = regrets(strategy, seed)
            yield [(method, believed, seed, mark, round(regret, 4)) for mark, regret in found]
            took = time.perf_counter() - start
            print(f"seed {seed}: {method}, {believed}, {took:.1f} s", flush=True)


def report(rows: pd.DataFrame) -> str:
    """Tabulate regrets, and the differences from the same method without a belief."""
    cells = every(TABLE.space.configuration_space)
    errors = [TABLE.regret(cell) for cell in cells]
    lines = [
        "# An expert's belief under Hyperband",
        "",
        "By `python benchmarks/expert_prior.py`. `MNIST1DCells`, `Hyperband(1, 27)`, one worker. "
        "Regret of the incumbent in percent, median / mean over seeds, after budgets in full "
        "training runs.",
        "",
        "| belief | weights of convolution, identity, pooling | rank correlation with the error |",
        "| --- | --- | --- |",
    ]
    for name, weights in WEIGHTS.items():
        densities = [belief(weights).log_density(cell) for cell in cells]
        shown = ", ".join(f"{weight:g}" for weight in _in_order(weights))
        lines.append(f"| {name} | {shown} | {spearmanr(densities, errors).statistic:.2f} |")
    columns = " | ".join(f"{mark} runs" for mark in MARKS)
    lines += ["", f"| method | belief | seeds | {columns} |", "| --- " * (3 + len(MARKS)) + "|"]
    grouped = rows.groupby(["method", "belief"], sort=False)
    groups = {(str(method), str(name)): own for (method, name), own in grouped}
    for (method, name), own in groups.items():
        cells_text = [_regrets(own, mark) for mark in MARKS]
        lines.append(f"| {method} | {name} | {own['seed'].nunique()} | {' | '.join(cells_text)} |")
    lines += [
        "",
        "Mean difference from the same method without a belief (`belief alone`: from random "
        f"search), paired by seed, with its 95% interval by {RESAMPLES:,} bootstrap samples; below "
        "zero the belief helps.",
        "",
        f"| method | belief | {columns} |",
        "| --- " * (2 + len(MARKS)) + "|",
    ]
    for (method, name), own in groups.items():
        plain = groups.get((method if method != "belief alone" else "random search", NONE))
        if name != NONE and plain is not None:
            cells_text = [_difference(own, plain, mark) for mark in MARKS]
            lines.append(f"| {method} | {name} | {' | '.join(cells_text)} |")
    return "\n".join(lines) + "\n"


def _in_order(weights: Mapping[str, float]) -> list[float]:
    return [weights[name] for name in ("nor_conv_3x3", "skip_connect", "avg_pool_3x3")]


def _regrets(own: pd.DataFrame, mark: int) -> str:
    at = own[own["runs"] == mark]["regret"]
    return f"{at.median():.2f} / {at.mean():.2f}"


def _difference(own: pd.DataFrame, plain: pd.DataFrame, mark: int) -> str:
    """The mean difference at one budget, with its interval."""
    pair = [frame[frame["runs"] == mark].set_index("seed")["regret"] for frame in (own, plain)]
    differences = (pair[0] - pair[1]).dropna().to_numpy()
    rng = np.random.default_rng(0)
    means = rng.choice(differences, (RESAMPLES, len(differences))).mean(1)
    low, high = np.quantile(means, (0.025, 0.975))
    return f"{differences.mean():+.2f} ({low:+.2f} to {high:+.2f})"


def main() -> None:
    """Run the requested searches, then write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--quick", action="store_true", help="two seeds, nothing is written")
    parser.add_argument("--report", action="store_true", help="only the tables")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.quick:
        rows = [row for found in run(2, set()) for row in found]
        print(report(pd.DataFrame(rows, columns=list(FIELDS))))
        return
    known: set[tuple[str, str, int]] = set()
    if TARGET.exists():
        recorded = pd.read_csv(TARGET, keep_default_na=False)
        known = set(zip(recorded["method"], recorded["belief"], recorded["seed"], strict=True))
    if not arguments.report:
        with TARGET.open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            if not known:
                writer.writerow(FIELDS)
            for found in run(arguments.seeds, known):
                writer.writerows(found)
                file.flush()
    text = report(pd.read_csv(TARGET, keep_default_na=False))
    (RESULTS / "expert_prior.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
