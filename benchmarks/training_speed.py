"""Images per second of `Training`, compared with the usual loop and a bare one.

    python benchmarks/training_speed.py

Three loops train the same networks for the same epochs on one thread, and evaluate them on the
validation part after each epoch. For images and signals the networks are cells of NAS-Bench-201
drawn at random, in a small frame (8 channels, one cell a stage); for tables they are residual
perceptrons. The loops:

- usual: a torch DataLoader with per-sample transforms, SGD as torch defaults it, `.item()` of the
  loss in each step: the loop of most tutorials and toolkits.
- bare: written by hand for this one case, batches cut from tensors in memory, with the same
  batched augmentation, memory layout, number format and fused optimizer as `Training`, and the same
  calibration of batch normalisation before an evaluation (which the usual loop goes without).
- Training: the objective itself, through its public call.

Repetitions are interleaved, so that other load on the machine affects all three. Results go
to results/training_speed.md, and each repetition to results/training_speed.csv.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from ConfigSpace import Configuration
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from fidelity.augment import HorizontalFlip, PadCrop
from fidelity.datasets import digits, from_arrays
from fidelity.datasets.dataset import Dataset, Part
from fidelity.training.curves import Cosine
from fidelity.training.device_data import DeviceData, copy_to_device
from fidelity.training.loop import CALIBRATION_EXAMPLES
from fidelity.training.optimizers import SGD
from fidelity.training.training import Training
from spaces.cells.cell import CellSpace
from spaces.space import Space, sample
from spaces.tabular.residual_perceptrons import ResidualPerceptrons

CELLS, PERCEPTRONS = CellSpace.nasbench201(channels=8, cells=1), ResidualPerceptrons()
OPTIMIZER, CURVE = SGD(), Cosine(warm_up=0.05)
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Case:
    """One data set and how it is trained on."""

    name: str
    dataset: Dataset
    batch_size: int
    padding: int
    flip: bool
    epochs: int
    space: Space = CELLS

    @cached_property
    def chosen(self) -> list[Configuration]:
        """The networks."""
        drawn = sample(self.space.configuration_space, 6, np.random.default_rng(0))
        return [c for c in drawn if self.space.architecture(c).connected]

    @property
    def steps_per_epoch(self) -> int:
        """Steps per epoch, without the last incomplete batch."""
        return len(self.dataset.train) // self.batch_size

    @property
    def images(self) -> int:
        """The number of images that a repetition trains on."""
        return len(self.chosen) * self.epochs * self.steps_per_epoch * self.batch_size

    def networks(self) -> list[nn.Module]:
        """Build freshly initialised networks."""
        shape, outputs = self.dataset.input_shape, self.dataset.outputs
        return [self.space.build(configuration, shape, outputs) for configuration in self.chosen]


def cases() -> list[Case]:
    """Digits, and noise in other shapes (speed does not depend on the content)."""
    rng = np.random.default_rng(0)
    noise = from_arrays(
        rng.integers(0, 256, (1600, 3, 32, 32), dtype=np.uint8),
        np.arange(1600) % 10,
        validation=0.1,
        test=0.1,
        augment=(PadCrop(4), HorizontalFlip()),
        name="32x32",
    )
    labels = np.arange(4000) % 10
    table = from_arrays(rng.normal(size=(4000, 20)), labels, name="table")
    signals = from_arrays(rng.normal(size=(4000, 1, 40)), labels, name="signals")
    return [
        Case("digits 8x8x1, batch 256", digits(), 256, 1, False, 5),
        Case("digits 8x8x1, batch 64", digits(), 64, 1, False, 2),
        Case("noise 32x32x3, batch 128", noise, 128, 4, True, 1),
        Case("table of 20 features, batch 128", table, 128, 0, False, 5, PERCEPTRONS),
        Case("signals 1x40, batch 128", signals, 128, 0, False, 2),
    ]


class PerSample(TorchDataset[tuple[Tensor, Tensor]]):
    """A data set that transforms one image at a time, as a DataLoader calls for it."""

    def __init__(self, part: Part, case: Case, data: DeviceData, training: bool) -> None:
        self.images = part.inputs
        self.labels = part.targets
        self.padding = case.padding if training else 0
        self.flip = case.flip and training
        assert data.statistics is not None
        self.mean, self.scale = (values[0] for values in data.statistics)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        image = self.images[index].float()
        if self.padding:
            height, width = image.shape[1:]
            image = F.pad(image, (self.padding,) * 4)
            top, left = torch.randint(2 * self.padding + 1, (2,)).tolist()
            image = image[:, top : top + height, left : left + width]
        if self.flip and torch.rand(()) < 0.5:
            image = image.flip(2)
        return (image - self.mean) * self.scale, self.labels[index]


def usual(case: Case) -> None:
    """The usual loop."""
    data = copy_to_device(case.dataset, CPU)
    size = case.batch_size
    train = PerSample(data.train, case, data, training=True)
    validation = PerSample(data.validation, case, data, training=False)
    loader = DataLoader(train, size, shuffle=True, drop_last=True)
    held_out = DataLoader(validation, size)
    for network in case.networks():
        optimizer = torch.optim.SGD(
            network.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4, nesterov=True
        )
        steps = case.epochs * case.steps_per_epoch
        scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        for _ in range(case.epochs):
            network.train()
            running = 0.0
            for images, labels in loader:
                optimizer.zero_grad()
                loss = F.cross_entropy(network(images), labels)
                loss.backward()
                optimizer.step()
                scheduler.step()
                running += loss.item()
            network.eval()
            wrong = 0
            with torch.no_grad():
                for images, labels in held_out:
                    wrong += int((network(images).argmax(1) != labels).sum())


def bare(case: Case) -> None:
    """A loop with nothing in it but the work."""
    data = copy_to_device(case.dataset, CPU)
    assert data.statistics is not None
    mean, scale = data.statistics
    for network in case.networks():
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # by torch
        optimizer = OPTIMIZER.start(network)
        steps, step = case.epochs * case.steps_per_epoch, 0
        for _ in range(case.epochs):
            network.train()
            order = torch.randperm(len(data.train))
            running = torch.zeros(())
            for _ in range(case.steps_per_epoch):
                optimizer.param_groups[0]["lr"] = OPTIMIZER.learning_rate * CURVE(step, steps)
                first = step % case.steps_per_epoch * case.batch_size
                index = order[first : first + case.batch_size]
                images = data.train.inputs[index].float()
                if case.padding:
                    images = bare_augment(case, images)
                optimizer.zero_grad()
                with data.autocast():
                    logits = network((images - mean) * scale)
                loss = F.cross_entropy(logits.float(), data.train.targets[index])
                loss.backward()
                optimizer.step()
                running += loss.detach()
                step += 1
            bare_evaluate(network, data)


@torch.inference_mode()
def bare_evaluate(network: nn.Module, data: DeviceData) -> None:
    """Calibrate batch normalisation, then measure loss and error."""
    network.eval()
    layers = [layer for layer in network.modules() if isinstance(layer, _BatchNorm)]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None
        layer.train()
    sample_images = data.train.inputs[:CALIBRATION_EXAMPLES]
    for images, labels in [(sample_images, None), *batches(data.validation, 512)]:
        assert data.statistics is not None
        normal = (images.float() - data.statistics[0]) * data.statistics[1]
        if normal.ndim == 4:
            normal = normal.contiguous(memory_format=torch.channels_last)
        with data.autocast():
            logits = network(normal).float()
        if labels is None:
            for layer in layers:
                layer.momentum = 0.1
            network.eval()
        else:
            F.cross_entropy(logits, labels, reduction="sum").item()
            (logits.argmax(1) != labels).sum().item()


def batches(part: Part, size: int) -> list[tuple[Tensor, Tensor]]:
    """Images and labels, `size` at a time."""
    return list(zip(part.inputs.split(size), part.targets.split(size), strict=True))


def bare_augment(
    case: Case, images: Float[Tensor, "batch channels height width"]
) -> Float[Tensor, "batch channels height width"]:
    """Crop and flip a batch."""
    batch, _, height, width = images.shape
    padded = F.pad(images, (case.padding,) * 4)
    rows = torch.randint(2 * case.padding + 1, (batch, 1)) + torch.arange(height)
    columns = torch.randint(2 * case.padding + 1, (batch, 1)) + torch.arange(width)
    if case.flip:
        columns = torch.where(torch.rand(batch, 1) < 0.5, columns.flip(1), columns)
    index = torch.arange(batch)[:, None, None]
    return padded[index, :, rows[:, :, None], columns[:, None]].permute(0, 3, 1, 2)


def training(case: Case) -> None:
    """`Training` itself."""
    objective = Training(
        case.space, case.dataset, case.epochs, batch_size=case.batch_size, device="cpu"
    )
    for configuration in case.chosen:
        objective(configuration, case.epochs)


LOOPS: dict[str, Callable[[Case], None]] = {"usual": usual, "bare": bare, "Training": training}


def measure(case: Case, repetitions: int) -> list[dict[str, float]]:
    """Images per second of each loop, a row for each repetition."""
    for loop in LOOPS.values():
        loop(case)  # warm-up
    rows = []
    for repetition in range(repetitions):
        row: dict[str, float] = {"repetition": repetition}
        # Each time another loop goes first, so that none always follows the same one.
        names = list(LOOPS)[repetition % 3 :] + list(LOOPS)[: repetition % 3]
        for name in names:
            start, cpu = time.perf_counter(), time.process_time()
            LOOPS[name](case)
            row[name] = case.images / (time.perf_counter() - start)
            row[f"{name} (CPU)"] = case.images / (time.process_time() - cpu)
        rows.append(row)
    return rows


def ratio(rows: list[dict[str, float]], other: str, suffix: str = "") -> float:
    """The median over repetitions of `Training` to `other`."""
    return statistics.median(row["Training" + suffix] / row[other + suffix] for row in rows)


def main() -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(description="Images per second of Training.")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    results = {case.name: measure(case, arguments.repetitions) for case in cases()}
    lines = [
        "# Training speed",
        "",
        f"{datetime.date.today()}, one thread of a {platform.machine()} CPU "
        f"({torch.backends.cpu.get_cpu_capability()}, {os.cpu_count()} cores, load average "
        f"{os.getloadavg()[0]:.1f} at the end), torch {torch.__version__}, "
        f"Python {platform.python_version()}. Images per second, medians of "
        f"{arguments.repetitions} interleaved repetitions; ratios are medians of the ratios "
        "within a repetition, in wall time, and in brackets in CPU time. Each repetition is in "
        "training_speed.csv; ../training_speed.py describes the loops.",
        "",
        "| | usual loop | bare loop | Training | to usual | to bare |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, rows in results.items():
        cells = [f"{statistics.median(row[loop] for row in rows):.0f}" for loop in LOOPS]
        cells += [
            f"{ratio(rows, other):.2f} ({ratio(rows, other, ' (CPU)'):.2f})"
            for other in ("usual", "bare")
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    print("\n".join(lines))
    arguments.results.mkdir(exist_ok=True)
    (arguments.results / "training_speed.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with (arguments.results / "training_speed.csv").open("w", newline="", encoding="utf-8") as file:
        header = ["case", *next(iter(results.values()))[0]]
        writer = csv.DictWriter(file, header)
        writer.writeheader()
        for name, rows in results.items():
            writer.writerows(
                {"case": name, **{key: f"{value:.0f}" for key, value in row.items()}}
                for row in rows
            )


if __name__ == "__main__":
    main()
