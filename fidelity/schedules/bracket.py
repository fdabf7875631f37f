"""Brackets: rungs of ascending budgets, of which each is decided when all its trials have ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import NamedTuple
from weakref import WeakKeyDictionary

from fidelity.history import History
from fidelity.schedules.schedule import Promote, Start
from fidelity.trial import Trial


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


Brackets = Callable[[int], Sequence[Rung]]
"""The rungs of each bracket by its number: 0, 1, 2 and so on without end."""


def standing(
    rungs: Sequence[Rung], trials: Sequence[Trial], history: History, *, exhausted: bool = False
) -> Standing:
    """Where a bracket of `rungs` stands, of which `trials` have been asked for."""
    levels = [[trial for trial in trials if trial.budget == rung.budget] for rung in rungs]
    vacant = len(levels[0]) < rungs[0].trials and not exhausted
    for level, above, rung in zip(levels, levels[1:], rungs[1:], strict=False):
        ended = _ended(level, history)
        if vacant or len(ended) < len(level):
            return Standing(vacant, [], ended)
        continued = {trial.parent for trial in above}
        due = [
            Promote(trial, rung.budget)
            for trial in _best(level, rung.trials, history)
            if trial.number not in continued
        ]
        if due:
            waiting = {promotion.trial.number for promotion in due}
            return Standing(False, due, waiting | _ended(above, history))
    finished = not vacant and len(_ended(levels[-1], history)) == len(levels[-1])
    return Standing(vacant, [], set(), finished)


def _ended(trials: Sequence[Trial], history: History) -> set[int]:
    return {trial.number for trial in trials if history.evaluation(trial.number)}


def _best(trials: Sequence[Trial], size: int, history: History) -> list[Trial]:
    """The trials of lowest cost; those that failed are never promoted."""
    evaluations = [history.evaluation(trial.number) for trial in trials]
    successes = [evaluation for evaluation in evaluations if evaluation and evaluation.succeeded]
    ranked = sorted(successes, key=lambda e: (e.cost, e.trial.number))
    return [evaluation.trial for evaluation in ranked[:size]]


# Finished brackets stay finished: how many there are at the front of a history is remembered,
# so that a decision does not read the whole history again.
_finished: WeakKeyDictionary[History, int] = WeakKeyDictionary()


def _open_brackets(brackets: Brackets, history: History) -> Iterator[int]:
    """The numbers of the brackets in which anything can still happen, new ones without end."""
    first = _finished.get(history, 0)
    while standing(brackets(first), history.bracket(first), history).finished:
        first += 1
    _finished[history] = first
    return count(first)


def next_of_brackets(
    brackets: Brackets, history: History, *, exhausted: bool
) -> Start | Promote | None:
    """The first thing that can be done in brackets that begin one after another."""
    for number in _open_brackets(brackets, history):
        if exhausted and number >= history.brackets:
            return None
        trials = history.bracket(number)
        state = standing(brackets(number), trials, history, exhausted=exhausted)
        if state.vacant:
            return Start(brackets(number)[0].budget, number)
        if state.due:
            return state.due[0]
    raise AssertionError("brackets begin without end")


def continuable(brackets: Brackets, history: History) -> set[int]:
    """The evaluated trials that may yet be promoted."""
    kept: set[int] = set()
    for number in _open_brackets(brackets, history):
        if number >= history.brackets:
            return kept
        kept |= standing(brackets(number), history.bracket(number), history).continuable
    raise AssertionError("brackets begin without end")
