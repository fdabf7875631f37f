from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from torch import nn

from bonas.cli import demo as module
from bonas.cli.demo import demo
from bonas.search.progress import Progress
from bonas.strategies import BayesianOptimization, RandomSearch
from fidelity.datasets import digits, from_arrays
from fidelity.datasets.dataset import DataError, Dataset, split

EPOCHS = 108.0  # twelve networks


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test needs no model of the costs."""
    matplotlib.use("Agg")
    strategies = {"random search": RandomSearch(), "Bayesian": BayesianOptimization(initial=99)}
    monkeypatch.setattr(module, "STRATEGIES", strategies)
    monkeypatch.setattr(type(strategies["Bayesian"]), "propose", RandomSearch.propose)


@pytest.fixture(scope="module")
def images() -> Dataset:
    whole = digits()
    parts = {}
    for name in ("train", "validation", "test"):
        part = getattr(whole, name)
        parts[name] = split(part, 40, np.random.default_rng(0), part.targets)[1]
    return replace(whole, **parts)  # type: ignore[arg-type]


def outcomes(directory: Path) -> list[dict[str, object]]:
    """The records of both histories, but for what a clock said."""
    lines = [
        json.loads(line)
        for name in ("random", "bayesian")
        for line in (directory / name / "history.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    clock = ("crc", "seconds", "started", "asked")
    return [{k: v for k, v in line.items() if k not in clock} for line in lines]


def test_it_searches_summarises_draws_and_afterwards_only_prints(
    tmp_path: Path, images: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    demo(tmp_path, epochs=EPOCHS, dataset=images)
    printed = capsys.readouterr().out
    summary = (tmp_path / "summary.txt").read_text(encoding="utf-8")
    assert all(len(line) <= 80 for line in summary.splitlines())
    rows = [line.split("│")[1:-1] for line in summary.splitlines() if line.startswith("│")]
    table = {name.strip(): [value.strip() for value in values] for name, *values in rows}
    assert list(table) == list(module.ROWS)
    assert table["evaluations"] == ["12", "12"]
    for name in ("validation error", "test error"):
        assert all(0 <= float(value.rstrip("%")) <= 100 for value in table[name])
    assert all(int(value.replace(",", "")) > 0 for value in table["parameters"])
    assert "digits: 40 images for training, 40 for validation, 40 for the final test" in " ".join(
        printed.split()
    )
    for name in ("anytime.png", "architecture.png"):
        assert plt.imread(tmp_path / name).shape[0] > 150
    assert not plt.get_fignums()

    histories = [(tmp_path / n / "history.jsonl").read_bytes() for n in ("random", "bayesian")]
    demo(tmp_path, epochs=EPOCHS, dataset=images)
    assert (tmp_path / "summary.txt").read_text(encoding="utf-8") == summary
    assert [
        (tmp_path / n / "history.jsonl").read_bytes() for n in ("random", "bayesian")
    ] == histories


def test_interrupted_it_ends_with_the_same_histories(
    tmp_path: Path, images: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo(tmp_path / "whole", epochs=EPOCHS, dataset=images)
    update, calls = Progress.update, 0

    def interrupt(self: Progress, *arguments: object) -> None:
        nonlocal calls
        calls += 1
        if calls % 7 == 0:
            raise KeyboardInterrupt
        update(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Progress, "update", interrupt)
    interruptions = 0
    while True:
        try:
            demo(tmp_path / "parts", epochs=EPOCHS, dataset=images)
            break
        except KeyboardInterrupt:
            interruptions += 1
    assert interruptions >= 3
    assert outcomes(tmp_path / "parts") == outcomes(tmp_path / "whole")


def test_the_images_are_digits_where_there_is_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing() -> Dataset:
        raise DataError("no file")

    monkeypatch.setattr(module, "fashion_mnist", missing)
    assert module.images().name == "digits"


def test_a_part_of_the_larger_images_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "fashion_mnist", digits)
    monkeypatch.setattr(module, "TRAIN", 500)
    monkeypatch.setattr(module, "VALIDATION", 100)
    taken = module.images()
    assert (len(taken.train), len(taken.validation), len(taken.test)) == (500, 100, 359)


def test_the_digits_are_enough_for_both_parts() -> None:
    taken = module.reduced(digits())
    assert (len(taken.train), len(taken.validation)) == (module.TRAIN, module.VALIDATION)
    pixels = {
        part: {tuple(i.flatten().tolist()) for i in getattr(taken, part).inputs}
        for part in ("train", "validation", "test")
    }
    assert not pixels["train"] & pixels["validation"]
    assert not (pixels["train"] | pixels["validation"]) & pixels["test"]


@pytest.mark.parametrize(("size", "stage1"), [(8, 8), (28, 14)])
def test_large_images_are_processed_at_half_their_resolution(size: int, stage1: int) -> None:
    rng = np.random.default_rng(0)
    whole = from_arrays(rng.integers(0, 255, (60, size, size), dtype=np.uint8), np.arange(60) % 3)
    training = module.objective(whole)
    configuration = training.space.configuration_space.get_default_configuration()
    network = training.space.build(configuration, whole.input_shape, whole.outputs)
    heights = []
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(lambda _, __, output: heights.append(output.shape[2]))
    network(torch.zeros(2, 1, size, size))
    assert heights[0] == stage1
    assert heights[-1] == -(-stage1 // 4)
