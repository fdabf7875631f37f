from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import TensorDataset

from fidelity.augment import PadCrop
from fidelity.datasets import from_arrays
from fidelity.datasets.dataset import DataError, Dataset, Part, split


def images(count: int, channels: int = 1, size: int = 4) -> np.ndarray:
    """Each image is filled with its own number, so that it can be told after a split."""
    whole = np.arange(count, dtype=np.float32)[:, None, None, None]
    return np.broadcast_to(whole, (count, channels, size, size)).copy()


def numbers(part: Part) -> list[int]:
    """Which of `images` these are."""
    return part.inputs[:, 0, 0, 0].int().tolist()


def example(count: int = 60, classes: int = 3) -> Dataset:
    return from_arrays(images(count), np.arange(count) % classes)


def test_parts_share_no_image_and_lose_none() -> None:
    dataset = example()
    parts = [numbers(part) for part in (dataset.train, dataset.validation, dataset.test)]
    assert [len(part) for part in parts] == [36, 12, 12]
    assert sorted(number for part in parts for number in part) == list(range(60))


def test_labels_stay_with_their_images() -> None:
    dataset = example()
    for part in (dataset.train, dataset.validation, dataset.test):
        assert part.targets.tolist() == [number % 3 for number in numbers(part)]


def test_each_class_keeps_its_share() -> None:
    labels = np.repeat([0, 1, 2], [100, 50, 10])
    dataset = from_arrays(images(160), labels)
    for part in (dataset.validation, dataset.test):
        assert torch.bincount(part.targets).tolist() == [20, 10, 2]


def test_the_split_is_fixed_by_its_seed() -> None:
    def validation(seed: int) -> list[int]:
        return numbers(from_arrays(images(60), np.arange(60) % 3, seed=seed).validation)

    assert validation(0) == validation(0)
    assert validation(0) != validation(1)


@given(
    counts=st.lists(st.integers(2, 40), min_size=2, max_size=6),
    share=st.floats(0, 1),
    seed=st.integers(0, 2**32),
)
def test_split_is_stratified_and_exact(counts: list[int], share: float, seed: int) -> None:
    labels = torch.from_numpy(np.repeat(np.arange(len(counts)), counts))
    total = len(labels)
    size = round(len(counts) + share * (total - 2 * len(counts)))
    whole = Part(torch.from_numpy(images(total)), labels)
    rest, held = split(whole, size, np.random.default_rng(seed), labels)
    assert (len(rest), len(held)) == (total - size, size)
    assert sorted(numbers(rest) + numbers(held)) == list(range(total))
    of_class = torch.bincount(held.targets, minlength=len(counts)).numpy()
    assert (of_class >= 1).all()
    assert (of_class < counts).all()
    # Only the bound of one image on either side may move a share by one or more.
    exact = np.array(counts) * size / total
    inner = (exact >= 1) & (exact <= np.array(counts) - 1)
    if inner.all():
        assert (np.abs(of_class - exact) < 1).all()


def test_given_parts_are_used_as_they_are() -> None:
    labels = np.arange(10) % 2
    dataset = from_arrays(
        images(10), labels, validation=(images(4), labels[:4]), test=(images(6), labels[:6])
    )
    assert [len(p) for p in (dataset.train, dataset.validation, dataset.test)] == [10, 4, 6]


def test_one_given_part_leaves_the_other_to_be_split_off() -> None:
    labels = np.arange(20) % 2
    dataset = from_arrays(images(20), labels, test=(images(6), labels[:6]), validation=0.5)
    assert [len(p) for p in (dataset.train, dataset.validation, dataset.test)] == [10, 10, 6]


@pytest.mark.parametrize(
    ("given_type", "kept_type"),
    [
        ("uint8", torch.uint8),
        ("bool", torch.uint8),
        ("float64", torch.float32),
        ("float16", torch.float32),
        ("int64", torch.float32),
    ],
)
def test_pixels_become_bytes_or_floats(given_type: str, kept_type: torch.dtype) -> None:
    dataset = from_arrays(np.ones((20, 4, 4), given_type), np.arange(20) % 2)
    assert dataset.train.inputs.dtype == kept_type
    assert dataset.train.inputs.eq(1).all()
    assert dataset.input_shape == (1, 4, 4)


