from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bonas.comparison import ComparisonError, Setup, compare
from bonas.comparison.one_run import ERROR, FINISHED
from bonas.runners.simulated import Simulated
from bonas.strategies import FreezeThaw, RandomSearch, RegularizedEvolution
from fidelity.history.journal import NAME, JournalError
from fidelity.schedules import Hyperband
from fidelity.tables import MNIST1DCells
from tests.bonas.comparison.setups import SETUPS, TABLE, Broken, Deadly, steep


def small(**changed: Any) -> Any:
    settings: dict[str, Any] = {"seeds": range(2), "evaluations": 6} | changed
    return compare(settings.pop("setups", SETUPS), settings.pop("objective", TABLE), **settings)


def test_every_setup_runs_with_every_seed() -> None:
    found = small()
    assert {name: list(runs) for name, runs in found.runs.items()} == {
        name: [0, 1] for name in SETUPS
    }
    assert all(len(h) == 6 for runs in found.runs.values() for h in runs.values())
    assert not found.failures
    assert found.clock == "evaluations"


def test_a_seed_gives_all_setups_the_same_noise() -> None:
    runs = small(evaluations=40).runs
    for seed in (0, 1):
        assert {trial.seed for of in runs.values() for trial in of[seed].trials} == {seed}
        costs: dict[tuple[str, float], set[float]] = {}
        for of in runs.values():
            for evaluation in of[seed].evaluations:
                trial = evaluation.trial
                costs.setdefault((trial.key, trial.budget), set()).add(evaluation.cost)
        assert all(len(values) == 1 for values in costs.values())


def test_the_clock_is_that_of_the_table_whatever_the_number_of_workers() -> None:
    found = small(setups={"one": SETUPS["random"]}, runner=lambda: Simulated(3))
    history = found.runs["one"][0]
    assert [e.started for e in history.evaluations].count(0.0) == 3
    assert history.evaluations[0].seconds == history.evaluations[0].metrics["seconds"]


@pytest.mark.parametrize("limits", [{"epochs": 60}, {"seconds": 5}])
def test_limits_are_those_of_a_search(limits: dict[str, float]) -> None:
    found = small(evaluations=None, **limits)
    (clock,) = limits
    assert found.clock == clock
    spent = [h.resource for runs in found.runs.values() for h in runs.values()]
    assert max(spent) <= 60 or clock == "seconds"


def test_the_directory_is_only_read_when_all_has_ended(tmp_path: Path) -> None:
    before = small(directory=tmp_path).frame()
    written = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*") if file.is_file()}
    assert (tmp_path / "random_x_Hyperband" / "1" / NAME).exists()
    after = small(directory=tmp_path).frame()
    pd.testing.assert_frame_equal(before, after)
    assert written == {f: f.stat().st_mtime_ns for f in tmp_path.rglob("*") if f.is_file()}


def test_it_is_the_same_with_and_without_a_directory_and_after_an_interruption(
    tmp_path: Path,
) -> None:
    wanted = small().frame()
    small(directory=tmp_path, seeds=[0])
    (tmp_path / "evolution" / "0" / FINISHED).unlink()
    pd.testing.assert_frame_equal(small(directory=tmp_path).frame(), wanted)


def test_runs_that_really_evaluate_go_on_where_they_were(tmp_path: Path) -> None:
    setups = {"random": Setup(RandomSearch())}
    common: dict[str, Any] = {"setups": setups, "objective": steep, "space": TABLE.space}
    first = small(**common, directory=tmp_path, evaluations=3)
    longer = small(**common, directory=tmp_path, evaluations=8)
    history, before = longer.runs["random"][0], first.runs["random"][0]
    assert len(history) == 8
    assert history.evaluations[:3] == before.evaluations


def test_more_seeds_and_setups_are_added_to_a_directory(tmp_path: Path) -> None:
    small(directory=tmp_path, setups={"random": SETUPS["random"]}, seeds=[0])
    file = tmp_path / "random" / "0" / NAME
    before = file.stat().st_mtime_ns
    found = small(directory=tmp_path)
    assert sum(map(len, found.runs.values())) == 6
    assert file.stat().st_mtime_ns == before


def test_a_run_that_fails_is_recorded_and_the_others_go_on(tmp_path: Path) -> None:
    setups = {"random": SETUPS["random"], "broken": Setup(Broken())}
    found = small(setups=setups, directory=tmp_path)
    assert set(found.failures) == {("broken", 0), ("broken", 1)}
    assert "ZeroDivisionError: it broke" in found.failures["broken", 0]
    assert len(found.runs["random"]) == 2
    assert found.runs["broken"] == {}
    assert found.table().loc["broken", "failed"] == 2
    assert (tmp_path / "broken" / "0" / ERROR).exists()


