"""Screening: only the most promising of several proposals is evaluated."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from ConfigSpace import Configuration

from bonas.roles import STRATEGY, check_role
from bonas.strategies.random_search import RandomSearch
from bonas.strategies.strategy import (
    Again,
    Exhausted,
    Proposal,
    ScoreNetworks,
    Startable,
    Strategy,
    recommended,
    started,
)
from fidelity.history.history import History
from fidelity.history.trial import Evaluation
from fidelity.objective import Diverged, InvalidArchitecture
from spaces.keys import Keys
from spaces.space import Space


@dataclass(frozen=True)
class Screened(Startable):
    """Draws several proposals of another strategy and proposes the cheapest by a quick measure.

    The measure may be a zero-cost proxy, `fidelity.proxies.Score(space, dataset, NASWOT())`
    (Mellor et al. 2021, "Neural architecture search without training", algorithm 1 with random
    samples; Abdelfattah et al. 2021, "Zero-cost proxies for lightweight NAS", section 5, with
    others), or the size or latency of a network. Networks that were proposed before are the last
    resort, then those beyond a constraint computable before training; among equals, networks
    without a finite cost come last.

    It suits strategies with random proposals, such as evolution. `BayesianOptimization` learns
    from proxies by its `features`.

    Attributes:
        cost: a function of the configuration alone, lowest for the best. It raises
            InvalidArchitecture or Diverged for a network without a cost.
        strategy: makes the proposals.
        samples: the number of its proposals that are compared.

    Raises:
        ValueError: `samples` is below 1.
    """

    cost: Callable[[Configuration], float]
    strategy: Strategy = field(default_factory=RandomSearch)
    samples: int = 16

    def __post_init__(self) -> None:
        check_role("strategy", self.strategy, STRATEGY, "strategies.RandomSearch()")
        if self.samples < 1:
            raise ValueError(f"samples is {self.samples}: a proposal needs one or more")

    def start(self, space: Space) -> Strategy:
        """See `Startable.start`."""
        return _Screening(replace(self, strategy=started(self.strategy, space)), Keys(space))

    def recommend(self, space: Space, history: History) -> Evaluation | None:
        """See `Recommender.recommend`."""
        return recommended(self.strategy, space, history)


@dataclass(frozen=True)
class _Screening:
    settings: Screened
    keys: Keys = field(repr=False, compare=False)
    costs: dict[str, float] = field(init=False, default_factory=dict, repr=False, compare=False)

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Proposal:
        """See `Strategy.propose`; a repetition of a known network is proposed immediately."""
        drawn: dict[str, Configuration] = {}
        for _ in range(self.settings.samples):
            try:
                proposal = self.settings.strategy.propose(space, history, rng)
            except Exhausted:
                if drawn:
                    break
                raise
            if isinstance(proposal, Again | ScoreNetworks):
                return proposal
            drawn.setdefault(self.keys.key(proposal), proposal)
        asked = history.keys()
        candidates = {key: c for key, c in drawn.items() if key not in asked} or drawn
        # What a proxy scores highest is often large, and so beyond a constraint.
        admitted = {key: c for key, c in candidates.items() if history.goal.admits(c)}
        candidates = admitted or candidates
        return candidates[min(candidates, key=lambda key: self._cost(key, candidates[key]))]

    def recommend(self, space: Space, history: History) -> Evaluation | None:
        return self.settings.recommend(space, history)

    def _cost(self, key: str, configuration: Configuration) -> float:
        if key not in self.costs:
            try:
                cost = float(self.settings.cost(configuration))
            except (InvalidArchitecture, Diverged):
                cost = math.inf
            self.costs[key] = cost if math.isfinite(cost) else math.inf
        return self.costs[key]
