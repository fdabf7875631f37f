"""Quick setups and objectives for tests of comparisons; module-level, so that they travel."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass

import numpy as np
from ConfigSpace import Configuration

from bonas.comparison import Setup
from bonas.strategies import RandomSearch, RegularizedEvolution
from fidelity.history.history import History
from fidelity.schedules import Hyperband
from fidelity.tables import MNIST1DCells
from spaces.space import Space

TABLE = MNIST1DCells()
SETUPS = {
    "random": Setup(RandomSearch()),
    "evolution": Setup(RegularizedEvolution(population=5, sample_size=3)),
    "random x Hyperband": Setup(RandomSearch(), Hyperband(1, 27)),
}


@dataclass(frozen=True)
class Broken:
    """A strategy that fails with some seeds after three proposals."""

    fails: bool = True

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Configuration:
        if self.fails and len(history) == 3:
            raise ZeroDivisionError("it broke")
        return RandomSearch().propose(space, history, rng)


@dataclass(frozen=True)
class Deadly:
    """A strategy that kills the process in which it runs, unless it is that of the test."""

    parent: int

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Configuration:
        if os.getpid() != self.parent:
            os.kill(os.getpid(), signal.SIGKILL)
        return RandomSearch().propose(space, history, rng)


def steep(configuration: Configuration, seed: int) -> float:
    """A cost that needs no table."""
    return list(configuration.values()).count("skip_connect") + seed / 10
