from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from fidelity.checkpoint import Checkpoint
from fidelity.history.trial import Evaluation, Status, Trial
from fidelity.objective import (
    Context,
    Diverged,
    InvalidArchitecture,
    ObjectiveError,
    ProcessLost,
    accepted_arguments,
    deterministic,
    evaluate,
    takes_seed,
)
from tests.fidelity.fakes import TinySpace

TRIAL = Trial(3, TinySpace().of("convolution"), key="k", budget=9.0, seed=5)


def outcome(objective: Callable[..., Any]) -> Evaluation:
    return evaluate(objective, TRIAL, Context())


class TestArguments:
    def test_only_what_the_signature_names_is_passed(self) -> None:
        def smac(config: Any, seed: int, budget: float) -> float:
            assert config == TRIAL.configuration
            return seed + budget

        assert outcome(smac).cost == 14
        assert outcome(lambda configuration: 1.5).cost == 1.5

    def test_the_context_is_the_one_given(self) -> None:
        context = Context(Checkpoint(), device="cpu")
        seen: list[Context] = []

        def objective(configuration: Any, context: Context) -> float:
            seen.append(context)
            return 0.0

        evaluate(objective, TRIAL, context)
        assert seen == [context]

    def test_keyword_only_arguments_defaults_and_partials_are_fine(self) -> None:
        def objective(configuration: Any, *, seed: int, scale: float, extra: int = 1) -> float:
            return seed * scale + extra

        assert outcome(functools.partial(objective, scale=2.0)).cost == 11

    def test_objects_with_a_call_are_objectives(self) -> None:
        class Objective:
            def __call__(self, configuration: Any, budget: float) -> float:
                return budget

        assert outcome(Objective()).cost == 9

    def test_variable_keywords_receive_nothing(self) -> None:
        assert accepted_arguments(lambda configuration, **rest: 0.0) == ("configuration",)

    def test_the_first_parameter_of_any_name_receives_the_configuration(self) -> None:
        def first(x: Any, budget: float) -> float:
            return x is not None and x == TRIAL.configuration and budget

        def last(data: float, network: Any, seed: int) -> float:
            return data * (network == TRIAL.configuration) * seed

        class Objective:
            def __call__(self, budget: float, cell: Any, scale: float = 2.0) -> float:
                return scale * budget * (cell == TRIAL.configuration)

        assert outcome(first).cost == 9
        assert outcome(functools.partial(last, 2.0)).cost == 10
        assert outcome(functools.partial(last, data=2.0)).cost == 10
        assert outcome(Objective()).cost == 18
        assert outcome(lambda c=None: c == TRIAL.configuration).cost == 1
        assert accepted_arguments(lambda seed, c: 0.0) == ("seed", "c")

    def test_an_optional_parameter_beside_the_configuration_keeps_its_default(self) -> None:
        def objective(config: Any, x: float = 3.0) -> float:
            return x

        assert outcome(objective).cost == 3

    def test_whether_it_takes_a_seed_is_what_the_signature_names(self) -> None:
        assert takes_seed(lambda x, seed: 0.0)
        assert not takes_seed(lambda x, budget: 0.0)

    def test_it_is_deterministic_if_it_declares_it(self) -> None:
        class Table:
            deterministic = True

            def __call__(self, configuration: Any) -> float:
                return 0.0

        assert deterministic(Table())
        assert not deterministic(lambda x: 0.0)

    @pytest.mark.parametrize(
        ("objective", "message"),
        [
            (3, "an objective is a function, not 3"),
            (lambda configuration, x: 0.0, "needs an argument 'x'"),
            (lambda x, configuration: 0.0, "needs an argument 'x'"),
            (lambda x, epochs, budget: 0.0, "needs an argument 'epochs'"),
            (lambda seed, scale=1.0: 0.0, "takes no configuration"),
            (lambda configuration, epochs: 0.0, "needs an argument 'epochs'"),
            (lambda configuration, /: 0.0, "needs an argument 'configuration'"),
            (lambda seed: 0.0, "takes no configuration"),
            (lambda *arguments: 0.0, "takes no configuration"),
        ],
    )
    def test_what_cannot_be_called_is_refused(self, objective: Any, message: str) -> None:
        with pytest.raises(ObjectiveError, match=message):
            accepted_arguments(objective)


