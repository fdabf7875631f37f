from __future__ import annotations

import pytest
import torch
from torch import Tensor

from fidelity.tasks import DataError, OwnTask, Task
from tests.fidelity.tasks.contract import TaskContract


def quantile_loss(outputs: Tensor, targets: Tensor) -> Tensor:
    error = targets[:, None].float() - outputs
    return torch.maximum(0.9 * error, -0.1 * error).mean(1)


def mean_loss(outputs: Tensor, targets: Tensor) -> Tensor:
    return quantile_loss(outputs, targets).mean()


def too_low(outputs: Tensor, targets: Tensor) -> Tensor:
    return (outputs[:, 0] < targets).float().mean()


TASK = OwnTask(1, quantile_loss, {"pinball": mean_loss, "too_low": too_low}, "pinball")


class TestOwnTask(TaskContract):
    def tasks(self) -> list[Task]:
        return [TASK]

    def data(self, size: int = 60, seed: int = 0) -> tuple[Tensor, Tensor, tuple[int, ...]]:
        generator = torch.Generator().manual_seed(seed)
        outputs = torch.randn(size, 1, generator=generator)
        return outputs, torch.randn(size, generator=generator, dtype=torch.float64), (3,)


def test_a_loss_of_the_whole_batch_is_refused() -> None:
    task = OwnTask(1, mean_loss, {"pinball": mean_loss}, "pinball")
    with pytest.raises(DataError, match=r"the shape \(\) for 4 examples: .* reduction='none'"):
        task.criterion(torch.zeros(4)).losses(torch.zeros(4, 1), torch.zeros(4))


def test_targets_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(DataError, match="the training targets hold NaN"):
        TASK.check({"training": torch.tensor([float("nan")])}, (3,))


def test_a_network_without_outputs_is_refused() -> None:
    with pytest.raises(ValueError, match="size is 0"):
        OwnTask(0, quantile_loss, {"pinball": mean_loss}, "pinball")
