"""Brackets: rungs of ascending budgets, of which each is decided when all its trials have ended."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence, Set
from itertools import pairwise
from typing import NamedTuple, Protocol

from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Trial
from fidelity.schedules.replay import Promotions, follow
from fidelity.schedules.schedule import Promote, Start


class Rung(NamedTuple):
    """How many trials of a bracket reach which budget."""

    trials: int
    budget: float


class Standing(NamedTuple):
    """Where a bracket stands.

    Attributes:
        vacant: its first rung lacks trials.
        due: promotions that are decided and not yet made.
        continuable: the numbers of evaluated trials that may yet be promoted.
        finished: everything in it has ended.
    """

    vacant: bool
    due: list[Promote]
    continuable: set[int]
    finished: bool = False


class Bracketed(Hashable, Protocol):
    """A schedule of brackets that begin one after another."""

    def bracket(self, number: int) -> Sequence[Rung]:
        """The rungs of each bracket by its number: 0, 1, 2 and so on without end."""
        ...


def standing(
    rungs: Sequence[Rung], trials: Sequence[Trial], history: History, *, exhausted: bool = False
) -> Standing:
    """Where a bracket of `rungs` stands, of which `trials` have been asked for."""
    at: dict[float, list[Trial]] = defaultdict(list)
    for trial in trials:
        at[trial.budget].append(trial)
    levels = [at[rung.budget] for rung in rungs]
    vacant = len(levels[0]) < rungs[0].trials and not exhausted
    for place, (level, rung) in enumerate(zip(levels, rungs[1:], strict=False)):
        if vacant or not _ended(level, history):
            return Standing(vacant, [], _undecided(levels[place:], history))
        continued = _promotions(levels[place + 1], history)
        due = [
            Promote(trial, rung.budget)
            for trial in _best(level, rung.trials, history)
            if trial.number not in continued
        ]
        if due:
            waiting = {promotion.trial.number for promotion in due}
            return Standing(False, due, waiting | _undecided(levels[place + 1 :], history))
    finished = not vacant and _ended(levels[-1], history)
    return Standing(vacant, [], set(), finished)


def _promotions(trials: Sequence[Trial], history: History) -> Promotions:
    """Of what is below to these trials."""
    found = Promotions()
    for trial in trials:
        found.asked(trial)
        if evaluation := history.evaluation(trial.number):
            found.ended(evaluation)
    return found


def _undecided(levels: Sequence[Sequence[Trial]], history: History) -> set[int]:
    """The evaluated trials of these rungs that may yet be promoted to the next of them.

    In more than one rung only if no more trials will start, which nobody knows beforehand.
    """
    return {
        number
        for level, above in pairwise(levels)
        for continued in [_promotions(above, history)]
        for number in _succeeded(level, history)
        if number not in continued
    }


def _ended(trials: Sequence[Trial], history: History) -> bool:
    return all(history.evaluation(trial.number) for trial in trials)


def _succeeded(trials: Sequence[Trial], history: History) -> set[int]:
    evaluations = (history.evaluation(trial.number) for trial in trials)
    return {e.trial.number for e in evaluations if e and e.succeeded}


def _best(trials: Sequence[Trial], size: int, history: History) -> list[Trial]:
    """The trials of lowest cost; those that failed are never promoted."""
    evaluations = [history.evaluation(trial.number) for trial in trials]
    successes = [evaluation for evaluation in evaluations if evaluation and evaluation.succeeded]
    ranked = sorted(successes, key=lambda e: (e.cost, e.trial.number))
    return [evaluation.trial for evaluation in ranked[:size]]


def next_of_brackets(
    schedule: Bracketed, history: History, *, exhausted: bool
) -> Start | Promote | None:
    """The first thing that can be done in brackets that begin one after another."""
    state = _state(schedule, history)
    for number in sorted(state.ready):
        bracket = state.standings[number]
        if bracket.vacant and exhausted:  # as good as full
            trials = history.bracket(number)
            bracket = standing(schedule.bracket(number), trials, history, exhausted=True)
        if bracket.vacant:
            return Start(schedule.bracket(number)[0].budget, number)
        if bracket.due:
            return bracket.due[0]
    return None if exhausted else Start(schedule.bracket(state.begun)[0].budget, state.begun)


def continuable(schedule: Bracketed, history: History) -> Set[int]:
    """The evaluated trials that may yet be promoted."""
    return _state(schedule, history).continuable


class _State:
    """Where the brackets stand in which anything can still happen.

    Attributes:
        begun: how many brackets have begun.
        standings: by the numbers of the brackets.
        ready: the numbers of those in which something can be done now.
        continuable: the numbers of evaluated trials that may yet be promoted.
    """

    def __init__(self) -> None:
        self.begun = 0
        self.standings: dict[int, Standing] = {}
        self.ready: set[int] = set()
        self.continuable: set[int] = set()
        self._changed: set[int] = set()

    def asked(self, trial: Trial) -> None:
        self.begun = max(self.begun, trial.bracket + 1)
        self._changed.add(trial.bracket)

    def ended(self, evaluation: Evaluation) -> None:
        self._changed.add(evaluation.trial.bracket)

    def update(self, schedule: Bracketed, history: History) -> None:
        """Looks again at the brackets in which something has happened."""
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


def _state(schedule: Bracketed, history: History) -> _State:
    state = follow(history, schedule, _State)
    state.update(schedule, history)
    return state
