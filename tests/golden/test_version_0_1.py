"""A directory that version 0.1 wrote is read, verified and resumed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from ConfigSpace import Configuration

from bonas import Search
from bonas.cli.check import check
from bonas.search.progress import Silent
from bonas.strategies import RandomSearch
from fidelity import Constraint, Hyperband
from fidelity.history.history import History
from fidelity.history.trial import Status
from spaces import CellSpace

RECORDED = Path(__file__).with_name("version_0_1")


def convolutions(configuration: Configuration) -> float:
    return float(list(configuration.values()).count("nor_conv_3x3"))


class Objective:
    """Counts convolutions; fails for some networks, and knows their size beforehand."""

    max_budget = 9

    @property
    def computed(self) -> Mapping[str, Callable[[Configuration], float]]:
        return {"size": convolutions}

    def __call__(self, configuration: Configuration, budget: float) -> Mapping[str, float]:
        operations = list(configuration.values())
        if operations.count("none") == 2:
            raise ValueError("two edges are missing")
        return {"cost": operations.count("none") + 1 / budget, "skips": operations.count("skip")}


def search(directory: Path) -> Search:
    """The search that was recorded."""
    return Search(
        CellSpace.nasbench201(),
        Objective(),
        strategy=RandomSearch(),
        schedule=Hyperband(1, 9),
        constraints=[Constraint("size", at_most=1)],
        directory=directory,
        seed=2,
    )


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return Path(shutil.copytree(RECORDED, tmp_path / "search"))


def test_it_is_read(directory: Path) -> None:
    history = History.load(directory)
    assert len(history) == 20
    assert len(history.refused) == 5
    failed = [e for e in history.evaluations if e.status is Status.CRASHED]
    assert len(failed) == 4
    assert all("two edges are missing" in str(evaluation.error) for evaluation in failed)
    assert any(trial.parent is not None for trial in history.trials)


def test_it_is_intact(directory: Path) -> None:
    told, well = check(directory)
    assert well, told


def test_it_is_resumed_to_what_a_fresh_search_records(directory: Path, tmp_path: Path) -> None:
    with search(directory) as resumed:
        resumed.run(evaluations=30, progress=Silent())
    with search(tmp_path / "fresh") as fresh:
        fresh.run(evaluations=30, progress=Silent())
    outcomes = [
        [(e.trial.key, e.trial.budget, e.status, e.cost) for e in s.history.evaluations]
        for s in (resumed, fresh)
    ]
    assert outcomes[0] == outcomes[1]
