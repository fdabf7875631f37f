import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ConfigSpace import ConfigurationSpace

from fidelity.history.history import History
from fidelity.history.journal import JournalError
from fidelity.history.records import evaluation_record, trial_record
from fidelity.history.trial import Evaluation, Status, Trial
from fidelity.schedules.schedule import Promote, Start
from spaces.space import configuration
from tests.fidelity.histories import end, space, start


def test_indexes() -> None:
    history = History(space())
    one = start(history, Start(1.0))
    two = start(history, Start(1.0, bracket=1))
    assert history.pending == (one, two)
    end(history, one, 0.5)
    assert history.pending == (two,)
    assert history.evaluation(one.number) is history.evaluations[0]
    assert history.evaluation(two.number) is None
    end(history, two, None)
    assert len(history.at(1.0)) == 2
    assert history.budgets == (1.0,)
    assert list(history.bracket(1)) == [two]
    assert history.keys() == {one.key, two.key}


def test_the_incumbent_is_the_best_at_the_highest_budget_with_a_success() -> None:
    history = History(space())
    assert history.incumbent is None
    low = end(history, start(history, Start(1.0)), 0.1)
    assert history.incumbent is low
    other = start(history, Start(1.0))
    end(history, other, 0.2)
    end(history, start(history, Promote(low.trial, 3.0)), None)
    assert history.incumbent is low  # what failed at the higher budget is no incumbent
    high = end(history, start(history, Promote(other, 3.0)), 0.15)
    assert history.incumbent is high


def test_resource_counts_increments_and_reused_results_are_free() -> None:
    history = History(space())
    root = start(history, Start(1.0))
    end(history, root, 0.5)
    end(history, start(history, Promote(root, 3.0)), 0.4)
    assert history.resource == 3.0
    again = start(history, Start(3.0), key=root.key)
    known = history.known(again)
    assert known is not None
    history.add_evaluation(Evaluation(again, known.cost, reused=known.trial.number))
    assert history.resource == 3.0


def test_only_outcomes_that_would_repeat_are_known() -> None:
    history = History(space())
    for status, known in [
        (Status.SUCCESS, True), (Status.DIVERGED, True), (Status.INVALID, True),
        (Status.CRASHED, False), (Status.TIMEOUT, False), (Status.MEMORY, False),
        (Status.LOST, False),
    ]:  # fmt: skip
        trial = start(history, Start(1.0))
        history.add_evaluation(
            Evaluation(trial, 0.5 if status == "success" else math.inf, status=status)
        )
        assert (history.known(trial) is not None) is known


def test_trials_are_numbered_and_told_once() -> None:
    history = History(space())
    trial = start(history, Start(1.0))
    with pytest.raises(ValueError, match="the next trial has number 1, not 0"):
        history.add_trial(trial)
    end(history, trial, 0.5)
    with pytest.raises(ValueError, match="not pending"):
        end(history, trial, 0.5)


def test_records_replay_to_the_same_history() -> None:
    history = History(space())
    root = start(history, Start(1.0))
    history.add_evaluation(
        Evaluation(root, 0.25, {"loss": 1.5, "odd": Path("x")}, ((1.0, 0.5),), 2.0, 1.0)
    )
    failed = start(history, Promote(root, 3.0))
    end(history, failed, None)
    start(history, Start(1.0, bracket=2))
    copy = History(space())
    copy.replay([trial_record(t) for t in history.trials[:2]])
    copy.replay([evaluation_record(e) for e in history.evaluations])
    copy.replay([trial_record(t) for t in history.trials[2:]])
    assert copy.trials == history.trials
    assert copy.pending == history.pending
    assert copy.evaluations[0].metrics == {"loss": 1.5, "odd": "x"}
    assert copy.evaluations[0].curve == ((1.0, 0.5),)
    assert copy.evaluations[1] == history.evaluations[1]


def test_frame_has_a_row_an_evaluation() -> None:
    history = History(space())
    assert history.frame().empty
    trial = start(history, Start(1.0))
    history.add_evaluation(Evaluation(trial, 0.25, {"loss": 1.5}))
    frame = history.frame()
    assert frame.loc[0, "cost"] == 0.25
    assert frame.loc[0, "loss"] == 1.5
    assert frame.loc[0, "operation"] == trial.configuration["operation"]
    assert frame.loc[0, "status"] == "success"


OWN = ("number", "budget", "seed", "key", "cost", "status", "seconds", "error")


