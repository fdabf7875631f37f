"""What every task must do; its tests inherit from `TaskContract`."""

from __future__ import annotations

import math
import pickle

import pytest
import torch
from torch import Tensor

from fidelity.tasks.task import Measure, Task


class TaskContract:
    """Inherited whole; override `tasks` and `data`."""

    def tasks(self) -> list[Task]:
        """One for each cost that can be minimised."""
        raise NotImplementedError

    def data(self, size: int = 60, seed: int = 0) -> tuple[Tensor, Tensor, tuple[int, ...]]:
        """Outputs of a network, targets, and the input shape."""
        raise NotImplementedError

    def test_losses_are_finite_one_per_example_and_differentiable(self) -> None:
        outputs, targets, _ = self.data()
        for task in self.tasks():
            leaf = outputs.clone().requires_grad_()
            losses = task.criterion(targets).losses(leaf, targets)
            assert losses.shape == (len(targets),)
            losses.mean().backward()
            assert leaf.grad is not None
            assert torch.isfinite(leaf.grad).all()

    def test_the_number_of_outputs_is_that_of_the_network(self) -> None:
        outputs, targets, _ = self.data()
        assert all(task.outputs(targets) == outputs.shape[1] for task in self.tasks())

    def test_batches_make_no_difference_to_the_metrics(self) -> None:
        outputs, targets, _ = self.data()
        for task in self.tasks():
            whole, parts = (task.criterion(targets).tally() for _ in range(2))
            whole.add(outputs, targets)
            for some, of_them in zip(outputs.split(7), targets.split(7), strict=True):
                parts.add(some, of_them)
            assert parts.cost() == pytest.approx(whole.cost(), rel=1e-6)
            assert parts.metrics().keys() == whole.metrics().keys()
            for name, value in whole.metrics().items():
                assert parts.metrics()[name] == pytest.approx(value, rel=1e-6, nan_ok=True)

    def test_the_cost_belongs_to_a_metric_and_a_measure(self) -> None:
        outputs, targets, _ = self.data()
        for task in self.tasks():
            tally = task.criterion(targets).tally()
            tally.add(outputs, targets)
            assert math.isfinite(tally.cost())
            values = [v for v in tally.metrics().values() if isinstance(v, float)]
            assert any(tally.cost() in (v, 1 - v) for v in values)
            assert isinstance(task.measure, Measure)

    def test_right_targets_pass_the_check(self) -> None:
        _, targets, input_shape = self.data()
        for task in self.tasks():
            task.check(dict.fromkeys(("training", "validation", "test"), targets), input_shape)

    def test_it_travels_to_another_process(self) -> None:
        for task in self.tasks():
            assert pickle.loads(pickle.dumps(task)) == task

    def test_an_unknown_cost_is_refused(self) -> None:
        import dataclasses

        with pytest.raises(ValueError, match=r"the cost is 'speed': expected"):
            dataclasses.replace(self.tasks()[0], cost="speed")  # type: ignore[type-var]
