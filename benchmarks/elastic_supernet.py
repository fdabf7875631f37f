"""Rank correlation of an elastic supernet's estimates with stand-alone training.

    OMP_NUM_THREADS=1 python benchmarks/elastic_supernet.py train digits     # then mnist1d
    OMP_NUM_THREADS=1 python benchmarks/elastic_supernet.py estimate digits
    python benchmarks/elastic_supernet.py report

50 random networks of `MacroSpace.small`, of different depths, widths, kernels and kinds of blocks,
are trained from one seed. Supernets of the same space, with the same optimizer and batches,
estimate them. Settings were chosen on digits; the one that was chosen then ran on mnist1d, which no
choice has seen. Networks and estimates go to results/elastic_supernet_*.csv. Recorded ones are not
computed again. Prices are CPU seconds of the process: that of a supernet includes its construction
and the 50 estimates. Intervals are 95%, by a bootstrap over networks (2,000 resamples).
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from ConfigSpace import Configuration
from scipy.stats import kendalltau, spearmanr

from fidelity import OneShot, Training, datasets
from fidelity.one_shot import Grouped, Paths, Sandwich, Uniform
from spaces import MacroSpace
from spaces.space import configuration, record, sample

RESULTS = Path(__file__).parent / "results"
SPACE = MacroSpace.small(widths=(2, 4, 8, 16), stages=2)
NETWORKS = 50
STAND_ALONE_EPOCHS = {"digits": 20, "mnist1d": 8}
RESAMPLES = 2000


@dataclass(frozen=True)
class Setting:
    """The training of a supernet.

    Attributes:
        paths: the rule by which the network of each step is drawn.
        epochs: passes over the data, as a multiple of those of a stand-alone training.
        rate: its learning rate, as a multiple of theirs.
        batch_size: examples per step.
    """

    paths: Paths
    epochs: float
    rate: float = 1.0
    batch_size: int = 64


SETTINGS: dict[str, dict[str, Setting]] = {
    "digits": {
        "groups of sandwiches": Setting(Grouped(Sandwich()), 3),
        "sandwich": Setting(Sandwich(), 1.9),
        "uniform": Setting(Uniform(), 1.9),
    },
    "mnist1d": {"groups of sandwiches": Setting(Grouped(Sandwich()), 3)},
}


def training(name: str) -> Training:
    """The training of single networks on a data set."""
    dataset = datasets.digits() if name == "digits" else datasets.mnist1d()
    epochs = STAND_ALONE_EPOCHS[name]
    return Training(SPACE, dataset, max_epochs=epochs, batch_size=64, device="cpu")


def train(name: str, path: Path, networks: int, epochs: float) -> None:
    """Train random networks, those that are recorded excepted."""
    rows = pd.read_csv(path).to_dict("records") if path.exists() else []
    base = training(name)
    for chosen in sample(SPACE.configuration_space, NETWORKS, np.random.default_rng(0))[
        len(rows) : networks
    ]:
        start = time.process_time()
        result = base(chosen, epochs)
        rows.append(
            {
                "network": json.dumps(record(chosen)),
                "parameters": result["parameters"],
                "error": result["cost"],
                "seconds": round(time.process_time() - start, 2),
            }
        )
        pd.DataFrame(rows).to_csv(path, index=False)
        print(name, len(rows), rows[-1], flush=True)


def estimate(name: str, trained: Path, path: Path, seeds: int, scale: float) -> None:
    """Estimate the trained networks with each setting and seed that is not recorded yet."""
    texts = pd.read_csv(trained)["network"]
    cells = [configuration(SPACE.configuration_space, json.loads(text)) for text in texts]
    frame = pd.read_csv(path) if path.exists() else pd.DataFrame()
    base = training(name)
    base(cells[0], 0.1)  # torch imports parts of itself at the first step
    for label, setting in SETTINGS[name].items():
        for seed in range(seeds):
            if len(frame) and ((frame["setting"] == label) & (frame["seed"] == seed)).any():
                continue
            optimizer = replace(
                base.optimizer, learning_rate=base.optimizer.learning_rate * setting.rate
            )
            epochs = STAND_ALONE_EPOCHS[name] * setting.epochs * scale
            own = replace(
                base, max_epochs=epochs, optimizer=optimizer, batch_size=setting.batch_size
            )
            rows = _estimates(OneShot(own, seed, setting.paths), cells)
            rows = rows.assign(
                setting=label,
                seed=seed,
                epochs=epochs,
                load=round(os.getloadavg()[0], 1),
                date=datetime.date.today().isoformat(),
            )
            frame = pd.concat([frame, rows])
            frame.to_csv(path, index=False)
            truth = pd.read_csv(trained)["error"]
            print(name, label, seed, rows["price"].iloc[0], spearmanr(rows["cost"], truth)[0])


def _estimates(one_shot: OneShot, cells: list[Configuration]) -> pd.DataFrame:
    """Return the estimates of all networks, the price, and the error of extraction."""
    start = time.process_time()
    results = [one_shot(cell) for cell in cells]
    price = time.process_time() - start
    shared = one_shot.supernet()
    inputs = one_shot.training.dataset.validation.inputs[:64].float()
    with torch.no_grad():
        gaps = [
            (shared.train().path(inputs, cell) - one_shot.extract(cell).train()(inputs)).abs().max()
            for cell in cells
        ]
    shared.eval()
    return pd.DataFrame(
        {
            "network": range(len(cells)),
            "cost": [result["cost"] for result in results],
            "validation_loss": [round(result["validation_loss"], 5) for result in results],
            "price": round(price, 2),
            "largest_gap": max(map(float, gaps)),
        }
    )


def interval(one: np.ndarray, other: np.ndarray, statistic: str) -> str:
    """Return a rank correlation with its 95% interval."""
    correlate = spearmanr if statistic == "spearman" else kendalltau
    rng = np.random.default_rng(0)
    drawn = [rng.integers(len(one), size=len(one)) for _ in range(RESAMPLES)]
    values = [correlate(one[index], other[index])[0] for index in drawn]
    low, high = np.nanquantile(values, [0.025, 0.975])
    return f"{correlate(one, other)[0]:.3f} ({low:.3f} to {high:.3f})"


def report(directory: Path) -> None:
    """Write elastic_supernet.md."""
    lines = [
        "# Elastic supernets against stand-alone training",
        "",
        "Rank correlations of estimated with stand-alone validation errors over networks of",
        "`MacroSpace.small`, with 95% bootstrap intervals over networks; ../elastic_supernet.py",
        "describes the measurement. Settings were chosen on digits. The price is that of the",
        "supernet and of all estimates as a share of the CPU seconds of training the networks. The",
        "difference is the largest one between outputs of an extracted network and the supernet's.",
        f"One thread of a shared machine ({os.cpu_count()} cores), torch {torch.__version__}.",
        "",
        "| data set | networks | estimate | seed | epochs | Spearman | Kendall | "
        "Spearman, by loss | price | difference | date | load |",
        "| --- | ---: | --- | ---: | ---: | --- | --- | --- | ---: | ---: | --- | ---: |",
    ]
    for name in SETTINGS:
        path = directory / f"elastic_supernet_{name}.csv"
        if not path.exists():
            continue
        trained = pd.read_csv(path)
        truth, size = trained["error"].to_numpy(), trained["parameters"].to_numpy()
        pair = [interval(-size, truth, which) for which in ("spearman", "kendall")]
        lines.append(
            f"| {name} | {len(trained)} | parameters, more is better | | | {pair[0]} | "
            f"{pair[1]} | | 0.0% | | | |"
        )
        estimates = directory / f"elastic_supernet_estimates_{name}.csv"
        if not estimates.exists():
            continue
        for (label, seed), rows in pd.read_csv(estimates).groupby(["setting", "seed"], sort=False):
            cost, loss = rows["cost"].to_numpy(), rows["validation_loss"].to_numpy()
            last = rows.iloc[0]
            price = last["price"] / trained["seconds"].sum()
            lines.append(
                f"| {name} | {len(rows)} | {label} | {seed} | {last['epochs']:g} | "
                f"{interval(cost, truth, 'spearman')} | {interval(cost, truth, 'kendall')} | "
                f"{interval(loss, truth, 'spearman')} | {price:.1%} | {last['largest_gap']:.1e} | "
                f"{last['date']} | {last['load']} |"
            )
    (directory / "elastic_supernet.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


def main() -> None:
    """Train networks, estimate them, or write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("what", choices=["train", "estimate", "report"])
    parser.add_argument("dataset", nargs="?", choices=list(SETTINGS), default="digits")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="6 networks, short; to a folder quick")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    directory = RESULTS / "quick" if arguments.quick else RESULTS
    directory.mkdir(exist_ok=True)
    name = arguments.dataset
    trained = directory / f"elastic_supernet_{name}.csv"
    estimates = directory / f"elastic_supernet_estimates_{name}.csv"
    if arguments.what == "report":
        report(directory)
    elif arguments.what == "train":
        few, short = (6, 1.0) if arguments.quick else (NETWORKS, STAND_ALONE_EPOCHS[name])
        train(name, trained, few, short)
    else:
        estimate(name, trained, estimates, arguments.seeds, 0.05 if arguments.quick else 1.0)


if __name__ == "__main__":
    main()
