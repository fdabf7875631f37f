"""The page of `gpu.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]

COLUMNS: dict[str, dict[str, Callable[[Row], str]]] = {
    "speed": {
        "network": lambda row: row["network"],
        "batch": lambda row: str(row["batch"]),
        "CUDA graph": lambda row: _graph(row),
        "by hand, images/s": lambda row: f"{row['by_hand']:.0f}",
        "Training, images/s": lambda row: f"{row['training']:.0f}",
        "ratio": lambda row: f"{row['ratio']:.2f}",
    },
    "parts": {
        "network": lambda row: row["network"],
        **{
            f"{name}, ms": lambda row, name=name: f"{row[name]:.2f}"  # type: ignore[misc]
            for name in ("step", "launches", "augmentation", "forward", "optimizer", "evaluation")
        },
    },
    "shared": {
        "trials": lambda row: str(row["trials"]),
        "CUDA graph": lambda row: "yes" if row["graph"] else "no",
        "images/s in total": lambda row: f"{row['images_per_second']:.0f}",
    },
    "search": {
        "search": lambda row: row["search"],
        "workers": lambda row: str(row["workers"]),
        "evaluations": lambda row: str(row["evaluations"]),
        "failed": lambda row: str(row["failures"]),
        "epochs per hour": lambda row: f"{row['epochs_per_hour']:.0f}",
        "best error": lambda row: "" if row["best_error"] is None else f"{row['best_error']:.3f}",
    },
    "proposals": {
        "observations": lambda row: str(row["observations"]),
        "device": lambda row: row["device"],
        **{
            f"{label}, s": lambda row, name=name: f"{row[name]:.3f}" if name in row else ""  # type: ignore[misc]
            for label, name in (
                ("proposal", "proposal"),
                ("fit", "fit"),
                ("1000 candidates", "candidates"),
            )
        },
    },
}
"""The columns of each section; that of the checks has its own."""

TITLES = {
    "checks": "Checks",
    "speed": "Training compared with a loop by hand",
    "parts": "Where the time goes",
    "shared": "Several trials on one device",
    "search": "Whole searches",
    "proposals": "Proposals, and fits of the surrogate",
}
NOTES = {
    "speed": "Aims: at least 0.83 without a graph, and 0.95 with one.",
    "parts": "Without a graph. Where the launches take as long as the step, the device waits for "
    "the CPU. Parts overlap.",
    "shared": "Each trial in a process of its own.",
    "proposals": "A search makes its proposals on the CPU. Where a fit on the GPU takes much less "
    "than the same one on the CPU, a surrogate there would pay off.",
}


def page(machine: Mapping[str, Any], rows: Sequence[Row]) -> str:
    """Return the page of the results so far.

    Args:
        machine: where they were measured.
        rows: of all steps, in order.
    """
    kind = (
        "A rehearsal at toy size on a CPU: no figure means anything. "
        if machine["rehearsal"]
        else ""
    )
    lines = [
        "# On a GPU",
        "",
        f"{kind}Measured on {machine['date']} by `python benchmarks/gpu.py`, at most "
        f"{machine['minutes']:g} minutes: {machine['device']} ({machine['devices']} GPUs), "
        f"{machine['cores']} CPU cores, torch {machine['torch']}, CUDA {machine['cuda']}, Python "
        f"{machine['python']}.",
    ]
    for section, title in TITLES.items():
        own = [row for row in rows if row["section"] == section]
        if own:
            lines += ["", f"## {title}", "", *_section(section, own)]
    return "\n".join(lines) + "\n"


def _section(section: str, rows: Sequence[Row]) -> list[str]:
    notes = [NOTES[section], ""] if section in NOTES else []
    done = [row for row in rows if "failed" not in row and "left_out" not in row]
    if section == "checks":
        table = _table(
            ("check", "result", "seconds"),
            [(row["name"], _result(row), f"{row.get('took', 0):.1f}") for row in rows],
        )
        return notes + table
    columns = COLUMNS[section]
    table = _table(tuple(columns), [[cell(row) for cell in columns.values()] for row in done])
    rest = [f"- {row['name']}: {_result(row)}" for row in rows if row not in done]
    return notes + (table if done else []) + (["", *rest] if rest else [])


def _result(row: Row) -> str:
    if "failed" in row:
        return f"**failed**: {row['failed']}".replace("\n", " ").replace("|", "/")[:500]
    return f"left out: {row['left_out']}" if "left_out" in row else str(row["result"])


def _graph(row: Row) -> str:
    return "no" if not row["graph"] else "yes" if row["captured"] else "not possible here"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [
        f"| {' | '.join(header)} |",
        f"| {' | '.join('---' for _ in header)} |",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]
