from __future__ import annotations

import json
from pathlib import Path

import pytest

from fidelity.tables.nasbench_macro import NASBenchMacro
from fidelity.tables.table import Table, TableError
from tests.fidelity.tables.contract import TableContract

TABLE = Path(__file__).parents[4] / "shared" / "data" / "nasbench_macro_cifar10.json"


def real() -> NASBenchMacro:
    if not TABLE.exists():
        pytest.skip("no table of NAS-Bench-Macro beside the checkout, in ../shared/data")
    return NASBenchMacro(TABLE)


class TestNASBenchMacro(TableContract):
    def make(self) -> Table:
        return real()


def test_the_best_networks_are_those_of_the_table() -> None:
    table = real()
    assert table.optimum == pytest.approx(100 - 93.127, abs=5e-4)
    for code in ("22212202", "22212220"):
        assert table.regret(table.space.from_code(code)) == pytest.approx(0, abs=1e-9)


def small(tmp_path: Path, entries: object) -> NASBenchMacro:
    path = tmp_path / "macro.json"
    path.write_text(entries if isinstance(entries, str) else json.dumps(entries), encoding="utf-8")
    return NASBenchMacro(path)


def test_codes_are_configurations(tmp_path: Path) -> None:
    table = small(
        tmp_path,
        {
            "01200000": {"test_acc": [90.0, 92.0], "flops": 5_000_000},
            "20000001": {"test_acc": [95.0], "flops": 7_000_000},
        },
    )
    one, two = (table.space.from_code(code) for code in ("01200000", "20000001"))
    assert {table(one, seed=seed)["cost"] for seed in range(20)} == {10.0, 8.0}
    assert table(one)["seconds"] == 5.0
    assert table(two) == {"cost": 5.0, "seconds": 7.0}
    assert table.regret(one) == 4.0
    with pytest.raises(TableError, match="no architecture"):
        table(table.space.from_code("00000000"))


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ("{", "cannot be read.*give the path"),
        ([], "not the file of NAS-Bench-Macro"),
        ({}, "not the file of NAS-Bench-Macro"),
        ({"0120": {"test_acc": [1.0], "flops": 1}}, "not the file of NAS-Bench-Macro"),
        ({"00000000": {"test_acc": [1.0]}}, "not the file of NAS-Bench-Macro"),
    ],
)
def test_a_file_that_is_not_right_is_refused(tmp_path: Path, entries: object, message: str) -> None:
    with pytest.raises(TableError, match=message):
        _ = small(tmp_path, entries).optimum


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"missing\.json cannot be read"):
        _ = NASBenchMacro(tmp_path / "missing.json").optimum
