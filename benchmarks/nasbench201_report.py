"""Table and anytime plots from the rows that `nasbench201.py` or `nasbench_macro.py` wrote."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator
from numpy.typing import NDArray

from bonas.plot.style import COLOURS, MARKERS, STYLES

Floats = NDArray[np.float64]

MARKS = (10, 25, 50, 100, 150)
DRAWS = 1000
"""Of the bootstrap."""
FLOOR = 0.02
"""Regrets below are drawn here: a logarithmic axis has no zero."""


def report(benchmark: str, files: Mapping[str, Path], target: Path) -> str:
    """Write the table and a picture next to each file, and return the table.

    Args:
        benchmark: its name.
        files: the CSV file of each data set; some may not exist yet.
        target: of the table.

    Raises:
        FileNotFoundError: none of them exists.
    """
    frames = {name: pd.read_csv(file) for name, file in files.items() if file.exists()}
    if not frames:
        known = ", ".join(map(str, files.values()))
        raise FileNotFoundError(f"there is none of {known}: run the benchmark first")
    everyone = pd.concat(frames.values())["peer"].unique().tolist()
    parts = [_ranks(frames)]
    for dataset, frame in frames.items():
        parts.append(_regrets(dataset, frame))
        _plot(frame, everyone, f"{benchmark}, {dataset}", files[dataset].with_suffix(".png"))
    text = "\n".join(parts)
    target.write_text(text, encoding="utf-8")
    return text


def _regrets(title: str, frame: pd.DataFrame) -> str:
    """Tabulate median and mean regret of each peer, the lowest mean at 50 evaluations first."""
    lines = [
        f"## {title}: regret in percent, median / mean over seeds\n",
        "In brackets is the 95% bootstrap confidence interval of the median.\n",
        f"| | seeds | {' | '.join(map(str, MARKS))} evaluations | CPU s a proposal |",
        "| --- " * (len(MARKS) + 3) + "|",
    ]
    at = {mark: frame[frame["evaluations"] == mark] for mark in MARKS}
    order = at[50 if len(at[50]) else 25].groupby("peer")["regret"].mean().sort_values().index
    for peer in order:
        own = frame[frame["peer"] == peer]
        cells = []
        for mark in MARKS:
            values = own[own["evaluations"] == mark]["regret"]
            cells.append(_median_and_mean(values.to_numpy()) if len(values) else "")
        last = own[own["evaluations"] == own["evaluations"].max()]["cpu_seconds"].median()
        seconds = f"{last:.2g}" if last == last else ""  # not measured for every peer
        lines.append(f"| {peer} | {own['seed'].nunique()} | {' | '.join(cells)} | {seconds} |")
    return "\n".join(lines) + "\n"


def _median_and_mean(values: Floats) -> str:
    low, high = interval(values, np.median)
    return f"{np.median(values):.2f} [{low:.2f}, {high:.2f}] / {values.mean():.2f}"


def interval(values: Floats, statistic: Callable[..., Floats | float]) -> tuple[float, float]:
    """Return the 95% percentile bootstrap confidence interval of a statistic.

    Args:
        values: of the seeds.
        statistic: such as `np.median`; it takes the argument `axis`.
    """
    rng = np.random.default_rng(0)
    drawn = values[rng.integers(len(values), size=(DRAWS, len(values)))]
    # Not interpolated: an infinite value, of a seed without a result, may be one of the ends.
    low, high = np.quantile(statistic(drawn, axis=1), [0.025, 0.975], method="nearest")
    return float(low), float(high)


def _ranks(frames: dict[str, pd.DataFrame]) -> str:
    """Tabulate the mean rank of each peer over seeds and data sets, with its 95% interval."""
    rows: dict[str, list[str]] = {}
    order: dict[str, list[float]] = {}
    for column, mark in enumerate(MARKS):
        wide = pd.concat(
            {
                dataset: frame[frame["evaluations"] == mark].pivot_table(
                    index="seed", columns="peer", values="regret"
                )
                for dataset, frame in frames.items()
            }
        )
        if wide.empty:
            continue
        ranks, low, high = mean_ranks(wide.to_numpy(), wide.index.get_level_values(1).to_numpy())
        for peer, rank, below, above in zip(wide.columns, ranks, low, high, strict=True):
            cells = rows.setdefault(str(peer), [""] * len(MARKS))
            cells[column] = f"{rank:.1f} [{below:.1f}, {above:.1f}]"
            order.setdefault(str(peer), []).append(float(rank))
    lines = [
        "## Mean rank over seeds and data sets, with 95% bootstrap confidence intervals\n",
        "1 is the best. It is 1 plus, for each other peer, how often that one had the lower regret",
        "in the searches of the same seed (half for a tie): the mean rank, also where numbers of",
        f"seeds differ. {DRAWS} draws of the seeds.\n",
        f"| | {' | '.join(map(str, MARKS))} evaluations |",
        "| --- " * (len(MARKS) + 1) + "|",
    ]
    lines += [
        f"| {p} | {' | '.join(rows[p])} |" for p in sorted(rows, key=lambda p: np.mean(order[p]))
    ]
    return "\n".join(lines) + "\n"


def mean_ranks(regrets: Floats, seeds: NDArray[np.int64]) -> tuple[Floats, Floats, Floats]:
    """Compute mean ranks from comparisons of pairs.

    Args:
        regrets: (searches, peers), not a number where there was none.
        seeds: of each search; the searches of one seed are drawn together.

    Returns:
        For each peer the mean rank, and the ends of its 95% interval.
    """
    mine, theirs = regrets[:, :, None], regrets[:, None, :]
    lost = np.where(mine > theirs, 1.0, np.where(mine == theirs, 0.5, 0.0))
    known = np.isfinite(mine) & np.isfinite(theirs)
    names, member = np.unique(seeds, return_inverse=True)
    wins = np.zeros((len(names), *lost.shape[1:]))
    total = np.zeros_like(wins)
    np.add.at(wins, member, lost * known)
    np.add.at(total, member, known)

    def ranks(weights: Floats) -> Floats:
        shares = np.einsum("s,spq->pq", weights, wins)
        sizes = np.einsum("s,spq->pq", weights, total)
        shares = np.divide(shares, sizes, where=sizes > 0, out=np.full_like(shares, np.nan))
        np.fill_diagonal(shares, 0.0)
        return np.asarray(1.0 + shares.sum(1))

    rng = np.random.default_rng(0)
    uniform = np.full(len(names), 1 / len(names))
    drawn = np.array([ranks(rng.multinomial(len(names), uniform)) for _ in range(DRAWS)])
    # A draw without a common seed of some pair says nothing about its ranks.
    low, high = np.nanquantile(drawn, [0.025, 0.975], axis=0)
    return ranks(np.ones(len(names))), low, high


def _plot(frame: pd.DataFrame, everyone: list[str], title: str, target: Path) -> None:
    """Plot mean regret against evaluations; the band is the standard error."""
    figure, ax = plt.subplots(figsize=(8.4, 4.8), layout="constrained")
    table = frame.groupby(["peer", "evaluations"])["regret"].agg(["mean", "sem"])
    final = table["mean"].groupby("peer").last()
    for peer in final.sort_values(ascending=False).index:
        number = everyone.index(str(peer))
        curve = table.loc[peer]
        colour = COLOURS[number % len(COLOURS)]
        ax.plot(
            curve.index,
            np.maximum(curve["mean"], FLOOR),
            linestyle=STYLES[number % len(STYLES)],
            marker=MARKERS[number % len(MARKERS)],
            markersize=4.5,
            linewidth=1.4,
            color=colour,
            label=f"{peer} ({frame[frame['peer'] == peer]['seed'].nunique()})",
        )
        low, high = (
            np.maximum(curve["mean"] + sign * curve["sem"].fillna(0.0), FLOOR) for sign in (-1, 1)
        )
        ax.fill_between(curve.index, low, high, color=colour, alpha=0.12)
    _axes(ax)
    ax.set_title(f"{title}: mean and standard error")
    # In the order of the last points from above, outside the axes, where it covers nothing.
    figure.legend(loc="outside right upper", title="peer (seeds)", frameon=False, fontsize=9)
    figure.savefig(target, dpi=130)
    plt.close(figure)


def _axes(ax: Axes) -> None:
    ax.set(
        xscale="log",
        yscale="log",
        xlabel="evaluations",
        ylabel=f"regret in percent (at least {FLOOR})",
    )
    ax.xaxis.set_major_locator(FixedLocator([5, *MARKS]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_locator(FixedLocator([0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20]))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set_xlim(4.7, 160)
    ax.set_ylim(bottom=0.9 * FLOOR)
    ax.grid(alpha=0.3)
