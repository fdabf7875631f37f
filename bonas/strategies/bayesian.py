"""Bayesian optimization over architectures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from ConfigSpace import Configuration

from bonas.belief import Belief
from bonas.candidates import Candidates, Pool
from bonas.strategies.observations import Observations, observations, repeatable, running
from bonas.strategies.remembered import remembered
from bonas.strategies.strategy import Again, Proposal
from bonas.surrogates.transform import Transform, normal_scores
from bonas.surrogates.tuning import Tuning
from fidelity.history import History
from fidelity.trial import Evaluation, Trial
from spaces.features import Encoder, Features
from spaces.space import Space

if TYPE_CHECKING:
    from botorch.models.model import Model
    from torch import Tensor

    from bonas.acquisition import Acquisition
    from bonas.surrogates.surrogate import Surrogate

CONTENDERS = 200
"""So many of the evaluated networks, the best by cost, are compared with what is new."""


def _surrogate() -> Surrogate:
    from bonas.surrogates.gaussian_process import GaussianProcess

    return GaussianProcess()


def _acquisition() -> Acquisition:
    from bonas.acquisition import LogKnowledgeGradient

    return LogKnowledgeGradient()


@dataclass
class _Memory:
    """What was derived from arguments; it changes how long a proposal takes, and nothing else."""

    pool: Pool
    tuning: Tuning = field(default_factory=Tuning)

    @property
    def space(self) -> Space:
        """Of the pool."""
        return self.pool.space


@dataclass(frozen=True)
class BayesianOptimization:
    """Fits a surrogate to what was seen and proposes where the acquisition function is highest.

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
    _memory: list[_Memory] = field(default_factory=list, repr=False, compare=False)

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Proposal:
        """See `Strategy.propose`."""
        memory = self._remember(space)
        asked = history.keys()
        observed = observations(history, self.initial)
        if history.networks < self.initial or not observed:
            return self._first(memory.pool, asked, rng)
        best = observed.best_first()
        unseen = memory.pool.unseen(asked, best, len(history.trials), rng)
        pending = [trial.configuration for trial in running(history)]
        problem = self._problem(memory, observed, pending, list(unseen.values()))
        again = repeatable(history, observed, self.repeats)
        bonus = [
            self.confidence / len(observed) * self.belief.log_density(chosen)
            for chosen in problem.configurations
            if self.belief is not None
        ]
        seed = int(rng.integers(2**31))
        return problem.maximise(self.acquisition, list(again.values()), bonus, seed)

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
        observed = Observations(history.at(incumbent.trial.budget))
        if len(observed) < self.initial:
            return incumbent
        believed = self._problem(self._remember(space), observed, [], []).believed()
        for key in sorted(believed, key=lambda name: -believed[name]):
            positions = observed.networks()[key]
            found = [
                observed.evaluations[p] for p in positions if observed.evaluations[p].succeeded
            ]
            if found:
                return min(found, key=lambda evaluation: evaluation.cost)
        return incumbent

    def _remember(self, space: Space) -> _Memory:
        def made() -> _Memory:
            encoder = Encoder(space, 1, self.features, self.surrogate.reads_paths)
            return _Memory(Pool(space, self.candidates, encoder))

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
        self, acquisition: Acquisition, again: Sequence[Trial], bonus: Sequence[float], seed: int
    ) -> Proposal:
        """The proposal with the highest score, a new network or one of the trials in `again`.

        Args:
            acquisition: gives the scores, which are logarithms where there is a `bonus`.
            again: trials that may be repeated.
            bonus: added to the score of each candidate; empty for none.
            seed: of whatever is random in the acquisition function.
        """
        import torch

        from bonas.acquisition import ValuesRepeats
        from bonas.surrogates.surrogate import mean

        with torch.no_grad():
            model = self.model
            if len(self.running):
                # What runs is taken to confirm what is believed of it, which lowers the variance
                # around it and sends the next proposal elsewhere (Ginsbourger et al. 2010).
                model = model.condition_on_observations(self.running, mean(model, self.running))
            networks = self._contenders()
            seen = self.seen[list(networks.values())]
            repeated = None
            if again and isinstance(acquisition, ValuesRepeats):
                scores, repeated = acquisition.with_repeats(model, self.candidates, seen)
            else:
                scores = acquisition.scores(model, self.candidates, seen, seed)
            if bonus:
                scores = scores + torch.tensor(bonus).to(scores)
            choice, score = _highest(scores)
            if repeated is not None:
                allowed = {trial.key: trial for trial in again}
                blocked = torch.tensor([key not in allowed for key in networks])
                repeat, repeat_score = _highest(repeated.masked_fill(blocked, -math.inf))
                if repeat_score > score:
                    return Again(allowed[list(networks)[repeat]])
        return self.configurations[choice]

    def _contenders(self) -> dict[str, int]:
        """The best networks by their lowest costs, and where each was first observed."""
        costs = self.observed.costs
        networks = self.observed.networks()
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
    known = scores.nan_to_num(nan=-math.inf, neginf=-math.inf)
    place = int(known.argmax())
    return place, float(known[place])
