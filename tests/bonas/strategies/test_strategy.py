from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
from ConfigSpace import Configuration

from bonas.strategies import ParEGO, RandomSearch, Screened, StartFrom, Strategy, started
from bonas.strategies.strategy import recommended
from fidelity.history.history import History
from fidelity.history.trial import Evaluation
from spaces.space import Space, draw
from tests.bonas.strategies.contract import MEDIUM, cost, run


@dataclass
class Numbered:
    """The state of one search: counts its proposals, and trusts the last evaluation."""

    proposals: int = 0

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Configuration:
        self.proposals += 1
        return draw(space.configuration_space, rng)

    def recommend(self, space: Space, history: History) -> Evaluation | None:
        return history.evaluations[-1]


@dataclass(frozen=True)
class Settings:
    """A user's strategy: no subclass of anything."""

    searches: list[Numbered] = field(default_factory=list)

    def start(self, space: Space) -> Numbered:
        self.searches.append(Numbered())
        return self.searches[-1]

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Configuration:
        return self.start(space).propose(space, history, rng)


def test_a_strategy_without_state_is_started_as_it_is() -> None:
    strategy = RandomSearch()
    assert started(strategy, MEDIUM) is strategy


def test_each_search_starts_its_own_state() -> None:
    settings = Settings()
    for evaluations in (3, 5):
        run(settings, MEDIUM, evaluations)
    assert [search.proposals for search in settings.searches] == [3, 5]


@pytest.mark.parametrize(
    "wrapper",
    [
        lambda inner: StartFrom((), inner),
        lambda inner: Screened(cost, inner, samples=1),
        ParEGO,
        lambda inner: StartFrom((), Screened(cost, ParEGO(inner), samples=1)),
    ],
)
def test_a_wrapper_starts_what_it_wraps_once(wrapper: Callable[[Strategy], Strategy]) -> None:
    settings = Settings()
    run(wrapper(settings), MEDIUM, 4)
    assert [search.proposals for search in settings.searches] == [4]


def test_a_recommendation_is_passed_on() -> None:
    history = run(RandomSearch(), MEDIUM, 6)
    for inner, expected in ((Settings(), history.evaluations[-1]), (RandomSearch(), None)):
        wrapper = started(Screened(cost, StartFrom((), inner)), MEDIUM)
        assert recommended(wrapper, MEDIUM, history) == (expected or history.incumbent)
