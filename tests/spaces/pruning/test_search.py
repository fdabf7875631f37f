"""A pruned space with everything that trains, searches, counts, exports and resumes."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from bonas import Search, Training, retrain
from bonas.search.progress import Silent
from bonas.strategies import RandomSearch
from fidelity import Constraint, Context, FullFidelity, datasets
from fidelity.checkpoint import Checkpoint
from fidelity.datasets.dataset import Dataset
from fidelity.history.journal import JournalError
from fidelity.latency import LatencyTable
from fidelity.tasks import Distillation
from spaces import PrunedFrom


def given(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU(),
        nn.Conv2d(8, 12, 3, 2, 1), nn.BatchNorm2d(12), nn.ReLU(),
        nn.Flatten(), nn.Linear(12 * 2 * 2, 10),
    )  # fmt: skip


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return datasets.digits().subset(200)


@pytest.fixture(scope="module")
def space(digits: Dataset) -> PrunedFrom:
    return PrunedFrom(given(), torch.zeros(2, *digits.input_shape))


def searched(training: Training, directory: Path, evaluations: int) -> list[tuple[str, float]]:
    constraint = Constraint("multiply_adds", at_most=9000)
    with Search(
        training.space,
        training,
        strategy=RandomSearch(),
        schedule=FullFidelity(2),
        constraints=[constraint],
        directory=directory,
        seed=1,
    ) as search:
        history = search.run(evaluations=evaluations, progress=Silent())
    assert all(e.metrics["multiply_adds"] <= 9000 for e in history.evaluations)
    return [(e.trial.key, e.cost) for e in history.evaluations]


def test_a_search_within_a_constraint_resumes_as_if_it_had_not_stopped(
    space: PrunedFrom, digits: Dataset, tmp_path: Path
) -> None:
    training = Training(space, digits, max_epochs=2, batch_size=50)
    whole = searched(training, tmp_path / "whole", 4)
    searched(training, tmp_path / "parts", 2)
    twin = replace(training, space=pickle.loads(pickle.dumps(space)))
    assert searched(twin, tmp_path / "parts", 4) == whole
    assert len({key for key, _ in whole}) == 4


def test_another_given_network_is_another_search(
    space: PrunedFrom, digits: Dataset, tmp_path: Path
) -> None:
    training = Training(space, digits, max_epochs=2, batch_size=50)
    searched(training, tmp_path, 1)
    other = PrunedFrom(given(seed=1), space.sample_input)
    with pytest.raises(JournalError, match=r"another search.*network"):
        searched(replace(training, space=other), tmp_path, 2)


def test_workers_train_it(space: PrunedFrom, digits: Dataset) -> None:
    training = Training(space, digits, max_epochs=1, batch_size=50)
    with Search(space, training, strategy=RandomSearch(), schedule=FullFidelity(1)) as search:
        history = search.run(evaluations=2, workers=2, progress=Silent())
    assert all(evaluation.succeeded for evaluation in history.evaluations)


@pytest.mark.parametrize("average", [None, 0.9])
def test_distillation_resumes_to_the_last_bit(
    space: PrunedFrom, digits: Dataset, tmp_path: Path, average: float | None
) -> None:
    taught = replace(digits, task=Distillation(space.network, digits.task))
    training = Training(space, taught, max_epochs=4, batch_size=50, average=average)
    chosen = space.uniform(0.5)
    whole = training(chosen, 4, seed=3)
    first = Context(Checkpoint(target=tmp_path / "half.pt"))
    training(chosen, 1.5, seed=3, context=first)
    resumed = training(chosen, 4, seed=3, context=Context(Checkpoint(source=tmp_path / "half.pt")))
    assert resumed["resumed_from"] == 1.5
    assert {**resumed, "resumed_from": 0} == {**whole, "resumed_from": 0}


def test_the_winner_is_retrained_and_saved(
    space: PrunedFrom, digits: Dataset, tmp_path: Path
) -> None:
    training = Training(space, digits, max_epochs=1, batch_size=50)
    final = retrain(training, space.uniform(0.5), seeds=(0,))
    final.save(tmp_path / "winner")
    assert (tmp_path / "winner" / "network.py").exists()


def test_latencies_are_estimated(space: PrunedFrom, digits: Dataset) -> None:
    table = LatencyTable(space, digits.input_shape, digits.outputs)
    assert table(space.uniform(0.0)) > 0
