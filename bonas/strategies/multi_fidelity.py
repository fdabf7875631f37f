"""Bayesian optimization with one surrogate over architecture and budget."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from ConfigSpace import Configuration

from bonas.acquisition.candidates import Candidates, Pool
from bonas.strategies.remembered import remembered
from bonas.strategies.spending import Spending, budget_spent
from bonas.surrogates.multi_fidelity import Memory, fit
from bonas.surrogates.observations import best_at_highest
from bonas.surrogates.transform import Transform, normal_scores
from fidelity.history.history import History
from spaces.encoding import Encoder
from spaces.space import Space

if TYPE_CHECKING:
    from bonas.surrogates.surrogate import Surrogate


def _surrogate() -> Surrogate:
    from bonas.surrogates.gaussian_process import GaussianProcess

    return GaussianProcess()


@dataclass
class _Memory:
    pool: Pool
    joint: Memory = field(default_factory=Memory)

    @property
    def space(self) -> Space:
        """Of the pool."""
        return self.pool.space


@dataclass(frozen=True)
class MultiFidelityBayesianOptimization:
    """Proposes the highest expected improvement at the maximal budget per unit of spending.

    The surrogate learns from the evaluations at all budgets at once, where `BayesianOptimization`
    learns from the largest budget with enough of them, as BOHB does. It is for any schedule with
    several budgets; the schedule chooses them. What a network spends per unit of budget is learned
    too, and its logarithm is subtracted from that of the improvement (Snoek et al. 2012,
    "Practical Bayesian optimization of machine learning algorithms", section 3.2). By default the
    budget itself is what is spent, which is the same for all networks and in every run.

    Attributes:
        surrogate: of architecture and budget: its `fit` is given a layout with a budget.
        candidates: where to look.
        transform: what is learned instead of the costs.
        initial: how many random networks come first.
        spending: what an evaluation spent; `seconds_spent` prefers fast networks, but measured
            seconds are not reproducible.
    """

    surrogate: Surrogate = field(default_factory=_surrogate)
    candidates: Candidates = field(default_factory=Candidates)
    transform: Transform = normal_scores
    initial: int = 5
    spending: Spending = budget_spent
    _memory: list[_Memory] = field(init=False, default_factory=list, repr=False, compare=False)

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Configuration:
        """See `Strategy.propose`."""
        memory = self._remember(space)
        asked = history.keys()
        if history.networks < self.initial or not len(history):
            return memory.pool.random(asked, rng)
        import torch

        from bonas.acquisition.functions import LogExpectedImprovement

        best = best_at_highest(history)
        unseen = memory.pool.unseen(asked, best, len(history.trials), rng)
        budgets = [trial.budget for trial in history.trials]
        networks = {e.trial.key: e.trial.configuration for e in history.evaluations}
        points = [*networks.values(), *unseen.values()]
        joint = fit(
            self.surrogate,
            self.transform,
            memory.pool.encoder,
            history,
            points,
            (min(budgets), max(budgets)),
            memory.joint,
            self.spending,
        )
        rows, n = joint.at(max(budgets)), len(networks)
        with torch.no_grad():
            improvement = LogExpectedImprovement().scores(joint.model, rows[n:], rows[:n], 0)
            scores = improvement - joint.log_rates[n:]
        return list(unseen.values())[int(scores.nan_to_num(nan=-torch.inf).argmax())]

    def _remember(self, space: Space) -> _Memory:
        def made() -> _Memory:
            encoder = Encoder(space, 1, paths=self.surrogate.reads_paths)
            return _Memory(Pool(space, self.candidates, encoder))

        return remembered(self._memory, space, made)
