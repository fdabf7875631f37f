"""The winner of a search, retrained on training and validation examples together, and exported."""

from __future__ import annotations

import logging
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from ConfigSpace import Configuration
from torch import Tensor, nn

from fidelity.datasets.dataset import Dataset
from fidelity.export.format import Format, write, write_possible
from fidelity.export.normalisation import Normalised
from fidelity.export.onnx_file import OnnxFile
from fidelity.export.program import Program
from fidelity.export.python_file import PythonFile
from fidelity.export.state_dict import StateDict
from fidelity.tasks.task import Measure
from fidelity.training.device_data import DeviceData, copy_to_device, resolve_device
from fidelity.training.training import Training
from spaces.space import InputShape, Space

log = logging.getLogger(__name__)

SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class Final:
    """One architecture, trained from several seeds.

    Attributes:
        space: of the architecture.
        configuration: the architecture.
        input_shape: of one example.
        epochs: of each training.
        networks: one per seed, on the device where it was trained; from inputs in the scale of
            the data set to logits, or to numbers in the units of the targets.
        test_costs: of each network.
        measure: the meaning of the costs.
    """

    space: Space
    configuration: Configuration
    input_shape: InputShape
    epochs: float
    networks: tuple[nn.Module, ...] = field(repr=False, compare=False)
    test_costs: tuple[float, ...]
    measure: Measure

    @property
    def network(self) -> nn.Module:
        """The network of the first seed: test costs are for the report, not to choose by."""
        return self.networks[0]

    @property
    def mean(self) -> float:
        """The mean test cost."""
        return statistics.fmean(self.test_costs)

    @property
    def standard_deviation(self) -> float:
        """The standard deviation of the test costs over seeds; NaN for one seed."""
        return statistics.stdev(self.test_costs) if len(self.test_costs) > 1 else math.nan

    def __str__(self) -> str:
        text = self.measure.text
        spread = f" ± {text(self.standard_deviation)}" if len(self.test_costs) > 1 else ""
        seeds = f"{len(self.test_costs)} seed{'s' if len(self.test_costs) > 1 else ''}"
        return (
            f"test {self.measure.name} {text(self.mean)}{spread} ({seeds}, {self.epochs:g} epochs)"
        )

    def save(self, directory: Path | str, formats: Sequence[Format] | None = None) -> list[Path]:
        """Export the network of the first seed, and check that each file computes the same.

        Args:
            directory: for the files.
            formats: None means weights with the architecture as JSON, the graph of
                `torch.export`, a Python file and ONNX. Those that cannot express the network, or
                lack a package, are skipped with a warning that says why.

        Returns:
            All files.

        Raises:
            FileExistsError: a file exists already; nothing has been written.
            ExportError: a requested format cannot express the network, or none can.
            ImportError: a requested format lacks a package.
        """
        if formats is not None:
            return write(self.network, self.input_shape, directory, formats)
        every = (StateDict(self.space, self.configuration), Program(), PythonFile(), OnnxFile())
        files, skipped = write_possible(self.network, self.input_shape, directory, every)
        for name, reason in skipped.items():
            log.warning(f"{name} was not written: {reason}")
        return files


def retrain(
    training: Training,
    configuration: Configuration,
    epochs: float | None = None,
    seeds: Sequence[int] = SEEDS,
) -> Final:
    """Train a configuration from scratch on training and validation examples together, per seed.

    Each network is evaluated on the test part once, at the end; nothing is chosen by it.

    Args:
        training: the settings, space and data set, as for the search.
        configuration: for instance `search.incumbent.trial.configuration`.
        epochs: of each training, over which the learning rate is planned; None means those of
            `training`.
        seeds: of initial weights, order, augmentation and dropout.

    Raises:
        ValueError: there is no seed or one comes twice, or `epochs` is not above 0.
        InvalidArchitecture: there is no path from input to output, or no parameter on it.
        Diverged: the loss of a training is not finite.
    """
    if not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(
            f"the seeds are {tuple(seeds)}: give one or more, each once, for instance {SEEDS}"
        )
    merged = _merged(training.dataset)
    full = replace(
        training, dataset=merged, max_epochs=training.max_epochs if epochs is None else epochs
    )
    data = copy_to_device(merged, resolve_device(training.device))
    reports = [full.final(configuration, seed) for seed in seeds]
    return Final(
        training.space,
        configuration,
        merged.input_shape,
        full.max_epochs,
        tuple(in_own_scale(report.network, data, merged.offset).eval() for report in reports),
        tuple(report.test_cost for report in reports),
        merged.task.measure,
    )


def in_own_scale(network: nn.Module, data: DeviceData, offset: Tensor | None) -> nn.Module:
    """Return a network that takes inputs and returns outputs in the scale of the data set.

    Args:
        network: from normalised inputs to outputs.
        data: the data set on any device.
        offset: see `Dataset.offset`.
    """
    units = data.criterion.units
    if data.statistics is None and units is None:
        return network
    return Normalised(network, data.statistics, offset, units)


def _merged(dataset: Dataset) -> Dataset:
    """Return the data set with the validation examples in its training part.

    A data set needs a validation part, which a training evaluates after each epoch: one example
    keeps that cheap, and its cost is not used.
    """
    first = dataset.validation.select(torch.tensor([0]))
    return replace(dataset, train=dataset.train.joined(dataset.validation), validation=first)
