"""Bayesian optimization over architectures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from ConfigSpace import Configuration

from bonas.acquisition.candidates import Candidates, Pool
from bonas.acquisition.feasibility import Feasibility, own_costs
from bonas.acquisition.prior import Belief
from bonas.strategies.remembered import remembered
from bonas.strategies.strategy import Again, Proposal
from bonas.surrogates.observations import Observations, observations, repeatable, running
from bonas.surrogates.transform import Transform, normal_scores
from bonas.surrogates.tuning import Tuning
from fidelity.history.goal import Goal
from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Trial
from spaces.encoding import Encoder, Features
from spaces.space import Space

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from bonas.acquisition.functions import Acquisition
    from bonas.surrogates.surrogate import Surrogate
    from fidelity.botorch import Model

CONTENDERS = 200
"""So many of the evaluated networks, the best by cost, are compared with what is new."""


def _surrogate() -> Surrogate:
    from bonas.surrogates.gaussian_process import GaussianProcess

    return GaussianProcess()


def _acquisition() -> Acquisition:
    from bonas.acquisition.functions import LogKnowledgeGradient

    return LogKnowledgeGradient()


@dataclass
class _Memory:
    """What was derived from arguments; it changes how long a proposal takes, and nothing else."""

    pool: Pool
    feasibility: Feasibility
    tuning: Tuning = field(default_factory=Tuning)

    @property
    def space(self) -> Space:
        """Of the pool."""
        return self.pool.space


@dataclass(frozen=True)
class BayesianOptimization:
    """Fits a surrogate to what was seen and proposes where the acquisition function is highest.

    A limit that is known beforehand is kept by every proposal; of one that only an evaluation
    tells, the probability that it is kept weights the acquisition function (see `Feasibility`).

    With several budgets the surrogate learns from the largest one with enough evaluations;
    failures count as the worst cost seen. If the acquisition function values repeats, a
    contender may be evaluated with another seed instead of a new network.

    What is running is in `history.pending` and taken into account, so several proposals may be
    made at once, and the next one may be computed while workers train.

    Attributes:
        surrogate: what learns the costs.
        acquisition: what a candidate promises.
        candidates: where to look.
        transform: what is learned instead of the costs.
        initial: how many random networks come first.
        repeats: a network is evaluated at most so many times; 1 forbids repeats.
        features: more of what is known of a configuration, for surrogates that look at it: costs
            (`spaces.CostFeatures`) or zero-cost proxies. A forest does; a Gaussian process with
            a `FeatureView`.
        belief: of the user, about where the best configuration is. The acquisition function is
            multiplied by its density to the power `confidence` / observations (Hvarfner et al.
            2022, "piBO", equation 6), so that it fades as evidence comes in; it also chooses
            the initial networks, drawn in proportion to it.
        confidence: how many observations the belief is worth.
    """

    surrogate: Surrogate = field(default_factory=_surrogate)
    acquisition: Acquisition = field(default_factory=_acquisition)
    candidates: Candidates = field(default_factory=Candidates)
    transform: Transform = normal_scores
    initial: int = 5
    repeats: int = 8
    features: Features | None = None
    belief: Belief | None = None
    confidence: float = 10.0
    _memory: list[_Memory] = field(init=False, default_factory=list, repr=False, compare=False)

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Proposal:
        """See `Strategy.propose`."""
        memory = self._remember(space)
        asked = history.keys()
        ranked = observations(history, self.initial)
        if history.networks < self.initial or not ranked:
            return self._first(memory.pool, asked, rng)
        observed = own_costs(ranked, history.goal)
        unseen = memory.pool.unseen(asked, ranked.best_first(), len(history.trials), rng)
        pending = [trial.configuration for trial in running(history)]
        problem = self._problem(memory, observed, pending, list(unseen.values()))
        again = repeatable(history, observed, self.repeats)
        chances = memory.feasibility.log_weight(
            memory.pool.encoder, history, problem.configurations
        )
        bonus = self._log_belief(problem.configurations, len(observed))
        seed = int(rng.integers(2**31))
        return problem.maximise(
            self.acquisition, list(again.values()), _sum(bonus, chances), history.goal, seed
        )

    def _log_belief(self, chosen: Sequence[Configuration], n: int) -> Tensor | None:
        """What the belief adds to the scores after `n` observations."""
        if self.belief is None:
            return None
        import torch

        densities = [self.belief.log_density(configuration) for configuration in chosen]
        return self.confidence / n * torch.tensor(densities, dtype=torch.float64)

    def _first(self, pool: Pool, asked: set[str], rng: np.random.Generator) -> Configuration:
        """A network of the initial design: random, or a random one that the belief favours."""
        if self.belief is None:
            return pool.random(asked, rng)
        unseen = list(pool.unseen(asked, [], len(asked), rng).values())
        densities = [self.belief.log_density(chosen) for chosen in unseen]
        # The Gumbel trick: drawn in proportion to the density.
        drawn = np.array(densities) + rng.gumbel(size=len(densities))
        return unseen[int(drawn.argmax())]

    def recommend(self, space: Space, history: History) -> Evaluation | None:
        """The network of the highest posterior mean among the evaluated ones, at its lowest cost.

        At the highest budget at which anything succeeded, like `History.incumbent`, which it is
        as long as there are too few evaluations for a model.
        """
        incumbent = history.incumbent
        if incumbent is None:
            return None
        observed = own_costs(Observations(history.at(incumbent.trial.budget)), history.goal)
        if len(observed) < self.initial:
            return incumbent
        believed = self._problem(self._remember(space), observed, [], []).believed()
        for key in sorted(believed, key=lambda name: -believed[name]):
            positions = observed.networks()[key]
            found = [
                observed.evaluations[p]
                for p in positions
                if history.goal.feasible(observed.evaluations[p])
            ]
            if found:
                return min(found, key=lambda evaluation: evaluation.cost)
        return incumbent

    def _remember(self, space: Space) -> _Memory:
        def made() -> _Memory:
            encoder = Encoder(space, 1, self.features, self.surrogate.reads_paths)
            return _Memory(Pool(space, self.candidates, encoder), Feasibility(self.surrogate))

        return remembered(self._memory, space, made)

    def _problem(
        self,
        memory: _Memory,
        observed: Observations,
        pending: Sequence[Configuration],
        unseen: Sequence[Configuration],
    ) -> _Problem:
        """Everything as tensors, and the surrogate fitted."""
        import torch

        n = len(observed)
        encoding = memory.pool.encoder.encode([*observed.configurations, *pending, *unseen])
        rows = torch.from_numpy(encoding.rows)
        targets = torch.from_numpy(self.transform(observed.costs))[:, None]
        surrogate = memory.tuning.tuned(
            self.surrogate,
            observed.numbers,
            rows[:n],
            observed.costs,
            self.transform,
            encoding.layout,
        )
        model = surrogate.fit(rows[:n], targets, encoding.layout)
        running = rows[n : n + len(pending)]
        return _Problem(model, observed, rows[:n], running, rows[n + len(pending) :], unseen)


@dataclass(frozen=True)
class _Problem:
    """A fitted model and the rows of what was observed, is running, and could be next."""

    model: Model
    observed: Observations
    seen: Tensor
    running: Tensor
    candidates: Tensor
    configurations: Sequence[Configuration]

    def maximise(
        self,
        acquisition: Acquisition,
        again: Sequence[Trial],
        bonus: Float[Tensor, " m"] | None,
        goal: Goal,
        seed: int,
    ) -> Proposal:
        """The proposal with the highest score, a new network or one of the trials in `again`.

        As long as nothing has kept all limits, there is nothing to improve on, and what counts is
        the `bonus` alone.

        Args:
            acquisition: gives the scores, which are logarithms where there is a `bonus`.
            again: trials that may be repeated.
            bonus: added to the score of each candidate.
            goal: has limits, of which that are known beforehand a candidate is to keep.
            seed: of whatever is random in the acquisition function.
        """
        import torch

        from bonas.acquisition.functions import ValuesRepeats
        from bonas.surrogates.surrogate import mean

        with torch.no_grad():
            model = self.model
            if len(self.running):
                # What runs is taken to confirm what is believed of it, which lowers the variance
                # around it and sends the next proposal elsewhere (Ginsbourger et al. 2010).
                model = model.condition_on_observations(self.running, mean(model, self.running))
            networks = self._contenders(goal)
            seen = self.seen[list(networks.values())]
            repeated = None
            if not networks:
                scores = torch.zeros(len(self.candidates), dtype=torch.float64)
            elif again and isinstance(acquisition, ValuesRepeats):
                scores, repeated = acquisition.with_repeats(model, self.candidates, seen)
            else:
                scores = acquisition.scores(model, self.candidates, seen, seed)
            if bonus is not None:
                scores = scores + bonus.to(scores)
            choice, score = self._highest_admitted(scores, goal)
            if repeated is not None:
                allowed = {trial.key: trial for trial in again}
                blocked = torch.tensor([key not in allowed for key in networks])
                repeat, repeat_score = _highest(repeated.masked_fill(blocked, -math.inf))
                if repeat_score > score:
                    return Again(allowed[list(networks)[repeat]])
        return self.configurations[choice]

    def _highest_admitted(self, scores: Float[Tensor, " m"], goal: Goal) -> tuple[int, float]:
        """As `_highest`, within the limits that are known beforehand where there is such a one."""
        known = _known(scores)
        order = known.argsort(descending=True, stable=True).tolist() if goal.computed else []
        for place in order:
            if goal.admits(self.configurations[place]):
                return place, float(known[place])
        return _highest(scores)

    def _contenders(self, goal: Goal) -> dict[str, int]:
        """The best networks by their lowest costs, and where each was first observed.

        Those that are beyond a limit are left out.
        """
        costs = self.observed.costs
        networks = self.observed.networks()
        if goal.measured:
            kept = {e.trial.key for e in self.observed.evaluations if goal.feasible(e)}
            networks = {key: places for key, places in networks.items() if key in kept}
        best = sorted(networks, key=lambda key: min(costs[p] for p in networks[key]))
        return {key: networks[key][0] for key in best[:CONTENDERS]}

    def believed(self) -> dict[str, float]:
        """The posterior mean of each observed network, by key."""
        import torch

        from bonas.surrogates.surrogate import mean

        networks = self.observed.networks()
        with torch.no_grad():
            rows = self.seen[[positions[0] for positions in networks.values()]]
            means = mean(self.model, rows)[:, 0].tolist()
        return dict(zip(networks, means, strict=True))


def _highest(scores: Tensor) -> tuple[int, float]:
    """The position of the highest score and the score; what is not a number comes last."""
    known = _known(scores)
    place = int(known.argmax())
    return place, float(known[place])


def _known(scores: Tensor) -> Tensor:
    return scores.nan_to_num(nan=-math.inf, neginf=-math.inf)


def _sum(a: Tensor | None, b: Tensor | None) -> Tensor | None:
    return a + b if a is not None and b is not None else b if a is None else a
