"""Every task, optimizer and curve in training: it learns, and resumes to the last bit."""

from __future__ import annotations

import dataclasses
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ConfigSpace import Categorical, ConfigurationSpace, EqualsCondition, Float

from fidelity.checkpoint import Checkpoint
from fidelity.datasets import from_arrays
from fidelity.datasets.dataset import Dataset
from fidelity.mixing import CutMix, Mixup
from fidelity.objective import Context
from fidelity.tasks import Classification, MultiLabel
from fidelity.training.curves import Constant, Cosine, Linear, OneCycle
from fidelity.training.optimizers import SGD, AdamW, TorchOptimizer
from fidelity.training.training import Training
from spaces.cells.cell import CellSpace
from spaces.hierarchical.encoder_decoder import EncoderDecoderSpace
from spaces.joint import JointSpace
from spaces.perceptrons import Perceptrons
from spaces.sequences.sequence_space import NextTokenSpace, SequenceSpace
from spaces.space import Space, configuration, sample
from spaces.tabular.residual_perceptrons import ResidualPerceptrons
from tests.fidelity.trained import DATASET, SPACE, TRAINING, assert_identical, saved

COUNT = 120


def _table() -> tuple[np.ndarray, np.ndarray]:
    rows = np.random.default_rng(0).normal(size=(COUNT, 5))
    return rows, rows[:, 0] + 0.5 * rows[:, 1] ** 2


def _tokens() -> np.ndarray:
    """Sequences that count up modulo 7."""
    starts = np.random.default_rng(0).integers(0, 7, COUNT)
    return np.asarray((starts[:, None] + np.arange(13)) % 7)


def _images() -> tuple[np.ndarray, np.ndarray]:
    images = np.random.default_rng(0).normal(size=(COUNT, 1, 6, 6))
    return images, (images[:, 0] > 0).astype(np.uint8)


def _of(name: str) -> tuple[Space, Dataset]:
    rows, numbers = _table()
    tokens = _tokens()
    images, masks = _images()
    several = np.stack([numbers > 0, rows[:, 2] > 0], 1)
    signals = rows[:, :1, None] * np.sin(np.arange(16.0))
    perceptrons = Perceptrons(2, (8, 16))
    match name:
        case "table, classes":
            return ResidualPerceptrons((1, 2), (16, 32)), from_arrays(
                rows, (numbers > 0).astype(int)
            )
        case "table, numbers":
            return perceptrons, from_arrays(rows, numbers)
        case "table, several numbers":
            return perceptrons, from_arrays(rows, np.stack([numbers, -numbers], 1))
        case "table, several labels":
            return perceptrons, from_arrays(rows, several, task=MultiLabel())
        case "signals, classes":
            targets = (signals[:, 0, 1] > 0).astype(int)
            return CellSpace.nasbench201(4, 1), from_arrays(signals, targets)
        case "signals, numbers":
            return CellSpace.nasbench201(4, 1), from_arrays(signals, rows[:, 0])
        case "signals, masks":
            masks = (signals[:, 0] > 0).astype(int)
            return EncoderDecoderSpace(), from_arrays(signals, masks)
        case "images, masks":
            return EncoderDecoderSpace(), from_arrays(images, masks)
        case "images, numbers":
            return SPACE, from_arrays(images, images.mean((1, 2, 3)))
        case "tokens, classes":
            data = from_arrays(tokens[:, :6], tokens[:, 0] % 2, kind="tokens")
            return SequenceSpace(7, (8, 16), (1, 2)), data
        case _:
            data = from_arrays(tokens[:, :-1], tokens[:, 1:], kind="tokens")
            return NextTokenSpace(7, (8, 16), (1, 2)), data


NAMES = (
    *("table, classes", "table, numbers", "table, several numbers", "table, several labels"),
    *("signals, classes", "signals, numbers", "signals, masks"),
    *("images, masks", "images, numbers"),
    *("tokens, classes", "tokens, next ones"),
)


@cache
def training(name: str) -> Training:
    space, dataset = _of(name)
    return Training(space, dataset, 6, batch_size=16, optimizer=AdamW(0.01), device="cpu")


def _connected(space: Space) -> Any:
    if space is SPACE:  # most of its networks cannot train
        return SPACE.of("dropout")
    drawn = sample(space.configuration_space, 20, np.random.default_rng(1))
    return next(c for c in drawn if space.architecture(c).connected)


def _exact(settings: Training, chosen: Any, folder: Path) -> dict[str, Any]:
    """The result of a training in three parts, which must be that of an uninterrupted one."""
    whole, parts = folder / "whole.pt", [folder / f"part-{n}.pt" for n in range(3)]
    result = settings(chosen, 6, 3, Context(Checkpoint(target=whole)))
    source = None
    for budget, target in zip((1.5, 4, 6), parts, strict=True):
        resumed = settings(chosen, budget, 3, Context(Checkpoint(source, target)))
        source = target
    assert_identical(saved(parts[-1]), saved(whole))
    assert resumed.pop("resumed_from") == 4
    del result["resumed_from"]
    np.testing.assert_equal(resumed, result)  # NaN is equal to NaN
    return result


