"""What a strategy is asked for: proposals within all limits that are known beforehand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from ConfigSpace import Configuration

from bonas.failures import NothingFeasible
from bonas.strategies.bayesian import BayesianOptimization
from bonas.strategies.multi_objective import MultiObjectiveBayesianOptimization
from bonas.strategies.strategy import Again, Proposal, Strategy
from fidelity.history import History, refused_record
from fidelity.one_cost import one_cost
from fidelity.target import Target
from spaces.space import Space, recorded, trial_key

ATTEMPTS = 1000
"""After so many proposals beyond a limit in a row, nothing is taken to be within it."""


@dataclass
class Proposals:
    """Asks a strategy for the network of each new trial.

    A network beyond a limit that its configuration alone tells is refused: it is never trained,
    the history remembers its key, and the strategy is asked again. So every strategy keeps such
    limits, by rejection.

    Attributes:
        space: the space.
        strategy: what is asked.
        history: of the search.
        seed: of the search.
        record: writes a record to the journal.
    """

    space: Space
    strategy: Strategy
    history: History
    seed: int
    record: Callable[[Mapping[str, Any]], None]
    _keys: dict[bytes, str] = field(init=False, default_factory=dict, repr=False)

    def network(self, number: int) -> tuple[Configuration, str, int]:
        """The configuration, the key and the seed of trial number `number`.

        Raises:
            Exhausted: the strategy has nothing left to propose.
            SpaceError: the strategy proposed what is no configuration of the space.
            NothingFeasible: `ATTEMPTS` proposals in a row were beyond a limit.
        """
        proposal = self._admitted(number)
        if isinstance(proposal, Again):
            earlier = proposal.trial
            seeds = [trial.seed for trial in self.history.of_network(earlier.key)]
            return earlier.configuration, earlier.key, max(seeds) + 1
        return proposal, self._key(proposal), self.seed

    def _admitted(self, number: int) -> Proposal:
        target = self.history.target
        beyond: Mapping[str, float] = {}
        repeated = 0  # refusals since the last one that the history did not know
        for _ in range(ATTEMPTS):
            # Each question has a generator of its own, which the history alone determines.
            refused = [len(self.history.refused), repeated] if self.history.refused else []
            rng = np.random.default_rng([self.seed, number, *refused])
            proposal = self.strategy.propose(self.space, one_cost(self.history), rng)
            if isinstance(proposal, Again):
                return proposal
            proposal = recorded(self.history.space, proposal, rng)
            if target.admits(proposal):
                return proposal
            beyond = target.known(proposal)
            key = self._key(proposal)
            repeated += 1
            if key not in self.history.refused:
                self.history.refuse(key)
                self.record(refused_record(key))
                repeated = 0
        values = ", ".join(f"{name} {value:g}" for name, value in beyond.items())
        raise NothingFeasible(
            f"{ATTEMPTS} proposals in a row were beyond a limit "
            f"({', '.join(map(str, target.constraints))}); the last one had {values}: loosen a "
            "limit, or search a space that has smaller networks"
        )

    def _key(self, configuration: Configuration) -> str:
        vector = configuration.get_array().tobytes()
        if vector not in self._keys:
            self._keys[vector] = trial_key(self.space, configuration)
        return self._keys[vector]


def default_strategy(target: Target) -> Strategy:
    """Bayesian optimization, for several objectives where there are several."""
    several = len(target.objectives) > 1
    return MultiObjectiveBayesianOptimization() if several else BayesianOptimization()
