"""The logic of captured steps, with a recorder that replays the step itself on a CPU."""

from __future__ import annotations

import dataclasses
import logging

import pytest
import torch

from fidelity.datasets.part import Batch
from fidelity.training import training as module
from fidelity.training.capture import WARM_UP_STEPS, Captured, Run, captured, rate_on_device
from fidelity.training.loop import Step, TrainingLoop, set_rate
from fidelity.training.optimizers import AdamW, TorchOptimizer
from tests.fidelity.trained import SPACE, TRAINING

GRAPHED = dataclasses.replace(TRAINING, cuda_graph=True)


class Replaying:
    """Counts what a CUDA graph would do."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.fault = fault
        self.warmed_up = self.replayed = 0

    def warm_up(self, run: Run) -> None:
        self.warmed_up += 1
        run()

    def record(self, run: Run) -> Run:
        if self.fault is not None:
            raise self.fault

        def replay() -> None:
            self.replayed += 1
            run()

        return replay


def recorded_by(recorder: Replaying, monkeypatch: pytest.MonkeyPatch) -> None:
    def capture(loop: TrainingLoop) -> Step:
        return Captured(loop.update, recorder)

    monkeypatch.setattr(module, "captured", capture)


def test_a_replayed_training_is_the_same_to_the_last_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Replaying()
    recorded_by(recorder, monkeypatch)
    assert GRAPHED(SPACE.of("dropout"), 3) == TRAINING(SPACE.of("dropout"), 3)
    assert (recorder.warmed_up, recorder.replayed) == (WARM_UP_STEPS, 9 - WARM_UP_STEPS)


@pytest.mark.parametrize("fault", [RuntimeError("an operation not permitted"), AttributeError("x")])
def test_a_step_that_cannot_be_captured_stays_with_a_message(
    fault: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = Replaying(fault)
    recorded_by(recorder, monkeypatch)
    with caplog.at_level(logging.WARNING):
        assert GRAPHED(SPACE.of("dropout"), 3) == TRAINING(SPACE.of("dropout"), 3)
    assert caplog.messages == [
        f"a training step cannot be captured as a CUDA graph, so it stays: {fault}"
    ]
    assert recorder.replayed == 0


def test_a_batch_of_another_shape_is_not_replayed() -> None:
    sizes: list[int] = []
    recorder = Replaying()
    step = Captured(lambda batch: sizes.append(len(batch.targets)), recorder)
    for size in (4,) * (WARM_UP_STEPS + 2) + (3, 4):
        step(Batch(torch.zeros(size, 2), torch.zeros(size), None))
    assert sizes == [4] * (WARM_UP_STEPS + 2) + [3, 4]
    assert recorder.replayed == 3


def test_a_replay_reads_the_examples_of_its_batch() -> None:
    seen: list[float] = []
    step = Captured(lambda batch: seen.append(batch.inputs.sum().item()), Replaying())
    for number in range(WARM_UP_STEPS + 3):
        step(Batch(torch.full((2, 2), float(number)), torch.zeros(2), torch.ones(2)))
    assert seen == [4.0 * number for number in range(WARM_UP_STEPS + 3)]


def test_nothing_is_captured_on_a_cpu() -> None:
    assert GRAPHED(SPACE.of("dropout"), 3) == TRAINING(SPACE.of("dropout"), 3)


class TestRate:
    @pytest.mark.parametrize("optimizer", [AdamW(), TorchOptimizer(torch.optim.NAdam, 0.01)])
    def test_on_the_device_gives_the_same_steps(self, optimizer: AdamW) -> None:
        """On the CPU: a tensor as the learning rate gives the same steps as a float."""
        parameters = []
        for on_device in (False, True):
            layer = torch.nn.Linear(3, 1, bias=False)
            torch.nn.init.ones_(layer.weight)
            made = optimizer.start(layer)
            for step in range(4):
                if step == 2 and on_device:
                    rate_on_device(made, torch.device("cpu"))
                    assert isinstance(made.param_groups[0]["lr"], torch.Tensor)
                    for group in made.param_groups:
                        group["capturable"] = False  # which a CPU does not know
                set_rate(made, 0.1 / (step + 1))
                layer(torch.ones(1, 3)).sum().backward()
                made.step()
            parameters.append(layer.weight.detach())
        torch.testing.assert_close(*parameters)

    def test_is_taken_back(self) -> None:
        layer = torch.nn.Linear(3, 1)
        made = AdamW().start(layer)
        layer(torch.ones(1, 3)).sum().backward()
        made.step()
        before = {name: value for name, value in made.param_groups[0].items() if name != "params"}
        undo = rate_on_device(made, torch.device("cpu"))
        assert isinstance(made.param_groups[0]["lr"], torch.Tensor)
        assert made.param_groups[0]["capturable"]
        undo()
        after = {name: value for name, value in made.param_groups[0].items() if name != "params"}
        assert after == before

    def test_of_a_checkpoint_is_left_there(self) -> None:
        """One of a captured training holds a tensor, which a training on a CPU does not want."""
        from fidelity.training.device_data import copy_to_device

        training = dataclasses.replace(TRAINING, optimizer=AdamW())
        data = copy_to_device(training.dataset, torch.device("cpu"))
        loops = []
        for _ in range(2):
            network = SPACE.build(SPACE.of("dropout"), (1, 6, 6), 2)
            loops.append(TrainingLoop(network, data, training.plan({}, seed=0)))
        loops[0].run(2, lambda: None, captured(loops[0]))
        rate_on_device(loops[0].optimizer, torch.device("cpu"))
        loops[1].restore(loops[0].state())
        group = loops[1].optimizer.param_groups[0]
        assert (type(group["lr"]), group["capturable"]) == (float, False)
