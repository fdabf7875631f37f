"""Asynchronous Hyperband (Li et al. 2020, MLSys, section 3.2): its brackets without waiting."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass

from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Trial
from fidelity.schedules.bracket import Rung
from fidelity.schedules.hyperband import Hyperband
from fidelity.schedules.replay import Replaying
from fidelity.schedules.rungs import Ladder, Rungs
from fidelity.schedules.schedule import Promote, Start


class Brackets:
    """The ladder of each bracket, and the budget that it has received.

    Args:
        budgets: of all rungs, ascending.
        eta: the factor between budgets.
        shares: the budget that each bracket of Hyperband spends.
    """

    def __init__(self, budgets: Sequence[float], eta: float, shares: Sequence[float]) -> None:
        self.paused: set[int] = set()  # in all ladders
        self._shares = shares
        self._ladders = [Ladder(budgets[s:], eta, self.paused) for s in range(len(budgets))]
        self._spent = [0.0] * len(budgets)

    def add_trial(self, trial: Trial) -> None:
        """Read a trial, which may be a promotion."""
        if trial.bracket < len(self._ladders):
            ladder = self._ladders[trial.bracket]
            ladder.add_trial(trial)
            if (rung := ladder.rung(trial)) is not None:
                below = 0.0 if trial.parent is None or not rung else ladder.budgets[rung - 1]
                self._spent[trial.bracket] += trial.budget - below

    def add_evaluation(self, evaluation: Evaluation) -> None:
        """Rank an evaluation in the ladder of its bracket."""
        if evaluation.trial.bracket < len(self._ladders):
            self._ladders[evaluation.trial.bracket].add_evaluation(evaluation)

    def promotion(self) -> Promote | None:
        """Return the promotion to the highest budget; of equals, that of the first bracket."""
        due = [p for ladder in self._ladders if (p := ladder.promotion(len(ladder.budgets) - 1))]
        return max(due, key=lambda promotion: promotion.budget, default=None)

    def start(self) -> Start:
        """Return a start in the bracket that is furthest behind its share."""
        relative = [spent / share for spent, share in zip(self._spent, self._shares, strict=True)]
        number = relative.index(min(relative))
        return Start(self._ladders[number].budgets[0], number)


@dataclass(frozen=True)
class AsynchronousHyperband(Rungs, Replaying[Brackets]):
    """Endless brackets of asynchronous halving, one from each rung upwards.

    Bracket s begins at rung s. A promotion in any bracket precedes a new configuration, which
    joins the bracket that is furthest behind its share of the budget that `Hyperband` would have
    spent, resumed training runs counted by their increments.

    Failed evaluations count in their rung and are never promoted. A promotion whose worker died
    does not count, and is repeated.

    Its budgets are those of `Rungs`.
    """

    @property
    def shares(self) -> tuple[float, ...]:
        """The budget that each bracket of `Hyperband` spends, by its number."""
        hyperband = Hyperband(self.min_budget, self.max_budget, self.eta)
        return tuple(_spent(hyperband.bracket(number)) for number in range(len(self.budgets)))

    def state(self) -> Brackets:
        """See `Settings`."""
        return Brackets(self.budgets, self.eta, self.shares)

    def decide(
        self, state: Brackets, history: History, *, exhausted: bool
    ) -> Start | Promote | None:
        """See `Settings`."""
        return state.promotion() or (None if exhausted else state.start())

    def promotable(self, state: Brackets, history: History) -> Set[int]:
        """See `Settings`."""
        return state.paused


def _spent(rungs: Sequence[Rung]) -> float:
    """Return the budget of a bracket with these rungs, all training runs resumed."""
    below = (0.0, *(rung.budget for rung in rungs))
    return sum(
        rung.trials * (rung.budget - before) for rung, before in zip(rungs, below, strict=False)
    )