def test_the_frame_has_the_columns_of_the_trial_and_those_of_the_same_name() -> None:
    names = (*OWN, "curve", "metrics", "width")
    space = ConfigurationSpace({name: [10, 20] for name in names})
    history = History(space)
    chosen = configuration(space, dict.fromkeys(names, 20))
    history.add_trial(Trial(0, chosen, "the key", 3.0, seed=7))
    metrics = dict.fromkeys((*OWN, "trial", "loss", "width"), "measured")
    history.add_evaluation(Evaluation(history.trials[0], 0.25, metrics, seconds=2.0))
    row = history.frame().loc[0]
    assert (row["number"], row["budget"], row["seed"], row["key"]) == (0, 3.0, 7, "the key")
    assert (row["cost"], row["seconds"], row["status"]) == (0.25, 2.0, "success")
    assert (row["width"], row["loss"]) == (20, "measured")
    for name in (*OWN, "curve", "metrics"):
        assert row[f"configuration.{name}"] == 20
    for name in (*OWN, "trial", "width"):
        assert row[f"metrics.{name}"] == "measured"


def test_a_page_tells_the_values_of_a_trial_from_those_of_the_same_name() -> None:
    space = ConfigurationSpace({"budget": [10, 20], "width": [30, 40]})
    trial = Trial(0, configuration(space, {"budget": 20, "width": 40}), "key", 3.0)
    shown = Evaluation(trial, 0.25, {"cost": 0.5, "loss": 0.125}).html()
    for name in ("budget", "configuration.budget", "width", "cost", "metrics.cost", "loss"):
        assert shown.count(f">{name}<") == 1


def test_a_prefix_that_is_taken_is_added_again() -> None:
    space = ConfigurationSpace({"cost": [1, 2], "configuration.cost": [3, 4]})
    history = History(space)
    history.add_trial(Trial(0, configuration(space, {"cost": 1, "configuration.cost": 3}), "", 1.0))
    history.add_evaluation(Evaluation(history.trials[0], 0.5))
    row = history.frame().loc[0]
    assert row["cost"] == 0.5
    assert sorted(row[name] for name in row.index if "configuration" in name) == [1, 3]


def records() -> list[dict[str, Any]]:
    history = History(space())
    one, two = (start(history, Start(1.0)) for _ in range(2))
    ended = [end(history, trial, 0.5) for trial in (one, two)]
    promoted = start(history, Promote(one, 3.0))
    return [
        *map(trial_record, (one, two)),
        *map(evaluation_record, ended),
        {"kind": "refused", "key": "large"},
        trial_record(promoted),
    ]


Change = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]

