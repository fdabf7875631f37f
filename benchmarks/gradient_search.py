"""Gradient-based and one-shot strategies against random networks, at a price in training runs.

    OMP_NUM_THREADS=1 python benchmarks/gradient_search.py             # resumes recorded runs
    OMP_NUM_THREADS=1 python benchmarks/gradient_search.py --quick     # minutes, in results/quick
    python benchmarks/gradient_search.py --report

Each run trains a supernet, trains the strategy's first networks on their own (three by default)
and selects the one with the lowest validation error. Its rank is the share of random networks that
are truly better, 0 for the best.

`table`: `MNIST1DCells`, where the training runs and the truth (validation error after 27 epochs,
mean of two seeds) are looked up, among all 483 networks. `digits`: the NAS-Bench-201 cells (8
channels, one cell in each of two stages), trained for 20 epochs as in `one_shot.py`, among its 50
random networks. A single training hardly ranks them, so the truth is the error over validation and
test images, mean of three further training seeds that no search sees; these runs are kept in
results/gradient_search_digits.csv.

The price is the CPU seconds of the supernet and its estimates, divided by those of one full
training of a middling network in the same process, plus the trained networks. Methods:

- DARTS, DrNAS, GDAS: the defaults of `Bilevel`, with as many steps on both (GDAS, whose steps are
  cheap, twice as many).
- 'published rates': the learning rates of Liu et al. (2019), 0.025 and, with few images, 0.01. An
  earlier version of this program has left results/gradient_search_published.csv.
- single path: a supernet trained as the networks are, for three or five times their epochs, and
  100 estimates, by evolution or at random.
"""

from __future__ import annotations

import argparse
import datetime
import math
import os
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from ConfigSpace import Configuration
from one_shot import RESULTS, SPACE, networks
from one_shot import training as digits_training
from scipy.stats import spearmanr

from bonas.strategies import (
    DARTS,
    GDAS,
    Bilevel,
    CollapseWarning,
    DrNAS,
    RandomSearch,
    RegularizedEvolution,
    SinglePathOneShot,
    Strategy,
    started,
)
from fidelity import SGD, OneShot, Training
from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Trial
from fidelity.tables import MNIST1DCells
from spaces import CellSpace

TRUTH_SEEDS = (100, 101, 102)
RANDOM_TRAININGS = 10
"""Networks that random search trains for the price of the others."""
MIDDLING = {
    "table": "|nor_conv_3x3~0|+|avg_pool_3x3~0|skip_connect~1|+|nor_conv_3x3~0|skip_connect~1"
    "|nor_conv_3x3~2|",
    "digits": "|nor_conv_3x3~0|+|avg_pool_3x3~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1"
    "|nor_conv_3x3~2|",
}


@dataclass(frozen=True)
class Problem:
    """A space with a data set, and the true quality of its networks.

    Attributes:
        training: of its networks.
        cost: the validation error that a search observes, by configuration and seed.
        truth: the true error of a configuration.
        random: the observed errors of random networks, one row per seed, and the true ones.
        epochs: of a supernet of DARTS, and of a single-path supernet.
        batch_size: of DARTS and the like.
    """

    training: Training
    cost: Callable[[Configuration, int], float]
    truth: Callable[[Configuration], float]
    random: Callable[[], tuple[np.ndarray, np.ndarray]]
    epochs: tuple[int, int]
    batch_size: int

    @property
    def space(self) -> CellSpace:
        """The search space."""
        space = self.training.space
        assert isinstance(space, CellSpace)
        return space

    def bilevel(self, seed: int, passes: int = 1) -> Bilevel:
        """The settings of a supernet, with a multiple of its epochs."""
        return Bilevel(
            self.training.dataset,
            epochs=passes * self.epochs[0],
            batch_size=self.batch_size,
            device="cpu",
            seed=seed,
        )

    def single_path(self, seed: int, strategy: Strategy) -> SinglePathOneShot:
        """A strategy that estimates networks with inherited weights."""
        supernet = replace(self.training, max_epochs=self.epochs[1])
        return SinglePathOneShot(OneShot(supernet, seed), strategy, estimates=100)


def table_problem() -> Problem:
    """The table in the package."""
    table = MNIST1DCells()
    frame = table.frame()
    last = frame[frame["epoch"] == table.max_budget]
    errors = last.pivot(index="seed", columns="cell", values="validation_error").to_numpy()
    return Problem(
        table.training(),
        lambda cell, seed: table(cell, seed=seed)["cost"],
        lambda cell: table.regret(cell) + table.optimum,
        lambda: (errors, errors.mean(0)),
        epochs=(20, 81),
        batch_size=128,
    )


