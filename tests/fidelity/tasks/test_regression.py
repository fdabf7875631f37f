from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from sklearn import metrics
from torch import Tensor

from fidelity.tasks import DataError, Regression, Task
from fidelity.tasks.regression import COSTS
from tests.fidelity.tasks.contract import TaskContract

NAN = float("nan")


class TestRegression(TaskContract):
    columns = 1

    def tasks(self) -> list[Task]:
        return [Regression(cost) for cost in COSTS]

    def data(self, size: int = 60, seed: int = 0) -> tuple[Tensor, Tensor, tuple[int, ...]]:
        generator = torch.Generator().manual_seed(seed)
        shape = (size,) if self.columns == 1 else (size, self.columns)
        targets = 1e6 + 30 * torch.randn(shape, generator=generator, dtype=torch.float64)
        standard = (targets - targets.mean(0)) / targets.std(0)
        noise = torch.randn(shape, generator=generator)
        return (standard + 0.3 * noise).float().reshape(size, -1), targets, (5,)

    def test_metrics_are_those_of_scikit_learn(self) -> None:
        outputs, targets, _ = self.data(200)
        tally = Regression().criterion(targets).tally()
        tally.add(outputs, targets)
        columns = targets.reshape(len(targets), -1)
        predicted = columns.mean(0) + outputs * columns.std(0, correction=0)
        found = tally.metrics()
        rmse = metrics.root_mean_squared_error(columns, predicted)
        assert found["rmse"] == pytest.approx(rmse, rel=1e-6)
        mae = metrics.mean_absolute_error(columns, predicted)
        assert found["mae"] == pytest.approx(mae, rel=1e-6)
        assert found["r2"] == pytest.approx(metrics.r2_score(columns, predicted), abs=1e-6)
        assert ("r2s" in found) == (self.columns > 1)


class TestSeveralTargets(TestRegression):
    columns = 3


def test_the_loss_is_that_of_standardised_targets() -> None:
    targets = torch.tensor([10.0, 30.0, 50.0], dtype=torch.float64)
    standard = ((targets - 30) / targets.std(correction=0)).float()
    outputs = torch.tensor([[0.5], [0.1], [3.0]])
    for loss in (F.mse_loss, F.l1_loss, F.huber_loss):
        found = Regression(loss=loss).criterion(targets).losses(outputs, targets)
        assert torch.allclose(found, loss(outputs[:, 0], standard, reduction="none"))


def test_a_constant_target_is_explained_by_itself_alone() -> None:
    criterion = Regression("r2").criterion(torch.tensor([0.0, 2.0], dtype=torch.float64))
    for output, explained in ((0.0, 1.0), (0.5, 0.0)):
        tally = criterion.tally()
        tally.add(torch.full((3, 1), output), torch.ones(3, dtype=torch.float64))
        assert tally.metrics()["r2"] == explained


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        (torch.tensor([1.0, NAN, 3.0]), r"1 of 3 training targets are NaN .*\(example 1\)"),
        (torch.tensor([[1.0, 2.0], [1.0, 3.0]]), "target 0 is the same number in every training"),
        (torch.tensor([4.0, 4.0]), "the targets are the same number in every training example"),
        (torch.ones(3, 2, 2), r"shape \(3, 2, 2\): expected one number per example"),
    ],
)
def test_wrong_targets_are_refused(targets: Tensor, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Regression().check({"training": targets}, (3,))


def test_a_loss_that_is_no_function_is_refused() -> None:
    with pytest.raises(ValueError, match="the loss is 'huber': expected a function"):
        Regression(loss="huber")  # type: ignore[arg-type]
