from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from fidelity.checkpoint import Checkpoint
from fidelity.datasets import from_arrays
from fidelity.history.trial import Trial
from fidelity.objective import Context, evaluate
from fidelity.schedules import Hyperband
from fidelity.training import loop
from fidelity.training.device_data import copy_to_device
from fidelity.training.loop import TrainingLoop
from fidelity.training.optimizers import SGD
from fidelity.training.training import Training
from tests.fidelity.fakes import TinySpace
from tests.fidelity.trained import DATASET, SPACE, TRAINING, assert_identical, saved, stripes


class TestResume:
    @staticmethod
    def train_in_parts(
        training: Training, operation: str, budgets: list[float], folder: Path
    ) -> tuple[dict[str, float], dict[str, Any], list[tuple[float, float]]]:
        """The last result, the last state, and the curves put together."""
        source: Path | None = None
        curve: list[tuple[float, float]] = []
        for number, budget in enumerate(budgets):
            target = folder / f"trial-{number}.pt"
            context = Context(Checkpoint(source, target))
            result = training(SPACE.of(operation), budget, 7, context)
            curve += context.curve
            source = target
        return result, saved(target), curve

    @pytest.mark.parametrize("operation", ["convolution", "dropout"])
    @pytest.mark.parametrize("parts", [[3, 9], [1, 2, 3, 4, 5, 6, 7, 8, 9]])
    def test_is_exact_to_the_last_bit(
        self, tmp_path: Path, operation: str, parts: list[float]
    ) -> None:
        whole, state, curve = self.train_in_parts(TRAINING, operation, [9], tmp_path)
        result, resumed, points = self.train_in_parts(TRAINING, operation, parts, tmp_path)
        assert_identical(resumed, state)
        assert points == curve
        assert result == whole | {"resumed_from": parts[-2]}

    @settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
    @given(first=st.floats(0.2, 4.5), second=st.floats(4.7, 8.8))
    def test_is_exact_in_mid_epoch(
        self, tmp_path_factory: pytest.TempPathFactory, first: float, second: float
    ) -> None:
        folder = tmp_path_factory.mktemp("parts")
        _, state, _ = self.train_in_parts(TRAINING, "dropout", [9], folder)
        result, resumed, _ = self.train_in_parts(TRAINING, "dropout", [first, second, 9], folder)
        assert_identical(resumed, state)
        assert result["resumed_from"] == round(second * 3) / 3

    def test_is_exact_at_budgets_that_are_no_whole_epochs(self, tmp_path: Path) -> None:
        # Hyperband(1, 9, eta=4) begins at 2.25 epochs, and (1, 9, eta=2.5) at 1.44.
        for eta in (4, 2.5):
            budgets = [rung.budget for rung in Hyperband(1, 9, eta).bracket(0)]
            assert any(budget % 1 for budget in budgets)
            _, state, curve = self.train_in_parts(TRAINING, "dropout", [9], tmp_path)
            result, resumed, points = self.train_in_parts(TRAINING, "dropout", budgets, tmp_path)
            assert_identical(resumed, state)
            assert set(curve) <= set(points)  # and one more where a budget ends in mid-epoch
            assert result["resumed_from"] == round(budgets[-2] * 3) / 3

    def test_to_the_same_budget_only_evaluates(self, tmp_path: Path) -> None:
        once, state, _ = self.train_in_parts(TRAINING, "dropout", [3], tmp_path)
        again, resumed, _ = self.train_in_parts(TRAINING, "dropout", [3, 3], tmp_path)
        assert_identical(resumed, state)
        assert again == once | {"resumed_from": 3}

    def test_is_not_disturbed_by_the_global_random_state(self, tmp_path: Path) -> None:
        _, state, _ = self.train_in_parts(TRAINING, "dropout", [2], tmp_path)
        torch.manual_seed(999)
        np.random.seed(999)  # noqa: NPY002 -- the global state is what is tested
        random.seed(999)
        _, other, _ = self.train_in_parts(TRAINING, "dropout", [2], tmp_path)
        assert_identical(other, state)


def not_there(path: Path) -> None:
    path.unlink()


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-500])


def a_list(path: Path) -> None:
    torch.save([1, 2, 3], path)


