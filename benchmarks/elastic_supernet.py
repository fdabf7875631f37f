"""Rank correlation of cheap estimates with stand-alone training: supernets, short training runs.

    OMP_NUM_THREADS=1 python benchmarks/elastic_supernet.py train digits     # then mnist1d
    OMP_NUM_THREADS=1 python benchmarks/elastic_supernet.py estimate digits
    python benchmarks/elastic_supernet.py report

50 random networks of `MacroSpace.small`, of different depths, widths, kernels and kinds of blocks,
are trained from seed 0. They are then estimated by the weights of a supernet of the same space with
the same optimizer and batches, by a short training from these weights, and by one from scratch. A
second full training from another seed shows how well any estimate could do. Settings were chosen on
digits by runs of other lengths; the supernets were then shortened once, because their
price on mnist1d was above a tenth. Networks and estimates go to results/elastic_supernet_*.csv, and
recorded ones are not computed again. Prices are CPU seconds of the process, in which a supernet
counts with its construction, and shares are those of the second full training. Intervals are 95%,
by a bootstrap over networks (2,000 resamples).
"""

from __future__ import annotations

import argparse
import copy
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

from fidelity import Inherited, OneShot, Training, datasets
from fidelity.one_shot import Grouped, Paths, Uniform
from fidelity.training.device_data import copy_to_device
from spaces import MacroSpace
from spaces.space import configuration, record, sample

RESULTS = Path(__file__).parent / "results"
SPACE = MacroSpace.small(widths=(2, 4, 8, 16), stages=2)
NETWORKS = 50
STAND_ALONE_EPOCHS = {"digits": 20, "mnist1d": 8}
RESAMPLES = 2000
FULL = "a second full training"


@dataclass(frozen=True)
class Setting:
    """An estimate; its epochs are shares of those of a stand-alone training.

    Attributes:
        supernet: passes over the data of the supernet; 0 stands for no supernet.
        network: passes of each network, from inherited weights or from scratch.
        paths: the rule by which the supernet's network of each step is drawn; None: the default.
        seeds: the number of its runs, whose seeds are 1 and up: 0 is that of the stand-alone ones.
    """

    supernet: float
    network: float
    paths: Paths | None = None
    seeds: int = 2


