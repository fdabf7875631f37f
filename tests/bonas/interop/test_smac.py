from __future__ import annotations

from pathlib import Path

import pytest

from bonas.interop.smac import from_runhistory, to_runhistory
from fidelity.history.history import History
from fidelity.history.trial import Status
from spaces.space import SpaceError, configuration
from tests.bonas.interop.example import SPACE, A, B, history, written
from tests.bonas.spaces import cells

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
smac = pytest.importorskip("smac.runhistory")


def test_there_and_back_is_the_same_history() -> None:
    assert written(from_runhistory(to_runhistory(history()), SPACE)) == written(history())


def test_there_and_back_through_a_file(tmp_path: Path) -> None:
    to_runhistory(history()).save(tmp_path / "runhistory.json")
    read = smac.RunHistory()
    read.load(tmp_path / "runhistory.json", SPACE.configuration_space)
    assert written(from_runhistory(read, SPACE)) == written(history())


def test_smac_reads_what_it_has_a_place_for() -> None:
    runs = to_runhistory(history())
    known = [
        (dict(runs.get_config(key.config_id)), key.budget, key.seed, value.cost, value.status.name)
        for key, value in runs.items()
    ]
    assert known[:3] == [
        (A, 1.0, 0, 0.75, "SUCCESS"),  # with its repetition, which SMAC keeps once
        (B, 1.0, 0, 0.5, "SUCCESS"),
        (B, 3.0, 0, 0.25, "SUCCESS"),
    ]
    assert [status for *_, status in known[3:]] == [
        "CRASHED", "TIMEOUT", "MEMORYOUT", "CRASHED", "CRASHED", "CRASHED", "RUNNING",
    ]  # fmt: skip
    assert all(cost == float("inf") for *_, cost, _ in known[3:-1])


def test_the_history_is_left_as_it_was() -> None:
    mine = history()
    to_runhistory(mine)
    assert all(trial.configuration.config_id is None for trial in mine.trials)


def test_what_smac_wrote_itself() -> None:
    theirs = smac.RunHistory()
    a, b = (configuration(SPACE.configuration_space, values) for values in (A, B))
    theirs.add(a, 0.5, time=2.0, starttime=1.0, seed=3, budget=9.0, additional_info={"loss": 1.0})
    theirs.add(b, float("inf"), status=smac.StatusType.TIMEOUT)
    theirs.add(b, float("nan"), seed=1)
    theirs.add(a, 0.25, status=smac.StatusType.RUNNING, seed=4)
    mine = from_runhistory(theirs, SPACE)
    assert [(dict(t.configuration), t.budget, t.seed) for t in mine.trials] == [
        (A, 9.0, 3), (B, 1.0, 0), (B, 1.0, 1), (A, 1.0, 4),
    ]  # fmt: skip
    first = mine.evaluations[0]
    assert (first.cost, first.seconds, first.started) == (0.5, 2.0, 1.0)
    assert first.metrics == {"loss": 1.0}
    statuses = [evaluation.status for evaluation in mine.evaluations]
    assert statuses == [Status.SUCCESS, Status.TIMEOUT, Status.DIVERGED]
    assert [trial.number for trial in mine.pending] == [3]


def test_an_empty_history() -> None:
    empty = History(SPACE.configuration_space)
    assert len(to_runhistory(empty)) == 0
    assert len(from_runhistory(to_runhistory(empty), SPACE)) == 0


def test_what_is_no_history_is_refused() -> None:
    theirs = smac.RunHistory()
    theirs.add(configuration(SPACE.configuration_space, A), [0.5, 1.0], seed=0)
    with pytest.raises(ValueError, match="one cost per trial"):
        from_runhistory(theirs, SPACE)
    with pytest.raises(SpaceError, match="not a configuration of this space"):
        from_runhistory(to_runhistory(history()), cells())
