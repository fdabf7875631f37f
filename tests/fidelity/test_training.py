from __future__ import annotations

import dataclasses
import os
import pickle
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ConfigSpace import Configuration
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from fidelity.augment import HorizontalFlip, PadCrop
from fidelity.checkpoint import Checkpoint
from fidelity.data import Dataset
from fidelity.datasets import from_arrays
from fidelity.objective import Context, Diverged, InvalidArchitecture, evaluate
from fidelity.training import Training
from fidelity.trial import Status, Trial
from spaces.space import InputShape
from tests.fidelity.fakes import TinySpace

SPACE = TinySpace(channels=8)


def stripes(count: int = 200, size: int = 6, seed: int = 0) -> Dataset:
    """Horizontal stripes against vertical ones, in noise: easy, but not at once."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    across = (np.arange(size) % 2)[None, :] * np.ones((size, 1))
    pixels = np.where(labels[:, None, None] == 1, across, across.T)
    pixels = pixels + rng.normal(0, 0.3, pixels.shape)
    return from_arrays(pixels, labels, augment=(PadCrop(1), HorizontalFlip()), name="stripes")


DATASET = stripes()
TRAINING = Training(SPACE, DATASET, max_epochs=9, batch_size=32, device="cpu")  # 3 steps an epoch


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Networks this small only wait for a second thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def saved(path: Path) -> dict[str, Any]:
    state = Checkpoint(source=path).load()
    assert state is not None
    return state


def assert_identical(one: Any, other: Any) -> None:
    """Equal to the last bit, whatever it is nested in."""
    assert type(one) is type(other)
    if isinstance(one, Tensor):
        assert torch.equal(one, other)
    elif isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_identical(one[key], other[key])
    elif isinstance(one, list | tuple):
        assert len(one) == len(other)
        for left, right in zip(one, other, strict=True):
            assert_identical(left, right)
    else:
        assert one == other


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
            "cost", "validation_loss", "train_loss", "parameters", "epochs", "resumed_from",
        }  # fmt: skip
        # A fraction of the 40 validation images.
        assert result["cost"] * 40 == pytest.approx(round(result["cost"] * 40))

    def test_cost_and_losses_are_those_of_the_network(self, tmp_path: Path) -> None:
        path = tmp_path / "trial-0.pt"
        result = TRAINING(SPACE.of("dropout"), 3, 1, Context(Checkpoint(target=path)))
        network = SPACE.build(SPACE.of("dropout"), DATASET.input_shape, DATASET.classes).eval()
        network.load_state_dict(saved(path)["network"])
        train, validation = DATASET.train.images, DATASET.validation
        with torch.no_grad():
            logits = network((validation.images - train.mean()) / train.std(correction=0))
        loss = nn.functional.cross_entropy(logits, validation.labels)
        assert result["validation_loss"] == pytest.approx(loss.item(), rel=1e-4)
        wrong = (logits.argmax(1) != validation.labels).float().mean()
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

    def test_to_the_same_budget_only_evaluates(self, tmp_path: Path) -> None:
        once, state, _ = self.train_in_parts(TRAINING, "dropout", [3], tmp_path)
        again, resumed, _ = self.train_in_parts(TRAINING, "dropout", [3, 3], tmp_path)
        assert_identical(resumed, state)
        assert again == once | {"resumed_from": 3}

    def test_is_not_disturbed_by_the_global_random_state(self, tmp_path: Path) -> None:
        _, state, _ = self.train_in_parts(TRAINING, "dropout", [2], tmp_path)
        torch.manual_seed(999)
        np.random.seed(999)  # noqa: NPY002 - the global state is the point
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
    training = dataclasses.replace(TRAINING, learning_rate=0.01)
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
    def test_means_training_anew_with_a_warning(
        self, tmp_path: Path, damage: Callable[[Path], None]
    ) -> None:
        path, target = tmp_path / "trial-0.pt", tmp_path / "trial-1.pt"
        TRAINING(SPACE.of("dropout"), 1, 0, Context(Checkpoint(target=path)))
        damage(path)
        with pytest.warns(UserWarning, match="training starts anew"):
            result = TRAINING(SPACE.of("dropout"), 2, 0, Context(Checkpoint(path, target)))
        assert result == TRAINING(SPACE.of("dropout"), 2, 0)
        assert result["resumed_from"] == 0
        assert saved(target)["step"] == 6


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
        before = dataset.train.images.clone(), dataset.validation.images.clone()
        dataclasses.replace(TRAINING, dataset=dataset)(SPACE.of("convolution"), 1)
        assert torch.equal(dataset.train.images, before[0])
        assert torch.equal(dataset.validation.images, before[1])

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
        assert report.validation_error == result["cost"]
        assert (report.parameters, report.epochs) == (result["parameters"], 3)
        assert report.seconds > 0
        train, test = DATASET.train.images, DATASET.test
        with torch.no_grad():
            logits = report.network((test.images - train.mean()) / train.std(correction=0))
        wrong = (logits.argmax(1) != test.labels).float().mean().item()
        assert report.test_error == pytest.approx(wrong)

    def test_continues_a_trial(self, tmp_path: Path) -> None:
        path = tmp_path / "trial-0.pt"
        TRAINING(SPACE.of("dropout"), 5, 2, Context(Checkpoint(target=path)))
        context = Context(Checkpoint(source=path))
        resumed = TRAINING.final(SPACE.of("dropout"), 2, context)
        assert [step for step, _ in context.curve] == [6, 7, 8, 9]
        whole = TRAINING.final(SPACE.of("dropout"), 2)
        assert resumed.validation_error == whole.validation_error
        assert resumed.test_error == whole.test_error
        assert_identical(dict(resumed.network.state_dict()), dict(whole.network.state_dict()))

    def test_a_search_never_sees_the_test_part(self) -> None:
        labels = DATASET.test.labels
        hidden = dataclasses.replace(
            DATASET,
            test=dataclasses.replace(DATASET.test, labels=1 - labels),
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
            ("learning_rate", -0.1),
            ("momentum", 1.0),
        ],
    )
    def test_numbers_out_of_range_are_refused_at_once(self, name: str, value: float) -> None:
        with pytest.raises(ValueError, match=f"{name} is {value}"):
            dataclasses.replace(TRAINING, **{name: value})  # type: ignore[arg-type]

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

    def test_the_device_of_the_context_goes_first(self) -> None:
        training = dataclasses.replace(TRAINING, device="no such device")
        assert training(SPACE.of("convolution"), 1, 0, Context(device="cpu"))["epochs"] == 1
        with pytest.raises(RuntimeError, match="no such device"):
            training(SPACE.of("convolution"), 1)

    def test_each_image_is_seen_at_most_once_an_epoch(self) -> None:
        plan = TRAINING._plan(seed=3)
        orders = [plan.order(epoch, 120) for epoch in (0, 0, 1)]
        assert sorted(orders[0].tolist()) == list(range(120))
        assert torch.equal(orders[0], orders[1])
        assert not torch.equal(orders[0], orders[2])

    def test_travels_to_another_process(self) -> None:
        arrived = pickle.loads(pickle.dumps(TRAINING))
        assert arrived(SPACE.of("dropout"), 1) == TRAINING(SPACE.of("dropout"), 1)

    def test_the_order_of_the_data_set_does_not_enter_the_first_weights(self) -> None:
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


def test_a_bfloat16_training_resumes_exactly_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fidelity.placement._gains_by_bfloat16", lambda device, pixels: True)
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


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
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
