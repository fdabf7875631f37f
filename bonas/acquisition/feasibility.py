"""Measured constraints: the probability that a candidate satisfies them."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from ConfigSpace import Configuration
from numpy.typing import NDArray

from bonas.surrogates.observations import Observations
from bonas.surrogates.transform import Floats, normal_scores
from bonas.surrogates.tuning import Tuning
from fidelity.history.goal import COST, Constraint, Goal
from fidelity.history.history import History
from fidelity.history.trial import Evaluation
from spaces.encoding import Encoder

EXPLORATION_EVALUATIONS = 20
"""First evaluations, in which a search may explore where the constraints are violated."""

ADVANCE_EVALUATIONS = 10
"""Future evaluations whose allowance may be used in advance."""

MIN_RISK = 0.1
"""With less, a search that has used its allowance could only propose copies of known networks."""

REJECTION_PENALTY = 1e6
"""More than the logarithm of an acquisition function ever makes up for."""

Bools = NDArray[np.bool_]

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from bonas.surrogates.surrogate import Surrogate


def own_costs(observed: Observations, goal: Goal) -> Observations:
    """Return the observations with the costs that were measured, feasible or not.

    A surrogate fits them better than the costs of `fidelity.history.ranking`, which
    jump at each constraint. With several objectives there is no such cost, and the observations
    stay as they are.

    Args:
        observed: with the costs that the history shows to a strategy.
        goal: of the search.
    """
    if not goal.measured or len(goal.objectives) > 1:
        return observed
    return Observations(
        [replace(e, cost=goal.value(e, COST)) if e.succeeded else e for e in observed.evaluations]
    )


@dataclass
class Feasibility:
    """One surrogate for each quantity with a measured constraint.

    They are fitted to the evaluations at all budgets, each network once: a latency is the same
    after one epoch as after a hundred.

    Attributes:
        surrogate: models each quantity.
        allowance: the share of the evaluations after the first `EXPLORATION_EVALUATIONS` that may
            be infeasible.
    """

    surrogate: Surrogate
    allowance: float = 0.15
    _tunings: defaultdict[Constraint, Tuning] = field(
        init=False, default_factory=lambda: defaultdict(Tuning), repr=False
    )

    def log_weight(
        self, encoder: Encoder, history: History, candidates: Sequence[Configuration]
    ) -> Float[Tensor, " m"] | None:
        """Return what to add to the logarithm of an acquisition function.

        With the logarithm of the probability alone, a search ends at infeasible networks when
        little is left to gain among feasible ones: half of its evaluations on NAS-Bench-201. With
        improbable candidates forbidden, it ends in a corner of safe and bad networks. So the
        probability of being infeasible has to fit into the remaining allowance, and
        other candidates come after all that fit (`benchmarks/constrained.py`).

        Args:
            encoder: of the space.
            history: of the search.
            candidates: the configurations.

        Returns:
            As `log_probability`.
        """
        import torch

        chances = self.log_probability(encoder, history, candidates)
        if chances is None:
            return None
        rejected = chances < math.log1p(-min(self.risk(history), 1 - 1e-12))
        return torch.where(rejected, chances - REJECTION_PENALTY, chances)

    def risk(self, history: History) -> float:
        """Return the highest probability of being infeasible that the next candidate may have."""
        late = [e for e in history.evaluations if e.succeeded][EXPLORATION_EVALUATIONS:]
        infeasible = sum(not history.goal.feasible(e) for e in late)
        allowed = self.allowance * (len(late) + ADVANCE_EVALUATIONS)
        return min(1.0, max(MIN_RISK, allowed - infeasible))

    def log_probability(
        self, encoder: Encoder, history: History, candidates: Sequence[Configuration]
    ) -> Float[Tensor, " m"] | None:
        """Return the logarithm of the probability that each candidate is feasible.

        Gardner et al. 2014, "Bayesian optimization with inequality constraints", equation 7.

        Args:
            encoder: of the space.
            history: of the search.
            candidates: the configurations.

        Returns:
            None without measured constraints or successful evaluations.
        """
        constraints = history.goal.measured
        observed = _newest(history)
        if not constraints or not observed:
            return None
        import torch

        encoding = encoder.encode([*(e.trial.configuration for e in observed), *candidates])
        rows, n = torch.from_numpy(encoding.rows), len(observed)
        numbers = tuple(e.trial.number for e in observed)
        total = torch.zeros(len(candidates), dtype=torch.float64)
        for constraint in constraints:
            values = np.array([history.goal.value(e, constraint.name) for e in observed])
            targets, lower, upper = _scores(values, constraint)
            tuned = self._tunings[constraint].tuned(
                self.surrogate, numbers, rows[:n], values, _ascending, encoding.layout
            )
            model = tuned.fit(rows[:n], targets, encoding.layout)
            with torch.no_grad():
                posterior = model.posterior(rows[n:, None, :])
                mean = posterior.mean[:, 0, 0]  # type: ignore[attr-defined]
                deviation = posterior.variance[:, 0, 0].clamp_min(1e-12).sqrt()  # type: ignore[attr-defined]
                total += _log_between((lower - mean) / deviation, (upper - mean) / deviation)
        return total


def _newest(history: History) -> list[Evaluation]:
    """Return the last success of each network."""
    return list({e.trial.key: e for e in history.evaluations if e.succeeded}.values())


def _scores(values: Floats, constraint: Constraint) -> tuple[Float[Tensor, "n 1"], float, float]:
    """Return normal scores of the values, ascending with them, and the scores of the two bounds.

    A bound is half-way between the values on its sides, or a standard deviation beyond all
    values if they are on one side: distances between values mean little for a quantity that
    spans orders of magnitude.
    """
    import torch

    scores = _ascending(values)
    below, above = -math.inf, math.inf
    if constraint.at_least is not None:
        below = _between(scores, values < constraint.at_least)
    if constraint.at_most is not None:
        above = _between(scores, values <= constraint.at_most)
    return torch.from_numpy(scores[:, None].copy()), below, above


def _ascending(values: Floats) -> Floats:
    return -normal_scores(values)


def _between(scores: Floats, lower: Bools) -> float:
    """Return the middle between the scores that are in `lower` and the others, all above."""
    if lower.all():
        return float(scores.max()) + 1.0
    if not lower.any():
        return float(scores.min()) - 1.0
    return float(scores[lower].max() + scores[~lower].min()) / 2


def _log_between(low: Float[Tensor, " m"], high: Float[Tensor, " m"]) -> Float[Tensor, " m"]:
    """Return the log probability that a standard normal value lies between two others."""
    import torch

    result: Tensor
    if torch.isinf(low).all():
        result = torch.special.log_ndtr(high)
    elif torch.isinf(high).all():
        result = torch.special.log_ndtr(-low)
    else:
        between = torch.special.ndtr(high) - torch.special.ndtr(low)
        result = between.clamp_min(1e-300).log()
    return result


def highest_admitted(
    scores: Float[Tensor, " m"], configurations: Sequence[Configuration], goal: Goal
) -> int:
    """Return the index of the highest score that satisfies the computable constraints.

    Where none does, it is the index of the highest score.

    Args:
        scores: of the configurations; NaN comes last.
        configurations: one per score.
        goal: with the constraints.
    """
    finite = scores.nan_to_num(nan=-math.inf, neginf=-math.inf)
    order = finite.argsort(descending=True, stable=True).tolist() if goal.computed else []
    admitted = (index for index in order if goal.admits(configurations[index]))
    return next(admitted, int(finite.argmax()))
