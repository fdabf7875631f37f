"""The README's picture and its table, from what `nasbench201.py` wrote.

    python benchmarks/readme_figure.py

CIFAR-10 is left out, because the defaults of bonas were chosen on it. Every number is a mean over
the same 50 seeds.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator

from bonas.plot.style import COLOURS, GRID, INK, STYLES

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
TARGET = ROOT / "docs" / "peers.png"
DATASETS = {
    "CIFAR-100": "nasbench201_cifar100.csv",
    "ImageNet16-120": "nasbench201_imagenet.csv",
}
PEERS = {
    "bonas": "bonas, default",
    "GP, WL kernel": "GP with a WL kernel",
    "regularized evolution": "regularized evolution",
    "Optuna TPE": "Optuna TPE",
    "BANANAS": "BANANAS",
    "DEHB": "DEHB",
    "random search": "random search",
}
"""The peers with 50 seeds or more on both data sets, by their names in the results."""
MARKS = (10, 25, 50, 100)
SEEDS = 50


def main() -> None:
    """Draw the picture and print the table."""
    frames = {name: _read(RESULTS / file) for name, file in DATASETS.items()}
    draw(frames)
    print(table(frames))


def _read(file: Path) -> pd.DataFrame:
    frame = pd.read_csv(file)
    return frame[frame["seed"] < SEEDS]


def table(frames: dict[str, pd.DataFrame]) -> str:
    """Return the mean regret of each peer as a table in Markdown."""
    heads = [
        f"{name}: {mark}" if mark == MARKS[0] else str(mark) for name in frames for mark in MARKS
    ]
    lines = [f"| | {' | '.join(heads)} |", f"| --- |{' ---: |' * len(heads)}"]
    for peer, title in PEERS.items():
        cells = []
        for frame in frames.values():
            own = frame[frame["peer"] == peer].groupby("evaluations")["regret"].mean()
            cells += [f"{own[mark]:.2f}" for mark in MARKS]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join(lines)


def draw(frames: dict[str, pd.DataFrame]) -> None:
    """Draw one panel per data set: the mean regret of each peer against evaluations."""
    figure, panels = plt.subplots(1, len(frames), figsize=(9.6, 3.8), layout="constrained")
    for ax, (name, frame) in zip(panels, frames.items(), strict=True):
        _panel(ax, frame)
        ax.set_title(f"NAS-Bench-201, {name}", fontsize=10, color=INK)
    panels[0].set_ylabel("mean regret in percent, with its standard error")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside right center", frameon=False)
    figure.savefig(TARGET, dpi=200)
    plt.close(figure)


def _panel(ax: Axes, frame: pd.DataFrame) -> None:
    for index, (peer, title) in enumerate(PEERS.items()):
        own = frame[(frame["peer"] == peer) & (frame["evaluations"] <= MARKS[-1])]
        curve = own.groupby("evaluations")["regret"].agg(["mean", "sem"])
        first = index == 0
        ax.errorbar(
            curve.index,
            curve["mean"],
            yerr=curve["sem"],
            color=COLOURS[index],
            linestyle="-" if first else STYLES[1 + index % 3],
            linewidth=2.4 if first else 1.2,
            elinewidth=0.8,
            zorder=3 if first else 2,
            label=title,
        )
    ax.set(xscale="log", yscale="log", xlabel="training runs", xlim=(4.7, 110))
    ax.xaxis.set_major_locator(FixedLocator([5, *MARKS]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_locator(FixedLocator(np.array([0.1, 0.2, 0.5, 1, 2, 5])))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.grid(alpha=GRID)


if __name__ == "__main__":
    main()
