import json
import math

import numpy as np
import pytest
from ConfigSpace import Configuration, ConfigurationSpace
from hypothesis import given
from hypothesis import strategies as st

from fidelity.history.goal import (
    COST,
    LARGEST_VIOLATION,
    Constraint,
    Goal,
    GoalError,
    Maximize,
    goal,
)
from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Status, Trial
from fidelity.objective import Context, Diverged, ObjectiveError, WithGoal, evaluate

SPACE = ConfigurationSpace({"x": (0.0, 10.0)})


def at(x: float) -> Configuration:
    return Configuration(SPACE, values={"x": x})


def double(configuration: Configuration) -> float:
    return 2 * configuration["x"]


def trial(x: float = 1.0) -> Trial:
    return Trial(0, at(x), "key", 1.0)


class TestConstraint:
    def test_violation_is_the_part_of_the_limit_that_is_beyond(self) -> None:
        assert Constraint("latency", at_most=4.0).violation(6.0) == 0.5
        assert Constraint("latency", at_most=4.0).violation(4.0) == 0.0
        assert Constraint("accuracy", at_least=0.8).violation(0.6) == pytest.approx(0.25)
        assert Constraint("x", at_least=1.0, at_most=2.0).violation(3.0) == 0.5
        assert Constraint("x", at_most=0.0).violation(3.0) == 3.0  # no part of nothing

    @given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
    def test_nothing_is_beyond_exactly_within_the_limit(self, limit: float, value: float) -> None:
        assert (Constraint("x", at_most=limit).violation(value) == 0) == (value <= limit)
        assert (Constraint("x", at_least=limit).violation(value) == 0) == (value >= limit)

    def test_the_sum_of_huge_violations_is_finite(self) -> None:
        limits = [Constraint(name, at_most=1e-300) for name in ("cost", "latency")]
        found = Goal(constraints=tuple(limits)).violation(
            Evaluation(trial(), 1.7e308, {"latency": 1.7e308})
        )
        assert 1e300 <= found < math.inf

    @pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
    def test_what_is_not_finite_keeps_no_limit(self, value: float) -> None:
        assert Constraint("x", at_least=1.0).violation(value) == LARGEST_VIOLATION
        assert Constraint("x", at_most=1.0).violation(value) == LARGEST_VIOLATION

    def test_it_says_what_it_asks_for(self) -> None:
        assert str(Constraint("latency", at_most=5e-3)) == "latency <= 0.005"
        assert str(Constraint("x", at_least=1, at_most=2)) == "1 <= x <= 2"

    def test_a_limit_is_needed(self) -> None:
        with pytest.raises(GoalError, match="'latency' needs a number as at_most or at_least"):
            Constraint("latency")
        with pytest.raises(GoalError, match="needs a number"):
            Constraint("latency", at_most=math.nan)

    def test_a_limit_that_nothing_keeps_is_refused(self) -> None:
        with pytest.raises(GoalError, match="no 'x' is at least 3 and at most 2"):
            Constraint("x", at_least=3, at_most=2)


