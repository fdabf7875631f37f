"""The winner of a search, retrained on training and validation images together, and exported."""

from __future__ import annotations

import importlib.util
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from ConfigSpace import Configuration
from torch import nn

from fidelity.datasets.dataset import Dataset, Part
from fidelity.export.format import Format, write
from fidelity.export.normalisation import Normalised
from fidelity.export.onnx_file import OnnxFile
from fidelity.export.program import Program
from fidelity.export.python_file import PythonFile
from fidelity.export.state_dict import StateDict
from fidelity.training.device_data import copy_to_device, resolve_device
from fidelity.training.training import Training
from spaces.space import InputShape, Space

SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class Final:
    """One architecture, trained from several seeds.

    Attributes:
        space: of the architecture.
        configuration: the architecture.
        input_shape: channels, height and width of one image.
        epochs: of each training.
        networks: one per seed, on the device where it was trained; from images in the scale of
            the data set to logits.
        test_errors: the fraction of test images that each network gets wrong.
    """

    space: Space
    configuration: Configuration
    input_shape: InputShape
    epochs: float
    networks: tuple[nn.Module, ...] = field(repr=False, compare=False)
    test_errors: tuple[float, ...]

    @property
    def network(self) -> nn.Module:
        """The network of the first seed: test errors are for the report, not to choose by."""
        return self.networks[0]

    @property
    def mean(self) -> float:
        """The mean test error."""
        return statistics.fmean(self.test_errors)

    @property
    def standard_deviation(self) -> float:
        """The standard deviation of the test errors over seeds; NaN for one seed."""
        return statistics.stdev(self.test_errors) if len(self.test_errors) > 1 else math.nan

    def __str__(self) -> str:
        spread = f" ± {self.standard_deviation:.2%}" if len(self.test_errors) > 1 else ""
        seeds = f"{len(self.test_errors)} seed{'s' if len(self.test_errors) > 1 else ''}"
        return f"test error {self.mean:.2%}{spread} ({seeds}, {self.epochs:g} epochs)"

    def save(self, directory: Path | str, formats: Sequence[Format] | None = None) -> list[Path]:
        """Export the network of the first seed, and check that each file computes the same.

        Args:
            directory: for the files.
            formats: None means weights with the architecture as JSON, the graph of
                `torch.export`, a Python file, and ONNX where its packages are installed.

        Returns:
            The first file of each format.

        Raises:
            FileExistsError: a file exists already; nothing has been written.
            ExportError: a format cannot express the network.
        """
        return write(self.network, self.input_shape, directory, formats or self._formats())

    def _formats(self) -> list[Format]:
        formats: list[Format] = [StateDict(self.space, self.configuration), Program(), PythonFile()]
        onnx = all(map(importlib.util.find_spec, ("onnx", "onnxruntime", "onnxscript")))
        return [*formats, OnnxFile()] if onnx else formats


def retrain(
    training: Training,
    configuration: Configuration,
    epochs: float | None = None,
    seeds: Sequence[int] = SEEDS,
) -> Final:
    """Train a configuration from scratch on training and validation images together, per seed.

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
        tuple(Normalised(r.network, data.mean, data.scale, merged.offset).eval() for r in reports),
        tuple(report.test_error for report in reports),
    )


def _merged(dataset: Dataset) -> Dataset:
    """Return the data set with the validation images in its training part.

    A data set needs a validation part, which a training evaluates after each epoch: one image
    keeps that cheap, and its error is not used.
    """
    train, validation = dataset.train, dataset.validation
    both = Part(
        torch.cat([train.images, validation.images]), torch.cat([train.labels, validation.labels])
    )
    return replace(dataset, train=both, validation=validation.select(torch.tensor([0])))
