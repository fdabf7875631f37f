"""Proposals of a strategy within the constraints that are computable before training."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field

import numpy as np
from ConfigSpace import Configuration

from bonas.search.failures import NothingFeasible
from bonas.search.feasibility_descent import Closest
from bonas.search.scorer import Scorer
from bonas.search.storage import Storage
from bonas.strategies.strategy import Again, ScoreNetworks, Strategy
from fidelity.history.history import History
from fidelity.history.ranking import ranked
from spaces.keys import Keys
from spaces.space import Space, recorded

MAX_REFUSALS = 1000
"""Proposals that violate a constraint in a row, after which the search gives up."""

VERIFY_AFTER_REFUSALS = 20
"""Refused proposals in a row after which the search verifies that a constraint can be met."""


class Postponed(Exception):
    """The run is to end, and no proposal has been admitted yet.

    It has a text where proposals were refused.
    """


@dataclass
class Proposer:
    """Asks a strategy for the network of each new trial.

    A network that violates a constraint computable before training is refused: it is never
    trained, the history remembers its key, and the strategy proposes again. So every strategy
    meets such constraints, by rejection.

    Attributes:
        space: of the search.
        strategy: proposes.
        storage: of the history; it records refusals.
        seed: of the search.
        scorer: scores networks for the strategy.
    """

    space: Space
    strategy: Strategy
    storage: Storage
    seed: int
    scorer: Scorer
    _keys: Keys = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._keys = Keys(self.space)

    def enqueue(self, configuration: Configuration) -> None:
        """Propose a configuration before anything else.

        Raises:
            NothingFeasible: it violates a constraint that is computable before training.
        """
        if not self.history.goal.admits(configuration):
            raise NothingFeasible(
                f"the enqueued configuration violates a constraint ({self._constraints}): it has "
                f"{self._quantities(configuration)}"
            )
        self.storage.enqueue(configuration)

    def key(self, configuration: Configuration) -> str:
        """Return the key of a configuration in the history."""
        return self._keys.key(configuration)

    @property
    def history(self) -> History:
        """The history of the search."""
        return self.storage.history

    def network(
        self, number: int, give_up: Callable[[], bool] = lambda: False
    ) -> tuple[Configuration, str, int]:
        """Return the configuration, the key and the seed of a new trial.

        Args:
            number: of the trial.
            give_up: is called after each refused proposal, and before a quantity of a candidate is
                computed; returns whether to give up.

        Raises:
            Exhausted: the strategy has nothing left to propose.
            SpaceError: the strategy proposed something else than a configuration of the space.
            NothingFeasible: no network meets the constraints, or none of `MAX_REFUSALS` proposals.
            Postponed: `give_up` returned True.
        """
        if (enqueued := self.storage.dequeue()) is not None:
            return enqueued, self.key(enqueued), self.seed
        proposal = self._admitted(number, give_up)
        if isinstance(proposal, Again):
            earlier = proposal.trial
            seeds = [trial.seed for trial in self.history.of_network(earlier.key)]
            return earlier.configuration, earlier.key, max(seeds) + 1
        return proposal, self.key(proposal), self.seed

    def _admitted(self, number: int, give_up: Callable[[], bool]) -> Configuration | Again:
        goal = self.history.goal
        refusals: list[Configuration] = []
        repeated = 0  # refusals since the last one of a network that was not refused before
        for _ in range(MAX_REFUSALS):
            # Each proposal has a generator of its own, which the history alone determines.
            refused = [len(self.history.refused), repeated] if self.history.refused else []
            rng = np.random.default_rng([self.seed, number, *refused])
            try:
                proposal = self.strategy.propose(self.space, self.seen(give_up), rng)
            except Postponed:
                raise self._postponed(refusals) from None
            if isinstance(proposal, ScoreNetworks):
                if not self.scorer.score(proposal, self.key, give_up):
                    raise Postponed
                continue
            if isinstance(proposal, Again):
                return proposal
            proposal = recorded(self.history.space, proposal, rng)
            if goal.admits(proposal):
                return proposal
            refusals.append(proposal)
            key = self.key(proposal)
            repeated += 1
            if key not in self.history.refused:
                self.storage.refuse(key)
                repeated = 0
            if len(refusals) == VERIFY_AFTER_REFUSALS and not self.history.trials:
                self._verify_feasible(refusals, give_up)
            if give_up():
                raise self._postponed(refusals)
        closest = min(refusals, key=goal.known_violation)
        raise NothingFeasible(
            f"{MAX_REFUSALS} proposals in a row were beyond a constraint ({self._constraints}); "
            f"the closest has {self._quantities(closest)}: loosen a constraint, begin within it by "
            "strategies.StartFrom, or search a space that has smaller networks"
        )

    def seen(self, give_up: Callable[[], bool]) -> History:
        """Return the history as strategy and schedule see it.

        They may compute quantities of many candidates, so its goal raises `Postponed` where
        `give_up` returns True.
        """
        history = ranked(self.history)
        if history.goal.plain:
            return history

        def check() -> None:
            if give_up():
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

    def _verify_feasible(self, refusals: list[Configuration], give_up: Callable[[], bool]) -> None:
        """Raise if a descent finds that no network meets the constraints."""
        closest = Closest(self.history.goal, give_up)
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
