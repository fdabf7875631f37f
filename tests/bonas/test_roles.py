from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from bonas import Search, callbacks, runners, strategies
from bonas.comparison import Setup
from bonas.search.progress import Silent
from fidelity import Constraint, FullFidelity, Training
from tests.bonas.spaces import cells, cost


@pytest.mark.parametrize(
    ("named", "message"),
    [
        (
            {"strategy": "random"},
            "strategy is 'random', which has no 'propose': an object is expected, such as "
            "strategies.RandomSearch()",
        ),
        ({"strategy": strategies.RandomSearch}, "strategy is the class RandomSearch"),
        ({"schedule": FullFidelity}, "schedule is the class FullFidelity"),
        ({"schedule": 27}, "schedule is 27, which has no 'max_budget', 'next'"),
        ({"space": type(cells())}, "space is the class CellSpace"),
        ({"space": {"kind": ["a", "b"]}}, "no 'configuration_space'"),
        ({"objective": Training}, "the objective is the class Training"),
        ({"constraints": [("parameters", 100)]}, "not ('parameters', 100)"),
        ({"constraints": ["parameters"]}, "Constraint('parameters', at_most=100_000), not 'param"),
        ({"constraints": {"parameters": 100}}, "not 'parameters'"),
        ({"objectives": [cost]}, "objectives are names of what the objective returns"),
    ],
)
def test_what_has_another_role_is_refused_with_an_example(
    named: dict[str, Any], message: str
) -> None:
    arguments: dict[str, Any] = {"space": cells(), "objective": cost} | named
    with pytest.raises((TypeError, ValueError), match=re.escape(message)):
        Search(**arguments)


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({"runner": runners.InProcess}, "runner is the class InProcess"),
        ({"runner": 4}, "runner is 4, which has no 'workers'"),
        ({"callbacks": [callbacks.MLflow]}, "a callback is the class MLflow"),
        ({"callbacks": [print]}, "which has no 'on_run_start'"),
        ({"callbacks": 3}, "a list is expected"),
    ],
)
def test_so_it_is_in_a_run(named: dict[str, Any], message: str) -> None:
    with (
        Search(cells(), cost, strategy=strategies.RandomSearch()) as search,
        pytest.raises(TypeError, match=re.escape(message)),
    ):
        search.run(evaluations=1, progress=Silent(), **named)


@pytest.mark.parametrize(
    "wrapping",
    [
        lambda strategy: strategies.StartFrom((), strategy),
        lambda strategy: strategies.Screened(lambda configuration: 0.0, strategy),
        strategies.ParEGO,
        Setup,
    ],
)
def test_what_holds_a_strategy_refuses_a_class(wrapping: Callable[[Any], object]) -> None:
    with pytest.raises(TypeError, match="strategy is the class RandomSearch"):
        wrapping(strategies.RandomSearch)


def test_a_single_constraint_needs_no_list() -> None:
    limit: Any = Constraint("slowness", at_most=1)
    with Search(cells(), cost, constraints=limit) as search:
        assert search.goal.constraints == (limit,)