def test_later_changes_to_the_arrays_change_nothing() -> None:
    pixels, labels = images(20), np.arange(20) % 2
    dataset = from_arrays(pixels, labels, validation=(pixels, labels), test=(pixels, labels))
    before = dataset.train.inputs.clone()
    pixels += 100
    labels[:] = 0
    assert torch.equal(dataset.train.inputs, before)
    assert dataset.train.targets.max() == 1


def test_tensors_and_lists_are_arrays_too() -> None:
    dataset = from_arrays(torch.ones(20, 3, 4, 5), [0, 1] * 10)
    assert dataset.input_shape == (3, 4, 5)
    assert dataset.outputs == 2


def test_read_only_arrays_are_taken_without_complaint() -> None:
    pixels = images(20)
    pixels.flags.writeable = False
    assert len(from_arrays(pixels, np.arange(20) % 2).train) == 12


def test_a_dataset_prints_short_and_travels() -> None:
    dataset = example()
    assert repr(dataset) == (
        "Dataset(arrays: 36 training, 12 validation, 12 test images of 1x4x4, 3 classes of 33.3%)"
    )
    assert repr(dataset.train) == "Part(36 images of 1x4x4)"
    assert dataset != copy.copy(dataset)
    assert hash(dataset) == hash(dataset)
    arrived = pickle.loads(pickle.dumps(dataset))
    assert torch.equal(arrived.train.inputs, dataset.train.inputs)


def test_a_dataset_shows_the_balance_of_its_classes() -> None:
    labels = np.repeat([0, 1, 2], [1000, 300, 200])
    dataset = from_arrays(images(1500, channels=3, size=2), labels, name="<pets>")
    assert "900 training" in repr(dataset)
    assert "images of 3x2x2, 3 classes of 13.3 to 66.7%)" in repr(dataset)
    html = dataset._repr_html_()
    assert "<td>3 classes of 13.3 to 66.7%</td>" in html
    assert "&lt;pets&gt;" in html


class TestSubset:
    def test_keeps_classes_in_proportion_and_other_parts_whole(self) -> None:
        dataset = example(300)
        small = dataset.subset(30)
        assert torch.bincount(small.train.targets).tolist() == [10, 10, 10]
        assert set(numbers(small.train)) <= set(numbers(dataset.train))
        assert small.validation is dataset.validation
        assert small.test is dataset.test

    def test_is_fixed_by_its_seed(self) -> None:
        dataset = example(300)
        assert numbers(dataset.subset(30).train) == numbers(dataset.subset(30).train)
        assert numbers(dataset.subset(30).train) != numbers(dataset.subset(30, seed=1).train)

    def test_of_everything_is_the_data_set_itself(self) -> None:
        dataset = example()
        assert dataset.subset(36) is dataset

    @pytest.mark.parametrize("size", [1, 2, 35, 37])
    def test_that_is_impossible_is_refused(self, size: int) -> None:
        with pytest.raises(DataError, match=r"there are 36|cannot be split"):
            example().subset(size)


LABELS = np.arange(20) % 2
BROKEN = np.full((20, 4, 4), np.nan)

