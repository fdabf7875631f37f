"""DARTS of first and second order and GDAS on digits, from the search to the test error.

    OMP_NUM_THREADS=1 python benchmarks/gradient_search.py --seeds 2
    python benchmarks/gradient_search.py --report

Each searches the NAS-Bench-201 cells (8 channels, one cell in each of two stages) with the
training half of digits' training part, its weights on one half and its architecture parameters
on the other. The discretised cell is then trained by `Training` for 20 epochs, exactly as the
random networks of the same space in results/one_shot_digits.csv (`benchmarks/one_shot.py`), with
which it is compared. 'Pooling normalised' searches with batch normalisation after pooling, as the
code of Liu et al. (2019) does; the trained cell is that of the ordinary space. Results go to
results/gradient_search.csv, the architecture parameters to results/gradient_search_traces.csv.
Times are CPU seconds of the process.
"""

from __future__ import annotations

import argparse
import datetime
import os
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from one_shot import RESULTS, SPACE, training
from torch import nn

from bonas.strategies import (
    DARTS,
    GDAS,
    Bilevel,
    CollapseWarning,
    SecondOrder,
    SkipConnections,
    StableCell,
    Trace,
    ValidationLoss,
)
from bonas.strategies.gradient.early_stop import StopRule
from fidelity import datasets
from spaces.cells.cell import NASBENCH201, CellSpace
from spaces.operations.operations import average_pool

CSV, TRACES = RESULTS / "gradient_search.csv", RESULTS / "gradient_search_traces.csv"


def normalised_pool(channels_in: int, channels_out: int, stride: int) -> nn.Module:
    """Pooling on the scale of convolutions, as in the code of Liu et al. (2019)."""
    pool = average_pool(3)(channels_in, channels_out, stride)
    return nn.Sequential(pool, nn.BatchNorm2d(channels_out))


NORMALISED = replace(SPACE, operations={**NASBENCH201, "avg_pool_3x3": normalised_pool})
METHODS: dict[str, tuple[Callable[[Bilevel], DARTS | GDAS], CellSpace]] = {
    "GDAS": (GDAS, SPACE),
    "DARTS, first order": (DARTS, SPACE),
    "DARTS, second order": (lambda bilevel: DARTS(bilevel, SecondOrder()), SPACE),
    "GDAS, pooling normalised": (GDAS, NORMALISED),
    "DARTS, first order, pooling normalised": (DARTS, NORMALISED),
}
RULES: dict[str, StopRule] = {
    "skips": SkipConnections(2),
    "stable": StableCell(10),
    "held_out_loss": ValidationLoss(10),
}
SETTINGS = {"epochs": 30, "batch_size": 64, "architecture_rate": 0.01}


def first_stop(rule: StopRule, trace: Trace) -> int | None:
    """The epoch after which the rule would have stopped the search."""
    epochs = range(1, trace.epochs + 1)
    return next((epoch for epoch in epochs if rule(trace.until(epoch))), None)


def measure(name: str, seed: int) -> tuple[dict[str, object], pd.DataFrame]:
    """Search once and train the result; return a row and the trace."""
    bilevel = Bilevel(datasets.digits(), seed=seed, device="cpu", **SETTINGS)  # type: ignore[arg-type]
    make, space = METHODS[name]
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CollapseWarning)  # the trace records it
        trace = make(bilevel).trace(space)
    searched = time.process_time() - start
    cell = space.to_string(trace.configurations[-1])
    final = training().final(SPACE.from_string(cell), seed)
    row: dict[str, object] = {
        "method": name,
        "seed": seed,
        "cell": cell,
        "validation_error": final.validation_cost,
        "test_error": final.test_cost,
        "parameters": final.parameters,
        "search_seconds": round(searched, 1),
        "skips": trace.skips[-1],
        "collapsed_at": trace.collapsed,
        **{f"stop_{name}": first_stop(rule, trace) for name, rule in RULES.items()},
        "load": round(os.getloadavg()[0], 1),
        "date": datetime.date.today().isoformat(),
    }
    frame = trace.frame()
    frame.insert(0, "method", name)
    frame.insert(1, "seed", seed)
    return row, frame.round(5)


def report(random_networks: Path = RESULTS / "one_shot_digits.csv") -> None:
    """Write results/gradient_search.md."""
    rows, others = pd.read_csv(CSV), pd.read_csv(random_networks)
    errors = others["stand_alone"]
    lines = [
        "# Gradient-based search on digits",
        "",
        "../gradient_search.py describes the measurement: "
        + ", ".join(f"{name} {value}" for name, value in SETTINGS.items())
        + f". One thread of a shared machine ({os.cpu_count()} cores), CPU seconds, torch "
        f"{torch.__version__}. Errors in percent, of 359 validation and 359 test images, so that "
        "one image is 0.28. 'Rank': the share of the random networks that have a lower "
        "validation error, ties counted half. 'Stop': the epoch after which `SkipConnections(2)`, "
        "`StableCell(10)` or `ValidationLoss(10)` would have ended the search.",
        "",
        "| method | seed | validation | test | rank | parameters | search, s | skips of 6 | "
        "collapsed at | stop: skips | stable | loss | date | load |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- "
        "| ---: |",
    ]
    for row in rows.sort_values(["method", "seed"]).to_dict("records"):
        below = (errors < row["validation_error"]).mean()
        tied = np.isclose(errors, row["validation_error"]).mean()
        epochs = [
            "-" if pd.isna(row[name]) else f"{row[name]:.0f}"
            for name in ("collapsed_at", "stop_skips", "stop_stable", "stop_held_out_loss")
        ]
        lines.append(
            f"| {row['method']} | {row['seed']} | {100 * row['validation_error']:.2f} | "
            f"{100 * row['test_error']:.2f} | {below + tied / 2:.2f} | {row['parameters']} | "
            f"{row['search_seconds']} | {row['skips']} | {' | '.join(epochs)} | {row['date']} | "
            f"{row['load']} |"
        )
    for name, quantile in (("best", 0.0), ("median", 0.5), ("worst", 1.0)):
        place = others.sort_values("stand_alone").iloc[round(quantile * (len(others) - 1))]
        lines.append(
            f"| {name} of {len(others)} random | 0 | {100 * place['stand_alone']:.2f} | "
            f"{100 * place['test_error']:.2f} | {quantile:.2f} | {place['parameters']} "
            "| | | | | | | | |"
        )
    (RESULTS / "gradient_search.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


def main() -> None:
    """Measure what the results lack, or write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--methods", nargs="*", default=list(METHODS))
    parser.add_argument("--report", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.report:
        report()
        return
    rows = pd.read_csv(CSV).to_dict("records") if CSV.exists() else []
    traces = [pd.read_csv(TRACES)] if TRACES.exists() else []
    done = {(row["method"], row["seed"]) for row in rows}
    for seed in range(arguments.seeds):
        for name in arguments.methods:
            if (name, seed) in done:
                continue
            row, trace = measure(name, seed)
            print(row, flush=True)
            rows.append(row)
            traces.append(trace)
            pd.DataFrame(rows).to_csv(CSV, index=False)
            pd.concat(traces).to_csv(TRACES, index=False)


if __name__ == "__main__":
    main()
