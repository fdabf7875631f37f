"""Hyperband (Li et al. 2018, JMLR 18(185), algorithm 1): brackets that hedge successive halving."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from fidelity.history.history import History
from fidelity.schedules.bracket import Rung, continuable, next_of_brackets
from fidelity.schedules.halving import fewest, halvings, rungs
from fidelity.schedules.schedule import Promote, Start, check_budgets


@dataclass(frozen=True)
class Hyperband:
    """Brackets of successive halving in turn, from many short trials to few long ones.

    Failed evaluations are never promoted; a promotion whose worker died is made once more.

    Attributes:
        min_budget: the lowest budget of the first bracket.
        max_budget: at which every bracket ends.
        eta: the factor between budgets, and the share that is promoted is one in eta.
    """

    min_budget: float
    max_budget: float
    eta: float = 3

    def __post_init__(self) -> None:
        check_budgets(self.min_budget, self.max_budget, self.eta)

    def bracket(self, number: int) -> tuple[Rung, ...]:
        """The rungs of bracket `number`; after the last kind of bracket the first comes again."""
        most = halvings(self.min_budget, self.max_budget, self.eta)
        steps = most - number % (most + 1)
        trials = fewest((most + 1) / (steps + 1) * self.eta**steps)
        return rungs(trials, steps, self.max_budget, self.eta)

    def next(self, history: History, *, exhausted: bool = False) -> Start | Promote | None:
        """Fills the first bracket in which something can be done."""
        return next_of_brackets(self, history, exhausted=exhausted)

    def continuable(self, history: History) -> Set[int]:
        """Trials of undecided rungs, and those whose promotion is due."""
        return continuable(self, history)
