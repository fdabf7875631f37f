from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from fidelity.augment import Augmentation, HorizontalFlip, PadCrop


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(batch: int = 8, channels: int = 2, height: int = 5, width: int = 7) -> Tensor:
    """Pixels that are all different and none of them 0."""
    shape = (batch, channels, height, width)
    return 1 + torch.arange(batch * channels * height * width).float().reshape(shape)


BOTH = pytest.mark.parametrize("augment", [PadCrop(2), HorizontalFlip()])


@BOTH
def test_shape_and_type_stay(augment: Augmentation) -> None:
    changed = augment(images(), generator())
    assert changed.shape == images().shape
    assert changed.dtype == torch.float32


@BOTH
def test_all_randomness_comes_from_the_generator(augment: Augmentation) -> None:
    before = torch.get_rng_state()
    first, second = (augment(images(64), generator(3)) for _ in range(2))
    assert torch.equal(first, second)
    assert not torch.equal(first, augment(images(64), generator(4)))
    assert torch.equal(torch.get_rng_state(), before)


@BOTH
def test_the_images_given_are_not_changed(augment: Augmentation) -> None:
    given_images = images()
    augment(given_images, generator())
    assert torch.equal(given_images, images())


@given(
    padding=st.integers(0, 3),
    height=st.integers(2, 6),
    width=st.integers(2, 6),
    channels=st.integers(1, 3),
    seed=st.integers(0, 1000),
)
def test_pad_crop_shifts_each_image_as_a_whole(
    padding: int, height: int, width: int, channels: int, seed: int
) -> None:
    original = images(4, channels, height, width)
    changed = PadCrop(padding)(original, generator(seed))
    padded = torch.nn.functional.pad(original, (padding,) * 4)
    shifts = [(row, column) for row in range(2 * padding + 1) for column in range(2 * padding + 1)]
    for whole, crop in zip(padded, changed, strict=True):
        assert any(
            torch.equal(crop, whole[:, row : row + height, column : column + width])
            for row, column in shifts
        )


def test_pad_crop_draws_every_shift_equally_often() -> None:
    centre = torch.zeros(9000, 1, 3, 3)
    centre[:, 0, 1, 1] = 1
    counts = PadCrop(1)(centre, generator()).sum((0, 1))
    assert counts.sum() == 9000  # the bright pixel never leaves the image
    assert ((counts - 1000).abs() < 150).all()  # five standard deviations


def test_pad_crop_leaves_an_axis_of_one_pixel_alone() -> None:
    sequence = images(16, 1, 1, 40)
    changed = PadCrop(2)(sequence, generator())
    assert (changed != 0).sum(3).min() >= 38


def test_pad_crop_gives_channels_last() -> None:
    changed = PadCrop(1)(images(channels=3), generator())
    assert changed.is_contiguous(memory_format=torch.channels_last)


def test_flip_mirrors_whole_images_left_to_right() -> None:
    original = images(2000)
    changed = HorizontalFlip()(original, generator())
    same = (changed == original).flatten(1).all(1)
    mirrored = (changed == original.flip(3)).flatten(1).all(1)
    assert (same ^ mirrored).all()
    assert 900 < int(mirrored.sum()) < 1100


@pytest.mark.parametrize(("probability", "mirrored"), [(0.0, False), (1.0, True)])
def test_flip_obeys_its_probability(probability: float, mirrored: bool) -> None:
    changed = HorizontalFlip(probability)(images(100), generator())
    assert torch.equal(changed, images(100).flip(3) if mirrored else images(100))
