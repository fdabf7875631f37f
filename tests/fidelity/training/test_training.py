from __future__ import annotations

import dataclasses
import os
import pickle
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ConfigSpace import Configuration
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from fidelity.augment import PadCrop
from fidelity.checkpoint import Checkpoint
from fidelity.datasets import digits, from_arrays
from fidelity.datasets.dataset import Dataset
from fidelity.history.trial import Status, Trial
from fidelity.objective import Context, Diverged, InvalidArchitecture, evaluate
from fidelity.training.optimizers import SGD
from fidelity.training.training import Training
from spaces.space import InputShape
from tests.fidelity.fakes import TinySpace
from tests.fidelity.trained import DATASET, SPACE, TRAINING, assert_identical, saved, stripes


class TestResult:
    def test_learns(self) -> None:
        result = TRAINING(SPACE.of("convolution"), 9)
        assert result["cost"] <= 0.1
        assert result["train_loss"] < 0.4

    def test_has_what_it_promises(self) -> None:
        result = TRAINING(SPACE.of("convolution"), 2)
        parameters = 8 * 9 + 2 * 8 + (8 * 8 * 9 + 8) + (2 * 8 + 2)
        assert result["parameters"] == parameters
        assert (result["epochs"], result["resumed_from"]) == (2, 0)
        assert set(result) == {
            "cost", "error", "balanced_error", "macro_f1", "auroc", "recalls", "validation_loss",
            "train_loss", "parameters", "epochs", "resumed_from",
        }  # fmt: skip
        # A fraction of the 40 validation images.
        assert result["cost"] * 40 == pytest.approx(round(result["cost"] * 40))

    def test_cost_and_losses_are_those_of_the_network(self, tmp_path: Path) -> None:
        path = tmp_path / "trial-0.pt"
        result = TRAINING(SPACE.of("dropout"), 3, 1, Context(Checkpoint(target=path)))
        network = SPACE.build(SPACE.of("dropout"), DATASET.input_shape, DATASET.outputs).eval()
        network.load_state_dict(saved(path)["network"])
        train, validation = DATASET.train.inputs, DATASET.validation
        with torch.no_grad():
            logits = network((validation.inputs - train.mean()) / train.std(correction=0))
        loss = nn.functional.cross_entropy(logits, validation.targets)
        assert result["validation_loss"] == pytest.approx(loss.item(), rel=1e-4)
        wrong = (logits.argmax(1) != validation.targets).float().mean()
        assert result["cost"] == pytest.approx(wrong.item())

    def test_is_fixed_by_the_seed(self) -> None:
        results = [TRAINING(SPACE.of("dropout"), 2, seed) for seed in (0, 0, 1)]
        assert results[0] == results[1]
        assert results[0]["train_loss"] != results[2]["train_loss"]

    def test_reports_each_epoch_and_the_end(self) -> None:
        context = Context()
        result = TRAINING(SPACE.of("convolution"), 8 / 3, 0, context)
        assert [step for step, _ in context.curve] == pytest.approx([1, 2, 8 / 3])
        assert context.curve[-1][1] == result["cost"]

    def test_reports_the_end_once(self) -> None:
        context = Context()
        TRAINING(SPACE.of("convolution"), 2, 0, context)
        assert [step for step, _ in context.curve] == [1, 2]


