"""The page of `knowledge.py`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

RESULTS = Path(__file__).parent / "results"
MARKS = (10, 25, 50, 100)
DRAWS = 2000
PEERS = ("random search", "regularized evolution", "Optuna TPE", "Optuna GP", "SMAC3", "DEHB")
"""From the tables of `nasbench201.py` and `nasbench_macro.py`, whose protocol and seeds are the
same."""
RUNS = {
    "macro": "nasbench_macro.csv",
    **{name: f"nasbench201_{name}.csv" for name in ("cifar10", "cifar100", "imagenet")},
}
TITLES = {
    "cifar10": "NAS-Bench-201, CIFAR-10",
    "cifar100": "NAS-Bench-201, CIFAR-100",
    "imagenet": "NAS-Bench-201, ImageNet16-120",
    "macro": "NAS-Bench-Macro",
    "mnist1d": "MNIST1DCells, the table of the package, after 27 epochs",
}


def report(files: Mapping[str, Path], target: Path) -> str:
    """Write the page and return it.

    Args:
        files: the CSV file of each problem; some may not exist yet.
        target: of the page.
    """
    parts = [
        "# Knowledge before the first training\n",
        "By `python benchmarks/knowledge.py`; the protocol is in its docstring. Regret in percent "
        "of the recommended network, median / mean over seeds; in brackets is the 95% bootstrap "
        "confidence interval of the mean difference from `nothing` with the same seeds. Peers "
        "know nothing; they are from the tables of `nasbench201.py` and `nasbench_macro.py`, by "
        "the same protocol with the same seeds, of which some have few.\n",
    ]
    for name, file in files.items():
        if file.exists():
            frames = [pd.read_csv(file)]
            if name in RUNS and (runs := RESULTS / RUNS[name]).exists():
                frames.append(pd.read_csv(runs).query("peer in @PEERS"))
            parts.append(_table(TITLES[name], pd.concat(frames)))
    text = "\n".join(parts)
    target.write_text(text, encoding="utf-8")
    return text


def _table(title: str, frame: pd.DataFrame) -> str:
    lines = [
        f"## {title}\n",
        f"| | seeds | {' | '.join(map(str, MARKS))} evaluations |",
        "| --- " * (len(MARKS) + 2) + "|",
    ]
    wide = frame.pivot_table(index="seed", columns=["peer", "evaluations"], values="regret")
    for peer in frame["peer"].unique():
        cells = []
        for mark in MARKS:
            if (peer, mark) not in wide:
                cells.append("")
                continue
            regrets = wide[(peer, mark)].dropna()
            cell = f"{regrets.median():.2f} / {regrets.mean():.2f}"
            if peer != "nothing" and ("nothing", mark) in wide:
                paired = (regrets - wide[("nothing", mark)]).dropna().to_numpy()
                cell += f" {_interval(paired)}"
            cells.append(cell)
        seeds = frame[frame["peer"] == peer]["seed"].nunique()
        lines.append(f"| {peer} | {seeds} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def _interval(paired: np.ndarray) -> str:
    draws = np.random.default_rng(0).choice(paired, (DRAWS, len(paired))).mean(1)
    low, high = np.quantile(draws, [0.025, 0.975])
    return f"[{low:+.2f}, {high:+.2f}]"
