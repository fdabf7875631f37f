"""The strategies of bonas for several objectives, through `Search.ask` and `Search.tell`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bonas.search.search import Search
from bonas.strategies.strategy import Strategy
from fidelity.history.trial import Trial
from peers.peer import Choice
from spaces.space import Space, values

OBJECTIVES = ("cost", "other")


@dataclass(frozen=True)
class BonasFront:
    """A strategy of bonas at full fidelity.

    Attributes:
        strategy: one object for all seeds, whose caches name the networks of a space only once.
    """

    strategy: Strategy

    def start(self, space: Space, seed: int, evaluations: int) -> BonasFrontSession:
        """See `FrontPeer.start`."""
        return BonasFrontSession(
            Search(space, _never_called, strategy=self.strategy, objectives=OBJECTIVES, seed=seed)
        )


class BonasFrontSession:
    """See `FrontSession`.

    Args:
        search: the search.
    """

    def __init__(self, search: Search) -> None:
        self.search = search
        self.trial: Trial | None = None

    def ask(self) -> Choice:
        """The configuration of the next trial."""
        self.trial = self.search.ask()
        assert self.trial is not None
        return values(self.trial.configuration)

    def tell(self, choice: Choice, costs: Sequence[float]) -> None:
        """Record the costs in the search."""
        assert self.trial is not None
        self.search.tell(self.trial, dict(zip(OBJECTIVES, costs, strict=True)))


def _never_called(configuration: object) -> float:
    """Stand in for the objective, which ask-and-tell never calls."""
    raise NotImplementedError
