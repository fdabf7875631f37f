"""Table and picture from the rows that `hardware.py` wrote."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

from bonas.plot.style import COLOURS, MARKERS, STYLES

MARKS = (50, 100, 200)
DEVICES = {
    "edgegpu_latency": "edge GPU",
    "raspi4_latency": "Raspberry Pi 4",
    "pixel3_latency": "Pixel 3",
    "eyeriss_latency": "Eyeriss",
    "fpga_latency": "FPGA",
}


def report(source: Path) -> str:
    """Write the table and the picture next to `source`, and return the table.

    Raises:
        FileNotFoundError: there is no `source`.
    """
    if not source.exists():
        raise FileNotFoundError(f"there is no {source}: run the benchmark first")
    frame = pd.read_csv(source)
    text = "\n".join(
        [
            _table(frame, "fraction", "reference point at the 90th percentiles of the table"),
            _table(frame, "fraction_worst", "reference point at the worst values of the table"),
            _times(frame),
        ]
    )
    source.with_suffix(".md").write_text(text, encoding="utf-8")
    _plot(frame, source.with_suffix(".png"))
    return text


def _table(frame: pd.DataFrame, column: str, title: str) -> str:
    marks = " / ".join(map(str, MARKS))
    lines = [
        f"## Hypervolume, percent of the true front's: {title}\n",
        f"Mean over seeds (their number in parentheses) after {marks} evaluations; CIFAR-10 error "
        "against latency. The best of each is bold.\n",
        f"| | {' | '.join(DEVICES.values())} |",
        "| --- " * (len(DEVICES) + 1) + "|",
    ]
    chosen = frame[frame["evaluations"].isin(MARKS)]
    means = 100 * chosen.groupby(["peer", "device", "evaluations"])[column].mean()
    seeds = chosen.groupby(["peer", "device"])["seed"].nunique()
    best = means.groupby(["device", "evaluations"]).max()
    order = means.groupby("peer").mean().sort_values(ascending=False).index
    for peer in order:
        cells = []
        for device in DEVICES:
            values = [means.get((peer, device, mark)) for mark in MARKS]
            if any(value is None for value in values):
                cells.append("")
                continue
            shown = [
                f"**{value:.2f}**" if value == best[device, mark] else f"{value:.2f}"
                for value, mark in zip(values, MARKS, strict=True)
            ]
            cells.append(f"{' / '.join(shown)} ({seeds[peer, device]})")
        lines.append(f"| {peer} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _times(frame: pd.DataFrame) -> str:
    last = frame[frame["evaluations"] == frame["evaluations"].max()]
    seconds = last.groupby("peer")["cpu_seconds"].median().sort_values()
    lines = ["## CPU seconds per proposal at 200 evaluations, one thread, median\n", "| | s |"]
    lines += ["| --- | --- |", *(f"| {peer} | {value:.2g} |" for peer, value in seconds.items())]
    return "\n".join(lines) + "\n"


def _plot(frame: pd.DataFrame, target: Path) -> None:
    """Plot the missing share of the true hypervolume; the band is the standard error."""
    means = frame.groupby("peer")["fraction"].mean().sort_values(ascending=False)
    everyone = means.index.tolist()
    figure, axes = plt.subplots(
        1, len(DEVICES), figsize=(17, 4.2), sharey=True, layout="constrained"
    )
    for ax, (device, title) in zip(axes, DEVICES.items(), strict=True):
        own = frame[frame["device"] == device]
        if own.empty:
            continue
        lacking = own.assign(lacking=100 * (1 - own["fraction"]))
        table = lacking.groupby(["peer", "evaluations"])["lacking"].agg(["mean", "sem"])
        for number, peer in enumerate(everyone):
            if peer not in table.index:
                continue
            curve = table.loc[peer]
            colour = COLOURS[number % len(COLOURS)]
            ax.plot(
                curve.index,
                curve["mean"],
                linestyle=STYLES[number % len(STYLES)],
                marker=MARKERS[number % len(MARKERS)],
                markersize=4.5,
                color=colour,
                label=peer,
            )
            low, high = (curve["mean"] + sign * curve["sem"].fillna(0.0) for sign in (-1, 1))
            ax.fill_between(curve.index, low, high, color=colour, alpha=0.12)
        ax.set(xscale="log", yscale="log", xlabel="evaluations", title=title)
        ax.set_xticks([10, 25, *MARKS], [str(mark) for mark in (10, 25, *MARKS)])
        ax.minorticks_off()
        ax.set_yticks([0.5, 1, 2, 5, 10, 20, 50], ["0.5", "1", "2", "5", "10", "20", "50"])
        ax.grid(alpha=0.3)
    axes[0].set_ylabel("hypervolume lacking, percent of the true front's")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right upper", frameon=False, fontsize=9)
    figure.savefig(target, dpi=120)
    plt.close(figure)