class DigitsTrainings:
    """Training runs on digits, each done once and kept in a file.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.training = path, digits_training()
        self.rows = pd.read_csv(path).to_dict("records") if path.exists() else []
        self.done = {(self._key(row["cell"]), row["seed"]): row for row in self.rows}

    def _key(self, cell: str) -> str:
        return SPACE.architecture(SPACE.from_string(cell)).key

    def __call__(self, cell: Configuration, seed: int) -> dict[str, float]:
        """The validation and the test error of a training."""
        key = SPACE.architecture(cell).key, seed
        if key not in self.done:
            final = self.training.final(cell, seed)
            row = {
                "cell": SPACE.to_string(cell),
                "seed": seed,
                "validation_error": final.validation_cost,
                "test_error": final.test_cost,
            }
            self.rows.append(row)
            self.done[key] = row
            pd.DataFrame(self.rows).to_csv(self.path, index=False)
        return self.done[key]

    def truth(self, cell: Configuration) -> float:
        """The error over validation and test images, mean of the seeds that no search sees."""
        rows = [self(cell, seed) for seed in TRUTH_SEEDS]
        return float(np.mean([(row["validation_error"] + row["test_error"]) / 2 for row in rows]))

    def random(self) -> tuple[np.ndarray, np.ndarray]:
        """The observed errors of the random networks by seed, and the true ones."""
        cells = networks()
        observed = [
            [self(cell, seed)["validation_error"] for cell in cells] for seed in TRUTH_SEEDS
        ]
        return np.array(observed), np.array([self.truth(cell) for cell in cells])


def digits_problem(directory: Path) -> Problem:
    """The NAS-Bench-201 cells on digits."""
    trainings = DigitsTrainings(directory / "gradient_search_digits.csv")
    return Problem(
        trainings.training,
        lambda cell, seed: trainings(cell, seed)["validation_error"],
        trainings.truth,
        trainings.random,
        epochs=(30, 100),
        batch_size=64,
    )


def _published(bilevel: Bilevel) -> Bilevel:
    return replace(bilevel, optimizer=SGD(0.025, 0.9, 3e-4), architecture_rate=0.01)


METHODS: Mapping[str, Callable[[Problem, int], Strategy]] = {
    "DrNAS": lambda problem, seed: DrNAS(problem.bilevel(seed)),
    "DARTS": lambda problem, seed: DARTS(problem.bilevel(seed)),
    "GDAS": lambda problem, seed: GDAS(problem.bilevel(seed, passes=2)),
    "single path, evolution": lambda problem, seed: problem.single_path(
        seed, RegularizedEvolution(50, 10)
    ),
    "single path, random": lambda problem, seed: problem.single_path(seed, RandomSearch()),
    "DARTS, published rates": lambda problem, seed: DARTS(_published(problem.bilevel(seed))),
    "GDAS, published rates": lambda problem, seed: GDAS(
        _published(problem.bilevel(seed, passes=2))
    ),
}


def rank(error: float, errors: np.ndarray) -> float:
    """The share of the errors that are lower, ties counted half."""
    tied = np.isclose(errors, error)
    return float(((errors < error) & ~tied).mean() + tied.mean() / 2)


@cache
def full_training_seconds(name: str, seed: int) -> float:
    """CPU seconds of one full training of a middling network, here and now."""
    training = MNIST1DCells().training() if name == "table" else digits_training()
    assert isinstance(training.space, CellSpace)
    cell = training.space.from_string(MIDDLING[name])
    training(cell, 1, seed)  # the first training of a process is slower
    start = time.process_time()
    training(cell, training.max_epochs, seed)
    return time.process_time() - start


def measure(name: str, problem: Problem, method: str, seed: int, trained: int) -> dict[str, object]:
    """Search once; return a row."""
    full = full_training_seconds(name, seed)
    space = problem.space
    history = History(space.configuration_space)
    strategy = started(METHODS[method](problem, seed), space)
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CollapseWarning)
        strategy.propose(space, history, np.random.default_rng(seed))
    seconds = time.process_time() - start
    for number in range(trained):
        cell = strategy.propose(space, history, np.random.default_rng([seed, number]))
        assert isinstance(cell, Configuration)
        trial = Trial(number, cell, space.architecture(cell).key, 1.0, seed)
        history.add_trial(trial)
        history.add_evaluation(Evaluation(trial, problem.cost(cell, seed)))
    assert history.incumbent is not None
    first, best = history.trials[0].configuration, history.incumbent.trial.configuration
    # On digits the truth takes three trainings, which the first proposal alone is not worth.
    known = name == "table" or first == best
    truth = problem.random()[1]
    return {
        "problem": name,
        "method": method,
        "seed": seed,
        "trained": trained,
        "first_cell": space.to_string(first),
        "first_rank": round(rank(problem.truth(first), truth), 3) if known else math.nan,
        "cell": space.to_string(best),
        "error": round(problem.truth(best), 5),
        "rank": round(rank(problem.truth(best), truth), 3),
        "supernet_seconds": round(seconds, 1),
        "full_training_seconds": round(full, 2),
        "price": round(seconds / full + trained, 2),
        "load": round(os.getloadavg()[0], 1),
        "date": datetime.date.today().isoformat(),
    }


def random_search(problem: Problem, trainings: int) -> tuple[float, float]:
    """The median and the 90 % quantile of the rank of the best of random networks."""
    observed, truth = problem.random()
    rng = np.random.default_rng(0)
    ranks = []
    for errors in rng.choice(observed, 2000):
        drawn = rng.choice(len(truth), trainings, replace=False)
        ranks.append(rank(truth[drawn[errors[drawn].argmin()]], truth))
    return float(np.median(ranks)), float(np.quantile(ranks, 0.9))


def published() -> list[str]:
    """Lines on the runs of an earlier version of this program, with the rates of Liu et al."""
    frame = pd.read_csv(RESULTS / "gradient_search_published.csv")
    errors = pd.read_csv(RESULTS / "one_shot_digits.csv")["stand_alone"].to_numpy()
    frame["rank"] = [rank(error, errors) for error in frame["validation_error"]]
    frame["convolutions"] = frame["cell"].str.count("nor_conv")
    lines = [
        "",
        "## With the published learning rates, on digits",
        "",
        "gradient_search_published.csv, 2026-11-25: 0.025 for the weights, 0.01 for the "
        "architecture, 240 steps. gradient_search_traces.csv has the losses: those of GDAS stayed "
        "between 1.5 and 2, where guessing gives 2.3; DARTS was trained. The rank is that of "
        "the discretised cell, by the validation error of a single training.",
        "",
        "| method | rank, each seed | convolutions of 6 |",
        "| --- | --- | --- |",
    ]
    for method, runs in frame.sort_values("seed").groupby("method"):
        ranks = ", ".join(f"{value:.2f}" for value in runs["rank"])
        lines.append(f"| {method} | {ranks} | {', '.join(map(str, runs['convolutions']))} |")
    return lines


def report(problems: Mapping[str, Problem], directory: Path) -> None:
    """Write gradient_search.md."""
    frame = pd.read_csv(directory / "gradient_search.csv")
    lines = [
        "# Gradient-based and one-shot search",
        "",
        "../gradient_search.py describes the measurement. Ranks among random networks: 0 is the "
        "best, 0.5 the median. 'First': the strategy's first proposal, on which no training has "
        "been spent. 'Final': the best of the trained proposals. Prices in full trainings, "
        "trained proposals included. 'Random search' trains random networks and selects the best.",
        f"One thread of a shared machine ({os.cpu_count()} cores), torch {torch.__version__}, "
        f"{', '.join(sorted(set(frame['date'])))}.",
        "",
        "| problem | method | seeds | first, median | final, median | final, each seed | "
        "price, median | price, highest |",
        "| --- | --- | ---: | ---: | ---: | --- | ---: | ---: |",
    ]
    for name, problem in problems.items():
        for method in METHODS:
            runs = frame[(frame["problem"] == name) & (frame["method"] == method)]
            if runs.empty:
                continue
            # On digits it is known only where the first was also the best, which is no fair sample.
            first = f"{runs['first_rank'].median():.2f}" if name == "table" else "-"
            each = ", ".join(f"{value:.2f}" for value in runs.sort_values("seed")["rank"])
            lines.append(
                f"| {name} | {method} | {len(runs)} | {first} | "
                f"{runs['rank'].median():.2f} | {each} | {runs['price'].median():.1f} | "
                f"{runs['price'].max():.1f} |"
            )
        for trainings in (3, 5, RANDOM_TRAININGS):
            median, high = random_search(problem, trainings)
            lines.append(
                f"| {name} | random search | 2,000 draws | 0.50 | {median:.2f} | 90 % quantile "
                f"{high:.2f} | {trainings} | {trainings} |"
            )
    lines.append("")
    for name, problem in problems.items():
        observed = problem.random()[0]
        pairs = combinations(range(len(observed)), 2)
        values = [spearmanr(observed[one], observed[other]).statistic for one, other in pairs]
        lines.append(
            f"Spearman's correlation between the validation errors of random networks from two "
            f"training seeds, mean over pairs of seeds, {name}: {np.mean(values):.2f}."
        )
    lines += published()
    (directory / "gradient_search.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


def main() -> None:
    """Measure what the results lack, then write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--trained", type=int, default=3, help="proposals that are trained")
    parser.add_argument("--problems", nargs="*", default=["table", "digits"])
    parser.add_argument("--methods", nargs="*", default=list(METHODS))
    parser.add_argument("--quick", action="store_true", help="the table, one seed, two methods")
    parser.add_argument("--report", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.quick:
        arguments.seeds, arguments.problems, arguments.methods = 1, ["table"], ["DrNAS", "GDAS"]
    directory = RESULTS / "quick" if arguments.quick else RESULTS
    directory.mkdir(parents=True, exist_ok=True)
    makers = {"table": table_problem, "digits": lambda: digits_problem(directory)}
    problems = {name: makers[name]() for name in arguments.problems}
    path = directory / "gradient_search.csv"
    rows = pd.read_csv(path).to_dict("records") if path.exists() else []
    done = {(row["problem"], row["method"], row["seed"]) for row in rows}
    for seed in range(0 if arguments.report else arguments.seeds):
        for method in arguments.methods:
            for name, problem in problems.items():
                if (name, method, seed) not in done:
                    rows.append(measure(name, problem, method, seed, arguments.trained))
                    print(rows[-1], flush=True)
                    pd.DataFrame(rows).to_csv(path, index=False)
    report(problems, directory)


if __name__ == "__main__":
    main()
