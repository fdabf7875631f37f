"""Table and anytime plots from the rows that `multifidelity.py` wrote."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator
from multifidelity_problems import PROBLEMS, RESULTS, Problem

from bonas.plot.style import COLOURS, MARKERS, STYLES

GOALS = (("BO", 50, "at most 0.33"), ("random", 150, "at most 0.05"))
"""The method and number of full training runs whose regret is to be reached, and the
ratio of times aimed at."""
EARLY = (10, 3)
"""Parts of the time of the first of these goals at which methods are compared seed by seed."""
FLOOR = 0.02
"""Regrets below are drawn here: a logarithmic axis has no zero."""


def report() -> str:
    """Write multifidelity.md and one picture per problem, and return the table.

    Raises:
        FileNotFoundError: there are no rows.
    """
    problems = [problem for problem in PROBLEMS.values() if problem.rows.exists()]
    if not problems:
        raise FileNotFoundError(f"there are no rows in {RESULTS}: run multifidelity.py first")
    parts = [
        "Regret in percent of the network recommended among those trained to the highest budget "
        "(100 before there is one), median / mean over seeds.\n"
    ]
    for problem in problems:
        frame = pd.read_csv(problem.rows)
        parts += [_regrets(problem, frame), _goals(problem, frame), _against(problem, frame)]
        _plot(problem, frame)
    text = "\n".join(parts)
    (RESULTS / "multifidelity.md").write_text(text, encoding="utf-8")
    return text


def _regrets(problem: Problem, frame: pd.DataFrame) -> str:
    marks, unit = problem.marks, problem.unit
    lines = [
        f"## {problem.title}: regret after simulated {'hours' if unit == 'h' else 'seconds'}\n",
        f"| | seeds | {' | '.join(f'{mark:g} {unit}' for mark in marks)} |",
        "| --- " * (len(marks) + 2) + "|",
    ]
    for method, own in frame.groupby("method"):
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
    """Tabulate median and mean regret by time, where every seed of a method has a row."""
    table = own.groupby("time")["regret"].agg(["median", "mean", "count"])
    return table[table["count"] == own["seed"].nunique()]


def _goals(problem: Problem, frame: pd.DataFrame) -> str:
    """Tabulate when the median regret of each method has reached that of a slow one for good."""
    heads, columns = [], []
    for kind, trainings, aim in GOALS:
        name = f"{kind}, {problem.full:g} epochs"
        slow = frame[(frame["method"] == name) & (frame["full"] >= trainings)]
        there = slow.sort_values("time").groupby("seed").first()
        if there.empty:
            continue
        regret, time = there["regret"].median(), there["time"].median()
        heads.append(
            f"{regret:.3f} of {name} after {trainings} runs, {time:.3g} {problem.unit}; aim {aim}"
        )
        columns.append((regret, time))
    lines = [
        "The first of the fixed times from which on the median regret stays at or below that in "
        "the head of the column (in brackets the ratio to the time of the slow method):\n",
        f"| | {' | '.join(heads)} |",
        "| --- " * (len(heads) + 1) + "|",
    ]
    for method, own in frame.groupby("method"):
        # A recommendation may get worse: a median that is low once may not stay low.
        worst_to_come = _curve(own)["median"][::-1].cummax()[::-1]
        cells = []
        for regret, time in columns:
            reached = worst_to_come.index[worst_to_come <= regret]
            found = (
                f"{reached[0]:g} {problem.unit} ({reached[0] / time:.3f})" if len(reached) else "-"
            )
            cells.append(found)
        lines.append(f"| {method} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _against(problem: Problem, frame: pd.DataFrame) -> str:
    """Tabulate in how many seeds each method is ahead of full-fidelity search, early on."""
    base = f"BO, {problem.full:g} epochs"
    slow = frame[(frame["method"] == base) & (frame["full"] >= GOALS[0][1])]
    if slow.empty:
        return ""
    end = slow.groupby("seed")["time"].min().median()
    # The first of the fixed times that is not before a tenth and a third of it.
    times = [next(t for t in problem.grid if t >= 0.98 * end / part) for part in EARLY]
    heads = [f"{time:g} {problem.unit} (1/{part})" for time, part in zip(times, EARLY, strict=True)]
    lines = [
        f"Seeds in which the regret is below / equal to / above that of {base} with the same seed, "
        f"and in brackets those below its median, after parts of the {end:.3g} {problem.unit} of "
        f"{GOALS[0][1]} full training runs:\n",
        f"| | seeds | {' | '.join(heads)} |",
        "| --- " * (len(times) + 2) + "|",
    ]
    wide = frame.pivot_table(index="seed", columns=["method", "time"], values="regret")
    for method in sorted(set(frame["method"]) - {base}):
        cells, seeds = [], 0
        for time in times:
            if (method, time) not in wide or (base, time) not in wide:
                cells.append("")
                continue
            pair = wide[[(method, time), (base, time)]].dropna().to_numpy()
            gap, seeds = pair[:, 0] - pair[:, 1], len(pair)
            counts = [int((gap * sign > 1e-9).sum()) for sign in (-1, 1)]
            below = int((pair[:, 0] < np.median(pair[:, 1]) - 1e-9).sum())
            cells.append(f"{counts[0]} / {seeds - sum(counts)} / {counts[1]} ({below})")
        lines.append(f"| {method} | {seeds} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _plot(problem: Problem, frame: pd.DataFrame) -> None:
    """Plot median regret against simulated time, from the first at which it is below 100."""
    figure, ax = plt.subplots(figsize=(9.4, 5.2), layout="constrained")
    for number, method in enumerate(sorted(frame["method"].unique())):
        own = frame[frame["method"] == method]
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
        xlabel=f"simulated {'hours' if problem.unit == 'h' else 'seconds'}, one worker",
        ylabel=f"median regret in percent (at least {FLOOR})",
        title=f"{problem.title}: {problem.epochs}, median over seeds",
    )
    ax.xaxis.set_major_locator(FixedLocator(list(problem.marks)))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_locator(FixedLocator([0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20]))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set_ylim(bottom=0.9 * FLOOR)
    ax.grid(alpha=0.3)
    # Outside the axes, where it covers nothing.
    figure.legend(loc="outside right upper", title="method (seeds)", frameon=False, fontsize=9)
    figure.savefig(RESULTS / f"multifidelity_{problem.name}.png", dpi=130)
    plt.close(figure)
