"""A trained network at half of its multiply-adds: pruned and fine-tuned, against from scratch.

    OMP_NUM_THREADS=1 python benchmarks/pruning.py --fashion FOLDER
    python benchmarks/pruning.py --quick      # digits, one seed, in a minute; writes no results
    python benchmarks/pruning.py --report

For each seed, a residual network of three stages is trained on 6,000 images of Fashion-MNIST for
20 epochs. `PrunedFrom` makes a space of it, and a Bayesian search of 8 evaluations, the first of
which keeps 11/16 of all channels, minimises the validation error after fine-tuning for 2
epochs, a tenth, with distillation from the given network, among networks with at most half of its
multiply-adds. The best of them is compared on the test part, which no search sees: fine-tuned with
distillation, fine-tuned with the loss of the task alone, and trained from scratch for 2 epochs. The
rate and the batches of fine-tuning were chosen on the validation part with the seeds 100 and 101.
Times are CPU seconds of the process.

Every seed is written to results/pruning.csv; recorded seeds are not run again.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from ConfigSpace import Configuration, ConfigurationSpace
from scipy import stats
from torch import Tensor, nn

from bonas import Search, Training
from bonas.search.progress import Silent
from bonas.strategies import BayesianOptimization, StartFrom
from fidelity import SGD, Constraint, Cosine, FullFidelity, datasets
from fidelity.datasets.dataset import Dataset
from fidelity.tasks import Distillation
from spaces import PrunedFrom
from spaces.architecture import Architecture, chain
from spaces.resources.resources import count_resources

RESULTS = Path(__file__).parent / "results"
COLUMNS = ("seed", "network", "epochs", "multiply_adds", "parameters", "test_error", "seconds")
GIVEN, TUNED, DISTILLED = "given", "pruned, fine-tuned", "pruned, distilled"
SCRATCH = "same size, from scratch"
ROWS = (GIVEN, DISTILLED, TUNED, SCRATCH)
FRACTIONS = (1.0, 0.875, 0.75, 0.6875, 0.625, 0.5)


class Block(nn.Module):
    """Two convolutions with batch normalisation, and a shortcut (He et al. 2016)."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1 or channels_in != channels:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels_in, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
            )

    def forward(self, x: Tensor) -> Tensor:
        """Return the rectified sum."""
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + self.shortcut(x))


