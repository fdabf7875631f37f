"""Table and anytime plots from the rows that `multifidelity.py` wrote."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator

STRETCH: Mapping[str, float] = {"cifar10": 1.0, "cifar100": 2.0, "imagenet": 6.0}
"""How many times as long as on CIFAR-10 a training takes on each data set, rounded."""
TITLES = {"cifar10": "CIFAR-10", "cifar100": "CIFAR-100", "imagenet": "ImageNet16-120"}
MILESTONES = (50, 150)
"""Trainings to 200 epochs."""
GOALS = (("BO, 200 epochs", 50, "at most 0.33"), ("random, 200 epochs", 150, "at most 0.05"))
"""Whose regret after how many trainings is to be reached, and the ratio of times aimed at."""
MARKS = (1.5, 3, 4.5, 6, 8, 10, 13, 20, 25, 30, 50, 76)
"""Hours on CIFAR-10 in the table."""
FLOOR = 0.02
"""Regrets below are drawn here: a logarithmic axis has no zero."""
# Okabe & Ito (2008); the line styles and markers tell them apart without colour.
COLOURS = ("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#555555")
STYLES = ("-", "--", "-.", ":")
MARKERS = "osD^vPX*"


def report(target: Path) -> str:
    """Writes multifidelity.md and one picture a data set, and returns the table.

    Args:
        target: the CSV file.

    Raises:
        FileNotFoundError: there is none.
    """
    if not target.exists():
        raise FileNotFoundError(f"there is no {target}: run multifidelity.py first")
    frame = pd.read_csv(target)
    everyone = frame["method"].unique().tolist()
    parts = [
        "Regret in percent of the network recommended among those trained to 200 epochs (100 "
        "before there is one), median / mean over seeds.\n"
    ]
    for dataset in (known for known in STRETCH if (frame["dataset"] == known).any()):
        own = frame[frame["dataset"] == dataset]
        parts += [_regrets(dataset, own), _goals(own)]
        _plot(own, everyone, dataset, target.with_name(f"multifidelity_{dataset}.png"))
    text = "\n".join(parts)
    target.with_name("multifidelity.md").write_text(text)
    return text


def _regrets(dataset: str, frame: pd.DataFrame) -> str:
    marks = [STRETCH[dataset] * mark for mark in MARKS]
    lines = [
        f"## {TITLES[dataset]}: regret after simulated hours\n",
        f"| | seeds | {' | '.join(f'{mark:g} h' for mark in marks)} |",
        "| --- " * (len(marks) + 2) + "|",
    ]
    for method, own in frame.groupby("method", sort=False):
        curve = _curve(own)
        cells = [
            f"{curve.loc[mark, 'median']:.2f} / {curve.loc[mark, 'mean']:.2f}"
            if mark in curve.index
            else ""
            for mark in marks
        ]
        lines.append(f"| {method} | {own['seed'].nunique()} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _curve(own: pd.DataFrame) -> pd.DataFrame:
    """Median and mean regret by hours, where every seed of a method has a row."""
    table = own.groupby("hours")["regret"].agg(["median", "mean", "count"])
    return table[table["count"] == own["seed"].nunique()]


def _goals(frame: pd.DataFrame) -> str:
    """When the median regret of each method reaches that of a slow one."""
    heads, columns = [], []
    for name, trainings, aim in GOALS:
        slow = frame[(frame["method"] == name) & (frame["full"] >= trainings)]
        there = slow.sort_values("hours").groupby("seed").first()
        if there.empty:
            continue
        regret, hours = there["regret"].median(), there["hours"].median()
        heads.append(
            f"{regret:.2f} of {name} after {trainings} trainings, {hours:.3g} h; aim {aim}"
        )
        columns.append((regret, hours))
    lines = [
        "The first of the fixed hours at which the median regret is as low as (the ratio to the "
        "time of the slow one in brackets):\n",
        f"| | {' | '.join(heads)} |",
        "| --- " * (len(heads) + 1) + "|",
    ]
    for method, own in frame.groupby("method", sort=False):
        curve = _curve(own)
        cells = []
        for regret, hours in columns:
            reached = curve.index[curve["median"] <= regret]
            cells.append(f"{reached[0]:g} h ({reached[0] / hours:.3f})" if len(reached) else "-")
        lines.append(f"| {method} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _plot(frame: pd.DataFrame, everyone: list[str], dataset: str, target: Path) -> None:
    """Median regret against simulated hours, from the first at which it is below 100."""
    figure, ax = plt.subplots(figsize=(8.8, 4.8), layout="constrained")
    for method, own in frame.groupby("method", sort=False):
        number = everyone.index(str(method))
        curve = _curve(own)["median"]
        curve = curve[curve < 100]
        ax.plot(
            curve.index,
            np.maximum(curve, FLOOR),
            drawstyle="steps-post",
            linestyle=STYLES[number % len(STYLES)],
            marker=MARKERS[number % len(MARKERS)],
            markersize=4.5,
            linewidth=1.4,
            color=COLOURS[number % len(COLOURS)],
            label=f"{method} ({own['seed'].nunique()})",
        )
    ax.set(
        xscale="log",
        yscale="log",
        xlabel="simulated hours, one worker",
        ylabel=f"median regret in percent (at least {FLOOR})",
        title=f"NAS-Bench-201, {TITLES[dataset]}: 12 and 200 epochs, median over seeds",
    )
    ticks = [STRETCH[dataset] * hours for hours in (1, 1.5, 3, 6, 13, 25, 50, 76)]
    ax.xaxis.set_major_locator(FixedLocator(ticks))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_locator(FixedLocator([0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20]))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set_ylim(bottom=0.9 * FLOOR)
    ax.grid(alpha=0.3)
    # Beside the axes, where it covers nothing.
    figure.legend(loc="outside right upper", title="method (seeds)", frameon=False, fontsize=9)
    figure.savefig(target, dpi=130)
    plt.close(figure)
