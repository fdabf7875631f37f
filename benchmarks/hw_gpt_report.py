"""Tables from the rows that `hw_gpt.py` wrote."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from scipy import stats

MARKS = (25, 50, 100)
SEEDS = 30
OURS = "bonas"
REASONS = """## What the searches show

For a front, the lead of bonas is larger with more layers. Its surrogate has a lengthscale for each
kind of choice and sees the means over all layers, and a local search follows the expected
improvement over many layers; the other methods change or draw layers one by one.

Below a number of parameters bonas has no lead. In the search that was examined (scale s, seed 100)
almost every single change of a good network broke the constraint, so the search stayed near its
first good networks; among those the costs differ so little that the evidence for families came
and went, and the local search with it. Pairs of changes did not mend this."""
TITLES = {
    "front": "Perplexity and parameters: hypervolume, percent of the box (higher is better)",
    "constrained": "Lowest perplexity within the constraint on parameters (lower is better)",
}


def report(source: Path) -> str:
    """Write the tables next to `source`, and return them.

    Raises:
        FileNotFoundError: there is no `source`.
    """
    if not source.exists():
        raise FileNotFoundError(f"there is no {source}: run the benchmark first")
    frame = pd.read_csv(source)
    marks = ", ".join(map(str, MARKS))
    lines = ["# Language models of HW-GPT-Bench", ""]
    lines += [f"Mean over seeds after {marks} evaluations, with the standard error after the last."]
    lines += ["`benchmarks/hw_gpt.py` says how each is measured. CPU time: one search, one thread."]
    lines += ["Below each table, bonas is compared with the best other method over shared seeds."]
    fewest = int(frame.groupby(["problem", "scale", "method"])["seed"].nunique().min())
    if fewest < SEEDS:
        lines += [f"Some methods have {fewest} of {SEEDS} seeds so far."]
    for kind, part in frame.groupby("problem", sort=False):
        lines += ["", f"## {TITLES[str(kind)]}"]
        for scale, rows in part.groupby("scale", sort=False):
            lines += ["", f"### Scale {scale}", "", *_table(rows, ascending=kind != "front")]
            lines += _comparison(rows, higher_is_better=kind == "front")
    text = "\n".join([*lines, "", REASONS]) + "\n"
    source.with_suffix(".md").write_text(text, encoding="utf-8")
    return text


def _table(rows: pd.DataFrame, *, ascending: bool) -> list[str]:
    head = " | ".join(map(str, MARKS))
    lines = [f"| method | seeds | {head} | CPU s |", "| --- " * (len(MARKS) + 3) + "|"]
    means = rows.pivot_table(index="method", columns="evaluations", values="value")
    last = means.columns.max()
    for method in means[last].sort_values(ascending=ascending).index:
        own = rows[rows["method"] == method]
        cells = []
        for mark in MARKS:
            values = own[own["evaluations"] == mark]["value"]
            text = "" if values.empty else f"{values.mean():.2f}"
            spread = mark == last and len(values) > 1
            cells.append(f"{text} ± {values.sem():.2f}" if spread else text)
        seconds = own["cpu_seconds"].median()
        seeds = own["seed"].nunique()
        lines.append(f"| {method} | {seeds} | {' | '.join(cells)} | {seconds:.0f} |")
    return lines


def _comparison(rows: pd.DataFrame, *, higher_is_better: bool) -> list[str]:
    """Return a sentence on `OURS` and the best other method, with a 95% interval of the mean."""
    last = rows[rows["evaluations"] == rows["evaluations"].max()]
    values = last.pivot_table(index="seed", columns="method", values="value")
    if OURS not in values:
        return ["", "bonas was not measured at this scale."]
    best = values.drop(columns=OURS).mean().sort_values(ascending=not higher_is_better).index[0]
    differences = (values[OURS] - values[best]).dropna()
    n = len(differences)
    text = f"{OURS} minus {best}, the best other: "
    if n < 2:
        return ["", f"{text}they share {n} seeds, too few for a comparison."]
    half = float(stats.t.ppf(0.975, n - 1) * differences.sem())
    text += f"{differences.mean():+.2f} ± {half:.2f} (95% interval, {n} shared seeds)"
    better = differences.mean() if higher_is_better else -differences.mean()
    verdict = (
        "no difference is shown" if abs(better) < half else "better" if better > 0 else "worse"
    )
    return ["", f"{text}: {verdict}."]
