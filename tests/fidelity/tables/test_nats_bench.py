"""Against a fake of the package's reader: the files themselves are not to be had here."""

from __future__ import annotations

import sys
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from bonas.runners.simulated import Simulated
from bonas.search.progress import Silent
from bonas.search.search import Search
from bonas.strategies.random_search import RandomSearch
from fidelity.objective import Context
from fidelity.schedules import Hyperband
from fidelity.tables.nats_bench import NATSBench
from fidelity.tables.table import Table, TableError
from spaces.cells.cell import NASBENCH201
from tests.fidelity.tables.contract import TableContract

EPOCH, LOOK = 2.0, 0.5  # seconds


class Results:
    def get_dataset_seeds(self, dataset: str) -> list[int]:
        return [777, 888]


class Api:
    """What `nats_bench.create` returns, as far as it is used."""

    def __init__(self, path: str, fast_mode: bool) -> None:
        self.path, self.fast_mode = path, fast_mode
        cells = product(NASBENCH201, repeat=6)
        self.cells = {
            f"|{a}~0|+|{b}~0|{c}~1|+|{d}~0|{e}~1|{f}~2|": index
            for index, (a, b, c, d, e, f) in enumerate(cells)
        }

    def __len__(self) -> int:
        return len(self.cells)

    def query_index_by_arch(self, arch: str) -> int:
        return self.cells.get(arch, -1)

    def query_meta_info_by_index(self, index: int, hp: str) -> Results:
        assert hp == "200"
        return Results()

    def get_more_info(
        self, index: int, dataset: str, iepoch: int, hp: str, is_random: int
    ) -> dict[str, Any]:
        assert hp == "200"
        assert 0 <= iepoch < 200
        accuracy = index / 15_625 * 50 + iepoch / 10 + (is_random == 888)
        info = {"train-per-time": EPOCH, "valtest-accuracy": accuracy}
        if dataset == "cifar10-valid" or iepoch == 199:
            info |= {"valid-accuracy": accuracy, "valid-per-time": LOOK}
        return info


@pytest.fixture(autouse=True)
def _reader(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = ModuleType("nats_bench")

    def create(path: str, search_space: str, fast_mode: bool, verbose: bool) -> Api:
        assert search_space == "tss"
        assert not verbose
        return Api(path, fast_mode)

    fake.create = create  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "nats_bench", fake)


class TestNATSBench(TableContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.path = tmp_path

    def make(self) -> Table:
        return NATSBench(self.path)


def test_a_continued_training_costs_the_rest(tmp_path: Path) -> None:
    table = NATSBench(tmp_path)
    cell = table.space.configuration_space.get_default_configuration()
    assert table(cell, 9, 0, Context())["seconds"] == 9 * EPOCH + LOOK
    assert table(cell, 9, 0, Context(resumed=3.0))["seconds"] == 6 * EPOCH + LOOK
    with Search(table.space, table, strategy=RandomSearch(), schedule=Hyperband(1, 9)) as search:
        history = search.run(epochs=69, runner=Simulated(2), progress=Silent())
    fresh = [e for e in history.evaluations if e.reused is None]
    assert sum(e.seconds for e in fresh) == history.resource * EPOCH + len(fresh) * LOOK


def test_curves_and_optimum(tmp_path: Path) -> None:
    table = NATSBench(tmp_path)
    best = table.space.from_string(list(table._api.cells)[-1])
    costs = [table(best, epoch, 0)["cost"] for epoch in (1, 2, 200)]
    assert costs[0] > costs[1] > costs[2]
    assert table.regret(best) == 0.0
    assert table.optimum == pytest.approx(100 - (15_624 / 15_625 * 50 + 19.9 + 0.5))


def test_epochs_without_a_look_at_the_validation_part_alone(tmp_path: Path) -> None:
    table = NATSBench(tmp_path, "imagenet")
    cell = table.space.configuration_space.get_default_configuration()
    result = table(cell, 10, 0)
    assert result["cost"] > 0
    assert result["seconds"] == 10 * EPOCH + LOOK


def test_a_folder_is_read_cell_by_cell_and_a_file_whole(tmp_path: Path) -> None:
    file = tmp_path / "whole.pickle.pbz2"
    file.touch()
    assert NATSBench(tmp_path)._api.fast_mode
    assert not NATSBench(file)._api.fast_mode


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cell = NATSBench(tmp_path).space.configuration_space.get_default_configuration()
    with pytest.raises(TableError, match=r"there is no .*nowhere"):
        NATSBench(tmp_path / "nowhere")(cell, 1)
    with pytest.raises(TableError, match="data sets cifar10, cifar100, imagenet, not 'mnist'"):
        NATSBench(tmp_path, "mnist")
    table = NATSBench(tmp_path)
    table._api.cells.clear()
    with pytest.raises(TableError, match="have no cell"):
        table(cell, 1)
    monkeypatch.setitem(sys.modules, "nats_bench", None)
    with pytest.raises(TableError, match="pip install nats_bench"):
        NATSBench(tmp_path)(cell, 1)
