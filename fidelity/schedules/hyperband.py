"""Hyperband (Li et al. 2018, JMLR 18(185), algorithm 1): brackets that hedge successive halving."""

from __future__ import annotations

from dataclasses import dataclass

from fidelity.schedules.bracket import Bracketed, Rung
from fidelity.schedules.halving import fewest, rungs
from fidelity.schedules.rungs import Rungs
from fidelity.schedules.schedule import known


@dataclass(frozen=True)
class Hyperband(Rungs, Bracketed):
    """Brackets of successive halving in turn, from many short trials to few long ones.

    Failed evaluations are never promoted; a promotion whose worker died is repeated.

    Its budgets are those of `Rungs`.
    """

    def bracket(self, number: int) -> tuple[Rung, ...]:
        """Return the rungs of bracket `number`; the kinds of brackets repeat in turn."""
        most = self.halvings
        steps = most - number % (most + 1)
        trials = fewest((most + 1) / (steps + 1) * self.eta**steps)
        return rungs(trials, steps, known(self.max_budget), self.eta)
