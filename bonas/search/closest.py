"""A descent to the network that comes closest to the constraints computable before training."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

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
        """Whether a descent ended, and all bounds were on one side.

        Between a lower and an upper bound, a descent may end in a local optimum.
        """
        known = [c for c in self._goal.constraints if c.name in self._goal.computed]
        bounds = {(c.at_most is None, c.at_least is None) for c in known}
        return self._ended and len(bounds) == 1 and (False, False) not in bounds

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
        if violation < self.violation:
            self.configuration, self.violation = configuration, violation
        return violation
