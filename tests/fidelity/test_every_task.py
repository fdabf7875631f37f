"""Resources, latency, proxies, one-shot and exports of networks for every kind of data and task."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from ConfigSpace import Configuration

from fidelity.datasets.arrays import from_arrays
from fidelity.datasets.dataset import Dataset
from fidelity.export import OnnxFile, Program, PythonFile, StateDict
from fidelity.latency.measure import Latency, MeasuredLatency
from fidelity.latency.table import LatencyTable
from fidelity.objective import Context
from fidelity.one_shot.one_shot import OneShot
from fidelity.proxies.features import ProxyFeatures
from fidelity.proxies.gradients import SNIP, GradNorm
from fidelity.proxies.jacobian import JacobianCovariance
from fidelity.proxies.naswot import NASWOT
from fidelity.proxies.proxy import Proxy, ProxyError
from fidelity.proxies.size import MultiplyAdds, Parameters
from fidelity.proxies.synflow import Synflow
from fidelity.proxies.zen import Zen
from fidelity.tasks.multi_label import MultiLabel
from fidelity.training.optimizers import AdamW
from fidelity.training.retrain import retrain
from fidelity.training.training import Training
from spaces import (
    CellSpace,
    EncoderDecoderSpace,
    MacroSpace,
    NextTokenSpace,
    Perceptrons,
    ResidualPerceptrons,
    SequenceSpace,
    Space,
)

PROXIES: tuple[Proxy, ...] = (
    SNIP(),
    GradNorm(),
    JacobianCovariance(),
    NASWOT(),
    Synflow(),
    Zen(),
    Parameters(),
    MultiplyAdds(),
)
ON_TOKENS = ("SNIP", "GradNorm", "Parameters", "MultiplyAdds")


@dataclass(frozen=True)
class Case:
    """A small space and data of one kind.

    Attributes:
        space: of the networks.
        dataset: makes the data.
        proxies: the names of those that can score its networks.
    """

    space: Space
    dataset: Callable[[], Dataset]
    proxies: tuple[str, ...]


def inputs(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(5.0, 3.0, size=(60, *shape))


def tokens() -> np.ndarray:
    return np.random.default_rng(0).integers(7, size=(60, 9))


LABELS = np.arange(60) % 3
NUMBERS = np.random.default_rng(1).normal(100.0, 20.0, size=(60, 2))
RECTIFIED = ("SNIP", "GradNorm", "JacobianCovariance", "NASWOT", "Synflow")
SIZES = ("Parameters", "MultiplyAdds")
CELLS = CellSpace.nasbench201(channels=4, cells=1, stages=1)
PERCEPTRONS = Perceptrons(depth=2, widths=(32, 64), activations=("relu",))
MASKS = EncoderDecoderSpace(widths=(4,), depth=(1, 1), blocks=(1, 1))
SEQUENCES = SequenceSpace(7, widths=(8,), depth=(1, 1))

CASES = {
    "table": Case(PERCEPTRONS, lambda: from_arrays(inputs(5), LABELS), (*RECTIFIED, *SIZES)),
    "regression": Case(
        ResidualPerceptrons(depth=(1, 1), widths=(8,)),
        lambda: from_arrays(inputs(5), NUMBERS),
        (*RECTIFIED, *SIZES),
    ),
    "labels": Case(
        PERCEPTRONS,
        lambda: from_arrays(inputs(5), NUMBERS > 100, task=MultiLabel()),
        (*RECTIFIED, *SIZES),
    ),
    "signals": Case(
        CELLS,
        lambda: from_arrays(inputs(2, 12), LABELS, kind="signals"),
        (*RECTIFIED, "Zen", *SIZES),
    ),
    "macro signals": Case(
        MacroSpace.small(widths=(4,), stages=2),
        lambda: from_arrays(inputs(2, 12), NUMBERS, kind="signals"),
        (*RECTIFIED, "Zen", *SIZES),
    ),
    "images to numbers": Case(
        CELLS,
        lambda: from_arrays(inputs(8, 8), NUMBERS[:, 0]),
        (*RECTIFIED, "Zen", *SIZES),
    ),
    "masks": Case(
        MASKS,
        lambda: from_arrays(inputs(8, 8), (inputs(8, 8) > 5).astype(int)),
        (*RECTIFIED, *SIZES),
    ),
    "tokens": Case(SEQUENCES, lambda: from_arrays(tokens(), LABELS, kind="tokens"), ON_TOKENS),
    "next token": Case(
        NextTokenSpace(7, widths=(8,), depth=(1, 1)),
        lambda: from_arrays(tokens(), np.roll(tokens(), -1, 1), kind="tokens"),
        ON_TOKENS,
    ),
}

every_kind = pytest.mark.parametrize("name", CASES)


@cache
def data(name: str) -> Dataset:
    return CASES[name].dataset()


def configuration(name: str) -> Configuration:
    """A connected one with convolutions."""
    space = CASES[name].space
    if space is CELLS:
        drawn = space.configuration_space.get_default_configuration()
        return Configuration(space.configuration_space, dict.fromkeys(drawn.keys(), "nor_conv_3x3"))
    return space.configuration_space.get_default_configuration()


def training(name: str) -> Training:
    return Training(
        CASES[name].space,
        data(name),
        max_epochs=2.0,
        batch_size=16,
        optimizer=AdamW(0.01),
        device="cpu",
    )


@every_kind
def test_resources_are_counted(name: str) -> None:
    counted = {key: count(configuration(name)) for key, count in training(name).computed.items()}
    assert counted.pop("cache_bytes_per_token") >= 0  # causal attention alone keeps anything
    assert all(0 < value < math.inf for value in counted.values())
    result = training(name)(configuration(name), 1.0, 0, Context())
    assert result["parameters"] == counted["parameters"]


@every_kind
def test_latency_is_measured_and_estimated(name: str) -> None:
    dataset, settings = data(name), Latency(device="cpu", warm_up=1, repeats=2)
    arguments = (CASES[name].space, dataset.input_shape, dataset.outputs, settings)
    assert MeasuredLatency(*arguments)(configuration(name)) > 0
    assert LatencyTable(*arguments)(configuration(name)) > 0


@every_kind
def test_proxies_score_the_networks_that_they_can(name: str) -> None:
    case, dataset = CASES[name], data(name)
    features = ProxyFeatures(case.space, dataset, PROXIES, images=16, device="cpu")
    outcomes = features.outcomes(configuration(name))
    named = dict(zip((type(proxy).__name__ for proxy in PROXIES), outcomes, strict=True))
    scored = {key for key, outcome in named.items() if isinstance(outcome, float)}
    assert scored == set(case.proxies), named
    assert all(math.isfinite(named[key]) for key in scored), named
    refused = [outcome for key, outcome in named.items() if key not in scored]
    assert all(isinstance(outcome, ProxyError) for outcome in refused), refused


@every_kind
def test_weights_are_inherited(name: str) -> None:
    estimate = OneShot(training(name))
    result = estimate(configuration(name))
    assert math.isfinite(result["cost"])
    assert estimate.measure == data(name).task.measure


@every_kind
def test_a_retrained_network_is_exported_in_every_format(name: str, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    final = retrain(training(name), configuration(name), seeds=(0,))
    formats = [StateDict(final.space, final.configuration), Program(), PythonFile(), OnnxFile()]
    files = final.save(tmp_path, formats)
    assert files == [tmp_path / file for kind in formats for file in kind.files]
    examples = data(name).test.inputs
    with torch.no_grad():
        number = examples if examples.dtype is torch.int64 else examples.float()
        expected = final.network(number)
        for kind in formats:
            loaded = kind.load(tmp_path / kind.files[0])
            torch.testing.assert_close(loaded(number), expected, rtol=1e-4, atol=1e-4)
    text = str(final)
    assert text.startswith(f"test {data(name).task.measure.name} ")
    assert ("%" in text) is data(name).task.measure.fraction


def test_predictions_of_a_regression_have_the_units_of_the_targets() -> None:
    final = retrain(training("regression"), configuration("regression"), seeds=(0,))
    with torch.no_grad():
        predicted = final.network(data("regression").test.inputs)
    errors = (predicted - data("regression").test.targets).square().mean(0).sqrt()
    assert float(errors.mean()) == pytest.approx(final.test_costs[0], rel=1e-4)
