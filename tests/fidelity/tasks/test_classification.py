from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn import metrics
from torch import Tensor, nn

from fidelity.tasks import Classification, DataError, Task
from fidelity.tasks.classes import area_under_roc
from fidelity.tasks.classification import COSTS
from tests.fidelity.tasks.contract import TaskContract


class TestClassification(TaskContract):
    def tasks(self) -> list[Task]:
        return [Classification(cost) for cost in COSTS]

    def data(self, size: int = 60, seed: int = 0) -> tuple[Tensor, Tensor, tuple[int, ...]]:
        generator = torch.Generator().manual_seed(seed)
        targets = torch.arange(size).square() % 4
        logits = torch.randn(size, 4, generator=generator) + nn.functional.one_hot(targets, 4)
        targets[:3] = torch.tensor([2, 3, 2])
        return logits, targets, (1, 4, 4)

    def test_metrics_are_those_of_scikit_learn(self) -> None:
        logits, targets, _ = self.data(300)
        tally = Classification().criterion(targets).tally()
        tally.add(logits, targets)
        found, predicted = tally.metrics(), logits.argmax(1)
        wanted = {
            "error": 1 - metrics.accuracy_score(targets, predicted),
            "balanced_error": 1 - metrics.balanced_accuracy_score(targets, predicted),
            "macro_f1": metrics.f1_score(targets, predicted, average="macro", zero_division=0),
            "auroc": metrics.roc_auc_score(targets, logits.double().softmax(1), multi_class="ovr"),
        }
        for name, value in wanted.items():
            assert found[name] == pytest.approx(value, abs=1e-6)
        recalls = metrics.recall_score(targets, predicted, average=None)
        assert found["recalls"] == pytest.approx(recalls.tolist(), abs=1e-6)

    def test_classes_that_are_absent_are_left_out(self) -> None:
        tally = Classification().criterion(torch.arange(5)).tally()
        tally.add(torch.eye(5)[:3], torch.tensor([0, 1, 0]))
        found = tally.metrics()
        assert found["error"] == pytest.approx(1 / 3)
        assert found["balanced_error"] == pytest.approx(0.25)
        assert np.isnan(found["recalls"][2:]).all()
        assert found["macro_f1"] == pytest.approx((2 / 3 + 1 + 0) / 3)  # predicted, though absent
        assert 0 <= found["auroc"] <= 1


def test_ties_count_half() -> None:
    scores, positive = torch.tensor([0.1, 0.5, 0.5, 0.9]), torch.tensor([0, 0, 1, 1])
    wanted = metrics.roc_auc_score(positive, scores)
    assert area_under_roc(scores, positive) == pytest.approx(wanted) == 0.875


def test_the_loss_is_the_cross_entropy() -> None:
    logits, targets = torch.randn(20, 3), torch.arange(20) % 3
    for smoothing in (0.0, 0.1):
        losses = Classification(label_smoothing=smoothing).criterion(targets).losses
        wanted = nn.functional.cross_entropy(logits, targets, label_smoothing=smoothing)
        assert float(losses(logits, targets).mean()) == pytest.approx(float(wanted), rel=1e-6)


def test_balanced_weights_give_each_class_the_same_sum() -> None:
    targets = torch.tensor([0] * 6 + [1] * 3 + [2])
    losses = Classification(class_weights="balanced").criterion(targets).losses
    each = losses(torch.zeros(10, 3), targets)
    sums = [float(each[targets == label].sum()) for label in range(3)]
    assert sums == pytest.approx([sums[0]] * 3)
    assert float(each.mean()) == pytest.approx(float(np.log(3)))  # as without weights


def test_given_weights_are_relative() -> None:
    targets = torch.tensor([0, 1])
    losses = Classification(class_weights=(1.0, 3.0)).criterion(targets).losses
    one, other = losses(torch.zeros(2, 2), targets).tolist()
    assert other == pytest.approx(3 * one)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"label_smoothing": 1.0}, "label_smoothing is 1.0: it must be in"),
        ({"class_weights": "equal"}, "class_weights is 'equal': expected 'balanced'"),
        ({"class_weights": (1.0, 0.0)}, "every weight must be above 0"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Classification(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("training", "validation", "message"),
    [
        (torch.tensor([0.0, 1.0]), torch.tensor([0, 1]), "float32: expected integers"),
        (torch.tensor([0, -1]), torch.tensor([0, 1]), "the label -1 is negative"),
        (torch.tensor([0, 0]), torch.tensor([0, 0]), "two classes or more"),
        (torch.tensor([0, 3]), torch.tensor([0, 0]), "the label 1, 2.* or give task=Regression"),
        (torch.tensor([0, 1]), torch.tensor([2, 0]), "the validation part has the label 2"),
        (torch.eye(2).long(), torch.tensor([0, 1]), r"labels.argmax\(1\); task=MultiLabel"),
    ],
)
def test_wrong_targets_are_refused(training: Tensor, validation: Tensor, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Classification().check({"training": training, "validation": validation}, (3,))


def test_weights_for_other_classes_are_refused() -> None:
    with pytest.raises(DataError, match="there are 3 class weights for 2 classes"):
        Classification(class_weights=(1.0, 1.0, 1.0)).check({"training": torch.arange(2)}, (3,))