@pytest.mark.parametrize("name", NAMES)
class TestEveryTask:
    def test_it_resumes_to_the_last_bit(self, name: str, tmp_path: Path) -> None:
        settings = training(name)
        result = _exact(settings, _connected(settings.space), tmp_path)
        assert result["epochs"] == 6

    def test_it_learns(self, name: str) -> None:
        settings = dataclasses.replace(training(name), max_epochs=30)
        chosen = _connected(settings.space)
        first, last = (settings(chosen, budget, 1) for budget in (0.1, 30))
        assert last["train_loss"] < 0.7 * first["train_loss"]
        assert last["cost"] < first["cost"]

    def test_the_final_report_has_all_metrics(self, name: str) -> None:
        settings = training(name)
        report = settings.final(_connected(settings.space))
        assert report.test_cost in {
            value if sign > 0 else 1 - value
            for value in report.test_metrics.values()
            if isinstance(value, float)
            for sign in (1, -1)
        }


OPTIMIZERS = {
    "SGD": SGD(0.05),
    "AdamW": AdamW(0.01),
    "RMSprop": TorchOptimizer(torch.optim.RMSprop, 0.001, {"momentum": 0.5}),
    "NAdam": TorchOptimizer(torch.optim.NAdam, 0.001),
}
SETTINGS: dict[str, dict[str, Any]] = {
    **{name: {"optimizer": optimizer} for name, optimizer in OPTIMIZERS.items()},
    "constant": {"curve": Constant(0.1)},
    "linear": {"curve": Linear(0.1)},
    "one cycle": {"curve": OneCycle()},
    "clipped": {"clip_norm": 0.1},
    "averaged": {"average": 0.9},
    "mixup": {"mixing": Mixup(1.0)},
    "cutmix": {"mixing": CutMix()},
    "weighted": {
        "dataset": dataclasses.replace(
            DATASET, train=dataclasses.replace(DATASET.train, weights=torch.rand(120))
        )
    },
    "balanced": {
        "dataset": dataclasses.replace(DATASET, task=Classification("macro_f1", "balanced"))
    },
}

UNCHANGED = ("averaged", "balanced")
"""Those whose training is as without them: the average is only evaluated, and the classes of the
stripes are balanced already."""


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_resumes_to_the_last_bit(name: str, tmp_path: Path) -> None:
    settings = dataclasses.replace(TRAINING, max_epochs=6, **SETTINGS[name])
    result = _exact(settings, SPACE.of("dropout"), tmp_path)
    plain = dataclasses.replace(TRAINING, max_epochs=6)(SPACE.of("dropout"), 6, 3)
    assert (result["train_loss"] == plain["train_loss"]) == (name in UNCHANGED)


def test_an_average_is_what_is_evaluated_and_returned() -> None:
    plain, averaged = (
        dataclasses.replace(TRAINING, max_epochs=3, average=average) for average in (None, 0.9)
    )
    chosen = SPACE.of("convolution")
    assert averaged(chosen, 3)["train_loss"] == plain(chosen, 3)["train_loss"]
    assert averaged(chosen, 3)["validation_loss"] != plain(chosen, 3)["validation_loss"]
    weights = [t.final(chosen).network.state_dict()["0.weight"] for t in (plain, averaged)]
    assert not torch.equal(*weights)


def test_examples_of_weight_zero_are_as_if_absent() -> None:
    one = dataclasses.replace(DATASET.train, weights=torch.ones(120))
    half = dataclasses.replace(DATASET.train, weights=torch.arange(120).lt(60).float())
    other = dataclasses.replace(half, targets=torch.where(half.weights == 0, 0, half.targets))
    losses = []
    for part in (DATASET.train, one, half, other):
        dataset = dataclasses.replace(DATASET, train=part)
        result = dataclasses.replace(TRAINING, dataset=dataset)(SPACE.of("convolution"), 2)
        losses.append(result["train_loss"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)
    assert losses[0] != losses[2]
    assert losses[2] == losses[3]


def test_a_joint_space_chooses_optimizers_curves_and_their_fields() -> None:
    choices = ConfigurationSpace()
    kind = Categorical("optimizer", ["sgd", "adamw"])
    momentum = Float("momentum", (0.0, 0.9))
    choices.add(kind, momentum, Float("warm_up", (0.0, 0.5)), Categorical("curve", ["line", "cos"]))
    choices.add(EqualsCondition(momentum, kind, "sgd"))
    joint = JointSpace(SPACE, choices)
    settings = dataclasses.replace(
        TRAINING,
        space=joint,
        choices={
            "optimizer": {"sgd": SGD(0.2), "adamw": AdamW(0.02)},
            "curve": {"line": Linear(), "cos": Cosine()},
        },
    )
    plan = settings.plan(
        {"optimizer": "sgd", "momentum": 0.3, "curve": "line", "warm_up": 0.25}, seed=0
    )
    assert (plan.optimizer, plan.curve) == (SGD(0.2, 0.3), Linear(0.25))
    values = {"architecture:operation": "convolution", "training:optimizer": "adamw"}
    values |= {"training:curve": "cos", "training:warm_up": 0.1}
    assert settings(configuration(joint.configuration_space, values), 1)["epochs"] == 1


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"optimizer": "lion"}, r"optimizer 'lion', but the training knows none: .*choices="),
        ({"beta1": 0.5}, r"chooses beta1, but a training has only .* the fields of SGD"),
        ({"momentum": 2.0}, "momentum is 2.0"),
    ],
)
def test_what_a_joint_space_cannot_choose_is_named(overrides: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TRAINING.plan(overrides, seed=0)
