"""States of schedules that read each trial and each evaluation of a history once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from weakref import WeakKeyDictionary

from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Status, Trial


class State(Protocol):
    """What a schedule knows of a history.

    All new trials are read before all new evaluations, however many of each have come together,
    so what a state says must not depend on how the two alternate.
    """

    def asked(self, trial: Trial) -> None:
        """Takes in a trial that was asked for."""
        ...

    def ended(self, evaluation: Evaluation) -> None:
        """Takes in what came of a trial."""
        ...


S = TypeVar("S", bound=State)


@dataclass
class _Followed:
    state: Any
    trials: int = 0
    evaluations: int = 0


# A cache and no more: a schedule that has never seen a history reads it whole and decides the same.
_followed: WeakKeyDictionary[History, dict[Hashable, _Followed]] = WeakKeyDictionary()


def follow(history: History, schedule: Hashable, begin: Callable[[], S]) -> S:
    """The state of `schedule` after everything in `history`.

    Args:
        history: of which only what is new since the last call is read.
        schedule: equal schedules share a state.
        begin: makes the state of an empty history.
    """
    states = _followed.setdefault(history, {})
    if schedule not in states:
        states[schedule] = _Followed(begin())
    followed = states[schedule]
    state: S = followed.state
    for trial in history.trials[followed.trials :]:
        state.asked(trial)
    for evaluation in history.evaluations[followed.evaluations :]:
        state.ended(evaluation)
    followed.trials, followed.evaluations = len(history.trials), len(history)
    return state


class Promotions:
    """Which trials have been promoted.

    The evaluation of a promotion whose worker died says nothing about the network, so that one
    promotion may be made once more; after the second it is taken to be what kills the workers.
    """

    def __init__(self) -> None:
        self._made: Counter[int] = Counter()
        self._lost: Counter[int] = Counter()

    def asked(self, trial: Trial) -> None:
        """Takes in a trial, which may be a promotion."""
        if trial.parent is not None:
            self._made[trial.parent] += 1

    def ended(self, evaluation: Evaluation) -> bool:
        """Takes in what came of a trial; whether its parent may now be promoted once more."""
        parent = evaluation.trial.parent
        if parent is None or evaluation.status is not Status.LOST:
            return False
        self._lost[parent] += 1
        return parent not in self

    def __contains__(self, trial: int) -> bool:
        """Whether trial number `trial` was promoted, and not just lost for the first time."""
        return self._made[trial] > min(self._lost[trial], 1)
