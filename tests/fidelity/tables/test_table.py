import gzip
import math
from pathlib import Path

import numpy as np
import pytest
from ConfigSpace import Configuration, ConfigurationSpace

from bonas.runners.simulated import Simulated
from bonas.search.progress import Silent
from bonas.search.search import Search
from bonas.strategies.random_search import RandomSearch
from fidelity.tables.table import Runs, TableError, known_budget, padded, read_csv
from spaces.architecture.architecture import Architecture
from spaces.cells.cell import CellSpace
from spaces.space import configuration

SPACE = ConfigurationSpace({"a": ["x", "y", "z"]})
X, Y, Z = (configuration(SPACE, {"a": name}) for name in "xyz")


def runs() -> Runs:
    rows = {chosen.get_array().tobytes(): row for row, chosen in enumerate((X, Y))}
    return Runs(rows, padded([[1.0, 2.0, 3.0], [5.0, 7.0]]), np.array([10.0, 20.0]))


def test_short_rows_are_padded() -> None:
    table = padded([[1.0], [2.0, 3.0]])
    assert table[0, 0] == 1.0
    assert math.isnan(table[0, 1])
    assert table[1].tolist() == [2.0, 3.0]


def test_means_are_of_the_runs_that_there_are() -> None:
    assert runs().means.tolist() == [2.0, 6.0]


def test_every_run_is_drawn_and_no_missing_one() -> None:
    drawn = [[runs().result(chosen, seed)["cost"] for seed in range(60)] for chosen in (X, Y)]
    assert set(drawn[0]) == {1.0, 2.0, 3.0}
    assert set(drawn[1]) == {5.0, 7.0}
    assert runs().result(Y, 0)["seconds"] == 20.0


def test_what_is_not_in_the_table_is_refused() -> None:
    with pytest.raises(TableError, match=r"no architecture .*'z'.* the table's own"):
        runs().result(Z, 0)


def test_budgets_are_found_in_spite_of_rounding() -> None:
    assert known_budget(200 / (200 / 12), (12.0, 200.0)) == 12.0
    with pytest.raises(TableError, match="no results at a budget of 50, only at 12, 200"):
        known_budget(50, (12.0, 200.0))


class OnlyLookedUp:
    """A space of networks that nobody can build, and the table of their costs."""

    max_budget = 1.0
    cells = CellSpace.nasbench201()
    configuration_space = cells.configuration_space

    @property
    def space(self) -> "OnlyLookedUp":
        return self

    def architecture(self, configuration: Configuration) -> Architecture:
        return self.cells.architecture(configuration)

    def __call__(self, configuration: Configuration) -> dict[str, float]:
        return {"cost": float(configuration.get_array().sum()), "seconds": 1.0}


def test_a_space_of_a_table_needs_no_build() -> None:
    table = OnlyLookedUp()
    with Search(table.space, table, strategy=RandomSearch()) as search:  # type: ignore[arg-type]
        history = search.run(evaluations=5, runner=Simulated(2), progress=Silent())
    assert all(evaluation.succeeded for evaluation in history.evaluations)


def test_a_csv_file_is_read_gzipped_or_not(tmp_path: Path) -> None:
    text = b"cell,cost\na,1\nb,2\n"
    for name, content in (("plain.csv", text), ("packed.csv.gz", gzip.compress(text))):
        (tmp_path / name).write_bytes(content)
        assert read_csv(tmp_path / name) == [{"cell": "a", "cost": "1"}, {"cell": "b", "cost": "2"}]
    (tmp_path / "torn.csv.gz").write_bytes(gzip.compress(text)[:-9])
    for name in ("torn.csv.gz", "absent.csv"):
        with pytest.raises(TableError, match=r"cannot be read .*give the path of the CSV file"):
            read_csv(tmp_path / name)
