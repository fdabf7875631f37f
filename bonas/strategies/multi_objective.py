"""Bayesian optimization of several objectives by expected hypervolume improvement."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from ConfigSpace import Configuration
from jaxtyping import Float

from bonas.acquisition.candidates import Candidates, Pool
from bonas.acquisition.climbing import Climbing
from bonas.acquisition.ensemble_sampling import new_network
from bonas.acquisition.feasibility import Feasibility
from bonas.acquisition.prior import Belief, log_prior, trust
from bonas.knowledge.zero_cost import ZeroCost
from bonas.strategies.defaults import default_surrogate
from bonas.strategies.prior_knowledge import Earlier, PriorKnowledge, prior_knowledge
from bonas.strategies.strategy import Proposal, Startable, Strategy
from bonas.surrogates.observations import Observations, observations, pending
from bonas.surrogates.transform import Transform, balanced_scores, imputed
from bonas.surrogates.tuning import Tuning
from fidelity.history.goal import Goal
from fidelity.history.history import History
from spaces.encoding import Encoder, Encoding
from spaces.space import Space

if TYPE_CHECKING:
    from torch import Tensor

    from bonas.acquisition.hypervolume_improvement import Marginals
    from bonas.surrogates.surrogate import Surrogate

REFERENCE_MARGIN = 0.1
"""Distance of the reference point below the worst observed targets, so that the ends of a front
add hypervolume too."""


@dataclass(frozen=True)
class MultiObjectiveBayesianOptimization(Startable):
    """Proposes the candidate that is expected to add most hypervolume to the Pareto front.

    There is one surrogate per objective; an objective that is computed from the configuration (the
    objective's attribute `computed`: parameters, multiply-adds) is known for every candidate and
    not modelled. The improvement is over the front of the surrogates' means at the evaluated
    networks, so a lucky observation does not count, and it is exact for any number of objectives
    (Emmerich et al. 2006, "Single- and multiobjective evolutionary optimization assisted by
    Gaussian random field metamodels"; Yang et al. 2019). Volumes are those of the transformed
    costs, which have no units, above a reference point just below the worst observed value of each
    objective.

    Running trials are taken to return their posterior means. Infeasible networks are no part of
    the front, and measured constraints weight the improvement as in `BayesianOptimization`. With
    several budgets the surrogates are fitted to the largest one with enough evaluations; failures
    have the worst costs seen.

    Attributes:
        surrogate: models each objective.
        candidates: the configurations over which the improvement is maximised: neighbours of the
            best networks by front and crowding distance, and samples; in a large space the local
            search of `Climbing` adds more.
        transform: maps the costs to the surrogate's targets.
        initial: the number of random networks at the beginning.
        belief: the user's prior over the best configuration, as in `BayesianOptimization`: the
            initial networks are drawn from the mixture of `Ensemble`, and the improvement is
            multiplied by its density to the power `confidence` / observations times its rank
            correlation with the evaluations.
        confidence: the number of observations that the belief is worth.
        zero_cost: scores a few networks before the first proposals that need them, as in
            `BayesianOptimization`, for the first objective; None scores none.
        earlier: searches from which this one learns about its first objective, as in
            `BayesianOptimization`.
    """

    surrogate: Surrogate = field(default_factory=default_surrogate)
    candidates: Candidates = field(default_factory=lambda: Candidates(parents=16))
    transform: Transform = balanced_scores
    initial: int = 5
    belief: Belief | None = None
    confidence: float = 10.0
    zero_cost: ZeroCost | None = field(default_factory=ZeroCost)
    earlier: Earlier = ()

    def start(self, space: Space) -> Strategy:
        """See `Startable.start`."""
        encoder = Encoder(space, 1, paths=self.surrogate.reads_paths)
        pool = Pool(space, self.candidates, encoder)
        prior = prior_knowledge(self.zero_cost, self.earlier, space, encoder, pool, self.surrogate)
        climbing = Climbing(space, self.candidates, pool)
        return _MultiObjective(self, encoder, climbing, prior, Feasibility(self.surrogate))


@dataclass(frozen=True)
class _MultiObjective:
    settings: MultiObjectiveBayesianOptimization
    encoder: Encoder = field(repr=False, compare=False)
    climbing: Climbing = field(repr=False, compare=False)
    prior: PriorKnowledge = field(repr=False, compare=False)
    feasibility: Feasibility = field(repr=False, compare=False)
    tunings: defaultdict[str, Tuning] = field(
        init=False, default_factory=lambda: defaultdict(Tuning), repr=False, compare=False
    )

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Proposal:
        initial = self.settings.initial
        observed = observations(history, initial)
        if history.networks < initial or not observed:
            known = self.prior.first(history, rng)
            return known or new_network(self.climbing.pool, self.settings.belief, history, rng)
        import torch

        running = [trial.configuration for trial in pending(history)]
        feasible = [history.goal.feasible(e) for e in observed.evaluations]
        unseen = self.climbing.unseen(history, observed.best_first(), rng)
        with torch.no_grad():
            problem = self._problem(history, observed, running, unseen)
            if not problem.reads_graphs:
                unseen += self.climbing.climbed(history, unseen, problem.scores)
            scores = problem.scores(unseen)
        weights = self.feasibility.log_weight(self.encoder, history, unseen)
        if weights is not None:
            # As long as nothing is feasible, there is no front to improve on.
            scores = scores + weights if any(feasible) else weights
        if self.settings.belief is not None:
            power = self.settings.confidence / len(observed)
            power *= trust(self.settings.belief, self.settings.confidence, observed)
            scores = scores + log_prior(self.settings.belief, unseen, power)
        index = self.climbing.index(scores, unseen, history)
        return self.climbing.pool.random(history.keys(), rng) if index is None else unseen[index]

    def _problem(
        self,
        history: History,
        observed: Observations,
        running: Sequence[Configuration],
        unseen: Sequence[Configuration],
    ) -> _Problem:
        """Return the surrogates, tuned, and the targets of known objectives.

        Args:
            history: of the search.
            observed: the evaluations that the surrogates are fitted to.
            running: the configurations of running trials.
            unseen: the first candidates, over which known objectives are transformed.
        """
        goal, configurations = history.goal, [*observed.configurations, *running, *unseen]
        costs = np.array([goal.costs(e) for e in observed.evaluations])
        known: dict[str, _Known] = {}
        modelled: dict[str, _Modelled] = {}
        for name, column in zip(goal.objectives, costs.T, strict=True):
            if name in goal.computed:
                known[name] = _known(goal, name, configurations, self.settings.transform)
            else:
                values = imputed(column.tolist())
                surrogate = self._tuned(history, observed, name, values, first=not modelled)
                modelled[name] = _Modelled(surrogate, self.settings.transform(values))
        return _Problem(self.encoder, self.prior, history, observed, running, known, modelled)

    def _tuned(
        self,
        history: History,
        observed: Observations,
        name: str,
        costs: Float[np.ndarray, " n"],
        *,
        first: bool,
    ) -> Surrogate:
        """Return the surrogate of an objective; only that of the `first` one has a trend."""
        import torch

        settings, configurations = self.settings, observed.configurations
        encoding = self.encoder.encode(configurations)
        if first:
            seen = observed.evaluations
            encoding = self.prior.extended(encoding, history, seen, configurations)
        rows, tuning = torch.from_numpy(encoding.rows), self.tunings[name]
        return tuning.tuned(
            settings.surrogate, observed.numbers, rows, costs, settings.transform, encoding.layout
        )


@dataclass(frozen=True)
class _Known:
    """The targets of an objective that is computed: its ascending costs, and their targets."""

    costs: Float[np.ndarray, " m"]
    targets: Float[np.ndarray, " m"]

    def belief(self, costs: Float[np.ndarray, " n"]) -> Marginals:
        """Return the targets of other costs, interpolated; those beyond all are the last ones."""
        import torch

        from bonas.acquisition.hypervolume_improvement import Marginals

        means = torch.from_numpy(np.interp(costs, self.costs, self.targets))
        return Marginals(means, torch.zeros_like(means))


def _known(
    goal: Goal, name: str, configurations: Sequence[Configuration], transform: Transform
) -> _Known:
    costs = np.sort(imputed(_costs(goal, name, configurations).tolist()))
    return _Known(costs, transform(costs))


def _costs(
    goal: Goal, name: str, configurations: Sequence[Configuration]
) -> Float[np.ndarray, " m"]:
    values: Float[np.ndarray, " m"] = np.array([goal.known(c)[name] for c in configurations])
    return np.asarray(goal.shown(name, values))


@dataclass(frozen=True)
class _Modelled:
    """A tuned surrogate and the targets that it is fitted to."""

    surrogate: Surrogate
    targets: Float[np.ndarray, " n"]

    def belief(self, encoding: Encoding, running: int) -> Marginals:
        """Return the posterior at all rows: those observed, those running, and candidates."""
        import torch

        from bonas.acquisition.hypervolume_improvement import Marginals
        from bonas.surrogates.surrogate import mean

        rows, n = torch.from_numpy(encoding.rows), len(self.targets)
        targets = torch.from_numpy(self.targets)[:, None]
        model = self.surrogate.fit(rows[:n], targets, encoding.layout)
        if running:
            waiting = rows[n : n + running]
            model = model.condition_on_observations(waiting, mean(model, waiting))
        posterior = model.posterior(rows[:, None])
        means: Tensor = posterior.mean[:, 0, 0]  # type: ignore[attr-defined]
        variances: Tensor = posterior.variance[:, 0, 0]  # type: ignore[attr-defined]
        return Marginals(means, variances.clamp_min(0.0).sqrt())


@dataclass(frozen=True)
class _Problem:
    """The objectives of a search at one proposal, each known or modelled."""

    encoder: Encoder
    prior: PriorKnowledge
    history: History
    observed: Observations
    running: Sequence[Configuration]
    known: Mapping[str, _Known]
    modelled: Mapping[str, _Modelled]

    @property
    def reads_graphs(self) -> bool:
        """Whether a surrogate reads the graphs of architectures."""
        from bonas.surrogates.surrogate import reads_graphs

        return any(reads_graphs(each.surrogate) for each in self.modelled.values())

    def scores(self, candidates: Sequence[Configuration]) -> Float[Tensor, " m"]:
        """Return the logarithm of the hypervolume that each candidate is expected to add."""
        import torch

        from bonas.acquisition.hypervolume_improvement import cells, log_expected_improvement

        beliefs = self._beliefs(candidates)
        n, goal = len(self.observed), self.history.goal
        reference = torch.stack([self._worst(name, each) for name, each in beliefs.items()])
        feasible = [goal.feasible(e) for e in self.observed.evaluations]
        in_front = torch.tensor(feasible + [True] * len(self.running))
        means = torch.stack([belief.means for belief in beliefs.values()], -1)
        front = means[: len(in_front)][in_front]
        corners = cells(front, reference - REFERENCE_MARGIN)
        scores = log_expected_improvement(list(beliefs.values()), *corners)
        return scores[n + len(self.running) :].nan_to_num(nan=-torch.inf)

    def _beliefs(self, candidates: Sequence[Configuration]) -> dict[str, Marginals]:
        """Return one belief per objective about the observed, running and candidate networks."""
        goal, observed = self.history.goal, self.observed
        configurations = [*observed.configurations, *self.running, *candidates]
        plain = self.encoder.encode(configurations, graphs=self.reads_graphs)
        first = self.prior.extended(plain, self.history, observed.evaluations, configurations)
        beliefs: dict[str, Marginals] = {}
        for name in goal.objectives:
            if name in self.known:
                costs = imputed(_costs(goal, name, configurations).tolist())
                beliefs[name] = self.known[name].belief(costs)
            else:
                encoding = first if name == next(iter(self.modelled)) else plain
                beliefs[name] = self.modelled[name].belief(encoding, len(self.running))
        return beliefs

    def _worst(self, name: str, belief: Marginals) -> Tensor:
        """Return the worst target that counts for the reference point.

        A known objective counts at all first candidates: otherwise no network would be tried whose
        parameters exceed those of the first few, however good it may be in the other objectives.
        """
        if name in self.known:
            return belief.means.new_tensor(self.known[name].targets.min())
        return belief.means[: len(self.observed)].amin()
