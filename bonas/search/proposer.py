"""What a strategy is asked for: proposals within all limits that are known beforehand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from ConfigSpace import Configuration

from bonas.search.closest import Closest
from bonas.search.failures import NothingFeasible
from bonas.strategies.bayesian import BayesianOptimization
from bonas.strategies.multi_objective import MultiObjectiveBayesianOptimization
from bonas.strategies.strategy import Again, Proposal, Strategy
from fidelity.history.goal import Goal
from fidelity.history.history import History
from fidelity.history.ranking import ranked
from fidelity.history.records import refused_record
from spaces.keys import trial_key
from spaces.space import Space, recorded

ATTEMPTS = 1000
"""Proposer beyond a constraint in a row after which the search gives up."""

PATIENCE = 20
"""Refused proposals in a row after which the search verifies that a constraint can be kept."""


class Postponed(Exception):
    """The run is to end, and no proposal has been admitted yet.

    It has a text where proposals were refused.
    """


@dataclass
class Proposer:
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

    def network(
        self, number: int, stop: Callable[[], bool] = lambda: False
    ) -> tuple[Configuration, str, int]:
        """Return the configuration, the key and the seed of a new trial.

        Args:
            number: of the trial.
            stop: whether to give up; it is called after each refused proposal, and before a
                quantity of a candidate is computed.

        Raises:
            Exhausted: the strategy has nothing left to propose.
            SpaceError: the strategy proposed what is no configuration of the space.
            NothingFeasible: no network keeps the constraints, or none of `ATTEMPTS` proposals did.
            Postponed: `stop` said so.
        """
        proposal = self._admitted(number, stop)
        if isinstance(proposal, Again):
            earlier = proposal.trial
            seeds = [trial.seed for trial in self.history.of_network(earlier.key)]
            return earlier.configuration, earlier.key, max(seeds) + 1
        return proposal, self._key(proposal), self.seed

    def _admitted(self, number: int, stop: Callable[[], bool]) -> Proposal:
        goal = self.history.goal
        refusals: list[Configuration] = []
        repeated = 0  # refusals since the last one that the history did not know
        for _ in range(ATTEMPTS):
            # Each question has a generator of its own, which the history alone determines.
            refused = [len(self.history.refused), repeated] if self.history.refused else []
            rng = np.random.default_rng([self.seed, number, *refused])
            try:
                proposal = self.strategy.propose(self.space, self._seen(stop), rng)
            except Postponed:
                raise self._postponed(refusals) from None
            if isinstance(proposal, Again):
                return proposal
            proposal = recorded(self.history.space, proposal, rng)
            if goal.admits(proposal):
                return proposal
            refusals.append(proposal)
            key = self._key(proposal)
            repeated += 1
            if key not in self.history.refused:
                self.history.refuse(key)
                self.record(refused_record(key))
                repeated = 0
            if len(refusals) == PATIENCE and not self.history.trials:
                self._verify_feasible(refusals, stop)
            if stop():
                raise self._postponed(refusals)
        closest = min(refusals, key=goal.known_violation)
        raise NothingFeasible(
            f"{ATTEMPTS} proposals in a row were beyond a constraint ({self._constraints}); the "
            f"closest has {self._quantities(closest)}: loosen a constraint, begin within it by "
            "strategies.StartFrom, or search a space that has smaller networks"
        )

    def _seen(self, stop: Callable[[], bool]) -> History:
        """Return the history for the strategy, which may compute quantities of many candidates.

        Its goal raises `Postponed` where `stop` says so.
        """
        history = ranked(self.history)
        if history.goal.plain:
            return history

        def check() -> None:
            if stop():
                raise Postponed

        seen = copy(history)  # its records are shared
        seen.goal = history.goal.interruptible(check)
        return seen

    def _postponed(self, refusals: list[Configuration]) -> Postponed:
        if not refusals:
            return Postponed()
        closest = min(refusals, key=self.history.goal.known_violation)
        return Postponed(
            f"the run ends while proposals are refused: the last {len(refusals)} were beyond a "
            f"constraint ({self._constraints}), the closest has {self._quantities(closest)}"
        )

    def _verify_feasible(self, refusals: list[Configuration], stop: Callable[[], bool]) -> None:
        """Raise unless some network keeps the constraints, as far as a descent can tell."""
        closest = Closest(self.history.goal, stop)
        closest.descend(refusals)
        if closest.violation == 0.0 or not closest.conclusive:
            return
        raise NothingFeasible(
            f"no network within the constraints ({self._constraints}) was found: the closest of "
            f"{closest.counted} has {self._quantities(closest.configuration)}; loosen a limit to "
            "what exists, or search a space that has smaller networks"
        )

    @property
    def _constraints(self) -> str:
        return ", ".join(map(str, self.history.goal.constraints))

    def _quantities(self, configuration: Configuration) -> str:
        """The constrained quantities of a configuration, as far as they are known."""
        known = self.history.goal.known(configuration)
        names = dict.fromkeys(c.name for c in self.history.goal.constraints)
        return ", ".join(f"{name} {known[name]:g}" for name in names if name in known)

    def _key(self, configuration: Configuration) -> str:
        vector = configuration.get_array().tobytes()
        if vector not in self._keys:
            self._keys[vector] = trial_key(self.space, configuration)
        return self._keys[vector]


def default_strategy(goal: Goal) -> Strategy:
    """Bayesian optimization, for several objectives where there are several."""
    several = len(goal.objectives) > 1
    return MultiObjectiveBayesianOptimization() if several else BayesianOptimization()
