"""The page of the rows that `nasbench201_noise_free.py` wrote, next to published figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from nasbench201_report import Floats, interval

MARKS = (10, 25, 50, 64, 80, 100, 128, 150)
LIMITS = (150, 300)
"""Evaluations at which a search that has not found the best network counts as censored."""

PUBLISHED: Mapping[str, Mapping[str, Mapping[int, float]]] = {
    "CAP (pretrained encoder)": {
        "CIFAR-10": {50: 0.07},
        "CIFAR-100": {50: 0.08},
        "ImageNet16-120": {50: 0.26},
    },
    "WeakPNAG": {
        "CIFAR-10": {64: 0.00, 128: 0.00},
        "CIFAR-100": {64: 0.00, 128: 0.00},
        "ImageNet16-120": {64: 0.35, 128: 0.00},
    },
    "SAENAS-NE": {
        "CIFAR-10": {100: 0.03},
        "CIFAR-100": {100: 0.03},
        "ImageNet16-120": {100: 0.14},
    },
}
"""Regrets by method, data set and evaluations: the best mean of the table minus the accuracy that a
maintained list of papers gives for the method. Second-hand: not measured here, not read in the
papers themselves."""

HEAD = """# NAS-Bench-201 without noise: the protocol of predictor papers

A query returns the mean validation accuracy of the 200-epoch training runs that the table holds of
a network (`python benchmarks/nasbench201_noise_free.py`). The regret is the best mean of the table
minus that of the best network evaluated so far, in percent. Brackets are 95% bootstrap confidence
intervals over seeds. Rows in italics are published figures. They are second-hand: taken from a
maintained list of papers, neither measured here nor checked in the papers, without intervals.
Defaults were chosen on CIFAR-10 alone, and under noise.
"""


def report(files: Mapping[str, Path], target: Path) -> str:
    """Write the page and return it.

    Args:
        files: the CSV file of each data set, by title; some may not exist yet.
        target: of the page.

    Raises:
        FileNotFoundError: none of them exists.
    """
    frames = {title: pd.read_csv(file) for title, file in files.items() if file.exists()}
    if not frames:
        known = ", ".join(map(str, files.values()))
        raise FileNotFoundError(f"there is none of {known}: run the benchmark first")
    parts = [HEAD]
    for title, frame in frames.items():
        parts.append(f"## {title}: mean regret in percent\n\n{_regrets(title, frame, np.mean)}")
        parts.append(f"## {title}: median regret in percent\n\n{_regrets(title, frame, np.median)}")
    parts.append(_until_best(frames))
    text = "\n".join(parts)
    target.write_text(text, encoding="utf-8")
    return text


def _regrets(title: str, frame: pd.DataFrame, statistic: Callable[[Floats], float]) -> str:
    """Tabulate a statistic of the regret, with its interval; published rows next to means."""
    lines = [
        f"| | seeds | {' | '.join(map(str, MARKS))} evaluations |",
        "| --- " * (len(MARKS) + 2) + "|",
    ]
    shared = frame[frame["evaluations"].isin(MARKS)]
    for peer in shared.groupby("peer")["regret"].mean().sort_values().index:
        own = shared[shared["peer"] == peer]
        cells = []
        for mark in MARKS:
            values = own[own["evaluations"] == mark]["regret"].to_numpy()
            cells.append(with_interval(values, statistic) if len(values) else "")
        lines.append(f"| {peer} | {own['seed'].nunique()} | {' | '.join(cells)} |")
    if statistic is np.mean:
        for method, figures in PUBLISHED.items():
            known = figures.get(title, {})
            cells = [f"{known[mark]:.2f}" if mark in known else "" for mark in MARKS]
            lines.append(f"| *{method}, second-hand* | | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def with_interval(values: Floats, statistic: Callable[[Floats], float], digits: int = 2) -> str:
    """Format a statistic of the seeds with its confidence interval.

    Args:
        values: one per seed.
        statistic: such as `np.mean`; it takes the argument `axis`.
        digits: after the point.
    """
    low, high = interval(values, statistic)
    return f"{statistic(values):.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def _until_best(frames: Mapping[str, pd.DataFrame]) -> str:
    """Tabulate the number of evaluations until the best network is evaluated."""
    lines = [
        "## Evaluations until the best network\n",
        "The number of evaluations up to the first one of the network with the highest mean. A",
        "search that ends without it counts as its limit: a mean with `>=` is a lower bound.\n",
        f"| | limit | {' | '.join(f'{title}: found by | mean | median' for title in frames)} |",
        "| --- " * (2 + 3 * len(frames)) + "|",
    ]
    rows: list[tuple[int, float, str]] = []
    for peer in pd.concat(frames.values())["peer"].unique():
        for limit in LIMITS:
            own = [f[(f["peer"] == peer) & (f["evaluations"] == limit)] for f in frames.values()]
            counts = [frame["until_best"].to_numpy(dtype=np.float64) for frame in own]
            if any(map(len, counts)):
                cells = [cell for count in counts for cell in _counts(count, limit)]
                mean = float(np.nan_to_num(np.concatenate(counts), nan=limit).mean())
                rows.append((limit, mean, f"| {peer} | {limit} | {' | '.join(cells)} |"))
    return "\n".join([*lines, *(text for *_, text in sorted(rows))]) + "\n"


def _counts(count: Floats, limit: int) -> list[str]:
    """Format how many searches found the best network, and after how many evaluations."""
    if not len(count):
        return [""] * 3
    found, censored = np.isfinite(count), np.nan_to_num(count, nan=limit)
    bound = "" if found.all() else ">= "
    median = float(np.median(np.nan_to_num(count, nan=np.inf)))
    low, high = interval(np.nan_to_num(count, nan=np.inf), np.median)
    ends = [f"{value:.0f}" if value <= limit else f"over {limit}" for value in (median, low, high)]
    return [
        f"{found.sum()} of {len(count)}",
        f"{bound}{with_interval(censored, np.mean, 0)}",
        f"{ends[0]} [{ends[1]}, {ends[2]}]",
    ]