class ResNet(nn.Module):
    """Three stages of two blocks, with 16, 32 and 64 channels."""

    def __init__(self, channels_in: int, outputs: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(channels_in, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()
        )
        self.stage1 = nn.Sequential(Block(16, 16, 1), Block(16, 16, 1))
        self.stage2 = nn.Sequential(Block(16, 32, 2), Block(32, 32, 1))
        self.stage3 = nn.Sequential(Block(32, 64, 2), Block(64, 64, 1))
        self.head = nn.Linear(64, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits."""
        x = self.stage3(self.stage2(self.stage1(self.stem(x))))
        return self.head(F.adaptive_avg_pool2d(x, 1).flatten(1))


@dataclass(frozen=True)
class Alone:
    """The space of the one network that is given."""

    configuration_space = ConfigurationSpace({"network": ["given"]})

    def architecture(self, configuration: Configuration) -> Architecture:
        """See `Space`."""
        return chain([configuration["network"]])

    def build(self, configuration: Configuration, input_shape: tuple[int, ...], outputs: int):  # noqa: ANN201
        """See `Space`."""
        return ResNet(input_shape[0], outputs)


@dataclass(frozen=True)
class FromScratch:
    """The networks of another space, with initial weights in place of its own.

    Attributes:
        space: of the networks.
    """

    space: PrunedFrom

    @property
    def configuration_space(self) -> ConfigurationSpace:
        """See `Space`."""
        return self.space.configuration_space

    def architecture(self, configuration: Configuration) -> Architecture:
        """See `Space`."""
        return self.space.architecture(configuration)

    def build(self, configuration: Configuration, input_shape: tuple[int, ...], outputs: int):  # noqa: ANN201
        """See `Space`."""
        network = self.space.build(configuration, input_shape, outputs)
        for module in network.modules():
            if hasattr(module, "reset_parameters"):
                module.reset_parameters()
        return network


@dataclass(frozen=True)
class Protocol:
    """The numbers of the benchmark.

    Attributes:
        data: for training, selection and the test.
        epochs: of the given network.
        evaluations: of the search.
        rate: the peak learning rate.
        batch_size: of the given network, and from scratch.
        tuning_rate: of fine-tuning.
        tuning_batch_size: of fine-tuning.
    """

    data: Dataset
    epochs: int = 20
    evaluations: int = 8
    rate: float = 0.1
    batch_size: int = 64
    tuning_rate: float = 0.01
    tuning_batch_size: int = 32

    @property
    def tenth(self) -> int:
        """The epochs of fine-tuning."""
        return max(1, self.epochs // 10)

    def training(self, space, epochs: int) -> Training:  # noqa: ANN001
        """Return a training of networks of a space."""
        return Training(
            space,
            self.data,
            max_epochs=epochs,
            batch_size=self.batch_size,
            optimizer=SGD(self.rate),
            curve=Cosine(warm_up=0.05),
        )

    def tuning(self, space, data: Dataset) -> Training:  # noqa: ANN001
        """Return a fine-tuning of networks that have the weights of the given one."""
        return replace(
            self.training(space, self.tenth),
            dataset=data,
            batch_size=self.tuning_batch_size,
            optimizer=SGD(self.tuning_rate),
        )


def measure(protocol: Protocol, seed: int) -> list[dict[str, object]]:
    """Return one row per network."""
    alone, data = Alone(), protocol.data
    rows: list[dict[str, object]] = []

    def record(name: str, training: Training, configuration: Configuration) -> nn.Module:
        start = time.process_time()
        report = training.final(configuration, seed)
        cost = count_resources(report.network, data.input_shape)
        values = (
            seed,
            name,
            training.max_epochs,
            cost.multiply_adds,
            report.parameters,
            f"{report.test_cost:.4f}",
            f"{time.process_time() - start:.1f}",
        )
        rows.append(dict(zip(COLUMNS, values, strict=True)))
        print(rows[-1], flush=True)
        return report.network

    only = alone.configuration_space.get_default_configuration()
    given = record(GIVEN, protocol.training(alone, protocol.epochs), only)
    space = PrunedFrom(given, torch.zeros(2, *data.input_shape), FRACTIONS)
    distilling = protocol.tuning(space, replace(data, task=Distillation(given, data.task)))
    half = Constraint("multiply_adds", at_most=int(str(rows[0]["multiply_adds"])) // 2)
    schedule = FullFidelity(protocol.tenth)
    strategy = StartFrom((space.uniform(0.6875),), BayesianOptimization())
    with Search(
        space, distilling, strategy=strategy, schedule=schedule, constraints=[half], seed=seed
    ) as search:
        search.run(evaluations=protocol.evaluations, progress=Silent())
        assert search.best is not None
        best = search.best.configuration
    print(dict(best), flush=True)
    record(DISTILLED, distilling, best)
    record(TUNED, protocol.tuning(space, data), best)
    record(SCRATCH, protocol.training(FromScratch(space), protocol.tenth), best)
    return rows


def reduced(data: Dataset, examples: int) -> Dataset:
    """Return a data set with fewer training examples, and fewer validation examples to look at."""
    part = data.subset(examples)
    index = torch.arange(0, len(part.validation), max(1, len(part.validation) // 2000))
    return replace(part, validation=part.validation.select(index))


def known(target: Path) -> list[dict[str, str]]:
    """Return the rows that are recorded already."""
    if not target.exists():
        return []
    with target.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def interval(values: np.ndarray) -> str:
    """Return the mean in percent points and its 95% interval by Student's t distribution."""
    if len(values) < 2:
        return f"{100 * values.mean():.2f}"
    half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / math.sqrt(len(values))
    mean = values.mean()
    return f"{100 * mean:.2f} [{100 * (mean - half):.2f}, {100 * (mean + half):.2f}]"


def verdict(lost: np.ndarray) -> str:
    """Return whether the target of at most 1 point is reached."""
    if lost.mean() > 0.01:
        return "missed"
    over = int((lost > 0.01).sum())
    return "reached" + (
        f" by the mean, though {over} of {len(lost)} seeds exceed it" if over else ""
    )


def report(rows: Sequence[Mapping[str, object]]) -> str:
    """Return the page."""
    table = pd.DataFrame(rows).astype({"test_error": float, "multiply_adds": float, "seed": int})
    errors = table.pivot_table("test_error", "seed", "network")
    sizes = table.pivot_table("multiply_adds", "seed", "network")
    lines = [
        "# A trained network at half of its multiply-adds",
        "",
        " ".join(__doc__.split("\n\n")[2].split()),
        "",
        f"Seeds: {len(errors)}. Means with 95% confidence intervals (Student's t distribution).",
        "",
        "| network | epochs | share of the multiply-adds | test error, % | minus the given one's |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for name in ROWS:
        epochs = float(table[table["network"] == name]["epochs"].iloc[0])
        share = float((sizes[name] / sizes[GIVEN]).mean())
        own, difference = errors[name].to_numpy(), (errors[name] - errors[GIVEN]).to_numpy()
        shown = "" if name == GIVEN else interval(difference)
        lines.append(f"| {name} | {epochs:g} | {share:.2f} | {interval(own)} | {shown} |")
    lines.append("")
    for name in (DISTILLED, TUNED):
        lost = (errors[name] - errors[GIVEN]).to_numpy()
        each = ", ".join(f"{100 * value:+.2f}" for value in lost)
        lines.append(
            f"- {name}: points of error added, seed by seed: {each}. The mean is "
            f"{100 * lost.mean():+.2f}, the target at most +1: {verdict(lost)}."
        )
    lines += [
        "",
        f"Written by `benchmarks/pruning.py` on {datetime.date.today()} with torch "
        f"{torch.__version__}, one thread.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure the seeds that are not recorded, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fashion", type=Path, help="folder with the files of Fashion-MNIST")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="digits, one seed; only prints")
    parser.add_argument("--report", action="store_true", help="only the page")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.quick:
        rows = measure(Protocol(datasets.digits(), epochs=10, evaluations=3), seed=0)
        print(report(rows))
        return
    target = RESULTS / "pruning.csv"
    done = {int(row["seed"]) for row in known(target)}
    if not options.report:
        protocol = Protocol(reduced(datasets.fashion_mnist(options.fashion), 6000))
        for seed in sorted({*range(options.seeds)} - done):
            rows = measure(protocol, seed)
            fresh = not target.exists()
            with target.open("a", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
                if fresh:
                    writer.writeheader()
                writer.writerows(rows)
    text = report(known(target))
    target.with_suffix(".md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
