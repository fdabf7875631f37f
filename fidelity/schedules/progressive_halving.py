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
from fidelity.schedules.replay import Replaying
from fidelity.schedules.rungs import Ladder, Rungs
from fidelity.schedules.schedule import Promote, Start

COMPARED = 20
"""The number of latest learning curves that a new one is compared with: the time of a decision does
not grow with the history."""

QUANTILE = 0.9
"""Of the distances between curves that cross (Bohdal et al. 2023, section 4.2)."""


class Progress:
    """A ladder of which the lower rungs are open.

    Attributes:
        ladder: all rungs.
        top: the index of the highest open one.
    """

    def __init__(self, ladder: Ladder) -> None:
        self.ladder = ladder
        self._last = len(ladder.budgets) - 1
        self.top = min(1, self._last)
        self._rankings = _Rankings()

    def add_trial(self, trial: Trial) -> None:
        """Read a trial, which may be a promotion."""
        self.ladder.add_trial(trial)

    def add_evaluation(self, evaluation: Evaluation) -> None:
        """Rank an evaluation; open the next rung if the rankings differ."""
        self.ladder.add_evaluation(evaluation)
        if not evaluation.succeeded or self.ladder.rung(evaluation.trial) != self.top:
            return
        lineage = self._lineage(evaluation)
        if self.top < self._last and len(lineage) > 1:
            self._rankings.add(lineage)
            if self._rankings.differ():
                self.top += 1
                self._rankings = _Rankings()

    def _lineage(self, evaluation: Evaluation) -> list[Evaluation]:
        """Return an evaluation and those that it resumes, the first one last."""
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
        """Add a trial of the highest rung with all that it resumes, the first one last."""
        costs = (lineage[0].cost, lineage[1].cost)
        rank = bisect(self._upper, costs)
        self._upper.insert(rank, costs)
        self._lower.insert(rank, costs[1])
        insort(self._lower_sorted, costs[1])
        curve = _curve(lineage)
        for other in self._curves:
            common = sorted(curve.keys() & other.keys())
            between = [curve[step] - other[step] for step in common]
            if crossings(between) >= 2:
                insort(self._noise, abs(between[-1]))
        self._curves.append(curve)

    def differ(self) -> bool:
        """Return whether the rankings differ by more than noise."""
        noise = self._noise[ceil(QUANTILE * len(self._noise)) - 1] if self._noise else 0.0
        distance = np.abs(np.frombuffer(self._lower) - np.frombuffer(self._lower_sorted))
        return bool(distance.max() > noise)


@dataclass(frozen=True)
class ProgressiveHalving(Rungs, Replaying[Progress]):
    """`AsynchronousHalving` that opens higher rungs only while the ranking still changes.

    The two lowest rungs are open at first. Whenever an evaluation ends in the highest open rung,
    the trials there are ranked by their costs in it and in the rung below. If the two rankings
    differ, the next rung is opened. Rankings are soft: the trial at each rank of the upper ranking
    may cost up to epsilon more or less in the lower rung than the one at that rank of the lower
    ranking.

    Epsilon is the noise of the costs as estimated by Bohdal et al. (2023, "PASHA: efficient HPO and
    NAS with progressive resource allocation"): of two trials whose learning curves cross twice or
    more, neither is better; epsilon is the 0.9 quantile of the distances of such curves where both
    end. Curves are the reported ones, with the costs in each rung; each trial that reaches the
    highest rung is compared with the 20 that did so before it. Without such pairs epsilon is 0, and
    any change of the ranking opens a rung.

    Failed evaluations count in their rung and are never promoted. A promotion whose worker died
    does not count, and is repeated.

    Its budgets are those of `Rungs`.
    """

    def state(self) -> Progress:
        """See `Settings`."""
        return Progress(Ladder(self.budgets, self.eta, set()))

    def decide(
        self, state: Progress, history: History, *, exhausted: bool
    ) -> Start | Promote | None:
        """See `Settings`."""
        promotion = state.ladder.promotion(state.top)
        return promotion or (None if exhausted else Start(state.ladder.budgets[0]))

    def promotable(self, state: Progress, history: History) -> Set[int]:
        """See `Settings`."""
        return state.ladder.paused

    def reached(self, history: History) -> float:
        """Return the highest budget that is open."""
        return self.budgets[self.start().state(history).top]


def _curve(lineage: list[Evaluation]) -> dict[float, float]:
    """Return the cost after each step, over all trials of one network."""
    curve: dict[float, float] = {}
    for evaluation in reversed(lineage):
        curve.update(evaluation.curve)
        curve[evaluation.trial.budget] = evaluation.cost
    return curve


def crossings(between: list[float]) -> int:
    """Return the number of sign changes of the distance between two curves."""
    signs = [distance > 0 for distance in between if distance]
    return sum(one != other for one, other in pairwise(signs))
