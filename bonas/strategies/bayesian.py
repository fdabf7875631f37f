"""Bayesian optimization over architectures."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from ConfigSpace import Configuration

from bonas.acquisition.candidates import Candidates, Pool
from bonas.acquisition.climbing import Climbing
from bonas.acquisition.ensemble_sampling import new_network
from bonas.acquisition.feasibility import Feasibility, own_costs
from bonas.acquisition.prior import Belief, log_prior, trust
from bonas.knowledge.zero_cost import ZeroCost
from bonas.strategies.defaults import default_acquisition, default_surrogate
from bonas.strategies.prior_knowledge import Earlier, PriorKnowledge, prior_knowledge
from bonas.strategies.strategy import Again, Proposal, Startable
from bonas.surrogates.observations import Observations, observations, pending, repeatable
from bonas.surrogates.transform import Transform, normal_scores
from bonas.surrogates.tuning import Tuning
from fidelity.history.goal import Goal
from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Trial
from spaces.encoding import Encoder, Encoding, Features
from spaces.space import Space

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from bonas.acquisition.functions import Acquisition
    from bonas.surrogates.surrogate import Surrogate
    from fidelity.botorch import Model

MAX_CONTENDERS = 200
"""Evaluated networks, the best by cost, with which new candidates are compared."""


@dataclass(frozen=True)
class BayesianOptimization(Startable):
    """Fits a surrogate to the evaluations and maximises an acquisition function.

    Every proposal satisfies the constraints that are computable before training; the probability
    that it satisfies the measured ones weights the acquisition function (see `Feasibility`).

    With several budgets the surrogate is fitted to the largest one with enough evaluations;
    failures have the worst cost seen. If the acquisition function values repeats, a contender
    may be evaluated with another seed instead of a new network.

    Running trials (`history.pending`) are taken into account, so several proposals may be made at
    once, and the next one may be computed while workers train.

    Attributes:
        surrogate: models the costs.
        acquisition: scores the candidates.
        candidates: the configurations over which it is maximised; in a large space the local search
            of `Climbing` adds more.
        transform: maps the costs to the surrogate's targets.
        initial: the number of random networks at the beginning.
        repeats: the maximal number of evaluations of one network; 1 forbids repeats.
        features: further features of a configuration: its resources (`spaces.CostFeatures`) or
            zero-cost proxies. A forest uses them, and a Gaussian process with a `FeatureView`.
        belief: the user's prior over the best configuration. The acquisition function is
            multiplied by its density to the power `confidence` / observations (Hvarfner et al.
            2022, "piBO", equation 6) times its rank correlation with the evaluations (`trust`), so
            the prior fades as evidence comes in, and sooner if it is wrong. The initial networks
            are drawn from the mixture of `Ensemble`.
        confidence: the number of observations that the belief is worth.
        zero_cost: scores a few networks before the first proposals that need them, if the
            objective's networks can be built and are dear enough to train; None scores none. The
            scores choose most of the initial networks and are a trend of the surrogate.
        earlier: searches from which this one learns in the same way: histories, or directories,
            which are only read. They may have had other data, and another space with some of the
            hyperparameters.
    """

    surrogate: Surrogate = field(default_factory=default_surrogate)
    acquisition: Acquisition = field(default_factory=default_acquisition)
    candidates: Candidates = field(default_factory=Candidates)
    transform: Transform = normal_scores
    initial: int = 5
    repeats: int = 8
    features: Features | None = None
    belief: Belief | None = None
    confidence: float = 10.0
    zero_cost: ZeroCost | None = field(default_factory=ZeroCost)
    earlier: Earlier = ()

    def start(self, space: Space) -> _Bayesian:
        """See `Startable.start`."""
        encoder = Encoder(space, 1, self.features, self.surrogate.reads_paths)
        pool = Pool(space, self.candidates, encoder)
        prior = prior_knowledge(self.zero_cost, self.earlier, space, encoder, pool, self.surrogate)
        climbing = Climbing(space, self.candidates, pool)
        return _Bayesian(self, encoder, climbing, prior, Feasibility(self.surrogate))

    def recommend(self, space: Space, history: History) -> Evaluation | None:
        """Return the evaluated network of the highest posterior mean, at its lowest cost.

        It is chosen at the highest budget with a success, as `History.incumbent` is, and equals
        the incumbent while there are too few evaluations for a model.

        Args:
            space: the search space.
            history: of the search.
        """
        return self.start(space).recommend(space, history)


@dataclass(frozen=True)
class _Bayesian:
    settings: BayesianOptimization
    encoder: Encoder = field(repr=False, compare=False)
    climbing: Climbing = field(repr=False, compare=False)
    prior: PriorKnowledge = field(repr=False, compare=False)
    feasibility: Feasibility = field(repr=False, compare=False)
    tuning: Tuning = field(init=False, default_factory=Tuning, repr=False, compare=False)

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Proposal:
        settings = self.settings
        ranked = observations(history, settings.initial)
        if history.networks < settings.initial or not ranked:
            known = self.prior.first(history, rng)
            return known or new_network(self.climbing.pool, settings.belief, history, rng)
        observed = own_costs(ranked, history.goal)
        unseen = self.climbing.unseen(history, ranked.best_first(), rng)
        running = [trial.configuration for trial in pending(history)]
        seed = int(rng.integers(2**31))

        problem = self._problem(history, observed, running, unseen)
        if settings.features is None and not problem.reads_graphs:

            def score(candidates: Sequence[Configuration]) -> Float[Tensor, " m"]:
                other = self._with_candidates(problem, history, candidates)
                return other.scores(settings.acquisition, history.goal, seed)

            if climbed := self.climbing.climbed(history, unseen, score):
                unseen += climbed
                problem = self._with_candidates(problem, history, unseen)
        repeats = repeatable(history, observed, settings.repeats)
        feasible = self.feasibility.log_weight(self.encoder, history, problem.configurations)
        belief = None
        if settings.belief is not None:
            power = settings.confidence / len(observed)
            power *= trust(settings.belief, settings.confidence, ranked)
            belief = log_prior(settings.belief, problem.configurations, power)
        proposal = problem.maximise(
            settings.acquisition,
            list(repeats.values()),
            _sum(belief, feasible),
            history.goal,
            seed,
            partial(self.climbing.index, history=history),
        )
        return proposal or self.climbing.pool.random(history.keys(), rng)

    def recommend(self, space: Space, history: History) -> Evaluation | None:
        goal, incumbent = history.goal, history.incumbent
        if incumbent is None:
            return None
        observed = own_costs(Observations(history.at(incumbent.trial.budget)), goal)
        if len(observed) < self.settings.initial:
            return incumbent
        means = self._problem(history, observed, [], []).posterior_means()
        for key in sorted(means, key=lambda name: -means[name]):
            evaluations = [observed.evaluations[index] for index in observed.networks()[key]]
            feasible = [evaluation for evaluation in evaluations if goal.feasible(evaluation)]
            if feasible:
                return min(feasible, key=lambda evaluation: evaluation.cost)
        return incumbent

    def _problem(
        self,
        history: History,
        observed: Observations,
        running: Sequence[Configuration],
        unseen: Sequence[Configuration],
    ) -> _Problem:
        """Return everything as tensors, with the surrogate fitted."""
        import torch

        from bonas.surrogates.surrogate import reads_graphs

        settings, n = self.settings, len(observed)
        configurations = [*observed.configurations, *running, *unseen]
        surrogate = self._tuned(history, observed, configurations)
        graphs = reads_graphs(surrogate)
        encoding = self._encoded(history, observed, configurations, graphs)
        rows = torch.from_numpy(encoding.rows)
        targets = torch.from_numpy(settings.transform(observed.costs))[:, None]
        model = surrogate.fit(rows[:n], targets, encoding.layout)
        candidates = rows[n + len(running) :]
        waiting = rows[n : n + len(running)]
        return _Problem(model, observed, rows[:n], waiting, candidates, unseen, graphs)

    def _with_candidates(
        self, problem: _Problem, history: History, candidates: Sequence[Configuration]
    ) -> _Problem:
        """Return a problem with other candidates; columns without graphs do not depend on them."""
        import torch

        encoding = self._encoded(history, problem.observed, candidates, graphs=False)
        rows = torch.from_numpy(encoding.rows)
        return replace(problem, candidates=rows, configurations=candidates)

    def _tuned(
        self, history: History, observed: Observations, configurations: Sequence[Configuration]
    ) -> Surrogate:
        import torch

        settings, n = self.settings, len(observed)
        # Features are standardised over all rows; without them the others make no difference.
        tuned_on = observed.configurations if settings.features is None else configurations
        encoding = self._encoded(history, observed, tuned_on, graphs=True)
        rows = torch.from_numpy(encoding.rows[:n])
        return self.tuning.tuned(
            settings.surrogate,
            observed.numbers,
            rows,
            observed.costs,
            settings.transform,
            encoding.layout,
        )

    def _encoded(
        self,
        history: History,
        observed: Observations,
        configurations: Sequence[Configuration],
        graphs: bool,
    ) -> Encoding:
        plain = self.encoder.encode(configurations, graphs=graphs)
        return self.prior.extended(plain, history, observed.evaluations, configurations)


@dataclass(frozen=True)
class _Problem:
    """A fitted model, and the rows of the observed, running and candidate configurations."""

    model: Model
    observed: Observations
    observed_rows: Tensor
    running: Tensor
    candidates: Tensor
    configurations: Sequence[Configuration]
    reads_graphs: bool

    def maximise(
        self,
        acquisition: Acquisition,
        repeats: Sequence[Trial],
        bonus: Float[Tensor, " m"] | None,
        goal: Goal,
        seed: int,
        highest: Callable[[Tensor, Sequence[Configuration]], int | None],
    ) -> Proposal | None:
        """Return the proposal with the highest score: a new network or one of the `repeats`.

        As long as nothing is feasible there is nothing to improve on, and only the `bonus` counts.

        Args:
            acquisition: computes the scores, which are logarithms where there is a `bonus`.
            repeats: trials that may be repeated.
            bonus: added to the score of each candidate.
            goal: of the search.
            seed: of the acquisition function.
            highest: returns the index of the highest score that may be proposed; None if none may.

        Returns:
            None if no candidate may be proposed.
        """
        import torch

        from bonas.acquisition.functions import ValuesRepeats

        with torch.no_grad():
            model = self._believing()
            contenders = self._contenders(goal)
            rows = self.observed_rows[list(contenders.values())]
            repeat_scores = None
            if not contenders:
                scores = torch.zeros(len(self.candidates), dtype=torch.float64)
            elif repeats and isinstance(acquisition, ValuesRepeats):
                scores, repeat_scores = acquisition.with_repeats(model, self.candidates, rows)
            else:
                scores = acquisition.scores(model, self.candidates, rows, seed)
            if bonus is not None:
                scores = scores + bonus.to(scores)
            index = highest(scores, self.configurations)
            if index is None:
                return None
            score = float(_finite(scores)[index])
            if repeat_scores is not None:
                allowed = {trial.key: trial for trial in repeats}
                blocked = torch.tensor([key not in allowed for key in contenders])
                repeat, repeat_score = _highest(repeat_scores.masked_fill(blocked, -math.inf))
                if repeat_score > score:
                    return Again(allowed[list(contenders)[repeat]])
        return self.configurations[index]

    def scores(self, acquisition: Acquisition, goal: Goal, seed: int) -> Float[Tensor, " m"]:
        """Return the value of evaluating each candidate; 0 as long as nothing is feasible.

        Args:
            acquisition: computes it.
            goal: of the search.
            seed: of the acquisition function.
        """
        import torch

        with torch.no_grad():
            rows = self.observed_rows[list(self._contenders(goal).values())]
            if not len(rows):
                return torch.zeros(len(self.candidates), dtype=torch.float64)
            return acquisition.scores(self._believing(), self.candidates, rows, seed)

    def _believing(self) -> Model:
        """Return the model in which running trials return their posterior means.

        This lowers the variance around them (kriging believer, Ginsbourger et al. 2010).
        """
        from bonas.surrogates.surrogate import mean

        model = self.model
        if len(self.running):
            model = model.condition_on_observations(self.running, mean(model, self.running))
        return model

    def _contenders(self, goal: Goal) -> dict[str, int]:
        """Return the best feasible networks by key, each with the row of its first observation."""
        costs = self.observed.costs
        networks = self.observed.networks()
        if goal.measured:
            feasible = {e.trial.key for e in self.observed.evaluations if goal.feasible(e)}
            networks = {key: rows for key, rows in networks.items() if key in feasible}
        best = sorted(networks, key=lambda key: min(costs[row] for row in networks[key]))
        return {key: networks[key][0] for key in best[:MAX_CONTENDERS]}

    def posterior_means(self) -> dict[str, float]:
        """Return the posterior mean of each observed network, by key."""
        import torch

        from bonas.surrogates.surrogate import mean

        networks = self.observed.networks()
        with torch.no_grad():
            rows = self.observed_rows[[positions[0] for positions in networks.values()]]
            means = mean(self.model, rows)[:, 0].tolist()
        return dict(zip(networks, means, strict=True))


def _highest(scores: Tensor) -> tuple[int, float]:
    """Return the index of the highest score and the score; NaN comes last."""
    finite = _finite(scores)
    index = int(finite.argmax())
    return index, float(finite[index])


def _finite(scores: Tensor) -> Tensor:
    return scores.nan_to_num(nan=-math.inf, neginf=-math.inf)


def _sum(a: Tensor | None, b: Tensor | None) -> Tensor | None:
    return a + b if a is not None and b is not None else b if a is None else a