class TestNetworkThatCannotTrain:
    @pytest.mark.parametrize(
        ("operation", "message"),
        [
            ("zero", "no path leads from the input to the output"),
            ("empty", "no parameter to train"),
            ("frozen", "no parameter of the network takes part"),
            ("collapse", "images shrink to nothing"),
        ],
    )
    def test_is_invalid(self, operation: str, message: str) -> None:
        with pytest.raises(InvalidArchitecture, match=message):
            TRAINING(SPACE.of(operation), 3)

    def test_has_diverged_when_its_loss_is_no_number(self) -> None:
        context = Context()
        with pytest.raises(Diverged, match=r"training loss is (nan|inf) after epoch 1"):
            TRAINING(SPACE.of("diverge"), 3, 0, context)
        assert context.curve == []

    def test_has_diverged_when_only_held_out_images_show_it(self) -> None:
        class NaNInEvaluation(nn.Linear):
            def forward(self, images: Tensor) -> Tensor:
                logits = super().forward(images.flatten(1))
                return logits if self.training else logits * torch.nan

        training = dataclasses.replace(TRAINING, space=Custom(make=lambda: NaNInEvaluation(36, 2)))
        with pytest.raises(Diverged, match="held-out"):
            training(SPACE.of("convolution"), 1)

    @pytest.mark.parametrize(
        ("operation", "status"),
        [
            ("zero", Status.INVALID),
            ("frozen", Status.INVALID),
            ("diverge", Status.DIVERGED),
            ("convolution", Status.SUCCESS),
        ],
    )
    def test_is_a_recorded_trial(self, operation: str, status: Status) -> None:
        trial = Trial(0, SPACE.of(operation), "key", 1.0)
        assert evaluate(TRAINING, trial, Context()).status is status

    def test_another_error_stays_what_it_is(self) -> None:
        training = dataclasses.replace(TRAINING, space=Custom(make=lambda: nn.Linear(7, 2)))
        with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
            training(SPACE.of("convolution"), 1)


@dataclasses.dataclass(frozen=True)
class Custom(TinySpace):
    """A space of one network."""

    make: Callable[[], nn.Module] = nn.Identity

    def build(
        self, configuration: Configuration, input_shape: InputShape, outputs: int
    ) -> nn.Module:
        return self.make()


def _numpy_key() -> list[int]:
    """The state of numpy's global generator."""
    return list(np.random.get_state(legacy=False)["state"]["key"])  # noqa: NPY002


class TestManners:
    """What a training leaves as it found it."""

    def test_random_states(self) -> None:
        torch.manual_seed(5)
        states = torch.get_rng_state(), _numpy_key(), random.getstate()
        TRAINING(SPACE.of("dropout"), 1)
        with pytest.raises(InvalidArchitecture):
            TRAINING(SPACE.of("frozen"), 1)
        assert torch.equal(torch.get_rng_state(), states[0])
        assert _numpy_key() == states[1]
        assert random.getstate() == states[2]

    def test_threads_and_gradient_mode(self) -> None:
        threads = torch.get_num_threads()
        TRAINING(SPACE.of("convolution"), 1)
        assert torch.get_num_threads() == threads
        assert torch.is_grad_enabled()
        assert not torch.is_inference_mode_enabled()

    def test_the_data_set(self) -> None:
        dataset = stripes()
        before = dataset.train.inputs.clone(), dataset.validation.inputs.clone()
        dataclasses.replace(TRAINING, dataset=dataset)(SPACE.of("convolution"), 1)
        assert torch.equal(dataset.train.inputs, before[0])
        assert torch.equal(dataset.validation.inputs, before[1])

    def test_the_folder(self, tmp_path: Path) -> None:
        working = Path.cwd()
        os.chdir(tmp_path)
        try:
            TRAINING(SPACE.of("convolution"), 1)
            assert list(tmp_path.iterdir()) == []
        finally:
            os.chdir(working)


class TestFinal:
    def test_measures_the_test_part(self) -> None:
        training = dataclasses.replace(TRAINING, max_epochs=3)
        report = training.final(SPACE.of("convolution"), seed=2)
        result = training(SPACE.of("convolution"), 3, 2)
        assert report.validation_cost == result["cost"]
        assert (report.parameters, report.epochs) == (result["parameters"], 3)
        assert report.seconds > 0
        train, test = DATASET.train.inputs, DATASET.test
        with torch.no_grad():
            logits = report.network((test.inputs - train.mean()) / train.std(correction=0))
        wrong = (logits.argmax(1) != test.targets).float().mean().item()
        assert report.test_cost == pytest.approx(wrong)

    def test_continues_a_trial(self, tmp_path: Path) -> None:
        path = tmp_path / "trial-0.pt"
        TRAINING(SPACE.of("dropout"), 5, 2, Context(Checkpoint(target=path)))
        context = Context(Checkpoint(source=path))
        resumed = TRAINING.final(SPACE.of("dropout"), 2, context)
        assert [step for step, _ in context.curve] == [6, 7, 8, 9]
        whole = TRAINING.final(SPACE.of("dropout"), 2)
        assert resumed.validation_cost == whole.validation_cost
        assert resumed.test_cost == whole.test_cost
        assert_identical(dict(resumed.network.state_dict()), dict(whole.network.state_dict()))

    def test_a_search_never_sees_the_test_part(self) -> None:
        labels = DATASET.test.targets
        hidden = dataclasses.replace(
            DATASET,
            test=dataclasses.replace(DATASET.test, targets=1 - labels),
        )
        training = dataclasses.replace(TRAINING, dataset=hidden)
        assert training(SPACE.of("dropout"), 2) == TRAINING(SPACE.of("dropout"), 2)


