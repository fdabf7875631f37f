"""Real trainings at lowered sizes, alone and under a search."""

from pathlib import Path

import pytest

from bonas.search.progress import Silent
from bonas.search.search import Search
from bonas.strategies.random_search import RandomSearch
from fidelity.axes import (
    AlongAxis,
    Axis,
    AxisError,
    Combined,
    Depth,
    Epochs,
    Images,
    Resolution,
    Width,
)
from fidelity.checkpoint import Checkpoint, CheckpointWarning
from fidelity.history.history import History
from fidelity.history.journal import JournalError
from fidelity.objective import Context
from fidelity.schedules import SuccessiveHalving
from fidelity.training.training import Training
from spaces.hierarchical.macro_space import MacroSpace
from tests.fidelity.axes.test_axes import AXES, DIGITS, SPACE, TRAINING

CELL = SPACE.from_string(
    "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|skip_connect~0|none~1|nor_conv_1x1~2|"
)
names = pytest.mark.parametrize("axis", AXES, ids=lambda axis: type(axis).__name__)


class TestAlongAxis:
    @names
    def test_full_size_is_the_training(self, axis: Axis) -> None:
        objective = AlongAxis(TRAINING, axis)
        result = objective(CELL, objective.max_budget, seed=3)
        assert result == {**TRAINING(CELL, 2, seed=3), "relative_cost": 1.0}

    @names
    def test_half_the_size_trains_and_costs_less(self, axis: Axis) -> None:
        objective = AlongAxis(TRAINING, axis)
        result = objective(CELL, objective.max_budget / 2, seed=3)
        assert 0 <= result["cost"] <= 1
        expected = 0.5 ** axis.exponent(TRAINING)
        assert result["relative_cost"] == pytest.approx(expected, rel=1e-3)
        assert result != TRAINING(CELL, 2, seed=3)
        assert result["epochs"] == (1 if axis == Epochs() else 2)

    def test_fewer_parameters_in_smaller_networks(self) -> None:
        counts = [
            [AlongAxis(TRAINING, axis)(CELL, size)["parameters"] for size in (1, 2)]
            for axis in (Width(), Depth())
        ]
        assert all(few < many for few, many in counts)

    def test_a_trial_records_a_checkpoint_without_room(self, tmp_path: Path) -> None:
        (tmp_path / "folder").write_text("in the way", encoding="utf-8")
        context = Context(Checkpoint(target=tmp_path / "folder" / "trial.pt"))
        with pytest.warns(CheckpointWarning, match="cannot be written"):
            AlongAxis(TRAINING, Width())(CELL, 1, 0, context)
        assert context.checkpoint.unsaved is not None

    def test_the_cost_is_that_of_the_rounded_size(self) -> None:
        result = AlongAxis(TRAINING, Width())(CELL, 4 / 3)
        assert result["relative_cost"] == 1 / 16

    @pytest.mark.parametrize("budget", [0, -1, 4.1, float("nan")])
    def test_budgets_out_of_range_are_refused(self, budget: float) -> None:
        with pytest.raises(AxisError, match=r"along Width: it must be above 0 and at most 4, the"):
            AlongAxis(TRAINING, Width())(CELL, budget)

    def test_a_space_that_cannot_be_narrowed_is_refused_at_once(self) -> None:
        training = Training(MacroSpace.nasbench_macro(), DIGITS, max_epochs=1)
        with pytest.raises(AxisError, match="MacroSpace has no field 'channels'"):
            AlongAxis(training, Width())

    def test_no_checkpoint_is_read_and_one_is_left(self, tmp_path: Path) -> None:
        source, target = tmp_path / "source.pt", tmp_path / "target.pt"
        source.write_bytes(b"no checkpoint")  # reading it would warn, and warnings are errors
        context = Context(Checkpoint(source, target))
        AlongAxis(TRAINING, Width())(CELL, 2, 0, context)
        assert target.exists()
        assert context.curve == []