BAD = {
    "empty": (np.ones((0, 4, 4)), np.ones(0, int), "no examples"),
    "empty lists": ([], [], "expected images \\(examples, channels, height, width\\)"),
    "too few labels": (images(20), LABELS[:19], "20 examples but targets of shape \\(19,\\)"),
    "no labels": (images(20), [], "20 examples but targets of shape \\(0,\\)"),
    "nan": (BROKEN, LABELS, "20 of 20 examples hold NaN .* 0, 1, 2, 3, 4, ... \\(20 in all\\)"),
    "float labels": (
        images(20),
        LABELS * 1.0,
        "2 different whole numbers in floating",
    ),
    "text labels": (images(20), ["a", "b"] * 10, "numpy.unique"),
    "negative labels": (images(20), LABELS - 1, "label -1 is negative"),
    "one class": (images(20), LABELS * 0, "two classes or more"),
    "a gap": (images(20), LABELS * 3, "no training example has the label 1, 2"),
    "one-hot": (images(20), np.eye(2, dtype=int)[LABELS], "labels.argmax\\(1\\)"),
    "signals": (np.ones((20, 2, 8)), LABELS, "2x8 pixels, or signals of 2 channels"),
    "a torch data set": (TensorDataset(torch.ones(20, 1, 4, 4)), LABELS, "TensorDataset: expected"),
    "ragged": ([[1.0], [1.0, 2.0]], LABELS, "numpy makes no array"),
    "a Python class": (Part, LABELS, "object: expected real numbers"),
    "channels last": (np.ones((20, 8, 8, 3)), LABELS, "transpose\\(0, 3, 1, 2\\)"),
    "text images": (np.full((20, 4, 4), "a"), LABELS, "expected real numbers"),
    "complex images": (np.ones((20, 4, 4), complex), LABELS, "expected real numbers"),
    "a class of one": (images(21), [*LABELS, 2], "class 2 has 1 of them"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_arrays_get_one_clear_error(case: str) -> None:
    pixels, labels, message = BAD[case]
    with pytest.raises(DataError, match=message):
        from_arrays(pixels, labels)


def test_infinite_pixels_are_found_in_every_part() -> None:
    bad = images(6)
    bad[3, 0, 1, 2] = np.inf
    with pytest.raises(DataError, match=r"1 of 6 examples .*\(example 3\)"):
        from_arrays(images(20), LABELS, validation=(bad, LABELS[:6]))


def test_a_number_too_large_for_float32_is_an_infinite_pixel() -> None:
    with pytest.raises(DataError, match="NaN or infinite"):
        from_arrays(np.full((20, 4, 4), 1e300), LABELS)


@pytest.mark.parametrize(
    ("validation", "test", "message"),
    [
        (0.5, 0.5, "add up to 1.0"),
        (0, 0.2, "validation fraction is 0"),
        (0.2, 1.5, "test fraction is 1.5"),
        (-0.1, 0.2, "validation fraction is -0.1"),
        (float("nan"), 0.2, "validation fraction is nan"),
        (0.2, (images(4),), "pair"),
        (TensorDataset(torch.ones(4, 1, 4, 4)), 0.2, "is a TensorDataset: expected a pair"),
        (None, 0.2, "is a NoneType: expected a pair"),
        ((np.ones((4, 2, 8)), LABELS[:4]), 0.2, "validation inputs .* signals of 2 channels"),
        (0.01, 0.2, "cannot be split off"),
        (0.2, (images(4, size=5), LABELS[:4]), "must agree"),
        ((images(4), LABELS[:4] + 5), 0.2, "validation part has the label 6"),
    ],
)
def test_impossible_splits_are_refused(validation: object, test: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        from_arrays(images(20), LABELS, validation=validation, test=test)  # type: ignore[arg-type]


def test_a_data_error_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="shape"):
        Part(torch.ones(3), torch.ones(3, dtype=torch.int64))


def test_parts_hold_only_the_types_that_training_expects() -> None:
    with pytest.raises(DataError, match="float64"):
        Part(torch.ones(3, 1, 2, 2, dtype=torch.float64), torch.zeros(3, dtype=torch.int64))


def test_augmentations_go_with_the_data() -> None:
    dataset = from_arrays(images(20), LABELS, augment=[PadCrop(1)])
    assert dataset.augment == (PadCrop(1),)


@pytest.mark.parametrize("augment", [PadCrop(1), [PadCrop], (3,), "flip"])
def test_what_is_no_augmentation_is_named(augment: object) -> None:
    with pytest.raises(TypeError, match=r"augment .*: expected"):
        from_arrays(images(20), LABELS, augment=augment)  # type: ignore[arg-type]


def test_parts_of_another_kind_are_refused() -> None:
    with pytest.raises(DataError, match=r"not ndarray and Tensor: from_arrays converts"):
        Part(images(3), torch.zeros(3, dtype=torch.int64))  # type: ignore[arg-type]
    part = example().train
    with pytest.raises(DataError, match="the validation part is a tuple: expected"):
        Dataset("mine", part, (part.inputs, part.targets), part)  # type: ignore[arg-type]


def test_all_parts_share_the_offset_of_the_training_images() -> None:
    late = 1.7e9 + np.random.default_rng(0).uniform(0, 600, (40, 1, 1, 1))
    dataset = from_arrays(late, np.arange(40) % 2, test=(late[:4], np.arange(4) % 2))
    assert dataset.offset is not None
    restored = dataset.test.inputs.double() + dataset.offset.double()
    np.testing.assert_allclose(restored.numpy(), late[:4], atol=1e-4, rtol=0)
    assert dataset.subset(10).offset is dataset.offset