class TestTarget:
    def test_contradictory_constraints_are_refused(self) -> None:
        with pytest.raises(GoalError, match="no 'x' is at least 3 and at most 2"):
            Goal(constraints=(Constraint("x", at_least=3), Constraint("x", at_most=2)))

    @pytest.mark.parametrize("names", [(), ("cost", "cost")])
    def test_objectives_are_named_once(self, names: tuple[str, ...]) -> None:
        with pytest.raises(GoalError, match="each once"):
            Goal(names)

    def test_one_name_is_one_objective(self) -> None:
        assert goal(double, "error", []).objectives == ("error",)

    def test_without_objectives_and_limits_a_result_is_left_as_it_is(self) -> None:
        assert Goal().plain
        assert Goal().completed(at(1), 3.0) == 3.0

    def test_what_is_computed_is_added_and_the_first_objective_is_the_cost(self) -> None:
        asked = Goal(("error", "size"), computed={"size": double, "other": double})
        found = asked.completed(at(3), {"error": np.float32(0.5)})
        assert found == {"error": 0.5, "size": 6.0, COST: 0.5}

    def test_a_number_alone_is_the_cost(self) -> None:
        asked = Goal(constraints=(Constraint("size", at_most=9),), computed={"size": double})
        assert asked.completed(at(3), 0.25) == {COST: 0.25, "size": 6.0}

    def test_it_is_computed_once_a_configuration(self) -> None:
        calls = []
        asked = Goal(
            ("cost", "size"), computed={"size": lambda c: float(len(calls.append(c) or calls))}
        )
        assert [asked.known(at(x))["size"] for x in (1, 2, 1)] == [1.0, 2.0, 1.0]

    @pytest.mark.parametrize(
        ("result", "words"),
        [
            ({"error": 1.0}, "returned no 'size', but \\['error'\\]"),
            ({"error": 1.0, "size": [1, 2]}, "'size' is to be a number"),
            (1.0, "returned no 'error'"),
        ],
    )
    def test_a_result_that_lacks_an_objective_is_refused(self, result: object, words: str) -> None:
        with pytest.raises(ObjectiveError, match=words):
            Goal(("error", "size")).completed(at(1), result)  # type: ignore[arg-type]

    @pytest.mark.parametrize("value", [math.nan, math.inf])
    def test_what_is_not_finite_has_diverged(self, value: float) -> None:
        with pytest.raises(Diverged, match="'latency' is"):
            Goal(constraints=(Constraint("latency", at_most=1),)).completed(
                at(1), {"cost": 1.0, "latency": value}
            )

    def test_known_limits_are_kept_before_an_evaluation(self) -> None:
        asked = Goal(
            constraints=(Constraint("size", at_most=4), Constraint("latency", at_most=1)),
            computed={"size": double},
        )
        assert asked.admits(at(2))
        assert not asked.admits(at(2.1))
        assert [c.name for c in asked.measured] == ["latency"]

    def test_costs_and_violations_of_an_evaluation(self) -> None:
        asked = Goal(("error", "size"), (Constraint("latency", at_most=2),))
        metrics = {"error": 0.5, "size": 3.0, "latency": 3.0}
        good = Evaluation(trial(), cost=0.5, metrics=metrics)
        assert asked.costs(good) == (0.5, 3.0)
        assert asked.violation(good) == 0.5
        assert not asked.feasible(good)
        assert asked.feasible(Evaluation(trial(), cost=0.5, metrics=metrics | {"latency": 2.0}))

    def test_computing_can_be_interrupted(self) -> None:
        def check() -> None:
            raise InterruptedError

        asked = Goal(constraints=(Constraint("double", at_most=5),), computed={"double": double})
        assert asked.admits(at(1.0))
        interruptible = asked.interruptible(check)
        assert interruptible == asked
        assert interruptible.admits(at(1.0))  # computed before
        with pytest.raises(InterruptedError):
            interruptible.admits(at(2.0))
        assert asked.admits(at(2.0))

    def test_a_failure_is_infinitely_far_from_everything(self) -> None:
        asked = Goal(("error", "size"), (Constraint("latency", at_most=2),))
        failed = Evaluation(trial(), status=Status.CRASHED)
        assert asked.costs(failed) == (math.inf, math.inf)
        assert asked.violation(failed) == math.inf
        assert not Goal().feasible(failed)

    def test_it_is_read_as_it_was_written(self) -> None:
        asked = Goal(("error", "size"), (Constraint("latency", at_most=2, at_least=1),))
        assert Goal.read(json.loads(json.dumps(asked.record()))) == asked