def of_other_width(path: Path) -> None:
    training = dataclasses.replace(TRAINING, space=TinySpace(channels=5))
    training(SPACE.of("dropout"), 1, 0, Context(Checkpoint(target=path)))


def of_another_seed(path: Path) -> None:
    TRAINING(SPACE.of("dropout"), 1, 1, Context(Checkpoint(target=path)))


def of_another_plan(path: Path) -> None:
    training = dataclasses.replace(TRAINING, max_epochs=27)
    training(SPACE.of("dropout"), 1, 0, Context(Checkpoint(target=path)))


def of_other_settings(path: Path) -> None:
    training = dataclasses.replace(TRAINING, optimizer=SGD(0.01))
    training(SPACE.of("dropout"), 1, 0, Context(Checkpoint(target=path)))


def further_trained(path: Path) -> None:
    TRAINING(SPACE.of("dropout"), 4, 0, Context(Checkpoint(target=path)))


def without(name: str) -> Callable[[Path], None]:
    def remove(path: Path) -> None:
        state = saved(path)
        del state[name]
        torch.save(state, path)

    return remove


def of_other_momentum(path: Path) -> None:
    state = saved(path)
    for entry in state["optimizer"]["state"].values():
        entry["momentum_buffer"] = torch.zeros(3)
    torch.save(state, path)


DAMAGE: list[Callable[[Path], None]] = [
    not_there, truncated, a_list, of_other_width, of_another_seed, of_another_plan,
    of_other_settings, further_trained, without("network"), without("step"), without("random"),
    of_other_momentum,
]  # fmt: skip


class TestDamagedCheckpoint:
    @pytest.mark.parametrize("damage", DAMAGE)
    def test_means_training_from_scratch_with_a_warning(
        self, tmp_path: Path, damage: Callable[[Path], None]
    ) -> None:
        path, target = tmp_path / "trial-0.pt", tmp_path / "trial-1.pt"
        TRAINING(SPACE.of("dropout"), 1, 0, Context(Checkpoint(target=path)))
        damage(path)
        with pytest.warns(UserWarning, match="training starts from scratch"):
            result = TRAINING(SPACE.of("dropout"), 2, 0, Context(Checkpoint(path, target)))
        assert result == TRAINING(SPACE.of("dropout"), 2, 0)
        assert result["resumed_from"] == 0
        assert saved(target)["step"] == 6

    @pytest.mark.parametrize("damage", [not_there, truncated, of_another_plan, None])
    def test_is_recorded(self, tmp_path: Path, damage: Callable[[Path], None] | None) -> None:
        path, trial = tmp_path / "trial-0.pt", Trial(1, SPACE.of("dropout"), "key", 2.0, parent=0)
        TRAINING(SPACE.of("dropout"), 1, 0, Context(Checkpoint(target=path)))
        if damage is None:
            assert not evaluate(TRAINING, trial, Context(Checkpoint(path))).retrained
        else:
            damage(path)
            with pytest.warns(UserWarning, match="training starts from scratch"):
                assert evaluate(TRAINING, trial, Context(Checkpoint(path))).retrained


