"""Progressive asynchronous halving (PASHA; Bohdal et al. 2023, ICLR): budgets only as needed."""

from __future__ import annotations

from array import array
from bisect import bisect, insort
from collections import deque
from collections.abc import Set
from dataclasses import dataclass
from itertools import pairwise
from math import ceil

import numpy as np

from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Trial
from fidelity.schedules.replay import follow
from fidelity.schedules.rungs import Ladder, Rungs
from fidelity.schedules.schedule import Promote, Start

# Pairs of learning curves are compared with so many of the latest ones, so that a decision takes
# as long in a long history as in a short one.
COMPARED = 20
QUANTILE = 0.9  # of the distances between curves that cross; Bohdal et al., section 4.2


@dataclass(frozen=True)
class ProgressiveHalving(Rungs):
    """`AsynchronousHalving` that goes higher only while the ranking still changes.

    It begins with the two lowest rungs. Whenever an evaluation ends in the highest rung so far,
    the trials there are ranked by their costs in it and in the rung below. If the two rankings
    differ, the next rung is opened. Rankings are soft: the trial at each place of the upper
    ranking may cost up to epsilon more or less in the lower rung than the one at that place of
    the lower ranking.

    Epsilon is the noise of the costs as Bohdal et al. (2023, "PASHA: efficient HPO and NAS with
    progressive resource allocation") estimate it: of two trials whose learning curves cross
    twice or more, neither is better; epsilon is the 0.9 quantile of what lies between such
    curves where both end. Curves are what the objective reports, with the costs in each rung;
    of every trial that reaches the highest rung, against the 20 that did so before it. Without
    such pairs epsilon is 0, and any change of the ranking opens a rung.

    Failed evaluations count in their rung and are never promoted. A promotion whose worker died
    does not count, and is made once more.

    Its budgets are those of `Rungs`.
    """

    def next(self, history: History, *, exhausted: bool = False) -> Start | Promote | None:
        """The promotion to the highest rung that is open, or a new configuration."""
        state = self._state(history)
        promotion = state.ladder.promotion(state.top)
        return promotion or (None if exhausted else Start(state.ladder.budgets[0]))

    def continuable(self, history: History) -> Set[int]:
        """Everything below `max_budget` that succeeded and has not been promoted."""
        return self._state(history).ladder.paused

    def reached(self, history: History) -> float:
        """The highest budget that is open by now."""
        return self.budgets[self._state(history).top]

    def _state(self, history: History) -> _Progress:
        return follow(history, self, lambda: _Progress(self))


class _Progress:
    """A ladder, and how many of its rungs are open.

    Attributes:
        ladder: all rungs.
        top: the highest one that is open.
    """

    def __init__(self, schedule: ProgressiveHalving) -> None:
        self.ladder = Ladder(schedule.budgets, schedule.eta, set())
        self._last = len(schedule.budgets) - 1
        self.top = min(1, self._last)
        self._rankings = _Rankings()

    def asked(self, trial: Trial) -> None:
        self.ladder.asked(trial)

    def ended(self, evaluation: Evaluation) -> None:
        self.ladder.ended(evaluation)
        if not evaluation.succeeded or self.ladder.rung(evaluation.trial) != self.top:
            return
        lineage = self._lineage(evaluation)
        if self.top < self._last and len(lineage) > 1:
            self._rankings.add(lineage)
            if self._rankings.differ():
                self.top += 1
                self._rankings = _Rankings()

    def _lineage(self, evaluation: Evaluation) -> list[Evaluation]:
        """An evaluation and those that it continues, the first one last."""
        lineage = [evaluation]
        while (parent := lineage[-1].trial.parent) is not None:
            below = self.ladder.success(parent)
            if below is None:
                break
            lineage.append(below)
        return lineage


class _Rankings:
    """The trials of the highest rung, ranked by their costs there and in the rung below."""

    def __init__(self) -> None:
        self._upper: list[tuple[float, float]] = []  # costs in both, ascending
        self._lower = array("d")  # costs in the rung below, in the order of `_upper`
        self._lower_sorted = array("d")
        self._curves: deque[dict[float, float]] = deque(maxlen=COMPARED)
        self._noise: list[float] = []  # distances of curves that cross, ascending

    def add(self, lineage: list[Evaluation]) -> None:
        """Takes in a trial of the highest rung with all it continues, the first one last."""
        costs = (lineage[0].cost, lineage[1].cost)
        place = bisect(self._upper, costs)
        self._upper.insert(place, costs)
        self._lower.insert(place, costs[1])
        insort(self._lower_sorted, costs[1])
        curve = _curve(lineage)
        for other in self._curves:
            common = sorted(curve.keys() & other.keys())
            between = [curve[step] - other[step] for step in common]
            if crossings(between) >= 2:
                insort(self._noise, abs(between[-1]))
        self._curves.append(curve)

    def differ(self) -> bool:
        """Whether the rankings differ by more than noise."""
        noise = self._noise[ceil(QUANTILE * len(self._noise)) - 1] if self._noise else 0.0
        distance = np.abs(np.frombuffer(self._lower) - np.frombuffer(self._lower_sorted))
        return bool(distance.max() > noise)


def _curve(lineage: list[Evaluation]) -> dict[float, float]:
    """The cost after each step, over all trials that one network went through."""
    curve: dict[float, float] = {}
    for evaluation in reversed(lineage):
        curve.update(evaluation.curve)
        curve[evaluation.trial.budget] = evaluation.cost
    return curve


def crossings(between: list[float]) -> int:
    """How often the sign of the distance between two curves changes."""
    signs = [distance > 0 for distance in between if distance]
    return sum(one != other for one, other in pairwise(signs))
