"""States of schedules, which read each trial and each evaluation of a history once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Set
from typing import Generic, Protocol, TypeVar

from fidelity.history.history import History
from fidelity.history.trial import UNSCHEDULED, Evaluation, Status, Trial
from fidelity.schedules.schedule import Promote, Start


class State(Protocol):
    """The part of a history that a schedule decides by.

    All new trials are added before all new evaluations, however many of each there are, so a
    state must not depend on how the two alternate.
    """

    def add_trial(self, trial: Trial) -> None:
        """Read a requested trial."""
        ...

    def add_evaluation(self, evaluation: Evaluation) -> None:
        """Read an evaluation."""
        ...


S = TypeVar("S", bound=State)


class Settings(Protocol[S]):
    """The settings of a schedule, apart from its state."""

    @property
    def max_budget(self) -> float | None:
        """See `Schedule`."""
        ...

    def state(self) -> S:
        """Return the state of an empty history."""
        ...

    def decide(self, state: S, history: History, *, exhausted: bool) -> Start | Promote | None:
        """Return the decision; see `Schedule.next`.

        Args:
            state: after everything in the history.
            history: all evaluations and pending trials.
            exhausted: no new configuration is left.
        """
        ...

    def promotable(self, state: S, history: History) -> Set[int]:
        """Return the trials that may still be promoted; see `Schedule.continuable`.

        Args:
            state: after everything in the history.
            history: all evaluations and pending trials.
        """
        ...


class Started(Generic[S]):
    """A schedule with its state, owned by one search.

    Args:
        settings: decide by the state.
    """

    def __init__(self, settings: Settings[S]) -> None:
        self._settings = settings
        self._state = settings.state()
        self._history: History | None = None
        self._trials = self._evaluations = 0

    @property
    def max_budget(self) -> float | None:
        """See `Schedule`."""
        return self._settings.max_budget

    def next(self, history: History, *, exhausted: bool = False) -> Start | Promote | None:
        """See `Schedule`."""
        return self._settings.decide(self.state(history), history, exhausted=exhausted)

    def continuable(self, history: History) -> Set[int]:
        """See `Schedule`."""
        return self._settings.promotable(self.state(history), history)

    def state(self, history: History) -> S:
        """Return the state after everything in a history; another one is read whole."""
        if self._history is not history:
            self._state, self._history = self._settings.state(), history
            self._trials = self._evaluations = 0
        # Results from elsewhere are no decisions of a schedule.
        for trial in history.trials[self._trials :]:
            if trial.bracket != UNSCHEDULED:
                self._state.add_trial(trial)
        for evaluation in history.evaluations[self._evaluations :]:
            if evaluation.trial.bracket != UNSCHEDULED:
                self._state.add_evaluation(evaluation)
        self._trials, self._evaluations = len(history.trials), len(history)
        return self._state


class Replaying(Generic[S]):
    """The methods of `Schedule` for settings whose decisions follow from a replayed state.

    Each decision replays the whole history; those of `start` continue from the last one.
    """

    def start(self: Settings[S]) -> Started[S]:
        """Return the schedule with its state."""
        return Started(self)

    def next(
        self: Settings[S], history: History, *, exhausted: bool = False
    ) -> Start | Promote | None:
        """See `Schedule`."""
        return Started(self).next(history, exhausted=exhausted)

    def continuable(self: Settings[S], history: History) -> Set[int]:
        """See `Schedule`."""
        return Started(self).continuable(history)


class Promotions:
    """The set of promoted trials.

    A promotion whose worker died says nothing about the network, so it may be repeated once.
    After a second loss the promotion itself is taken for the cause.
    """

    def __init__(self) -> None:
        self._requested: Counter[int] = Counter()
        self._lost: Counter[int] = Counter()

    def add_trial(self, trial: Trial) -> None:
        """Read a trial, which may be a promotion."""
        if trial.parent is not None:
            self._requested[trial.parent] += 1

    def add_evaluation(self, evaluation: Evaluation) -> bool:
        """Read an evaluation; return whether its parent may be promoted again."""
        parent = evaluation.trial.parent
        if parent is None or evaluation.status is not Status.LOST:
            return False
        self._lost[parent] += 1
        return parent not in self

    def __contains__(self, trial: int) -> bool:
        """Return whether trial number `trial` is promoted, a first loss not counted."""
        return self._requested[trial] > min(self._lost[trial], 1)
