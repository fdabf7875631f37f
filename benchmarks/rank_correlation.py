"""The rank correlation of each surrogate on held-out networks of NAS-Bench-201.

    python benchmarks/rank_correlation.py --seeds 10

A surrogate is fitted to one random training run of each of 50, 100 and 200 random networks, and
ranks 1,000 others: Spearman's correlation with their mean validation accuracies. Every seed is
written to results/rank_correlation.csv.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from ablations import RESULTS, Table, load
from ConfigSpace import Configuration
from scipy.stats import spearmanr

from bonas.acquisition.candidates import every
from bonas.surrogates.ensemble import Ensemble
from bonas.surrogates.forest import RandomForest
from bonas.surrogates.gaussian_process import GaussianProcess
from bonas.surrogates.kernel import ConfigurationView, GraphView, PathView
from bonas.surrogates.surrogate import Surrogate, mean
from bonas.surrogates.transform import normal_scores
from spaces.cells.cell import CellSpace
from spaces.encoding import Encoder

SIZES = (50, 100, 200)
SURROGATES: dict[str, Surrogate] = {
    "GP, graph and configuration": GaussianProcess(),
    "GP, graph": GaussianProcess((GraphView(1),)),
    "GP, configuration": GaussianProcess((ConfigurationView(),)),
    "GP, paths": GaussianProcess((PathView(),)),
    "random forest": RandomForest(),
    "ensemble of networks": Ensemble(),
}


def correlations(
    encoder: Encoder,
    networks: Sequence[Configuration],
    table: Table,
    seed: int,
    surrogates: Mapping[str, Surrogate],
    sizes: Sequence[int] = SIZES,
) -> Iterator[tuple[str, int, float]]:
    """Yield the correlations of one seed.

    Args:
        encoder: of the space.
        networks: all that the table holds, more than the last of `sizes` of them different.
        table: their accuracies.
        seed: of the draws of networks and runs.
        surrogates: by name.
        sizes: the numbers of training points, ascending; all hold out the same networks.

    Yields:
        The name of the surrogate, the number of training points, and the correlation.
    """
    rng = np.random.default_rng(seed)
    drawn = [networks[i] for i in rng.permutation(len(networks))[:3000]]
    distinct = {encoder.key(chosen): chosen for chosen in drawn}
    chosen = list(distinct.values())[: sizes[-1] + 1000]
    encoding = encoder.encode(chosen)
    rows = torch.from_numpy(encoding.rows)
    runs = [table.runs[configuration.get_array().tobytes()] for configuration in chosen]
    costs = np.array([100.0 - values[rng.integers(len(values))] for values in runs])
    truth = np.array([np.mean(values) for values in runs])[sizes[-1] :]
    for name, surrogate in surrogates.items():
        for size in sizes:
            targets = torch.from_numpy(normal_scores(costs[:size]))[:, None]
            model = surrogate.fit(rows[:size], targets, encoding.layout)
            with torch.no_grad():
                believed = mean(model, rows[sizes[-1] :])[:, 0].numpy()
            yield name, size, float(spearmanr(believed, truth).statistic)


def main() -> None:
    """Write the value of every seed, and print the means."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    seeds = parser.parse_args().seeds
    torch.set_num_threads(1)
    RESULTS.mkdir(exist_ok=True)
    space = CellSpace.nasbench201()
    encoder = Encoder(space, depth=1)
    networks = every(space.configuration_space)
    found: dict[tuple[str, str, int], list[float]] = {}
    with (RESULTS / "rank_correlation.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["dataset", "surrogate", "training_points", "seed", "spearman"])
        for dataset in ("cifar10", "cifar100", "imagenet"):
            table = load(space, dataset)
            for seed in range(seeds):
                for name, size, value in correlations(encoder, networks, table, seed, SURROGATES):
                    writer.writerow([dataset, name, size, seed, round(value, 4)])
                    found.setdefault((dataset, name, size), []).append(value)
    for (dataset, name, size), values in found.items():
        print(f"{dataset:9s} {name:28s} {size:4d}  {np.mean(values):.3f} +- {np.std(values):.3f}")


if __name__ == "__main__":
    main()
