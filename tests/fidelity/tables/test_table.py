import math

import numpy as np
import pytest
from ConfigSpace import ConfigurationSpace

from fidelity.tables.table import Runs, TableError, known_budget, padded
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
