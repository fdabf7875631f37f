"""Screening: only the most promising of several proposals is evaluated."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from ConfigSpace import Configuration

from bonas.roles import STRATEGY, check_role
from bonas.strategies.random_search import RandomSearch
from bonas.strategies.strategy import Again, Exhausted, Proposal, Recommender, Strategy
from fidelity.history.history import History
from fidelity.history.trial import Evaluation
from fidelity.objective import Diverged, InvalidArchitecture
from spaces.keys import trial_key
from spaces.space import Space


@dataclass(frozen=True)
class Screened:
    """Asks another strategy several times and proposes what costs least by a cheap measure.

    The measure may be a zero-cost proxy, `fidelity.proxies.Score(space, dataset, NASWOT())`
    (Mellor et al. 2021, "Neural architecture search without training", algorithm 1 with random
    samples; Abdelfattah et al. 2021, "Zero-cost proxies for lightweight NAS", section 5, with
    others), or how large or slow a network is. Networks that were proposed before come only where
    there is nothing else, and those without a finite cost after all others.

    It is for strategies that propose something else each time: random ones and evolution. A
    `BayesianOptimization` learns from proxies by its `features`.

    Attributes:
        cost: of a configuration, lowest for the best; a function of it alone. An
            InvalidArchitecture or a Diverged that it raises means that there is none.
        strategy: what is asked.
        samples: how often it is asked for one proposal.

    Raises:
        ValueError: there is no sample.
    """

    cost: Callable[[Configuration], float]
    strategy: Strategy = field(default_factory=RandomSearch)
    samples: int = 16
    _costs: dict[str, float] = field(init=False, default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the strategy and the number."""
        check_role("strategy", self.strategy, STRATEGY, "strategies.RandomSearch()")
        if self.samples < 1:
            raise ValueError(f"samples is {self.samples}: a proposal needs one or more")

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Proposal:
        """See `Strategy.propose`; a repetition of a known network is proposed as it comes."""
        drawn: dict[str, Configuration] = {}
        for _ in range(self.samples):
            try:
                proposal = self.strategy.propose(space, history, rng)
            except Exhausted:
                if drawn:
                    break
                raise
            if isinstance(proposal, Again):
                return proposal
            drawn.setdefault(trial_key(space, proposal), proposal)
        asked = history.keys()
        new = {key: chosen for key, chosen in drawn.items() if key not in asked} or drawn
        return new[min(new, key=lambda key: self._cost(key, new[key]))]

    def recommend(self, space: Space, history: History) -> Evaluation | None:
        """What the other strategy recommends, or else the incumbent."""
        if isinstance(self.strategy, Recommender):
            return self.strategy.recommend(space, history)
        return history.incumbent

    def _cost(self, key: str, configuration: Configuration) -> float:
        if key not in self._costs:
            try:
                cost = float(self.cost(configuration))
            except (InvalidArchitecture, Diverged):
                cost = math.inf
            self._costs[key] = cost if math.isfinite(cost) else math.inf
        return self._costs[key]
