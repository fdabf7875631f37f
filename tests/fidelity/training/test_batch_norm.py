from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from fidelity.training.batch_norm import calibrate


def images(count: int = 13, size: int = 5) -> Tensor:
    """Images whose means differ widely."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(count, 3, size, size, generator=generator)
    return noise + torch.arange(count)[:, None, None, None]


def statistics(layer: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    assert layer.running_mean is not None
    assert layer.running_var is not None
    return layer.running_mean, layer.running_var


@pytest.mark.parametrize("sizes", [[13], [6, 7], [4, 4, 5], [12, 1], [2, 11]])
def test_statistics_are_those_of_all_images_whatever_the_batches(sizes: list[int]) -> None:
    layer, given = nn.BatchNorm2d(3), images()
    calibrate(layer, layer, given.split(sizes))
    mean, variance = statistics(layer)
    torch.testing.assert_close(mean, given.mean((0, 2, 3)))
    torch.testing.assert_close(variance, given.var((0, 2, 3)))
    assert layer.momentum == 0.1
    assert not layer.training
    assert not layer._forward_hooks


def test_a_layer_that_is_used_twice_is_measured_in_both_places() -> None:
    layer, given = nn.BatchNorm2d(3), images()

    def forward(batch: Tensor) -> None:
        layer(batch)
        layer(batch + 10)

    calibrate(layer, forward, given.split(7))
    torch.testing.assert_close(statistics(layer)[0], given.mean((0, 2, 3)) + 5)


def test_a_layer_that_no_image_passes_stays_neutral() -> None:
    layer = nn.BatchNorm2d(3)
    layer.running_mean = torch.full((3,), 7.0)
    calibrate(nn.ModuleList([layer]), lambda batch: None, [images()])
    mean, variance = statistics(layer)
    assert mean.eq(0).all()
    assert variance.eq(1).all()


def test_a_layer_that_stays_in_evaluation_mode_keeps_its_statistics() -> None:
    class Frozen(nn.BatchNorm2d):
        def train(self, mode: bool = True) -> Frozen:
            super().train(False)
            return self

    layer = Frozen(3)
    layer.running_mean = torch.full((3,), 7.0)
    calibrate(nn.Sequential(layer), layer, [images()])
    assert statistics(layer)[0].eq(7).all()
