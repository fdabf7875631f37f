from __future__ import annotations

import pytest
import torch
from sklearn import metrics
from torch import Tensor

from fidelity.tasks import DataError, MultiLabel, Task
from fidelity.tasks.multi_label import COSTS
from tests.fidelity.tasks.contract import TaskContract


class TestMultiLabel(TaskContract):
    def tasks(self) -> list[Task]:
        return [MultiLabel(cost) for cost in COSTS]

    def data(self, size: int = 60, seed: int = 0) -> tuple[Tensor, Tensor, tuple[int, ...]]:
        generator = torch.Generator().manual_seed(seed)
        logits = torch.randn(size, 3, generator=generator)
        noise = torch.randn(size, 3, generator=generator)
        return logits, (logits + noise > 0.4).to(torch.uint8), (1, 4, 4)

    def test_metrics_are_those_of_scikit_learn(self) -> None:
        logits, targets, _ = self.data(200)
        tally = MultiLabel().criterion(targets).tally()
        tally.add(logits, targets)
        found, predicted = tally.metrics(), (logits > 0).int()
        wanted = {
            "error": metrics.hamming_loss(targets, predicted),
            "example_error": 1 - metrics.accuracy_score(targets, predicted),
            "macro_f1": metrics.f1_score(targets, predicted, average="macro"),
            "auroc": metrics.roc_auc_score(targets, logits),
        }
        for name, value in wanted.items():
            assert found[name] == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (torch.tensor([0, 1]), r"shape \(2,\): expected \(examples, labels\)"),
        (torch.tensor([[0, 2], [1, 0]]), "other values than 0 and 1"),
        (torch.tensor([[0, 1], [1, 1]]), "label 1 is the same in every training example"),
    ],
)
def test_wrong_targets_are_refused(labels: Tensor, message: str) -> None:
    with pytest.raises(DataError, match=message):
        MultiLabel().check({"training": labels}, (3,))
