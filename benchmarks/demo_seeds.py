"""The searches of `bonas demo` over seeds: the error after a third of the epochs, and at the end.

    python benchmarks/demo_seeds.py                        # 10 seeds on both data sets
    python benchmarks/demo_seeds.py --quick                # minutes, in results/quick
    python benchmarks/demo_seeds.py --fashion FOLDER       # with its four idx files

Space, training, schedule and strategies are those of `bonas.cli.demo`; `STRATEGIES` adds variants.
Every strategy runs with the same seeds, and with a seed a network has the same cost in each run.
The incumbent (the network of the lowest validation error among those trained to the end) is
trained again from its seed and evaluated on the test images, which no search uses. Rows go to
results/demo_seeds.csv, and means with their bootstrap intervals to results/demo_seeds.md.
"""

from __future__ import annotations

import argparse
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from bonas import BayesianOptimization, History, compare
from bonas.analysis.trajectory import incumbents, times
from bonas.cli import demo
from bonas.comparison import Setup
from bonas.comparison.statistics import bootstrap_mean
from bonas.strategies.strategy import Strategy
from fidelity.datasets import digits, fashion_mnist
from fidelity.datasets.dataset import DataError, Dataset
from fidelity.training.training import Training

RESULTS = Path(__file__).parent / "results"
STRATEGIES: Mapping[str, Strategy] = {
    **demo.STRATEGIES,
    "Bayesian optimization without scores": BayesianOptimization(zero_cost=None),
}
"""By name; the differences in the report are to the first one and to `--against`."""
MOMENTS = {"a third": 1 / 3, "the end": 1.0}
ERRORS = ("validation", "test")
CONFIDENCE = 0.95
QUICK_SEEDS, QUICK_EPOCHS = 2, 54.0


def datasets(folder: Path | None) -> list[Dataset]:
    """Return the data sets of the demonstration that this machine has.

    Args:
        folder: of Fashion-MNIST; None is where Debian's package puts it.
    """
    found = [demo.reduced(digits())]
    try:
        found.append(demo.reduced(fashion_mnist(folder)))
    except DataError as error:
        print(f"only digits: {error}", flush=True)
    return found


def rows(
    training: Training, histories: Mapping[str, Mapping[int, History]], epochs: float
) -> list[dict[str, Any]]:
    """Return the errors of each run's incumbent at each moment.

    Args:
        training: evaluates the incumbents on the test images.
        histories: by strategy and seed.
        epochs: the end.
    """
    tested: dict[tuple[str, int], float] = {}  # by network and seed of the training
    result = []
    for name, runs in histories.items():
        for seed, history in runs.items():
            spent, best = times(history, "epochs"), incumbents(history)
            for moment, share in MOMENTS.items():
                before = np.flatnonzero(spent <= share * epochs + 1e-9)
                incumbent = best[before[-1]] if len(before) else None
                row: dict[str, Any] = {
                    "data": training.dataset.name,
                    "strategy": name,
                    "seed": seed,
                }
                row |= {"after": moment, "epochs": share * epochs, "trainings": len(before)}
                if incumbent is not None:
                    trial = incumbent.trial
                    key = trial.key, trial.seed
                    if key not in tested:
                        report = training.final(trial.configuration, trial.seed)
                        tested[key] = report.test_cost
                    row |= {"validation": incumbent.cost, "test": tested[key]}
                result.append(row)
        print(f"{training.dataset.name}: {name} tested", flush=True)
    return result


def interval(values: Sequence[float]) -> str:
    """Format the mean in percent and its bootstrap interval."""
    array = 100 * np.asarray(values, dtype=np.float64)
    low, high = bootstrap_mean(array, CONFIDENCE, np.random.default_rng(0))
    return f"{array.mean():.2f} [{low:.2f}, {high:.2f}]"


