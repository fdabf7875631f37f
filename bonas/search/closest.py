"""The network closest to the constraints that are known before training."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from ConfigSpace import Configuration

from fidelity.history.goal import Goal
from spaces.configurations.mutation import variants

STARTS = 2
"""Configurations from which a descent begins, one after another."""

ENOUGH_COUNTED = 100
"""Configurations looked at, after which no further descent begins."""


class Closest:
    """The configuration with the smallest known violation of all that were looked at.

    Coordinate descent: one choice after another, parents first, takes its best value, until none
    improves. Parameters or multiply-adds are nearly sums over the choices, so that a sweep or two
    leads to a smallest network. The descents are the same in every run.

    Args:
        goal: the constraints, and what is computed of a configuration.
        stop: whether to end early; it is asked before each configuration.

    Attributes:
        configuration: the closest one, from the first descent on.
        violation: its violation; 0 keeps all constraints.
        counted: the number of configurations looked at.
    """

    configuration: Configuration

    def __init__(self, goal: Goal, stop: Callable[[], bool]) -> None:
        self.violation = math.inf
        self.counted = 0
        self._ended = False  # a descent, where no single change leads nearer
        self._sides: set[bool] = set()  # whether an upper bound was exceeded, a lower one missed
        self._goal = goal
        self._stop = stop

    def descend(self, starts: Sequence[Configuration]) -> None:
        """Look from `starts`, the closest first, until a configuration keeps all constraints."""
        self.configuration = starts[0]
        for start in sorted(starts, key=self._look)[:STARTS]:
            if self.violation > 0.0 and not (self._ended and self.counted >= ENOUGH_COUNTED):
                self._descend(start)

    @property
    def conclusive(self) -> bool:
        """Whether a descent ended, and all configurations were beyond bounds on the same side.

        Where some are above a bound and others below one, a descent may end between them.
        """
        return self._ended and len(self._sides) == 1

    def _descend(self, current: Configuration) -> None:
        rng = np.random.default_rng(0)
        violation = self._goal.known_violation(current)
        while True:
            before = violation
            for index in range(len(current.config_space)):
                for variant in variants(current, index, rng):
                    if self.violation == 0.0 or self._stop():
                        return
                    if (found := self._look(variant)) < violation:
                        current, violation = variant, found
            if not violation < before:
                self._ended = True
                return

    def _look(self, configuration: Configuration) -> float:
        violation = self._goal.known_violation(configuration)
        self.counted += 1
        self._sides.update(self._violated_sides(configuration))
        if violation < self.violation:
            self.configuration, self.violation = configuration, violation
        return violation

    def _violated_sides(self, configuration: Configuration) -> Iterator[bool]:
        """Yield True for an upper bound that is exceeded, False for a lower one that is missed."""
        known = self._goal.known(configuration)
        for constraint in self._goal.constraints:
            value = known.get(constraint.name, math.inf)
            if math.isfinite(value):  # an infinite one is of a network that cannot be trained
                if constraint.at_most is not None and value > constraint.at_most:
                    yield True
                if constraint.at_least is not None and value < constraint.at_least:
                    yield False
