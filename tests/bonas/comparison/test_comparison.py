from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from bonas.comparison import Comparison, ComparisonError
from fidelity.history.history import History
from tests.bonas.analysis.test_trajectory import by_hand, plain
from tests.bonas.comparison.setups import SETUPS, TABLE


def made(**costs: list[tuple[float | None, ...]]) -> Comparison:
    runs = {
        name: {seed: plain(*values) for seed, values in enumerate(of)} for name, of in costs.items()
    }
    return Comparison(runs, {}, "evaluations")


THREE = made(
    base=[(8, 6, 4), (8, 8, 2), (6, 6, 6)],
    better=[(4, 3, 3), (2, 1, 1), (9, 5, 5)],
    worse=[(9, 9, 9), (9, 9, 9), (9, 9, 9)],
)


def test_the_table_by_hand() -> None:
    table = THREE.table()
    assert table.index.name == "lowest cost"
    assert table.loc["base", ["runs", "failed", "mean", "median"]].tolist() == [3, 0, 4, 4]
    assert table["median"].tolist() == [4, 3, 9]
    assert table["rank"].tolist() == [2, 1, 3]
    # Half of the base's runs (two of three) have 4 after 3; of the better one at 1, 1 and never.
    assert table["time"].tolist() == [3, 1, np.inf]
    assert table["speed-up"].tolist() == [1, 3, 0]
    assert table.loc["worse", ["low", "high"]].tolist() == [9, 9]
    assert (table["low"] <= table["mean"]).all()
    assert (table["mean"] <= table["high"]).all()


def test_another_target_and_another_clock() -> None:
    table = THREE.table(target=6, clock="epochs")
    assert table["time"].tolist() == [2, 1, np.inf]


def test_a_target_that_nobody_reaches_has_no_speed_up() -> None:
    table = THREE.table(target=0)
    assert np.isinf(table["time"]).all()
    assert table["speed-up"].isna().all()


def test_an_even_number_of_runs_reaches_its_own_median() -> None:
    table = made(base=[(4, 1), (4, 2), (4, 3), (4, 4)], other=[(9, 9)] * 4).table()
    assert table["median"].tolist() == [2.5, 9]
    assert table["time"].tolist() == [2, np.inf]


def test_the_interval_is_always_the_same_and_narrower_with_less_confidence() -> None:
    assert THREE.table().equals(THREE.table())
    wide, narrow = THREE.table(), THREE.table(confidence=0.5)
    assert wide.loc["base", "low"] < narrow.loc["base", "low"]


def test_the_frame_by_hand() -> None:
    frame = Comparison({"mine": {7: by_hand()}}, {}, "epochs").frame()
    assert frame["seed"].unique().tolist() == [7]
    assert frame["epochs"].tolist() == [1, 2, 4, 7, 7, 16]
    assert frame["lowest"].tolist() == [0.5, 0.4, 0.3, 0.3, 0.3, 0.1]
    assert frame["incumbent"].tolist() == [0.5, 0.4, 0.3, 0.3, 0.3, 0.1]
    assert frame["cost"].tolist() == [0.5, 0.4, 0.3, np.inf, 0.4, 0.1]
    assert frame["status"].tolist()[3] == "crashed"
    assert "regret" not in frame


def test_the_regret_is_compared_where_it_is_known() -> None:
    from bonas.comparison import compare

    found = compare(SETUPS, TABLE, seeds=range(3), epochs=81)
    frame = found.frame()
    assert found.measure == found.table().index.name == "regret"
    last = frame.groupby(["name", "seed"])["regret"].last()
    for name, runs in found.runs.items():
        for seed, history in runs.items():
            assert history.incumbent is not None
            wanted = TABLE.regret(history.incumbent.trial.configuration)
            assert last[name, seed] == wanted
    assert found.table()["mean"].tolist() == [last[name].mean() for name in SETUPS]


def test_the_tests_by_hand() -> None:
    found = THREE.test()
    assert found.seeds == 3
    assert list(found.ranks) == ["better", "base", "worse"]
    assert found.pairs["base", "better"].wins == 0
    assert found.pairs["base", "worse"].p == pytest.approx(2 / 8)


def test_seeds_that_are_not_there_for_all_are_left_out_of_pairs() -> None:
    comparison = Comparison(
        {
            "a": {0: plain(1), 1: plain(2), 2: plain(3)},
            "b": {1: plain(1), 2: plain(4), 3: plain(None)},
        },
        {("b", 0): "it broke"},
        "evaluations",
    )
    assert comparison.test().seeds == 2
    table = comparison.table()
    assert table["runs"].tolist() == [3, 3]
    assert table["failed"].tolist() == [0, 1]
    assert table["rank"].tolist() == [1.5, 1.5]
    assert table["mean"].tolist() == [2, 2.5]


def test_a_name_without_results_leaves_the_others() -> None:
    comparison = Comparison(
        {"a": {0: plain(1), 1: plain(2)}, "none": {}, "b": {0: plain(2), 1: plain(3)}},
        {("none", 0): "it broke"},
        "evaluations",
    )
    table = comparison.table()
    assert np.isnan(table.loc["none", "mean"])
    assert table["rank"].tolist()[::2] == [1, 2]
    assert list(comparison.test().ranks) == ["a", "b"]


def test_too_little_is_refused() -> None:
    with pytest.raises(ComparisonError, match="2 setups with results and 2 seeds"):
        made(a=[(1,)], b=[(2,)]).test()
    with pytest.raises(ComparisonError, match="no run has a result"):
        made(a=[(None,)]).table()
    nothing: dict[int, History] = {}
    empty = Comparison({"a": nothing, "b": nothing}, {}, "epochs")
    assert empty.frame().empty
    with pytest.raises(ComparisonError, match="there are 0 and 0"):
        empty.test()
    with pytest.raises(ValueError, match="ranks need two names or more"):
        empty.plot_ranks()


def test_it_is_drawn_and_shown() -> None:
    ax = THREE.plot()
    assert [line.get_label() for line in ax.lines] == ["base", "better", "worse"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("evaluations", "lowest cost so far")
    assert THREE.plot(clock="epochs").get_xlabel() == "epochs trained"
    assert "better" in THREE._repr_html_()
    ranks = THREE.plot_ranks()
    assert ranks.lines[1].get_ydata().tolist()[-1] == 1  # type: ignore[union-attr]
    plt.close("all")
