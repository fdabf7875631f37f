"""The accuracy of latencies estimated from a table of operations.

    python benchmarks/latency.py

For each space some random networks calibrate a `LatencyTable`, which then estimates others. All
are measured in rounds, one network after another, so that a busy minute affects all of them. The
latency of a network is the median over every other round; the remaining rounds make a second
measurement, whose difference to the first bounds the accuracy of any estimate. The table holds the
operations of the calibrating networks and measures others on demand. It is compared with
multiply-adds and activations, with an intercept and a slope fitted to the same networks.

Results go to results/latency.md.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from ConfigSpace import Configuration
from jaxtyping import Float
from scipy.stats import spearmanr

from fidelity.latency import Latency, LatencyTable, MeasuredLatency
from fidelity.latency.table import fit
from spaces.cells.cell import CellSpace
from spaces.hierarchical.macro_space import MacroSpace
from spaces.resources.resources import cost
from spaces.space import InputShape, Space, sample

ROOT = Path(__file__).resolve().parent.parent
OUTPUTS = 10
LATENCY = Latency("cpu", batch_size=1, warm_up=3, repeats=15, threads=1)
ROUNDS = 6
Row = Float[np.ndarray, " networks"]


@dataclass(frozen=True)
class Case:
    """A space at a size.

    Attributes:
        name: for the report.
        space: of the networks.
        input_shape: channels, height and width of one image.
    """

    name: str
    space: Space
    input_shape: InputShape


CASES = (
    Case("`CellSpace.nasbench201(16, cells=2)`, 32x32", CellSpace.nasbench201(16, 2), (3, 32, 32)),
    Case("`MacroSpace.nasbench_macro()`, 32x32", MacroSpace.nasbench_macro(), (3, 32, 32)),
    Case("`MacroSpace.mobile(0.5)`, 64x64", MacroSpace.mobile(0.5), (3, 64, 64)),
)


@dataclass(frozen=True)
class Found:
    """The results of a case; the arrays are of the networks that did not calibrate.

    Attributes:
        measured: in seconds, the median over half of the rounds.
        again: over the other half.
        spread: the interquartile range over the median of each network, the median over rounds.
        estimates: by name of the estimate, in seconds.
        before: operations in the table before these networks were seen.
        after: and after.
        table: as calibrated.
        table_seconds: to make the table.
        measure_seconds: to measure one network, the mean.
        estimate_seconds: to estimate one network whose operations are known, the mean.
    """

    measured: Row
    again: Row
    spread: Row
    estimates: dict[str, Row]
    before: int
    after: int
    table: LatencyTable
    table_seconds: float
    measure_seconds: float
    estimate_seconds: float


def run(case: Case, calibrating: int, tested: int) -> Found:
    """Calibrate, then measure and estimate."""
    drawn = sample(case.space.configuration_space, 4 * (calibrating + tested), _rng())
    drawn = [c for c in drawn if case.space.architecture(c).connected][: calibrating + tested]
    start = time.perf_counter()
    table = LatencyTable(case.space, case.input_shape, OUTPUTS, LATENCY)
    table = table.filled(drawn[:calibrating])
    table_seconds = time.perf_counter() - start
    whole = MeasuredLatency(case.space, case.input_shape, OUTPUTS, LATENCY)
    start = time.perf_counter()
    rounds = [[whole.timing(c) for c in drawn] for _ in range(ROUNDS)]
    measure_seconds = (time.perf_counter() - start) / len(drawn) / ROUNDS
    medians = np.array([[timing.median for timing in timings] for timings in rounds])
    spreads = np.array([[timing.spread for timing in timings] for timings in rounds])
    measured, again = np.median(medians[::2], axis=0), np.median(medians[1::2], axis=0)
    work = np.array([table.work(c) for c in drawn])
    intercept, overhead, slope = fit(work[:calibrating], measured[:calibrating])
    before = len(table.seconds)
    table = replace(table.filled(drawn), intercept=intercept, overhead=overhead, slope=slope)
    start = time.perf_counter()
    estimates = {"table": np.array([table(c) for c in drawn[calibrating:]])}
    estimate_seconds = (time.perf_counter() - start) / tested
    costs = [_cost(case, c) for c in drawn]
    for column, name in enumerate(("multiply-adds", "activations")):
        amount = np.array([row[column] for row in costs], dtype=float)
        estimates[name] = _fitted(amount, measured, calibrating)[calibrating:]
    return Found(
        measured=measured[calibrating:],
        again=again[calibrating:],
        spread=np.median(spreads, axis=0)[calibrating:],
        estimates=estimates,
        before=before,
        after=len(table.seconds),
        table=table,
        table_seconds=table_seconds,
        measure_seconds=measure_seconds,
        estimate_seconds=estimate_seconds,
    )


def _rng() -> np.random.Generator:
    return np.random.default_rng(0)


def _cost(case: Case, configuration: Configuration) -> tuple[int, int]:
    with torch.device("meta"):
        network = case.space.build(configuration, case.input_shape, OUTPUTS)
    counted = cost(network, case.input_shape)
    return counted.multiply_adds, counted.activations


def _fitted(amount: Row, measured: Row, calibrating: int) -> Row:
    """Fit intercept and slope by least squares of relative errors."""
    work = np.column_stack([np.zeros_like(amount), amount])
    intercept, _, slope = fit(work[:calibrating], measured[:calibrating])
    return intercept + slope * amount


def _row(name: str, estimate: Row, measured: Row) -> str:
    error = np.abs(estimate - measured) / measured
    middle, most = np.quantile(error, [0.5, 0.9])
    return f"| {name} | {middle:.1%} | {most:.1%} | {spearmanr(estimate, measured).statistic:.3f} |"


def section(case: Case, found: Found, calibrating: int) -> list[str]:
    """Format one space as lines of Markdown."""
    low, middle, high = np.quantile(found.measured, [0, 0.5, 1]) * 1e3
    table = found.table
    lines = [
        "",
        f"## {case.name}",
        "",
        f"{len(found.measured)} networks of {low:.2f} to {high:.2f} ms (median {middle:.2f}), "
        f"calibrated on {calibrating} others. Quartiles of one measurement are "
        f"{np.median(found.spread):.1%} of its median apart (median over networks). "
        f"{found.before} operations were measured in {found.table_seconds:.1f} s before these "
        f"networks were seen, {found.after - found.before} when they were. A network takes "
        f"{found.measure_seconds * 1e3:.0f} ms to measure and {found.estimate_seconds * 1e3:.0f} "
        f"ms to estimate. Intercept {table.intercept * 1e6:.0f} µs, overhead of an operation "
        f"{table.overhead * 1e6:.1f} µs, slope {table.slope:.2f}.",
        "",
        "| estimate | median relative error | 90% of errors below | Spearman |",
        "| --- | ---: | ---: | ---: |",
        _row("measured a second time", found.again, found.measured),
    ]
    return lines + [_row(name, e, found.measured) for name, e in found.estimates.items()]


def report(calibrating: int, tested: int, cases: Sequence[Case] = CASES) -> str:
    """Measure all cases and format them as Markdown."""
    lines = [
        "# Latency: a table of operations compared with measured networks",
        "",
        f"Measured on {datetime.date.today()} by `python benchmarks/latency.py`: Python "
        f"{platform.python_version()}, torch {version('torch')}; {LATENCY.threads} thread on "
        f"{len(os.sched_getaffinity(0))} core(s) of a shared {platform.machine()} "
        f"{platform.system()} machine on which other programs ran, batches of "
        f"{LATENCY.batch_size}, medians of {LATENCY.repeats} repeats after {LATENCY.warm_up} calls "
        f"to warm up, and medians of those over {ROUNDS // 2} rounds. All three estimates are "
        "fitted to the same calibrating networks.",
    ]
    for case in cases:
        lines += section(case, run(case, calibrating, tested), calibrating)
        print("\n".join(lines[-6:]), flush=True)
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--calibrating", type=int, default=20)
    parser.add_argument("--tested", type=int, default=60)
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results")
    options = parser.parse_args()
    text = report(options.calibrating, options.tested)
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "latency.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