class TestResult:
    @pytest.mark.parametrize(
        "cost", [0.25, np.float32(0.25), np.array(0.25), torch.tensor(0.25), np.array([0.25])]
    )
    def test_any_scalar_is_a_cost(self, cost: Any) -> None:
        evaluation = outcome(lambda configuration: cost)
        assert evaluation.cost == 0.25
        assert type(evaluation.cost) is float
        assert evaluation.succeeded

    def test_a_mapping_brings_metrics(self) -> None:
        evaluation = outcome(lambda configuration: {"cost": 1, "parameters": 12})
        assert (evaluation.cost, evaluation.metrics) == (1.0, {"parameters": 12})

    @pytest.mark.parametrize("cost", [math.nan, math.inf, -math.inf, np.nan, torch.tensor(np.nan)])
    def test_what_is_not_finite_has_diverged_and_never_wins(self, cost: Any) -> None:
        evaluation = outcome(lambda configuration: {"cost": cost, "epochs": 3})
        assert evaluation.status is Status.DIVERGED
        assert evaluation.cost == math.inf
        assert evaluation.metrics == {"epochs": 3}
        assert evaluation.error is not None

    @pytest.mark.parametrize("result", [None, "0.1", {"loss": 0.1}, [0.1], {"cost": None}, 1j])
    def test_what_is_no_cost_is_a_crash_that_says_why(self, result: Any) -> None:
        evaluation = outcome(lambda configuration: result)
        assert evaluation.status is Status.CRASHED
        assert evaluation.cost == math.inf
        assert "ObjectiveError: the objective return" in str(evaluation.error)


class TestFailure:
    @pytest.mark.parametrize(
        ("error", "status"),
        [
            (ZeroDivisionError("one over zero"), Status.CRASHED),
            (InvalidArchitecture("no path"), Status.INVALID),
            (Diverged("nan"), Status.DIVERGED),
            (MemoryError(), Status.MEMORY),
            (torch.OutOfMemoryError("CUDA out of memory"), Status.MEMORY),
            (RuntimeError("DefaultCPUAllocator: can't allocate memory"), Status.MEMORY),
            (RuntimeError("shapes differ"), Status.CRASHED),
            (ProcessLost("rank 1 of 2 was killed"), Status.LOST),
        ],
    )
    def test_becomes_a_status_with_its_traceback(self, error: Exception, status: Status) -> None:
        def objective(configuration: Any) -> float:
            raise error

        evaluation = outcome(objective)
        assert evaluation.status is status
        assert evaluation.cost == math.inf
        assert not evaluation.succeeded
        assert type(error).__name__ in str(evaluation.error)
        assert "in objective" in str(evaluation.error)

    def test_an_allocation_that_really_fails_is_one_of_memory(self) -> None:
        evaluation = outcome(lambda configuration: torch.empty(2**60))
        assert evaluation.status is Status.MEMORY

    def test_an_interruption_is_not_swallowed(self) -> None:
        def objective(configuration: Any) -> float:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            outcome(objective)

    def test_what_was_reported_before_is_kept(self) -> None:
        def objective(configuration: Any, context: Context) -> float:
            context.report(1, 0.5)
            context.report(2, 0.25)
            raise ValueError("then it broke")

        assert outcome(objective).curve == ((1.0, 0.5), (2.0, 0.25))


def test_seconds_are_measured() -> None:
    def objective(configuration: Any) -> float:
        time.sleep(0.02)
        return 0.0

    assert 0.02 <= outcome(objective).seconds < 2
