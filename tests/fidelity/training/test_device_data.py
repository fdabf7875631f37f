from __future__ import annotations

import gc
import pickle

import numpy as np
import pytest
import torch

from fidelity.datasets import from_arrays
from fidelity.datasets.dataset import Dataset
from fidelity.training import device_data
from fidelity.training.device_data import DeviceData, copy_to_device, resolve_device

CPU = torch.device("cpu")


def example(pixels: np.ndarray) -> Dataset:
    labels = np.arange(len(pixels)) % 2
    return from_arrays(pixels, labels, validation=(pixels, labels), test=(pixels, labels))


def statistics(data: DeviceData) -> tuple[float, float]:
    """Mean and scale of a single channel."""
    assert data.statistics is not None
    mean, scale = data.statistics
    return mean.item(), scale.item()


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_training_images_become_standard_in_each_channel(kind: type) -> None:
    rng = np.random.default_rng(0)
    scale = np.array([1, 20, 0.5 if kind is np.float32 else 3])[:, None, None]
    dataset = example((rng.random((50, 3, 6, 5)) * scale * 12).astype(kind))
    normal = copy_to_device(dataset, CPU).normalise(dataset.train.inputs.float())
    assert normal.mean((0, 2, 3)).abs().max() < 1e-5
    assert normal.std((0, 2, 3), correction=0).sub(1).abs().max() < 1e-5
    assert normal.is_contiguous(memory_format=torch.channels_last)


def test_statistics_are_those_of_the_training_part_only() -> None:
    train, other = np.zeros((10, 1, 2, 2)), np.full((10, 1, 2, 2), 1000.0)
    train[::3] = 2
    labels = np.arange(10) % 2
    data = copy_to_device(
        from_arrays(train, labels, validation=(other, labels), test=(other, labels)), CPU
    )
    assert statistics(data)[0] == pytest.approx(0.8)


def test_statistics_of_many_chunks_are_those_of_the_whole() -> None:
    pixels = np.random.default_rng(0).normal(1e3, 1e-2, (9000, 1, 2, 2))
    data = copy_to_device(example(pixels), CPU)
    kept = pixels.astype(np.float32).astype(float)
    assert statistics(data)[0] == pytest.approx(kept.mean(), rel=1e-6)
    assert statistics(data)[1] == pytest.approx(1 / kept.std(), rel=1e-3)


def test_a_constant_channel_gives_no_infinity() -> None:
    dataset = example(np.full((10, 1, 3, 3), 7, dtype=np.uint8))
    normal = copy_to_device(dataset, CPU).normalise(dataset.train.inputs.float())
    assert normal.eq(0).all()


@pytest.mark.parametrize("value", [0.1, 1e-3, 12345.678])
def test_a_constant_channel_of_fractions_has_the_scale_one(value: float) -> None:
    data = copy_to_device(example(np.full((1234, 1, 3, 3), value)), CPU)
    assert statistics(data)[1] == 1
    assert statistics(data)[0] == np.float32(value)


def test_the_scale_of_values_far_from_zero_is_exact() -> None:
    pixels = (1.6e9 + 128 * np.arange(100.0))[:, None, None, None]
    data = copy_to_device(example(pixels), CPU)
    assert statistics(data)[1] == pytest.approx(1 / pixels.std(), rel=1e-6)


def test_normalising_leaves_its_argument_as_it_was() -> None:
    dataset = example(np.random.default_rng(0).random((10, 1, 3, 3)))
    before = dataset.train.inputs.clone()
    copy_to_device(dataset, CPU).normalise(dataset.train.inputs)
    assert torch.equal(dataset.train.inputs, before)


def test_a_data_set_is_copied_once_per_device_and_dropped_with_its_last_user() -> None:
    dataset = example(np.random.default_rng(0).random((10, 1, 3, 3)))
    assert copy_to_device(dataset, CPU) is copy_to_device(dataset, CPU)
    assert len(pickle.dumps(dataset)) < 10_000
    gc.collect()  # what earlier tests left
    held = len(device_data._copies)
    del dataset
    gc.collect()
    assert len(device_data._copies) == held - 1


def test_a_named_device_is_chosen() -> None:
    assert resolve_device("cpu") == CPU
    assert resolve_device("meta").type == "meta"


def test_the_gpu_is_chosen_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 1)
    assert resolve_device(None) == torch.device("cuda:1")
    assert resolve_device("cuda") == torch.device("cuda:1")
    assert resolve_device("cuda:0") == torch.device("cuda:0")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_device(None) == CPU


@pytest.mark.parametrize(
    ("size", "capable", "used"), [(8, True, False), (32, True, True), (32, False, False)]
)
def test_bfloat16_is_used_where_a_cpu_gains_by_it(
    monkeypatch: pytest.MonkeyPatch, size: int, capable: bool, used: bool
) -> None:
    capabilities = {"avx512_bf16": capable}
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    data = copy_to_device(example(np.random.default_rng(0).random((10, 1, size, size))), CPU)
    layer = torch.nn.Linear(2, 2)
    with data.autocast():
        assert (layer(torch.ones(1, 2)).dtype == torch.bfloat16) == used