class TestCombined:
    def test_the_budget_is_the_relative_cost(self) -> None:
        objective = Combined(TRAINING, {Epochs(): 1, Resolution(): 1})
        result = objective(CELL, 1 / 4)
        assert result["epochs"] == 1  # of 2; and 5.66 of 8 pixels, which are 6
        assert result["relative_cost"] == pytest.approx(0.5 * (6 / 8) ** 2)
        assert objective(CELL, 1.0) == {**TRAINING(CELL, 2), "relative_cost": 1.0}

    def test_weights_say_which_axis_saves_more(self) -> None:
        sizes = Combined(TRAINING, {Epochs(): 3, Width(): 1}).sizes(1 / 16)
        assert sizes == {Epochs(): pytest.approx(2 / 8), Width(): pytest.approx(4 / 2**0.5)}

    def test_one_axis_alone_is_a_fraction(self) -> None:
        objective = Combined(TRAINING, {Images(): 1})
        assert objective.sizes(0.5) == {Images(): len(DIGITS.train) / 2}
        assert objective(CELL, 0.5)["relative_cost"] == pytest.approx(0.5, abs=1e-3)

    def test_all_at_once(self) -> None:
        result = Combined(TRAINING, dict.fromkeys(AXES, 1))(CELL, 0.1)
        assert 0 <= result["cost"] <= 1
        assert result["relative_cost"] < 0.5

    @pytest.mark.parametrize("budget", [0, -0.5, 1.01, float("nan")])
    def test_budgets_out_of_range_are_refused(self, budget: float) -> None:
        with pytest.raises(AxisError, match=r"share of the cost of a full training, above 0"):
            Combined(TRAINING, {Width(): 1})(CELL, budget)

    @pytest.mark.parametrize(
        ("weights", "message"),
        [
            ({}, "no axis is given"),
            ({Width(): 0}, "the weight of Width is 0: it must be above 0"),
            ({Width(): 1, Depth(): float("inf")}, "the weight of Depth is inf"),
            ({Depth("layers"): 1}, "CellSpace has no field 'layers'"),
        ],
    )
    def test_what_cannot_be_is_refused(self, weights: dict[Axis, float], message: str) -> None:
        with pytest.raises(AxisError, match=message):
            Combined(TRAINING, weights)


class TestUnderASearch:
    """Nothing is resumed, and what was spent is counted in full."""

    @pytest.mark.parametrize("reload", [False, True])
    def test_promotions_retrain_from_scratch(self, tmp_path: Path, reload: bool) -> None:
        objective = AlongAxis(TRAINING, Width())
        schedule = SuccessiveHalving(2, 4, eta=2)
        with Search(
            SPACE, objective, strategy=RandomSearch(), schedule=schedule, directory=tmp_path
        ) as search:
            history = search.run(evaluations=3, progress=Silent())
            assert search.checkpoint(history.evaluations[2]) is not None
            assert len(list((tmp_path / "checkpoints").iterdir())) == 1  # nothing to continue
        history = History.load(tmp_path) if reload else history
        promoted = history.evaluations[2]
        assert [t.budget for t in history.trials] == [2, 2, 4]
        assert promoted.succeeded
        assert promoted.retrained
        assert promoted.metrics["resumed_from"] == 0
        assert not history.evaluations[0].retrained
        assert history.resource == sum(t.budget for t in history.trials)

    def test_constraints_know_it_before_training(self) -> None:
        objective = Combined(TRAINING, {Images(): 1})
        schedule = SuccessiveHalving(0.5, 1, eta=2)
        with Search(SPACE, objective, strategy=RandomSearch(), schedule=schedule) as search:
            history = search.run(epochs=1.9, progress=Silent())  # the promotion would make it 2
        assert history.resource == 1
        assert [trial.budget for trial in history.pending] == [1]

    def test_ask_and_tell_counts_alike(self) -> None:
        objective = AlongAxis(TRAINING, Width())
        made = Search(
            SPACE, objective, strategy=RandomSearch(), schedule=SuccessiveHalving(2, 4, eta=2)
        )
        with made as search:
            for _ in range(3):
                trial = search.ask()
                assert trial is not None
                told = search.tell(trial, 0.5)
            assert told.retrained
            assert search.history.resource == 8

    def test_other_axes_are_another_search(self, tmp_path: Path) -> None:
        with Search(SPACE, Combined(TRAINING, {Images(): 1}), directory=tmp_path) as search:
            trial = search.ask()
            assert trial is not None
            search.tell(trial, 0.5)  # a directory without evaluations is free for another search
        with pytest.raises(JournalError, match=r"weights was .*Images.* and is now .*Width"):
            Search(SPACE, Combined(TRAINING, {Width(): 1}), directory=tmp_path)

    def test_an_objective_that_resumes_spends_the_rest_only(self) -> None:
        schedule = SuccessiveHalving(1, 2, eta=2)
        with Search(SPACE, TRAINING, strategy=RandomSearch(), schedule=schedule) as search:
            history = search.run(evaluations=3, progress=Silent())
        assert history.resource == 3
        assert not any(e.retrained for e in history.evaluations)
