"""Bayesian optimization with one surrogate over architecture and budget."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bonas.acquisition.candidates import Candidates, Pool
from bonas.acquisition.ensemble_sampling import new_network
from bonas.acquisition.feasibility import highest_admitted
from bonas.acquisition.prior import Belief, log_prior, trust
from bonas.knowledge.zero_cost import ZeroCost
from bonas.strategies.defaults import default_surrogate
from bonas.strategies.prior_knowledge import Earlier, PriorKnowledge, prior_knowledge
from bonas.strategies.spending import Spending, budget_spent
from bonas.strategies.strategy import Proposal, Startable, Strategy
from bonas.surrogates.multi_fidelity import JointTuning, fit
from bonas.surrogates.observations import best_at_highest, observations
from bonas.surrogates.transform import Transform, normal_scores
from fidelity.history.history import History
from spaces.encoding import Encoder
from spaces.space import Space

if TYPE_CHECKING:
    from bonas.surrogates.surrogate import Surrogate


@dataclass(frozen=True)
class MultiFidelityBayesianOptimization(Startable):
    """Proposes the highest expected improvement at the maximal budget per unit of spending.

    The surrogate is fitted to the evaluations at all budgets at once, where `BayesianOptimization`
    uses the largest budget with enough of them, as BOHB does. It goes with any schedule with
    several budgets; the schedule chooses them. A second surrogate predicts what a network spends
    per unit of budget, and the logarithm of this is subtracted from that of the improvement (Snoek
    et al. 2012, "Practical Bayesian optimization of machine learning algorithms", section 3.2). By
    default the budget itself is spent: the same for all networks and in every run.

    Attributes:
        surrogate: of architecture and budget: its `fit` receives a layout with a budget.
        candidates: the configurations over which the improvement is maximised.
        transform: maps the costs to the surrogate's targets.
        initial: the number of random networks at the beginning.
        spending: what an evaluation spent; `seconds_spent` prefers fast networks, but measured
            seconds are not reproducible.
        belief: the user's prior over the best configuration, as in `BayesianOptimization`: the
            initial networks are drawn from the mixture of `Ensemble`, and the improvement is
            multiplied by its density to the power `confidence` / evaluated networks times its
            rank correlation with the evaluations.
        confidence: the number of networks that the belief is worth.
        zero_cost: scores a few networks before the first proposals that need them, as in
            `BayesianOptimization`; None scores none.
        earlier: searches from which this one learns, as in `BayesianOptimization`.
    """

    surrogate: Surrogate = field(default_factory=default_surrogate)
    candidates: Candidates = field(default_factory=Candidates)
    transform: Transform = normal_scores
    initial: int = 5
    spending: Spending = budget_spent
    belief: Belief | None = None
    confidence: float = 10.0
    zero_cost: ZeroCost | None = field(default_factory=ZeroCost)
    earlier: Earlier = ()

    def start(self, space: Space) -> Strategy:
        """See `Startable.start`."""
        encoder = Encoder(space, 1, paths=self.surrogate.reads_paths)
        pool = Pool(space, self.candidates, encoder)
        prior = prior_knowledge(self.zero_cost, self.earlier, space, encoder, pool, self.surrogate)
        return _MultiFidelity(self, encoder, pool, prior)


@dataclass(frozen=True)
class _MultiFidelity:
    settings: MultiFidelityBayesianOptimization
    encoder: Encoder = field(repr=False, compare=False)
    pool: Pool = field(repr=False, compare=False)
    prior: PriorKnowledge = field(repr=False, compare=False)
    tuning: JointTuning = field(init=False, default_factory=JointTuning, repr=False, compare=False)

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Proposal:
        asked = history.keys()
        if history.networks < self.settings.initial or not len(history):
            known = self.prior.first(history, rng)
            return known or new_network(self.pool, self.settings.belief, history, rng)
        import torch

        from bonas.acquisition.functions import LogExpectedImprovement

        best = best_at_highest(history)
        candidates = list(self.pool.unseen(asked, best, len(history.trials), rng).values())
        budgets = sorted({trial.budget for trial in history.trials})
        networks = {e.trial.key: e.trial.configuration for e in history.evaluations}
        joint = fit(
            self.settings.surrogate,
            self.settings.transform,
            self.encoder,
            history,
            [*networks.values(), *candidates],
            budgets,
            self.tuning,
            self.settings.spending,
            self.prior.extended,
        )
        rows, n = joint.at(budgets[-1]), len(networks)
        with torch.no_grad():
            improvement = LogExpectedImprovement().scores(joint.model, rows[n:], rows[:n], 0)
            scores = improvement - joint.log_rates[n:]
        if self.settings.belief is not None:
            ranked = observations(history, self.settings.initial)
            power = self.settings.confidence / n
            power *= trust(self.settings.belief, self.settings.confidence, ranked)
            scores = scores + log_prior(self.settings.belief, candidates, power)
        return candidates[highest_admitted(scores, candidates, history.goal)]
