"""The front of validation error against multiply-adds by real training, on digits, in minutes.

    python benchmarks/pareto_digits.py

A macro space of three stages (depth, width, and for each block whether it is a plain convolution or
an inverted residual, kernel and expansion) is searched for networks of low validation error and few
multiply-adds. The multiply-adds of a network are computed before training (`Training.computed`);
only its error is predicted. Random search gets the same number of evaluations. Each network is
trained for `--epochs` epochs on the 8x8 digits of scikit-learn. Results go to
results/pareto_digits.csv, .md and .png.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from bonas import History, Search, plot
from bonas.runners import LocalProcesses
from bonas.strategies import MultiObjectiveBayesianOptimization, RandomSearch
from bonas.strategies.strategy import Strategy
from fidelity import Training, datasets
from fidelity.history.pareto import hypervolume
from spaces.hierarchical.macro_space import MacroSpace
from spaces.motifs.families import Family, inverted, plain
from spaces.motifs.layers import Convolution
from spaces.motifs.motifs import Stage

RESULTS = Path(__file__).parent / "results"
OBJECTIVES = ("cost", "multiply_adds")
REFERENCE = (0.5, 2e6)
"""The highest error and the most multiply-adds of interest."""
STRATEGIES: dict[str, Strategy] = {
    "bonas": MultiObjectiveBayesianOptimization(),
    "random search": RandomSearch(),
}


def space() -> MacroSpace:
    """Three stages; the second and the third halve the resolution."""
    stages = {}
    for number, (widths, stride) in enumerate(
        [((4, 8, 16), 1), ((8, 16, 32), 2), ((8, 16, 32, 64), 2)], start=1
    ):
        shared = {"width": widths, "stride": (stride,)}
        own = {"kernel": (3, 5), "expansion": (1, 3)}
        families = {
            "plain": Family(plain, shared, {"kernel": (1, 3, 5)}),
            "inverted": Family(inverted, shared, own),
        }
        stages[f"stage{number}"] = Stage(families, (1, 3))
    return MacroSpace(stages, (Convolution(8),), (Convolution(32, (1, 1)),))


def searched(
    strategy: Strategy, evaluations: int, epochs: float, workers: int
) -> tuple[History, float]:
    """Run a search; return its seconds too."""
    training = Training(space(), datasets.digits(), max_epochs=epochs)
    started = time.monotonic()
    with (
        Search(training.space, training, strategy=strategy, objectives=OBJECTIVES) as search,
        LocalProcesses(workers) as runner,
    ):
        history = search.run(evaluations=evaluations, runner=runner)
    return history, time.monotonic() - started


def report(histories: dict[str, History], seconds: dict[str, float]) -> str:
    """Format the fronts as a table."""
    lines = [
        "| | evaluations | minutes | hypervolume | of logarithms, decades squared | on the front |",
        "| --- " * 6 + "|",
    ]
    for name, history in histories.items():
        found = np.array([history.goal.costs(e) for e in history.pareto_front])
        volume = hypervolume(found, REFERENCE) / (REFERENCE[0] * REFERENCE[1])
        decades = hypervolume(np.log10(np.maximum(found, 1e-3)), np.log10(REFERENCE).tolist())
        lines.append(
            f"| {name} | {len(history)} | {seconds[name] / 60:.1f} | {volume:.4f} | {decades:.3f} "
            f"| {len(found)} |"
        )
    return "\n".join(lines) + "\n"


def draw(histories: dict[str, History], target: Path) -> None:
    """Plot the fronts, the growth of ours, and the hypervolume of both."""
    figure, axes = plt.subplots(1, 3, figsize=(15, 4.4), layout="constrained")
    plot.pareto(histories, axes[0])
    plot.pareto({"bonas": histories["bonas"]}, axes[1], after=(5, 10, 20))
    for ax, title in zip(axes, ("both searches", "over time"), strict=False):
        ax.set(xscale="log", yscale="log", title=title)
        ax.set(xlabel="multiply-adds of one image", ylabel="validation error on digits")
    plot.hypervolume(histories, REFERENCE, axes[2], clock="evaluations")
    axes[2].set_title(f"up to an error of {REFERENCE[0]:g} and {REFERENCE[1]:,.0f} multiply-adds")
    figure.savefig(target, dpi=110)
    plt.close(figure)


def main() -> None:
    """Run both searches, then write rows, table and picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--evaluations", type=int, default=80, help="of each search")
    parser.add_argument("--epochs", type=float, default=8)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    histories: dict[str, History] = {}
    seconds: dict[str, float] = {}
    for name, strategy in STRATEGIES.items():
        histories[name], seconds[name] = searched(
            strategy, arguments.evaluations, arguments.epochs, arguments.workers
        )
    rows = pd.concat(
        history.frame()[["number", *OBJECTIVES, "parameters", "seconds"]].assign(strategy=name)
        for name, history in histories.items()
    )
    rows.to_csv(RESULTS / "pareto_digits.csv", index=False, float_format="%.6g")
    text = report(histories, seconds)
    (RESULTS / "pareto_digits.md").write_text(
        "# The front of error against multiply-adds on digits\n\n"
        f"{arguments.epochs:g} epochs per network, {arguments.workers} worker processes, one seed; "
        f"hypervolume up to an error of {REFERENCE[0]:g} and {REFERENCE[1]:,.0f} multiply-adds, "
        f"as a part of that rectangle. `python benchmarks/pareto_digits.py`.\n\n{text}",
        encoding="utf-8",
    )
    draw(histories, RESULTS / "pareto_digits.png")
    print(text)


if __name__ == "__main__":
    main()
