"""The commonest tasks in their shortest forms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ConfigSpace import Configuration, ConfigurationSpace

from bonas import (
    BayesianOptimization,
    Constraint,
    FreezeThaw,
    Hyperband,
    Maximize,
    NoResult,
    NothingFeasible,
    ObjectiveError,
    RandomSearch,
    ScheduleError,
    Search,
    SpaceError,
    StopRun,
    tables,
)
from bonas.callbacks.callback import Callback
from bonas.runners import InProcess, Simulated
from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Status


def space() -> ConfigurationSpace:
    return ConfigurationSpace({"width": (1, 64), "rate": (0.0, 1.0), "kind": ["a", "b"]})


def cost(point: Configuration) -> float:
    return abs(point["width"] - 20) / 64 + (point["rate"] - 0.5) ** 2 + (point["kind"] == "b")


POINT = {"width": 20, "rate": 0.5, "kind": "a"}


@pytest.fixture
def search() -> Search:
    return Search(space(), cost, strategy=RandomSearch())


class TestConfigurationSpace:
    def test_is_searched_without_a_class(self) -> None:
        search = Search(space(), cost, strategy=BayesianOptimization(initial=4))
        history = search.run(evaluations=12, progress=False)
        assert len({trial.key for trial in history.trials}) == 12
        assert search.best.cost < 0.5


class TestRun:
    def test_workers_are_processes(self, tmp_path: Path) -> None:
        search = Search(space(), cost, strategy=RandomSearch(), directory=tmp_path)
        with search:
            history = search.run(evaluations=4, workers=2, progress=False)
        assert [e.status for e in history.evaluations] == ["success"] * 4

    def test_workers_and_a_runner_are_one_too_many(self, search: Search) -> None:
        with pytest.raises(ValueError, match="workers, or a runner"):
            search.run(evaluations=1, workers=2, runner=InProcess())

    def test_progress_is_a_bool(self, search: Search, capsys: pytest.CaptureFixture[str]) -> None:
        search.run(evaluations=1, progress=False)
        assert capsys.readouterr().out == ""
        search.run(evaluations=2, progress=True)
        assert "2 evaluations of 2" in capsys.readouterr().out

    def test_a_callback_stops_it(self, search: Search) -> None:
        class AtThree(Callback):
            def on_trial_end(self, history: History, evaluation: Evaluation) -> None:
                if len(history) == 3:
                    raise StopRun

        history = search.run(evaluations=9, callbacks=[AtThree()], progress=False)
        assert len(history) == 3


class TestBest:
    def test_is_the_recommendation(self, search: Search) -> None:
        history = search.run(evaluations=8, progress=False)
        assert search.best.evaluation is history.incumbent
        assert search.best.cost == min(e.cost for e in history.evaluations)
        assert search.best.configuration == history.incumbent.trial.configuration
        assert "np." not in repr(search.best)

    def test_is_computed_once_per_length_of_the_history(self) -> None:
        class Counting(RandomSearch):
            calls = 0

            def recommend(self, space: object, history: History) -> Evaluation | None:
                type(self).calls += 1
                return history.evaluations[0]

        search = Search(space(), cost, strategy=Counting())
        search.run(evaluations=3, progress=False)
        assert search.best.evaluation is search.best.evaluation is search.history.evaluations[0]
        assert Counting.calls == 1

    def test_needs_a_success(self, search: Search) -> None:
        with pytest.raises(NoResult, match="none of 0 evaluations has succeeded"):
            _ = search.best


class TestEnqueue:
    def test_comes_before_any_proposal(self, search: Search) -> None:
        search.enqueue(POINT)
        search.enqueue(search.space.configuration_space.get_default_configuration())
        history = search.run(evaluations=3, progress=False)
        assert dict(history.trials[0].configuration) == POINT
        assert history.trials[1].configuration["kind"] == "a"

    def test_is_not_lost_when_the_search_ends(self, tmp_path: Path) -> None:
        with Search(space(), cost, strategy=RandomSearch(), directory=tmp_path) as search:
            search.run(evaluations=1, progress=False)
            search.enqueue(POINT)
            search.enqueue({**POINT, "width": 21})
            search.run(evaluations=2, progress=False)
        with Search(space(), cost, strategy=RandomSearch(), directory=tmp_path) as search:
            history = search.run(evaluations=4, progress=False)
        widths = [trial.configuration["width"] for trial in history.trials]
        assert widths[1:3] == [20, 21]
        assert widths[3] not in widths[1:3]

    @pytest.mark.parametrize("point", [{"width": 20}, {**POINT, "kind": "c"}, {**POINT, "x": 1}])
    def test_what_is_no_configuration_is_refused(self, search: Search, point: Any) -> None:
        with pytest.raises(SpaceError, match="is not a configuration of this space"):
            search.enqueue(point)

    def test_what_violates_a_constraint_is_refused(self) -> None:
        class Sized:
            def __init__(self) -> None:
                self.computed = {"size": lambda point: point["width"]}

            def __call__(self, point: Configuration) -> float:
                return cost(point)

        limit = Constraint("size", at_most=10)
        search = Search(space(), Sized(), strategy=RandomSearch(), constraints=limit)
        with pytest.raises(NothingFeasible, match=r"violates a constraint.*size 20"):
            search.enqueue(POINT)


class TestAdd:
    def test_is_known_and_costs_nothing(self, tmp_path: Path) -> None:
        with Search(space(), cost, strategy=RandomSearch(), directory=tmp_path) as search:
            added = search.add(POINT, {"cost": -1.0, "note": "by hand"})
            search.enqueue(POINT)
            history = search.run(evaluations=4, progress=False)
        assert search.best.evaluation.trial == added.trial
        assert history.evaluations[1].reused == 0
        assert history.resource == 2
        assert list(History.load(tmp_path).evaluations) == list(history.evaluations)

    def test_leaves_the_schedule_alone(self) -> None:
        def searched(added: bool) -> list[tuple[float, int, int | None]]:
            schedule, strategy = Hyperband(1, 9), RandomSearch()
            search = Search(
                space(), lambda c, budget: cost(c), strategy=strategy, schedule=schedule
            )
            if added:
                search.add(POINT, 0.0, budget=3)
                search.add({**POINT, "width": 3}, 0.1)
            history = search.run(evaluations=20 + 2 * added, progress=False)
            trials = history.trials[2 * added :]
            parents = [t.parent if t.parent is None else t.parent - 2 * added for t in trials]
            return [(t.budget, t.bracket, p) for t, p in zip(trials, parents, strict=True)]

        plain, others = searched(False), searched(True)
        assert [(budget, bracket) for budget, bracket, _ in plain] == [
            (budget, bracket) for budget, bracket, _ in others
        ]

    def test_what_is_no_cost_is_refused(self, search: Search) -> None:
        with pytest.raises(ObjectiveError):
            search.add(POINT, {"loss": 1.0})
        assert not search.history.trials


class TestTell:
    def test_an_error(self, search: Search) -> None:
        trial = search.ask()
        assert trial is not None
        evaluation = search.tell(trial, error="the machine was needed")
        assert (evaluation.status, evaluation.error) == (Status.CRASHED, "the machine was needed")

    def test_either_a_result_or_an_error(self, search: Search) -> None:
        trial = search.ask()
        assert trial is not None
        with pytest.raises(ValueError, match="either a result or an error"):
            search.tell(trial)
        with pytest.raises(ValueError, match="either a result or an error"):
            search.tell(trial, 1.0, error="no")


class TestSchedules:
    def test_take_the_maximal_budget_of_the_objective(self) -> None:
        table = tables.MNIST1DCells()
        search = Search(table.space, table, strategy=RandomSearch(), schedule=Hyperband(1))
        assert search.schedule == Hyperband(1, 27)
        history = search.run(evaluations=40, runner=Simulated(), progress=False)
        assert len(history.budgets) > 1

    def test_say_what_is_missing(self) -> None:
        with pytest.raises(ScheduleError, match="max_budget"):
            Search(space(), cost, schedule=Hyperband(1))

    def test_a_strategy_that_is_a_schedule_is_given_once(self) -> None:
        table = tables.MNIST1DCells()
        once = Search(table.space, table, strategy=FreezeThaw(3, 27), seed=1)
        both = FreezeThaw(3, 27)
        twice = Search(table.space, table, strategy=both, schedule=both, seed=1)
        histories = [
            search.run(evaluations=8, runner=Simulated(), progress=False)
            for search in (once, twice)
        ]
        assert [t.key for t in histories[0].trials] == [t.key for t in histories[1].trials]


def test_what_is_to_be_maximised_is() -> None:
    def accuracy(point: Configuration) -> dict[str, float]:
        return {"accuracy": 1 - cost(point)}

    search = Search(space(), accuracy, strategy=RandomSearch(), objectives=Maximize("accuracy"))
    history = search.run(evaluations=8, progress=False)
    highest = max(e.metrics["accuracy"] for e in history.evaluations)
    assert search.best.evaluation.metrics["accuracy"] == highest


def test_a_deterministic_objective_is_not_repeated() -> None:
    def flat(point: Configuration) -> float:
        return float(point["kind"] == "b")

    small = ConfigurationSpace({"kind": ["a", "b"], "depth": (1, 8)})
    flat.deterministic = True  # type: ignore[attr-defined]
    search = Search(small, flat, strategy=BayesianOptimization(initial=3))
    history = search.run(evaluations=16, progress=False)
    assert len({trial.key for trial in history.trials}) == len(history.trials)
