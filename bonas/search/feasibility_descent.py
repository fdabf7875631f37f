"""A descent to the network that comes closest to the constraints computable before training."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from ConfigSpace import Configuration

from fidelity.history.goal import Goal
from spaces.configurations.mutation import variants

MAX_DESCENTS = 2
"""Configurations from which a descent begins, one after another."""

ENOUGH_CONFIGURATIONS = 100
"""Evaluated configurations after which no further descent begins."""


class Closest:
    """The configuration with the smallest known violation among those evaluated so far.

    Coordinate descent sets one choice after another, parents first, to its best value, until none
    improves. Parameters and multiply-adds are nearly sums over the choices, so one or two sweeps
    lead to a smallest network. The descents are the same in every run.

    Args:
        goal: the constraints, and the quantities that are computed from a configuration.
        stop: whether to end early; it is called before each configuration.

    Attributes:
        configuration: the closest one, from the first descent on.
        violation: its violation; 0 means that it meets all constraints.
        counted: the number of evaluated configurations.
    """

    configuration: Configuration

    def __init__(self, goal: Goal, stop: Callable[[], bool]) -> None:
        self.violation = math.inf
        self.counted = 0
        self._ended = False  # whether a descent reached a local optimum
        self._sides: set[bool] = set()  # whether an upper bound was exceeded, a lower one missed
        self._goal = goal
        self._stop = stop

    def descend(self, starts: Sequence[Configuration]) -> None:
        """Descend from `starts`, the closest first, until a configuration meets all constraints."""
        self.configuration = starts[0]
        for start in sorted(starts, key=self._evaluate)[:MAX_DESCENTS]:
            if self.violation > 0.0 and not (self._ended and self.counted >= ENOUGH_CONFIGURATIONS):
                self._descend(start)

    @property
    def conclusive(self) -> bool:
        """Whether a descent ended, and every configuration violated bounds on the same side.

        Where some exceed a bound and others miss one, a descent may end in a local optimum.
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
                    if (nearer := self._evaluate(variant)) < violation:
                        current, violation = variant, nearer
            if not violation < before:
                self._ended = True
                return

    def _evaluate(self, configuration: Configuration) -> float:
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