class TestSettings:
    @pytest.mark.parametrize("budget", [0, -1, 9.5, float("nan"), float("inf")])
    def test_a_budget_out_of_range_is_refused(self, budget: float) -> None:
        with pytest.raises(ValueError, match=f"the budget is {budget} epochs: .* max_epochs, 9"):
            TRAINING(SPACE.of("convolution"), budget)

    def test_a_tiny_budget_is_one_step(self) -> None:
        assert TRAINING(SPACE.of("convolution"), 1e-6)["epochs"] == pytest.approx(1 / 3)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("max_epochs", 0),
            ("max_epochs", float("nan")),
            ("max_epochs", float("inf")),
            ("batch_size", 0),
            ("clip_norm", 0.0),
            ("average", 1.0),
        ],
    )
    def test_numbers_out_of_range_are_refused_at_once(self, name: str, value: float) -> None:
        with pytest.raises(ValueError, match=f"{name} is {value}"):
            dataclasses.replace(TRAINING, **{name: value})  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("name", "value", "message"),
        [
            ("dataset", TensorDataset(torch.ones(4, 1, 2, 2)), "TensorDataset: .*from_arrays"),
            ("dataset", DataLoader(TensorDataset(torch.ones(4))), "is a DataLoader: expected"),
            ("dataset", Dataset, "is the class Dataset, not an object of it"),
            ("dataset", digits, "is the function digits, which was not called"),
            ("dataset", (np.ones((4, 1, 2, 2)), np.arange(4)), "is a tuple: expected"),
            ("space", TinySpace, "the space is <class .*: expected an object with"),
            ("space", "cells", "the space is 'cells': expected an object with"),
            ("max_epochs", "9", "max_epochs is '9': expected a number"),
            ("batch_size", 32.0, "batch_size is 32.0: expected a whole number"),
            ("optimizer", SGD, "optimizer is <class .*: expected an object such as SGD"),
            ("curve", 0.1, "curve is 0.1: expected an object such as Cosine"),
            ("augment", PadCrop(1), "augment is PadCrop.*: expected a tuple"),
            ("augment", (PadCrop,), "augment holds <class .*: expected an object"),
        ],
    )
    def test_what_is_of_another_kind_is_named_at_once(
        self, name: str, value: object, message: str
    ) -> None:
        with pytest.raises(TypeError, match=message):
            dataclasses.replace(TRAINING, **{name: value})  # type: ignore[arg-type]

    def test_numbers_of_numpy_are_numbers(self) -> None:
        numbers = {"max_epochs": np.int64(2), "batch_size": np.int32(32)}
        training = dataclasses.replace(TRAINING, **numbers, optimizer=SGD(np.float32(0.1)))
        assert training(SPACE.of("convolution"), 2)["epochs"] == 2

    def test_a_batch_larger_than_the_data_takes_all_of_it(self) -> None:
        training = dataclasses.replace(TRAINING, batch_size=10_000)
        assert training(SPACE.of("convolution"), 2)["epochs"] == 2

    def test_augmentations_are_those_of_the_data_set_unless_given(self) -> None:
        seen: list[torch.Size] = []

        def watch(images: Tensor, generator: torch.Generator) -> Tensor:
            seen.append(images.shape)
            return images

        training = dataclasses.replace(TRAINING, augment=(watch,))
        without_any = dataclasses.replace(TRAINING, augment=())(SPACE.of("convolution"), 1)
        watched = training(SPACE.of("convolution"), 1)
        assert seen == [torch.Size([32, 1, 6, 6])] * 3
        assert watched == without_any
        assert watched != TRAINING(SPACE.of("convolution"), 1)

    def test_the_device_of_the_context_takes_precedence(self) -> None:
        training = dataclasses.replace(TRAINING, device="no such device")
        assert training(SPACE.of("convolution"), 1, 0, Context(device="cpu"))["epochs"] == 1
        with pytest.raises(RuntimeError, match="no such device"):
            training(SPACE.of("convolution"), 1)

    def test_each_image_is_seen_at_most_once_per_epoch(self) -> None:
        plan = TRAINING.plan({}, seed=3)
        orders = [plan.order(epoch, 120) for epoch in (0, 0, 1)]
        assert sorted(orders[0].tolist()) == list(range(120))
        assert torch.equal(orders[0], orders[1])
        assert not torch.equal(orders[0], orders[2])

    def test_travels_to_another_process(self) -> None:
        arrived = pickle.loads(pickle.dumps(TRAINING))
        assert arrived(SPACE.of("dropout"), 1) == TRAINING(SPACE.of("dropout"), 1)

    def test_the_order_of_the_data_set_does_not_enter_the_initial_weights(self) -> None:
        weights: list[Tensor] = []

        @dataclasses.dataclass(frozen=True)
        class Watched(TinySpace):
            def build(self, *arguments: Any) -> nn.Module:
                network = super().build(*arguments)
                weights.append(next(network.parameters()).detach().clone())
                return network

        for dataset in (DATASET, stripes(seed=1)):
            Training(Watched(), dataset, 1, device="cpu")(SPACE.of("convolution"), 1, 4)
        assert torch.equal(*weights)