SETTINGS = {
    FULL: Setting(0, 1, seeds=1),
    "inherited weights, 1/40 of the training": Setting(1.0, 1 / 40, seeds=3),
    "1/40 of the training": Setting(0, 1 / 40, seeds=3),
    "1/10 of the training": Setting(0, 1 / 10),
    "inherited weights, uniform paths": Setting(2.2, 0, Grouped(Uniform())),
    "inherited weights": Setting(2.0, 0),
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
    base, epochs = training(name), STAND_ALONE_EPOCHS[name] * scale
    base(cells[0], 0.1)  # torch imports parts of itself at the first step
    for label, setting in SETTINGS.items():
        for seed in range(1, 1 + min(seeds, setting.seeds)):
            if len(frame) and ((frame["setting"] == label) & (frame["seed"] == seed)).any():
                continue
            rows = _estimates(base, setting, seed, epochs, cells).assign(
                setting=label,
                seed=seed,
                load=round(os.getloadavg()[0], 1),
                date=datetime.date.today().isoformat(),
            )
            frame = pd.concat([frame, rows])
            frame.to_csv(path, index=False)
            truth = pd.read_csv(trained)["error"]
            rank = spearmanr(rows["cost"], truth)[0]
            print(name, label, seed, rows["price"].iloc[0], rank, flush=True)


def _estimates(
    base: Training, setting: Setting, seed: int, epochs: float, cells: list[Configuration]
) -> pd.DataFrame:
    """Return the estimates of all networks with their price, and the error of extraction."""
    start = time.process_time()
    shared = replace(base, max_epochs=max(setting.supernet, 1) * epochs)
    one_shot = OneShot(shared, seed, setting.paths) if setting.supernet else None
    if setting.network:
        budget = setting.network * epochs
        space = Inherited(one_shot) if one_shot else SPACE
        network = replace(base, space=space, max_epochs=budget)
        results = [network(cell, budget, seed) for cell in cells]
    else:
        assert one_shot
        results = [one_shot(cell) for cell in cells]
    price = time.process_time() - start
    return pd.DataFrame(
        {
            "network": range(len(cells)),
            "cost": [result["cost"] for result in results],
            "validation_loss": [round(result["validation_loss"], 5) for result in results],
            "price": round(price, 2),
            **{
                f"gap_{name}": _largest_gap(one_shot, cells, kind) if one_shot else None
                for name, kind in (("single", torch.float32), ("double", torch.float64))
            },
        }
    )


@torch.no_grad()
def _largest_gap(one_shot: OneShot, cells: list[Configuration], kind: torch.dtype) -> float:
    """Return the largest difference of outputs between extracted networks and the supernet.

    Both receive 64 validation images, normalised as in training, and normalise layers by this
    batch, because the supernet has no averages. A channel with little variance amplifies rounding.
    """
    data = copy_to_device(one_shot.training.dataset, torch.device("cpu"))
    inputs = data.normalise(data.number(data.validation.inputs[torch.arange(64)])).to(kind)
    extracted = [one_shot.extract(cell).to(kind).train() for cell in cells]
    shared = copy.deepcopy(one_shot.supernet()).to(kind).train()
    torch.set_default_dtype(kind)  # of the networks that the supernet builds
    try:
        outputs = [shared.path(inputs, cell) for cell in cells]
    finally:
        torch.set_default_dtype(torch.float32)
    pairs = zip(outputs, extracted, strict=True)
    return float(max((output - network(inputs)).abs().max() for output, network in pairs))


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
        "Rank correlations of estimates with stand-alone validation errors over networks of",
        "`MacroSpace.small`, with 95% bootstrap intervals over networks; ../elastic_supernet.py",
        "describes the measurement and the choice of settings. A price is the CPU seconds of",
        "all estimates, and of the supernet they need, as a share of those of the second full",
        "training, whose rank correlation is what an estimate can reach at best. The difference is",
        "the largest one between the outputs of an extracted network and those of the supernet.",
        f"One thread of a shared machine ({os.cpu_count()} cores), torch {torch.__version__}.",
        "",
        "| data set | networks | estimate | seed | mean error | Spearman | Kendall | "
        "Spearman, by loss | price | difference | in double precision | date | load |",
        "| --- | ---: | --- | ---: | ---: | --- | --- | --- | ---: | ---: | ---: | --- | ---: |",
    ]
    for name in STAND_ALONE_EPOCHS:
        path = directory / f"elastic_supernet_{name}.csv"
        if path.exists():
            estimates = directory / f"elastic_supernet_estimates_{name}.csv"
            lines += _rows(name, pd.read_csv(path), estimates)
    (directory / "elastic_supernet.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


def _rows(name: str, trained: pd.DataFrame, estimates: Path) -> list[str]:
    """Return the rows of one data set."""
    truth, size = trained["error"].to_numpy(), trained["parameters"].to_numpy()
    pair = [interval(-size, truth, which) for which in ("spearman", "kendall")]
    start = f"| {name} | {len(trained)} |"
    rows = [f"{start} parameters, more is better | | | {pair[0]} | {pair[1]} | | 0.0% | | | | |"]
    if not estimates.exists():
        return rows
    frame = pd.read_csv(estimates)
    whole = frame.loc[frame["setting"] == FULL, "price"].iloc[0]
    for (label, seed), run in frame.groupby(["setting", "seed"], sort=False):
        cost, loss = run["cost"].to_numpy(), run["validation_loss"].to_numpy()
        last = run.iloc[0]
        gaps = [last["gap_single"], last["gap_double"]]
        gap = " | ".join("" if np.isnan(value) else f"{value:.1e}" for value in gaps)
        rows.append(
            f"{start} {label} | {seed} | {cost.mean():.3f} | {interval(cost, truth, 'spearman')} | "
            f"{interval(cost, truth, 'kendall')} | {interval(loss, truth, 'spearman')} | "
            f"{last['price'] / whole:.1%} | {gap} | {last['date']} | {last['load']} |"
        )
    return rows


def main() -> None:
    """Train networks, estimate them, or write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("what", choices=["train", "estimate", "report"])
    parser.add_argument("dataset", nargs="?", choices=list(STAND_ALONE_EPOCHS), default="digits")
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
