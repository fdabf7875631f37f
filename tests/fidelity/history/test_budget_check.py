import pytest

from fidelity.history.budget_check import ignores_budget
from fidelity.history.history import History
from fidelity.schedules import Promote, Start
from tests.fidelity.histories import end, space, start


def promoted(costs: list[tuple[float, float | None]]) -> list[bool]:
    """What is said after each promotion, of networks with these costs at two budgets."""
    history = History(space())
    for before, _ in costs:
        end(history, start(history, Start(1.0)), before)
    assert not ignores_budget(history)
    said = []
    for number, (_, after) in enumerate(costs):
        end(history, start(history, Promote(history.trials[number], 3.0)), after)
        said.append(ignores_budget(history))
    return said


def test_it_is_said_once() -> None:
    assert promoted([(0.1 * i, 0.1 * i) for i in range(8)]) == [False] * 4 + [True] + [False] * 3


@pytest.mark.parametrize("other", range(5))
def test_ranked_that_differs_is_enough(other: int) -> None:
    assert not any(promoted([(0.1, 0.2 if i == other else 0.1) for i in range(8)]))


def test_failures_say_nothing() -> None:
    costs: list[tuple[float, float | None]] = [(0.1, 0.1)] * 5
    assert promoted([(0.1, None), *costs])[-2:] == [False, True]


def test_one_network_is_not_enough() -> None:
    history = History(space())
    end(history, start(history, Start(1.0)), 0.1)
    for budget in range(2, 12):
        end(history, start(history, Promote(history.trials[-1], float(budget))), 0.1)
        assert not ignores_budget(history)
