"""Brackets: rungs of ascending budgets, each decided when all its trials have ended."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence, Set
from itertools import pairwise
from typing import NamedTuple, Protocol

from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Trial
from fidelity.schedules.replay import Promotions, Replaying
from fidelity.schedules.schedule import Promote, Start


class Rung(NamedTuple):
    """The number of trials of a bracket that reach a budget."""

    trials: int
    budget: float


class Standing(NamedTuple):
    """The standing of a bracket.

    Attributes:
        vacant: its first rung lacks trials.
        due: promotions that are decided and not yet requested.
        continuable: the numbers of evaluated trials that may still be promoted.
        finished: everything in it has ended.
    """

    vacant: bool
    due: list[Promote]
    continuable: set[int]
    finished: bool = False


class HasBrackets(Protocol):
    """A schedule of brackets that begin one after another."""

    def bracket(self, number: int) -> Sequence[Rung]:
        """Return the rungs of bracket `number`: 0, 1, 2 and so on without end."""
        ...


def standing(
    rungs: Sequence[Rung], trials: Sequence[Trial], history: History, *, exhausted: bool = False
) -> Standing:
    """Return the standing of a bracket.

    Args:
        rungs: of the bracket, by ascending budgets.
        trials: of the bracket so far.
        history: their evaluations.
        exhausted: no new configuration is left.
    """
    at: dict[float, list[Trial]] = defaultdict(list)
    for trial in trials:
        at[trial.budget].append(trial)
    levels = [at[rung.budget] for rung in rungs]
    vacant = len(levels[0]) < rungs[0].trials and not exhausted
    for index, (level, rung) in enumerate(zip(levels, rungs[1:], strict=False)):
        if vacant or not _ended(level, history):
            return Standing(vacant, [], _undecided(levels[index:], history))
        promoted = _promotions(levels[index + 1], history)
        due = [
            Promote(trial, rung.budget)
            for trial in _best(level, rung.trials, history)
            if trial.number not in promoted
        ]
        if due:
            waiting = {promotion.trial.number for promotion in due}
            return Standing(False, due, waiting | _undecided(levels[index + 1 :], history))
    finished = not vacant and _ended(levels[-1], history)
    return Standing(vacant, [], set(), finished)


def _promotions(trials: Sequence[Trial], history: History) -> Promotions:
    """Return the promotions to these trials from the rung below."""
    promotions = Promotions()
    for trial in trials:
        promotions.add_trial(trial)
        if evaluation := history.evaluation(trial.number):
            promotions.add_evaluation(evaluation)
    return promotions


def _undecided(levels: Sequence[Sequence[Trial]], history: History) -> set[int]:
    """Return the evaluated trials of these rungs that may still be promoted to the next one.

    They are in more than one rung only if no further trials start, which is not known in advance.
    """
    return {
        number
        for level, above in pairwise(levels)
        for promoted in [_promotions(above, history)]
        for number in _succeeded(level, history)
        if number not in promoted
    }


def _ended(trials: Sequence[Trial], history: History) -> bool:
    return all(history.evaluation(trial.number) for trial in trials)


def _succeeded(trials: Sequence[Trial], history: History) -> set[int]:
    evaluations = (history.evaluation(trial.number) for trial in trials)
    return {e.trial.number for e in evaluations if e and e.succeeded}


def _best(trials: Sequence[Trial], size: int, history: History) -> list[Trial]:
    """Return the trials of lowest cost; those that failed are never promoted."""
    evaluations = [history.evaluation(trial.number) for trial in trials]
    successes = [evaluation for evaluation in evaluations if evaluation and evaluation.succeeded]
    ranked = sorted(successes, key=lambda e: (e.cost, e.trial.number))
    return [evaluation.trial for evaluation in ranked[:size]]


class Standings:
    """The standings of all brackets that are not finished.

    Attributes:
        begun: the number of brackets that have begun.
        standings: by the numbers of the brackets.
        ready: the numbers of the brackets that have a decision now.
        continuable: the numbers of evaluated trials that may still be promoted.
    """

    def __init__(self) -> None:
        self.begun = 0
        self.standings: dict[int, Standing] = {}
        self.ready: set[int] = set()
        self.continuable: set[int] = set()
        self._changed: set[int] = set()

    def add_trial(self, trial: Trial) -> None:
        """Read a requested trial."""
        self.begun = max(self.begun, trial.bracket + 1)
        self._changed.add(trial.bracket)

    def add_evaluation(self, evaluation: Evaluation) -> None:
        """Read an evaluation."""
        self._changed.add(evaluation.trial.bracket)

    def update(self, schedule: HasBrackets, history: History) -> None:
        """Recompute the standings of the brackets that have changed.

        Args:
            schedule: of the brackets.
            history: all their trials and evaluations.
        """
        for number in self._changed:
            if number in self.standings:
                self.continuable -= self.standings.pop(number).continuable
            self.ready.discard(number)
            now = standing(schedule.bracket(number), history.bracket(number), history)
            if not now.finished:
                self.standings[number] = now
                self.continuable |= now.continuable
            if now.vacant or now.due:
                self.ready.add(number)
        self._changed.clear()


class Bracketed(Replaying[Standings]):
    """A schedule of brackets that begin one after another, each a method call of `bracket`."""

    def bracket(self, number: int) -> Sequence[Rung]:
        """See `HasBrackets`."""
        raise NotImplementedError

    def state(self) -> Standings:
        """See `Settings`."""
        return Standings()

    def decide(
        self, state: Standings, history: History, *, exhausted: bool
    ) -> Start | Promote | None:
        """See `Settings`: the decision for the first bracket that has one."""
        state.update(self, history)
        for number in sorted(state.ready):
            bracket = state.standings[number]
            if bracket.vacant and exhausted:  # treated as full
                trials = history.bracket(number)
                bracket = standing(self.bracket(number), trials, history, exhausted=True)
            if bracket.vacant:
                return Start(self.bracket(number)[0].budget, number)
            if bracket.due:
                return bracket.due[0]
        return None if exhausted else Start(self.bracket(state.begun)[0].budget, state.begun)

    def promotable(self, state: Standings, history: History) -> Set[int]:
        """See `Settings`: the trials of undecided rungs, and those whose promotion is due."""
        state.update(self, history)
        return state.continuable