class TestMaximize:
    def asked(self) -> Goal:
        constraints = [Constraint("accuracy", at_least=0.5)]
        return goal(double, (Maximize("accuracy"), "size"), constraints)

    def test_the_cost_is_negated_and_the_metrics_and_constraints_are_not(self) -> None:
        def objective(x: Configuration) -> dict[str, float]:
            return {"accuracy": 0.75, "size": 4.0}

        asked = self.asked()
        found = evaluate(WithGoal(objective, asked), trial(), Context())
        assert found.cost == -0.75
        assert found.metrics == {"accuracy": 0.75, "size": 4.0}
        assert asked.costs(found) == (-0.75, 4.0)
        assert asked.value(found, "accuracy") == 0.75
        assert asked.feasible(found)
        assert not asked.feasible(Evaluation(trial(), -0.25, {"accuracy": 0.25, "size": 4.0}))

    def test_a_cost_is_shown_as_the_original_value(self) -> None:
        asked = self.asked()
        assert [asked.shown(n, v) for n, v in (("accuracy", -0.75), ("size", 4.0))] == [0.75, 4.0]
        assert str(asked.shown("accuracy", 0.0)) == "0.0"
        assert asked.shown("accuracy", np.array([-1.0, -0.5])).tolist() == [1.0, 0.5]

    def test_the_front_and_the_incumbent_have_the_highest_values(self) -> None:
        history = History(SPACE, goal=goal(double, (Maximize("accuracy"), "size"), ()))
        for number, (accuracy, size) in enumerate([(0.5, 1.0), (0.9, 2.0), (0.4, 3.0)]):
            history.add_trial(Trial(number, at(number), str(number), 1.0))
            metrics = {"accuracy": accuracy, "size": size}
            history.add_evaluation(Evaluation(history.trials[-1], -accuracy, metrics))
        assert [e.trial.number for e in history.pareto_front] == [1, 0]
        assert history.incumbent is history.evaluations[1]

    def test_a_single_one_is_the_negated_cost(self) -> None:
        asked = goal(double, Maximize("accuracy"), ())
        assert asked == goal(double, [Maximize("accuracy")], ())
        assert asked.completed(at(1), {"accuracy": 0.9}) == {"accuracy": 0.9, COST: -0.9}

    def test_the_manifest_says_so_and_is_read_back(self) -> None:
        asked = self.asked()
        assert asked.record()["maximised"] == ["accuracy"]
        assert Goal.read(json.loads(json.dumps(asked.record()))) == asked
        assert "maximised" not in Goal().record()  # as versions before 0.2 wrote it

    def test_the_cost_is_never_maximised(self) -> None:
        with pytest.raises(GoalError, match=r"always minimised: return .* under another name"):
            Maximize("cost")

    def test_a_name_cannot_be_minimised_too(self) -> None:
        with pytest.raises(GoalError, match="each once"):
            goal(double, ("accuracy", Maximize("accuracy")), ())

    def test_other_objects_are_refused(self) -> None:
        with pytest.raises(GoalError, match=r"or Maximize\(name\), not \(3,\)"):
            goal(double, [3], ())  # type: ignore[list-item]


class TestTargeted:
    def test_an_objective_that_changes_the_configuration_changes_no_computed_value(self) -> None:
        def objective(x: Configuration) -> float:
            x["x"] = 9.0
            return 1.0

        asked = Goal(("cost", "size"), computed={"size": double})
        assert evaluate(WithGoal(objective, asked), trial(3), Context()).metrics == {"size": 6.0}

    def test_any_signature_is_kept_and_the_result_completed(self) -> None:
        def objective(config: Configuration, budget: float) -> dict[str, float]:
            return {"error": budget}

        asked = Goal(("error", "size"), computed={"size": double})
        found = evaluate(WithGoal(objective, asked), trial(3), Context())
        assert found.cost == 1.0
        assert found.metrics == {"error": 1.0, "size": 6.0}

    def test_a_missing_objective_is_told_with_the_failure(self) -> None:
        found = evaluate(WithGoal(double, Goal(("error",))), trial(), Context())
        assert found.status is Status.CRASHED
        assert "returned no 'error'" in str(found.error)

    def test_whether_it_resumes_is_what_the_objective_says(self) -> None:
        class Anew:
            resumes = False

            def __call__(self, configuration: Configuration) -> float:
                return 1.0

        assert not WithGoal(Anew(), Goal()).resumes
        assert WithGoal(double, Goal()).resumes