CHANGES: dict[str, tuple[Change, int, str]] = {
    "a repeated trial": (lambda r: [r[0], *r], 3, "the next trial has number 1, not 0"),
    "swapped trials": (lambda r: [r[1], r[0], *r[2:]], 2, "the next trial has number 0, not 1"),
    "a repeated evaluation": (lambda r: [*r, r[2]], 8, "trial 0 is not pending"),
    "an evaluation before its trial": (lambda r: [r[2], *r], 2, "trial 0 is not pending"),
    "a trial that never was": (lambda r: [*r, r[2] | {"trial": -1}], 8, "trial -1 is not pending"),
    "a repeated refusal": (lambda r: [*r, r[4]], 8, "the network large is refused twice"),
    "a missing parent": (lambda r: [r[0], r[5] | {"number": 1, "parent": 1}], 3, "which is not"),
    "a second header": (lambda r: [r[0], {"kind": "history", "format": 1}], 3, "second manifest"),
    "an unknown kind": (lambda r: [r[0], {"kind": "prophecy"}], 3, "its kind 'prophecy' is unkn"),
    "no kind": (lambda r: [r[0], {"key": "large"}], 3, "it has no 'kind'"),
    "a missing field": (lambda r: [{k: v for k, v in r[0].items() if k != "key"}], 2, "'key'"),
    "a field too many": (lambda r: [r[0] | {"mood": "good"}], 2, "'mood'"),
    "an unknown status": (lambda r: [r[0], r[2] | {"status": "odd"}], 3, "'odd' is not a valid"),
    "a curve of numbers": (lambda r: [r[0], r[2] | {"curve": [1, 2]}], 3, "cannot unpack"),
    "an illegal value": (lambda r: [r[0] | {"configuration": {"x": 7}}], 2, "not a configuration"),
    "no configuration": (lambda r: [r[0] | {"configuration": None}], 2, "NoneType"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_records_that_do_not_follow_from_each_other_are_one_error(change: str) -> None:
    changed, line, reason = CHANGES[change]
    history = History(space())
    with pytest.raises(JournalError, match=f"line {line} does not follow.*{reason}"):
        history.replay(changed(records()))
    whole = History(space())
    whole.replay(records())
    assert (len(whole), len(whole.trials), len(whole.refused)) == (2, 3, 1)


@pytest.mark.parametrize("header", [{}, {"configuration_space": {"hyperparameters": [{}]}}])
def test_a_header_without_a_space_is_an_error(header: dict[str, Any]) -> None:
    with pytest.raises(JournalError, match="line 1, the manifest of the history, cannot be read"):
        History.begun(header)


@pytest.mark.parametrize(
    ("costs", "seeded", "expected"),
    [
        ([0.5, 0.5], False, True),
        ([0.5, 0.5], True, False),  # the seed may matter elsewhere
        ([0.5, 0.5, 0.25], False, False),
        ([0.5], False, False),
    ],
)
def test_an_objective_without_seed_that_repeats_its_cost_is_deterministic(
    costs: list[float], seeded: bool, expected: bool
) -> None:
    history = History(space(), seeded=seeded)
    for number, cost in enumerate(costs):
        trial = Trial(number, space().get_default_configuration(), "key", 1.0, seed=number)
        history.add_trial(trial)
        history.add_evaluation(Evaluation(trial, cost))
    assert history.deterministic is expected


def test_equal_costs_of_other_networks_or_budgets_are_no_repeats() -> None:
    history = History(space(), seeded=False)
    for number, (key, budget) in enumerate([("a", 1.0), ("b", 1.0), ("a", 3.0)]):
        trial = Trial(number, space().get_default_configuration(), key, budget, seed=number)
        history.add_trial(trial)
        history.add_evaluation(Evaluation(trial, 0.5))
    assert not history.deterministic


def test_a_declared_objective_is_deterministic_from_the_start() -> None:
    assert History(space(), deterministic=True).deterministic


def test_trials_and_evaluations_are_shown_briefly_and_with_plain_values() -> None:
    trial = Trial(3, space().get_default_configuration(), "key", 9.0)
    values = "{'operation': 'a', 'x': 0.5}"
    assert repr(trial) == f"Trial(3, budget=9, {values})"
    assert repr(Evaluation(trial, 0.25)) == f"Evaluation(cost=0.25, Trial(3, budget=9, {values}))"
    failed = Evaluation(trial, status=Status.CRASHED)
    assert repr(failed).startswith("Evaluation(status='crashed', Trial(3")


def test_a_history_is_summed_up_above_its_best_evaluations() -> None:
    history = History(space())
    for cost in (0.5, None, 0.25):
        end(history, start(history, Start(1.0)), cost)
    assert history.summary == (
        "3 evaluations, 3 units of budget spent, 1 failed, best cost 0.25 at budget 1"
    )
    assert repr(history) == f"History({history.summary})"
    page = history.html()
    assert page.index("0.25<") < page.index("0.5<")
    assert "no success yet" in History(space()).html()


def test_a_choice_among_numbers_and_text_is_written_to_parquet_as_text(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="the package pyarrow is not installed")
    import pandas as pd

    mixed = History(ConfigurationSpace({"batch": [16, "auto"]}))
    for number, value in enumerate((16, "auto")):
        trial = Trial(number, configuration(mixed.space, {"batch": value}), str(value), 1.0)
        mixed.add_trial(trial)
        mixed.add_evaluation(Evaluation(trial, 0.5))
    frame = mixed.frame()
    assert frame["batch"].tolist() == [16, "auto"]
    frame["batch"] = frame["batch"].astype(str)  # as the page on looking at a search says
    frame.to_parquet(tmp_path / "history.parquet")
    assert pd.read_parquet(tmp_path / "history.parquet")["batch"].tolist() == ["16", "auto"]


def test_a_frame_is_the_same_after_parquet(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="the package pyarrow is not installed")
    import pandas as pd

    made = History(space())
    for value in (0.5, None, 0.25):
        end(made, start(made, Start(1.0)), value)
    frame = made.frame()
    frame.to_parquet(tmp_path / "history.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "history.parquet"), frame)