class TestCalibration:
    """Of batch normalisation, before each evaluation."""

    @staticmethod
    def started(network: nn.Module) -> TrainingLoop:
        data = copy_to_device(DATASET, torch.device("cpu"))
        return TrainingLoop(network, data, TRAINING.plan({}, seed=0))

    def test_measures_training_images_with_the_weights_as_they_are(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(loop, "CALIBRATION_EXAMPLES", 1000)  # all there are
        normalisation = nn.BatchNorm2d(1)
        training = self.started(nn.Sequential(normalisation, nn.Flatten(), nn.Linear(36, 2)))
        normalisation.running_mean = torch.tensor([5.0])
        training.evaluate(DATASET.validation)
        assert normalisation.running_mean.item() == pytest.approx(0, abs=1e-5)
        assert normalisation.running_var is not None
        assert normalisation.running_var.item() == pytest.approx(1, rel=1e-3)
        assert normalisation.momentum == 0.1

    @pytest.mark.parametrize("batch_size", [32, 110])  # of 120 images
    def test_does_not_depend_on_a_batch_chosen_for_speed(
        self, batch_size: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plan = dataclasses.replace(TRAINING, batch_size=batch_size).plan({}, seed=0)
        network = SPACE.build(SPACE.of("dropout"), DATASET.input_shape, DATASET.outputs)
        training = TrainingLoop(network, copy_to_device(DATASET, torch.device("cpu")), plan)
        training.run(4, lambda: None)
        judgement = training.evaluate(DATASET.validation)
        state = {name: value.clone() for name, value in training.network.state_dict().items()}
        for size in (1, 7, 10**6):
            monkeypatch.setattr(loop, "evaluation_batch", lambda device, part, size=size: size)
            again = training.evaluate(DATASET.validation)
            assert again.loss == pytest.approx(judgement.loss, rel=1e-5)
            assert again.tally.cost() == judgement.tally.cost()
            assert_identical(dict(training.network.state_dict()), state)

    def test_large_images_are_told_apart_as_small_ones_are(self) -> None:
        class Offset(TinySpace):
            """Pixels far from 0, which batch normalisation has to bring back."""

            def build(self, *arguments: Any) -> nn.Module:
                stem = nn.Conv2d(1, 1, 1)
                nn.init.constant_(stem.bias, 9)  # type: ignore[arg-type]
                reduced = nn.Sequential(nn.AvgPool2d(46), stem, nn.BatchNorm2d(1))
                return nn.Sequential(reduced, super().build(*arguments))

        labels = np.arange(20) % 2
        noise = np.random.default_rng(0).random((20, 1, 368, 368))  # evaluated one at a time
        dataset = from_arrays(noise + 0.1 * labels[:, None, None, None], labels, name="large")
        training = Training(Offset(), dataset, max_epochs=9, batch_size=4, device="cpu")
        assert training(SPACE.of("convolution"), 9)["cost"] == 0

    def test_does_not_depend_on_how_often_it_is_done(self) -> None:
        training = self.started(
            SPACE.build(SPACE.of("dropout"), DATASET.input_shape, DATASET.outputs)
        )
        training.run(4, lambda: None)
        before = torch.get_rng_state()
        first = training.evaluate(DATASET.validation)
        state = {name: value.clone() for name, value in training.network.state_dict().items()}
        again = training.evaluate(DATASET.validation)
        assert (again.loss, again.tally.metrics()) == (first.loss, first.tally.metrics())
        assert_identical(dict(training.network.state_dict()), state)
        assert torch.equal(torch.get_rng_state(), before)
        assert not any(module.training for module in training.network.modules())


def test_a_bfloat16_training_resumes_exactly_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "fidelity.training.device_data._gains_by_bfloat16", lambda device, pixels: True
    )
    training = dataclasses.replace(TRAINING, dataset=stripes(), max_epochs=3)
    whole = training(SPACE.of("dropout"), 3)
    path = tmp_path / "trial-0.pt"
    training(SPACE.of("dropout"), 1, 0, Context(Checkpoint(target=path)))
    resumed = training(SPACE.of("dropout"), 3, 0, Context(Checkpoint(source=path)))
    assert resumed == whole | {"resumed_from": 1}
    assert (
        whole["train_loss"]
        != dataclasses.replace(TRAINING, max_epochs=3)(SPACE.of("dropout"), 3)["train_loss"]
    )


@pytest.mark.gpu
class TestGPU:
    """What only a GPU can show."""

    TRAINING = dataclasses.replace(TRAINING, device="cuda")

    def test_learns_and_keeps_its_random_state(self) -> None:
        before = torch.cuda.get_rng_state()
        assert self.TRAINING(SPACE.of("dropout"), 9)["cost"] <= 0.2
        assert torch.equal(torch.cuda.get_rng_state(), before)

    @pytest.mark.parametrize(
        ("first", "second"), [("cuda", "cuda"), ("cpu", "cuda"), ("cuda", "cpu")]
    )
    def test_resumes_on_either_device(self, tmp_path: Path, first: str, second: str) -> None:
        path = tmp_path / "trial-0.pt"
        TRAINING(SPACE.of("dropout"), 3, 0, Context(Checkpoint(target=path), first))
        result = TRAINING(SPACE.of("dropout"), 9, 0, Context(Checkpoint(path), second))
        assert result["resumed_from"] == 3
        assert result["cost"] <= 0.2