@pytest.mark.parametrize("shape", [(1, 1, 40), (3, 8, 8), (2, 5, 9)])
def test_images_of_any_shape(shape: tuple[int, int, int]) -> None:
    rng = np.random.default_rng(0)
    dataset = from_arrays(
        rng.integers(0, 256, (40, *shape), dtype=np.uint8), np.arange(40) % 4, augment=(PadCrop(1),)
    )
    result = Training(SPACE, dataset, 2, batch_size=8, device="cpu")(SPACE.of("convolution"), 2)
    assert 0 <= result["cost"] <= 1


def test_an_interrupted_attempt_resumes_to_the_same_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fidelity.training.training.SAVE_SECONDS", 0.0)
    configuration = SPACE.of("dropout")
    whole = Context(Checkpoint(target=tmp_path / "whole.pt"))
    expected = TRAINING(configuration, 3, 0, whole)

    class Broken(Context):
        def report(self, step: float, cost: float) -> None:
            if step == 3:
                raise KeyboardInterrupt
            super().report(step, cost)

    first = Broken(Checkpoint(target=tmp_path / "own.pt"))
    with pytest.raises(KeyboardInterrupt):
        TRAINING(configuration, 3, 0, first)
    again = first.again()
    result = TRAINING(configuration, 3, 0, again)
    assert result == expected | {"resumed_from": 2.0}
    assert again.curve == whole.curve
    # One that had ended, but was not recorded, is only measured again.
    ended = again.again()
    assert TRAINING(configuration, 3, 0, ended) == expected | {"resumed_from": 3.0}
    assert ended.curve == whole.curve


class TestRepr:
    def test_names_space_data_and_epochs_and_no_tensor(self) -> None:
        training = Training(TinySpace(), digits(), max_epochs=9)
        assert repr(training) == "Training(TinySpace, digits, max_epochs=9)"

    def test_shows_the_settings_that_are_not_the_default(self) -> None:
        def blur(images: Tensor, generator: torch.Generator) -> Tensor:
            return images

        training = Training(
            TinySpace(), digits(), 2.5, batch_size=32, augment=(PadCrop(2), blur), device="cpu"
        )
        assert repr(training) == (
            "Training(TinySpace, digits, max_epochs=2.5, batch_size=32, augment=(PadCrop, blur), "
            "device='cpu')"
        )


def test_it_trains_where_gradients_are_switched_off() -> None:
    configuration = SPACE.of("convolution")
    expected = TRAINING(configuration, 2.0)
    with torch.no_grad():
        assert TRAINING(configuration, 2.0)["cost"] == expected["cost"]