def test_a_disk_that_refuses_what_a_run_leaves_is_one_error(tmp_path: Path) -> None:
    setups = {"broken": Setup(Broken())}
    small(setups=setups, seeds=range(1), directory=tmp_path)
    (tmp_path / "broken" / "0" / ERROR).unlink()
    (tmp_path / "broken" / "0" / f"{Path(ERROR).stem}.tmp").mkdir()  # in the way of the text
    with pytest.raises(ComparisonError, match=r"error.txt cannot be written .* compare again"):
        small(setups=setups, seeds=range(1), directory=tmp_path)


def test_a_run_that_failed_is_tried_again(tmp_path: Path) -> None:
    strategy = Broken()
    small(setups={"broken": Setup(strategy)}, directory=tmp_path)
    object.__setattr__(strategy, "fails", False)
    with pytest.raises(ComparisonError, match="holds a run of the strategy"):
        small(setups={"broken": Setup(strategy)}, directory=tmp_path)
    found = small(setups={"mended": Setup(strategy)}, directory=tmp_path)
    assert not found.failures


def test_processes_give_the_same(tmp_path: Path) -> None:
    alone = small(seeds=range(2)).frame()
    together = small(seeds=range(2), jobs=2, directory=tmp_path).frame()
    pd.testing.assert_frame_equal(alone, together)


def test_a_process_that_dies_is_recorded_and_the_others_go_on() -> None:
    setups = {"random": SETUPS["random"], "deadly": Setup(Deadly(os.getpid()))}
    found = small(setups=setups, seeds=[0], jobs=2)
    assert set(found.failures) == {("deadly", 0)}
    assert "the process of this run died" in found.failures["deadly", 0]
    assert len(found.runs["random"]) == 1


def test_processes_that_all_die_are_an_error() -> None:
    with pytest.raises(ComparisonError, match="all processes have died at once"):
        small(setups={"deadly": Setup(Deadly(os.getpid()))}, jobs=2)


def test_what_cannot_travel_is_refused() -> None:
    stuck = Setup(RandomSearch())
    object.__setattr__(stuck, "schedule", None)
    handle = (i for i in range(3))
    with pytest.raises(ComparisonError, match="cannot be sent to another process"):
        small(setups={"a": stuck}, jobs=2, runner=lambda: (handle, Simulated())[1])


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"setups": {}}, "nothing to compare"),
        ({"seeds": []}, "nothing to compare"),
        ({"seeds": [1, 1]}, "some are given twice"),
        ({"jobs": 0}, "1 or more, not 0"),
        ({"setups": {"a": RandomSearch()}}, r"not a Setup: write Setup\(strategy, schedule\)"),
        ({"setups": {"a b": SETUPS["random"], "a?b": SETUPS["random"]}}, "the same folder"),
        ({"objective": steep}, "no space of its own"),
        ({"evaluations": None}, "needs a limit"),
    ],
)
def test_what_cannot_be_is_refused(changed: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        small(**changed)


def test_another_schedule_or_strategy_in_the_directory_is_refused(tmp_path: Path) -> None:
    small(directory=tmp_path)
    with pytest.raises(JournalError, match="max_budget was 27"):
        small(
            directory=tmp_path,
            setups={"random x Hyperband": Setup(RandomSearch(), Hyperband(1, 9))},
        )
    with pytest.raises(ComparisonError, match="give the setup another name"):
        small(directory=tmp_path, setups={"random": Setup(RegularizedEvolution())})


def test_numbers_of_a_seed_do_not_depend_on_the_others() -> None:
    both = small(seeds=[5, 3]).frame()
    alone = small(seeds=[3]).frame()
    part = both[both["seed"] == 3].reset_index(drop=True)
    pd.testing.assert_frame_equal(part, alone)
    assert np.isfinite(part["cost"]).all()


def test_a_strategy_that_is_a_schedule_is_given_once_or_as_both() -> None:
    both = FreezeThaw(3, 27)
    setups = {"once": Setup(FreezeThaw(3, 27)), "both": Setup(both, both)}
    table = MNIST1DCells()
    comparison = compare(setups, table, seeds=[0], evaluations=6, progress=False)
    once, twice = (comparison.runs[name][0] for name in setups)
    assert [trial.key for trial in once.trials] == [trial.key for trial in twice.trials]
