"""Spearman's correlation of inherited weights with stand-alone training.

    OMP_NUM_THREADS=1 python benchmarks/one_shot.py mnist1d
    OMP_NUM_THREADS=1 python benchmarks/one_shot.py digits
    python benchmarks/one_shot.py report

`mnist1d`: the 483 networks of `MNIST1DCells`, whose stand-alone validation errors after 27 epochs
(mean of two seeds) are in the table. A supernet of the same space is trained on the same data, in
the same way except for its number of epochs, and estimates each of them; one seed per row of the
report. `digits`: 50 random networks of the NAS-Bench-201 cells, trained here for 20 epochs from
one seed. Estimates and stand-alone errors of each network go to results/one_shot_*.csv, times to
results/one_shot_times_*.csv. Times are CPU seconds of the process. Intervals are 95%, by a
bootstrap over networks (2,000 resamples).
"""

from __future__ import annotations

import argparse
import datetime
import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from ConfigSpace import Configuration
from scipy.stats import rankdata, spearmanr

from fidelity import OneShot, Training, datasets
from fidelity.tables import MNIST1DCells
from spaces import CellSpace
from spaces.space import sample

RESULTS = Path(__file__).parent / "results"
SPACE = CellSpace.nasbench201(channels=8, cells=1, stages=2)
NETWORKS = 50
EPOCHS = {"mnist1d": (27, 81, 270), "digits": (100,)}


def training() -> Training:
    """The training of networks on digits."""
    return Training(SPACE, datasets.digits(), max_epochs=20, batch_size=64, device="cpu")


def networks() -> list[Configuration]:
    """Draw random connected networks of the cells for digits, all different."""
    found: dict[str, Configuration] = {}
    for chosen in sample(SPACE.configuration_space, 240, np.random.default_rng(0)):
        cell = SPACE.architecture(chosen)
        if cell.connected:
            found.setdefault(cell.key, chosen)
    return list(found.values())[:NETWORKS]


def measure(
    name: str, base: Training, cells: list[Configuration], frame: pd.DataFrame, seeds: int
) -> None:
    """Add a column of estimates for each supernet, and write everything after each."""
    times = []
    for epochs in EPOCHS[name]:
        for seed in range(seeds):
            one_shot = OneShot(replace(base, max_epochs=epochs), seed=seed)
            start = time.process_time()
            one_shot.supernet()
            trained = time.process_time()
            frame[f"{epochs}/{seed}"] = [one_shot(cell)["cost"] for cell in cells]
            each = (time.process_time() - trained) / len(cells)
            times.append(
                {
                    "dataset": name,
                    "epochs": epochs,
                    "seed": seed,
                    "training_seconds": round(trained - start, 2),
                    "estimate_seconds": round(each, 5),
                    "load": round(os.getloadavg()[0], 1),
                    "date": datetime.date.today().isoformat(),
                }
            )
            frame.to_csv(RESULTS / f"one_shot_{name}.csv", index=False)
            pd.DataFrame(times).to_csv(RESULTS / f"one_shot_times_{name}.csv", index=False)
            print(times[-1], spearmanr(frame[f"{epochs}/{seed}"], frame["stand_alone"]).statistic)


def mnist1d(seeds: int) -> None:
    """Estimate all networks of the table."""
    table = MNIST1DCells()
    whole = table.frame()
    errors = whole.groupby(["cell", "epoch"], sort=False)["validation_error"].mean().unstack()
    frame = pd.DataFrame(
        {
            "cell": errors.index,
            "stand_alone": errors[27].to_numpy(),
            "1 epoch": errors[1].to_numpy(),
            "3 epochs": errors[3].to_numpy(),
        }
    )
    cells = [table.space.from_string(cell) for cell in frame["cell"]]
    measure("mnist1d", table.training(), cells, frame, seeds)


def digits(seeds: int) -> None:
    """Estimate random networks, which are trained here first."""
    cells, base = networks(), training()
    path = RESULTS / "one_shot_digits.csv"
    columns = ["cell", "stand_alone", "test_error", "parameters", "seconds"]
    # Networks that an earlier run has trained are kept.
    rows = pd.read_csv(path)[columns].to_dict("records") if path.exists() else []
    for number, cell in enumerate(cells[len(rows) :], start=len(rows)):
        start = time.process_time()
        final = base.final(cell)
        rows.append(
            {
                "cell": SPACE.to_string(cell),
                "stand_alone": final.validation_cost,
                "test_error": final.test_cost,
                "parameters": final.parameters,
                "seconds": round(time.process_time() - start, 2),
            }
        )
        pd.DataFrame(rows).to_csv(path, index=False)
        print(number, rows[-1], flush=True)
    measure("digits", base, cells, pd.DataFrame(rows), seeds)


def interval(one: pd.Series[float], other: pd.Series[float]) -> str:
    """Spearman's correlation and its 95% interval."""
    rng = np.random.default_rng(0)
    values = []
    for _ in range(2000):
        drawn = rng.integers(len(one), size=len(one))
        ranks = [rankdata(side.to_numpy()[drawn]) for side in (one, other)]
        values.append(np.corrcoef(*ranks)[0, 1])
    low, high = np.quantile(values, [0.025, 0.975])
    return f"{spearmanr(one, other).statistic:.3f} ({low:.3f} to {high:.3f})"


def report() -> None:
    """Write results/one_shot.md."""
    lines = [
        "# Inherited weights against stand-alone training",
        "",
        "Spearman's correlation over networks, with a 95% bootstrap interval;",
        "../one_shot.py describes the measurement. Validation errors on both sides. One thread",
        f"of a shared machine ({os.cpu_count()} cores), CPU seconds of the process, "
        f"torch {torch.__version__}.",
        "",
        "| data set | networks | estimate | seed | correlation | seconds to train the supernet | "
        "seconds per estimate | date | load |",
        "| --- | ---: | --- | ---: | --- | ---: | ---: | --- | ---: |",
    ]
    for name in EPOCHS:
        times = RESULTS / f"one_shot_times_{name}.csv"
        if not times.exists():
            continue
        frame = pd.read_csv(RESULTS / f"one_shot_{name}.csv")
        for column in ("1 epoch", "3 epochs"):
            if column in frame:
                found = interval(frame[column], frame["stand_alone"])
                lines.append(
                    f"| {name} | {len(frame)} | {column} of training | 0, 1 | {found} | | | | |"
                )
        for row in pd.read_csv(times).itertuples():
            found = interval(frame[f"{row.epochs}/{row.seed}"], frame["stand_alone"])
            lines.append(
                f"| {name} | {len(frame)} | supernet, {row.epochs} epochs | {row.seed} | {found} | "
                f"{row.training_seconds:.1f} | {row.estimate_seconds:.4f} | {row.date} | "
                f"{row.load} |"
            )
    (RESULTS / "one_shot.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


def main() -> None:
    """Measure one data set, or write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("what", choices=["mnist1d", "digits", "report"])
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    RESULTS.mkdir(exist_ok=True)
    if arguments.what == "report":
        report()
    elif arguments.what == "mnist1d":
        mnist1d(arguments.seeds)
    else:
        digits(arguments.seeds)


if __name__ == "__main__":
    main()