def table(frame: pd.DataFrame, against: Sequence[str]) -> str:
    """Format one data set.

    Args:
        frame: its rows.
        against: the strategies that all others are compared with, seed by seed.
    """
    columns = [f"{error}, {moment}" for moment in MOMENTS for error in ERRORS]
    head = f"| | seeds | {' | '.join(columns)} |\n|{' --- |' * (len(columns) + 2)}\n"
    names = list(frame["strategy"].unique())
    values = {
        error: frame.pivot(index="seed", columns=["after", "strategy"], values=error)
        for error in ERRORS
    }
    lines = []
    for name in names:
        cells = [interval(values[e][m, name].dropna()) for m in MOMENTS for e in ERRORS]
        seeds = frame.loc[frame["strategy"] == name, "seed"].nunique()
        lines.append(f"| {name} | {seeds} | {' | '.join(cells)} |")
    for baseline in dict.fromkeys(against):
        for name in names:
            if name == baseline or baseline not in names:
                continue
            cells, seeds = [], 0
            for moment in MOMENTS:
                for error in ERRORS:
                    both = values[error][moment]
                    difference = (both[name] - both[baseline]).dropna()
                    seeds = len(difference)
                    cells.append(f"{interval(difference)}, {int((difference < 0).sum())} lower")
            lines.append(f"| {name} minus {baseline} | {seeds} | {' | '.join(cells)} |")
    return head + "\n".join(lines) + "\n"


def report(frame: pd.DataFrame, against: Sequence[str], epochs: float) -> str:
    """Return the page.

    Args:
        frame: all rows.
        against: as for `table`.
        epochs: that each search trained.
    """
    parts = [
        "# The demonstration over seeds\n",
        f"By `python benchmarks/demo_seeds.py` on a {platform.machine()} CPU, torch "
        f"{torch.__version__}, one thread per search. Each search trains {epochs:g} epochs, "
        f"those of the demonstration {demo.EPOCHS:g}. "
        "Errors in percent of the best network so far (lowest validation error at full budget), "
        f"mean over seeds and its {CONFIDENCE:.0%} bootstrap interval; below, differences of the "
        "same seeds, and the number of seeds with a lower error.\n",
    ]
    for name, own in frame.groupby("data", sort=False):
        parts.append(f"## {name}\n\n{table(own, against)}")
    return "\n".join(parts)


def main() -> None:
    """Run the searches, then write rows and table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--epochs", type=float, default=demo.EPOCHS, help="of each search")
    parser.add_argument("--strategies", nargs="+", choices=STRATEGIES, default=list(STRATEGIES))
    parser.add_argument(
        "--against", nargs="+", choices=STRATEGIES, default=list(STRATEGIES)[:1], help="baselines"
    )
    parser.add_argument("--fashion", type=Path, help="folder with the files of Fashion-MNIST")
    parser.add_argument("--directory", type=Path, help="keeps the histories; the same one resumes")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--quick", action="store_true", help="digits, few seeds, few epochs")
    options = parser.parse_args()
    torch.set_num_threads(1)
    target, found = RESULTS, datasets(options.fashion)
    if options.quick:
        target, found = RESULTS / "quick", found[:1]
        options.seeds, options.epochs = QUICK_SEEDS, QUICK_EPOCHS
    target.mkdir(parents=True, exist_ok=True)
    setups = {name: Setup(STRATEGIES[name], demo.SCHEDULE) for name in options.strategies}
    frames = []
    for dataset in found:
        training = demo.objective(dataset)
        comparison = compare(
            setups,
            training,
            seeds=range(options.seeds),
            epochs=options.epochs,
            directory=options.directory and options.directory / dataset.name,
            jobs=options.jobs,
        )
        for (name, seed), failure in comparison.failures.items():
            print(f"{dataset.name}, {name}, seed {seed} failed:\n{failure}", flush=True)
        frames.append(pd.DataFrame(rows(training, comparison.runs, options.epochs)))
        frame = pd.concat(frames, ignore_index=True)
        frame.to_csv(target / "demo_seeds.csv", index=False, float_format="%.6g")
        text = report(frame, options.against, options.epochs)
        (target / "demo_seeds.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
