"""Asynchronous Hyperband (Li et al. 2020, MLSys, section 3.2): its brackets without waiting."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass

from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Trial
from fidelity.schedules.bracket import Rung
from fidelity.schedules.hyperband import Hyperband
from fidelity.schedules.replay import follow
from fidelity.schedules.rungs import Ladder, Rungs
from fidelity.schedules.schedule import Promote, Start


@dataclass(frozen=True)
class AsynchronousHyperband(Rungs):
    """Endless brackets of asynchronous halving, one from each rung upwards.

    Bracket s begins at rung s. A trial that can be promoted in any bracket goes before a new
    configuration; that joins the bracket which is furthest behind its share of the budget that
    `Hyperband` would have spent, resumed trainings counted by what they add.

    Failed evaluations count in their rung and are never promoted. A promotion whose worker died
    does not count, and is made once more.

    Its budgets are those of `Rungs`.
    """

    @property
    def shares(self) -> tuple[float, ...]:
        """The budget that each bracket of `Hyperband` spends, by its number."""
        hyperband = Hyperband(self.min_budget, self.max_budget, self.eta)
        return tuple(_spent(hyperband.bracket(number)) for number in range(len(self.budgets)))

    def next(self, history: History, *, exhausted: bool = False) -> Start | Promote | None:
        """The promotion to the highest budget, or a new configuration."""
        state = self._state(history)
        return state.promotion() or (None if exhausted else state.start())

    def continuable(self, history: History) -> Set[int]:
        """Everything below the highest rung that succeeded and has not been promoted."""
        return self._state(history).paused

    def _state(self, history: History) -> _Brackets:
        return follow(history, self, lambda: _Brackets(self))


class _Brackets:
    """A ladder for each bracket, and what each has been given."""

    def __init__(self, schedule: AsynchronousHyperband) -> None:
        budgets = schedule.budgets
        self._shares = schedule.shares
        self.paused: set[int] = set()  # in all ladders
        self._ladders = [
            Ladder(budgets[s:], schedule.eta, self.paused) for s in range(len(budgets))
        ]
        self._given = [0.0] * len(budgets)

    def asked(self, trial: Trial) -> None:
        if trial.bracket < len(self._ladders):
            ladder = self._ladders[trial.bracket]
            ladder.asked(trial)
            if (rung := ladder.rung(trial)) is not None:
                below = 0.0 if trial.parent is None or not rung else ladder.budgets[rung - 1]
                self._given[trial.bracket] += trial.budget - below

    def ended(self, evaluation: Evaluation) -> None:
        if evaluation.trial.bracket < len(self._ladders):
            self._ladders[evaluation.trial.bracket].ended(evaluation)

    def promotion(self) -> Promote | None:
        """That to the highest budget; among equals, in the bracket of the lowest number."""
        due = [p for ladder in self._ladders if (p := ladder.promotion(len(ladder.budgets) - 1))]
        return max(due, key=lambda promotion: promotion.budget, default=None)

    def start(self) -> Start:
        """In the bracket that has been given the least of its share."""
        given = [given / share for given, share in zip(self._given, self._shares, strict=True)]
        number = given.index(min(given))
        return Start(self._ladders[number].budgets[0], number)


def _spent(rungs: Sequence[Rung]) -> float:
    """What a bracket of these rungs spends, each training resumed."""
    below = (0.0, *(rung.budget for rung in rungs))
    return sum(
        rung.trials * (rung.budget - before) for rung, before in zip(rungs, below, strict=False)
    )
