"""ParEGO: several objectives by a random scalarisation for each proposal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from ConfigSpace import Configuration
from jaxtyping import Float

from bonas.roles import STRATEGY, check_role
from bonas.strategies.bayesian import BayesianOptimization
from bonas.strategies.strategy import Proposal, Startable, Strategy, started
from bonas.surrogates.transform import tamed
from fidelity.history.goal import Goal
from fidelity.history.history import History
from fidelity.history.trial import Evaluation
from spaces.space import Space


@dataclass(frozen=True)
class ParEGO(Startable):
    """Shows another strategy one cost: the objectives under randomly drawn weights.

    Knowles 2006, "ParEGO: a hybrid algorithm with on-line landscape approximation for expensive
    multiobjective optimization problems", equation 2, the augmented Chebyshev norm. The objectives
    are scaled to [0, 1] over the evaluations at the same budget; each proposal draws its weights
    uniformly from the simplex. `ParEGO(SMAC())` is the method of SMAC3. Infeasible networks cost
    more than all feasible ones.

    Attributes:
        strategy: makes the proposals; the costs that it sees change from proposal to proposal.
        rho: the weight of the weighted sum relative to the maximum.

    Raises:
        ValueError: `rho` is negative.
    """

    strategy: Strategy = field(default_factory=lambda: BayesianOptimization(repeats=1))
    rho: float = 0.05

    def __post_init__(self) -> None:
        check_role("strategy", self.strategy, STRATEGY, "strategies.RandomSearch()")
        if not self.rho >= 0:
            raise ValueError(f"rho is {self.rho}: it must be 0 or more")

    def start(self, space: Space) -> ParEGO:
        """See `Startable.start`."""
        return replace(self, strategy=started(self.strategy, space))

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Proposal:
        """See `Strategy.propose`."""
        weights = rng.dirichlet(np.ones(len(history.goal.objectives)))
        return self.strategy.propose(space, self._scalarised(history, weights), rng)

    def _scalarised(self, history: History, weights: Float[np.ndarray, " k"]) -> History:
        costs: dict[int, float] = {}
        for budget in history.budgets:
            costs |= self._costs(history, budget, weights)
        shown = History(
            history.space,
            resumes=history.resumes,
            goal=_one_cost(history.goal),
            deterministic=history.deterministic,
        )
        for trial in history.trials:
            shown.add_trial(trial)
        for key in history.refused:
            shown.refuse(key)
        for evaluation in history.evaluations:
            if evaluation.succeeded:
                evaluation = replace(evaluation, cost=costs[evaluation.trial.number])
            shown.add_evaluation(evaluation)
        return shown

    def _costs(
        self, history: History, budget: float, weights: Float[np.ndarray, " k"]
    ) -> dict[int, float]:
        """Return the scalarised costs of the successes at one budget, by trial number."""
        successes: list[Evaluation] = [e for e in history.at(budget) if e.succeeded]
        if not successes:
            return {}
        costs = np.array([history.goal.costs(e) for e in successes])
        points = np.column_stack([tamed(column) for column in costs.T])
        spans = np.ptp(points, axis=0)
        scaled = weights * (points - points.min(axis=0)) / np.where(spans > 0, spans, 1.0)
        scalars = scaled.max(axis=1) + self.rho * scaled.sum(axis=1)
        violations = np.array([history.goal.violation(e) for e in successes])
        scalars += np.where(violations > 0, scalars.max() + violations, 0.0)
        return {e.trial.number: float(s) for e, s in zip(successes, scalars, strict=True)}


def _one_cost(goal: Goal) -> Goal:
    """Return the goal of one cost with the constraints of `goal` computable before training."""

    def computed(name: str) -> Callable[[Configuration], float]:
        return lambda configuration: goal.known(configuration)[name]

    constraints = tuple(c for c in goal.constraints if c.name in goal.computed)
    return Goal(constraints=constraints, computed={c.name: computed(c.name) for c in constraints})
