"""Bayesian optimization of several objectives by expected hypervolume improvement."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from ConfigSpace import Configuration
from jaxtyping import Float

from bonas.acquisition.candidates import Candidates, Pool
from bonas.acquisition.ensemble_sampling import new_network
from bonas.acquisition.feasibility import Feasibility, highest_admitted
from bonas.acquisition.prior import Belief, log_prior, trust
from bonas.knowledge.zero_cost import ZeroCost
from bonas.strategies.defaults import default_surrogate
from bonas.strategies.prior_knowledge import Earlier, PriorKnowledge, prior_knowledge
from bonas.strategies.strategy import Proposal, Startable, Strategy
from bonas.surrogates.observations import Observations, observations, pending
from bonas.surrogates.transform import Transform, balanced_scores, imputed
from bonas.surrogates.tuning import Tuning
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
            best networks by front and crowding distance, and samples.
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
        return _MultiObjective(self, encoder, pool, prior, Feasibility(self.surrogate))


@dataclass(frozen=True)
class _MultiObjective:
    settings: MultiObjectiveBayesianOptimization
    encoder: Encoder = field(repr=False, compare=False)
    pool: Pool = field(repr=False, compare=False)
    prior: PriorKnowledge = field(repr=False, compare=False)
    feasibility: Feasibility = field(repr=False, compare=False)
    tunings: defaultdict[str, Tuning] = field(
        init=False, default_factory=lambda: defaultdict(Tuning), repr=False, compare=False
    )

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Proposal:
        asked, initial = history.keys(), self.settings.initial
        observed = observations(history, initial)
        if history.networks < initial or not observed:
            known = self.prior.first(history, rng)
            return known or new_network(self.pool, self.settings.belief, history, rng)
        import torch

        best = observed.best_first()
        unseen = list(self.pool.unseen(asked, best, len(history.trials), rng).values())
        running = [trial.configuration for trial in pending(history)]
        with torch.no_grad():
            beliefs = self._beliefs(history, observed, running, unseen)
            feasible = [history.goal.feasible(e) for e in observed.evaluations]
            scores = _scores(beliefs, len(observed), feasible + [True] * len(running))
            scores = scores[len(observed) + len(running) :].nan_to_num(nan=-torch.inf)
        weights = self.feasibility.log_weight(self.encoder, history, unseen)
        if weights is not None:
            # As long as nothing is feasible, there is no front to improve on.
            scores = scores + weights if any(feasible) else weights
        if self.settings.belief is not None:
            power = self.settings.confidence / len(observed)
            power *= trust(self.settings.belief, self.settings.confidence, observed)
            scores = scores + log_prior(self.settings.belief, unseen, power)
        return unseen[highest_admitted(scores, unseen, history.goal)]

    def _beliefs(
        self,
        history: History,
        observed: Observations,
        running: Sequence[Configuration],
        unseen: Sequence[Configuration],
    ) -> list[Marginals]:
        """Return one belief per objective about the observed, running and unseen networks."""
        import torch

        from bonas.acquisition.hypervolume_improvement import Marginals

        goal = history.goal
        configurations = [*observed.configurations, *running, *unseen]
        plain = self.encoder.encode(configurations)
        known = self.prior.extended(plain, history, observed.evaluations, configurations)
        costs = np.array([goal.costs(e) for e in observed.evaluations])
        beliefs = []
        for name, column in zip(goal.objectives, costs.T, strict=True):
            if name in goal.computed:
                values = goal.shown(name, np.array([goal.known(c)[name] for c in configurations]))
                means = torch.from_numpy(self.settings.transform(imputed(values.tolist())))
                beliefs.append(Marginals(means, torch.zeros_like(means)))
            else:
                encoding = plain if beliefs else known
                beliefs.append(
                    self._modelled(self.tunings[name], encoding, observed, column, len(running))
                )
        return beliefs

    def _modelled(
        self,
        tuning: Tuning,
        encoding: Encoding,
        observed: Observations,
        costs: Float[np.ndarray, " n"],
        running: int,
    ) -> Marginals:
        """Return the posterior of a surrogate at all rows; the first ones were observed."""
        import torch

        from bonas.acquisition.hypervolume_improvement import Marginals
        from bonas.surrogates.surrogate import mean

        settings, n = self.settings, len(observed)
        rows, layout = torch.from_numpy(encoding.rows), encoding.layout
        costs = imputed(costs.tolist())
        surrogate = tuning.tuned(
            settings.surrogate, observed.numbers, rows[:n], costs, settings.transform, layout
        )
        targets = torch.from_numpy(settings.transform(costs))[:, None]
        model = surrogate.fit(rows[:n], targets, layout)
        if running:
            waiting = rows[n : n + running]
            model = model.condition_on_observations(waiting, mean(model, waiting))
        posterior = model.posterior(rows[:, None])
        means: Tensor = posterior.mean[:, 0, 0]  # type: ignore[attr-defined]
        variances: Tensor = posterior.variance[:, 0, 0]  # type: ignore[attr-defined]
        return Marginals(means, variances.clamp_min(0.0).sqrt())


def _scores(
    beliefs: Sequence[Marginals], observed: int, in_front: Sequence[bool]
) -> Float[Tensor, " m"]:
    """Return the logarithm of the expected hypervolume improvement by each row.

    Args:
        beliefs: one per objective, about the same rows.
        observed: the number of the first rows that were evaluated.
        in_front: for each evaluated or running row, whether it may be in the front.
    """
    import torch

    from bonas.acquisition.hypervolume_improvement import cells, log_expected_improvement

    means = torch.stack([belief.means for belief in beliefs], -1)
    reference = torch.stack([_worst(belief, observed) for belief in beliefs]) - REFERENCE_MARGIN
    front = means[: len(in_front)][torch.tensor(in_front)]
    return log_expected_improvement(beliefs, *cells(front, reference))


def _worst(belief: Marginals, observed: int) -> Tensor:
    """Return the worst target that counts for the reference point.

    A known objective counts at all candidates: otherwise no network would be tried whose parameters
    exceed those of the first few, however good it may be in the other objectives.

    Args:
        belief: about one objective.
        observed: the number of the first rows that were evaluated.
    """
    return belief.means.amin() if not belief.deviations.any() else belief.means[:observed].amin()
