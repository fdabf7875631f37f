from __future__ import annotations

import math

import pytest
import torch
from sklearn import metrics
from torch import Tensor, nn

from fidelity.tasks import DataError, Segmentation, Task
from fidelity.tasks.segmentation import COSTS
from tests.fidelity.tasks.contract import TaskContract


class TestSegmentation(TaskContract):
    ignored: int | None = None

    def tasks(self) -> list[Task]:
        return [Segmentation(cost, self.ignored) for cost in COSTS]

    def data(self, size: int = 20, seed: int = 0) -> tuple[Tensor, Tensor, tuple[int, ...]]:
        generator = torch.Generator().manual_seed(seed)
        masks = torch.randint(3, (size, 5, 6), generator=generator)
        noise = torch.randn(size, 3, 5, 6, generator=generator)
        outputs = nn.functional.one_hot(masks, 3).movedim(3, 1) + noise
        if self.ignored is not None:
            masks[:, 0] = self.ignored
        return outputs, masks.to(torch.uint8), (1, 5, 6)

    def test_metrics_are_those_of_scikit_learn(self) -> None:
        outputs, masks, _ = self.data()
        tally = Segmentation(ignored=self.ignored).criterion(masks).tally()
        tally.add(outputs, masks)
        counted = masks != 255
        predicted, labels = outputs.argmax(1)[counted], masks[counted]
        found = tally.metrics()
        wanted = metrics.jaccard_score(labels, predicted, average=None)
        assert found["ious"] == pytest.approx(wanted.tolist(), abs=1e-6)
        assert found["mean_iou"] == pytest.approx(wanted.mean(), abs=1e-6)
        assert found["error"] == pytest.approx(1 - metrics.accuracy_score(labels, predicted))


class TestIgnoredPixels(TestSegmentation):
    ignored = 255

    def test_they_have_no_loss(self) -> None:
        outputs, masks, _ = self.data()
        criterion = Segmentation(ignored=255).criterion(masks)
        before = criterion.losses(outputs, masks)
        outputs[:, :, 0] = 100 * torch.randn(20, 3, 6)
        assert torch.equal(criterion.losses(outputs, masks), before)

    def test_a_mask_without_any_other_has_the_loss_zero(self) -> None:
        outputs, masks, _ = self.data()
        criterion = Segmentation(ignored=255).criterion(masks)
        masks[0] = 255
        assert float(criterion.losses(outputs, masks)[0]) == 0


class TestSegmentationOfSignals(TestSegmentation):
    def data(self, size: int = 20, seed: int = 0) -> tuple[Tensor, Tensor, tuple[int, ...]]:
        outputs, masks, _ = super().data(size, seed)
        return outputs[:, :, 0], masks[:, 0], (1, 6)


def test_a_point_of_a_signal_counts_as_a_pixel() -> None:
    outputs, masks, _ = TestSegmentationOfSignals().data()
    of_signals = Segmentation().criterion(masks).losses(outputs, masks)
    of_images = Segmentation().criterion(masks).losses(outputs[:, :, None], masks[:, None])
    assert torch.equal(of_signals, of_images)


def test_a_class_that_is_nowhere_is_left_out_of_the_mean() -> None:
    tally = Segmentation().criterion(torch.arange(3)).tally()
    outputs = nn.functional.one_hot(torch.zeros(1, 2, 2).long(), 3).movedim(3, 1).float()
    tally.add(outputs, torch.zeros(1, 2, 2).long())
    assert tally.cost() == 0
    assert math.isnan(tally.metrics()["ious"][2])


@pytest.mark.parametrize(
    ("masks", "message"),
    [
        (torch.zeros(4, 3, 3).long(), r"masks have the shape \(4, 3, 3\), the images \(1, 5, 6\)"),
        (torch.zeros(4).long(), r"masks have the shape \(4,\)"),
        (torch.zeros(4, 6).long(), r"masks have the shape \(4, 6\), the images"),
        (torch.full((4, 5, 6), 9).long(), "every pixel of the training masks has the ignored"),
        (torch.zeros(4, 5, 6), "torch.float32: expected integers"),
    ],
)
def test_wrong_masks_are_refused(masks: Tensor, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Segmentation(ignored=9).check({"training": masks}, (1, 5, 6))


def test_masks_of_signals_have_their_length() -> None:
    Segmentation().check({"training": torch.arange(12).reshape(4, 3) % 2}, (2, 3))
    with pytest.raises(DataError, match=r"shape \(4, 3\), the inputs \(2, 5\)"):
        Segmentation().check({"training": torch.zeros(4, 3).long()}, (2, 5))
