"""Stop that only an evaluation tells of: how probable it is that a candidate keeps them."""

from __future__ import annotations

import math
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

FREE = 20
"""In so many evaluations a search may find out where the limits are."""

AHEAD = 10
"""The allowance of so many evaluations to come may be used at once."""

LEAST_RISK = 0.1
"""With less a search that has used its allowance has no candidates but copies of what it knows."""

IMPROBABLE = 1e6
"""What the logarithm of an acquisition function never makes up for."""

Bools = NDArray[np.bool_]

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from bonas.surrogates.surrogate import Surrogate


def own_costs(observed: Observations, goal: Goal) -> Observations:
    """The observations with the costs that were measured, whatever limits they are beyond.

    A model learns more from them than from the costs of `fidelity.history.ranking`, which
    jump at each constraint. With several objectives there is no such cost, and they are left
    as they are.
    """
    if not goal.measured or len(goal.objectives) > 1:
        return observed
    return Observations(
        [replace(e, cost=goal.value(e, COST)) if e.succeeded else e for e in observed.evaluations]
    )


@dataclass
class Feasibility:
    """Models of the quantities that have limits, one each.

    They learn from the evaluations at all budgets, each network once: a latency is the same
    after one epoch as after a hundred.

    Attributes:
        surrogate: what learns them.
        allowance: the share of the evaluations after the first `FREE` that may be beyond a limit.
    """

    surrogate: Surrogate
    allowance: float = 0.15
    _tunings: dict[Constraint, Tuning] = field(init=False, default_factory=dict, repr=False)

    def log_weight(
        self, encoder: Encoder, history: History, candidates: Sequence[Configuration]
    ) -> Float[Tensor, " m"] | None:
        """What to add to the logarithm of an acquisition function.

        The logarithm of the probability alone lets a search end beyond the limit when within it
        there is little left to gain: on NAS-Bench-201 half of the evaluations were. To forbid
        improbable candidates always lets it end in a corner of safe and bad networks. So the
        probability that a candidate is beyond a limit has to fit into what is left of an
        allowance, and one that it does not fit comes only where there is no other one
        (`benchmarks/constrained.py`).

        Returns:
            As `log_probability`.
        """
        import torch

        chances = self.log_probability(encoder, history, candidates)
        if chances is None:
            return None
        improbable = chances < math.log1p(-min(self.risk(history), 1 - 1e-12))
        return torch.where(improbable, chances - IMPROBABLE, chances)

    def risk(self, history: History) -> float:
        """The highest probability of being beyond a limit that the next candidate may have."""
        late = [e for e in history.evaluations if e.succeeded][FREE:]
        beyond = sum(not history.goal.feasible(e) for e in late)
        return min(1.0, max(LEAST_RISK, self.allowance * (len(late) + AHEAD) - beyond))

    def log_probability(
        self, encoder: Encoder, history: History, candidates: Sequence[Configuration]
    ) -> Float[Tensor, " m"] | None:
        """The logarithm of the probability that each candidate keeps all limits.

        Gardner et al. 2014, "Bayesian optimization with inequality constraints", equation 7.

        Returns:
            None if there is no such limit, or nothing to learn from.
        """
        limits = history.goal.measured
        seen = _newest(history)
        if not limits or not seen:
            return None
        import torch

        encoding = encoder.encode([*(e.trial.configuration for e in seen), *candidates])
        rows = torch.from_numpy(encoding.rows)
        total = torch.zeros(len(candidates), dtype=torch.float64)
        for constraint in limits:
            values = np.array([history.goal.value(e, constraint.name) for e in seen])
            targets, lower, upper = _scores(values, constraint)
            tuning = self._tunings.setdefault(constraint, Tuning())
            numbers = tuple(e.trial.number for e in seen)
            known = rows[: len(seen)]
            tuned = tuning.tuned(
                self.surrogate, numbers, known, values, _ascending, encoding.layout
            )
            model = tuned.fit(known, targets, encoding.layout)
            with torch.no_grad():
                posterior = model.posterior(rows[len(seen) :, None, :])
                mean = posterior.mean[:, 0, 0]  # type: ignore[attr-defined]
                deviation = posterior.variance[:, 0, 0].clamp_min(1e-12).sqrt()  # type: ignore[attr-defined]
                total += _log_between((lower - mean) / deviation, (upper - mean) / deviation)
        return total


def _newest(history: History) -> list[Evaluation]:
    """The last evaluation of each network that succeeded."""
    found = {e.trial.key: e for e in history.evaluations if e.succeeded}
    return list(found.values())


def _scores(values: Floats, constraint: Constraint) -> tuple[Float[Tensor, "n 1"], float, float]:
    """Normal scores of the values, ascending with them, and where among them the limits are.

    A limit is half-way between what keeps it and what does not, and a standard deviation beyond
    all values if it divides none of them: their own distances say nothing where some quantity is
    spread over orders of magnitude.
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
    """Half-way between the scores that are in `lower` and the others, which are all above."""
    if lower.all():
        return float(scores.max()) + 1.0
    if not lower.any():
        return float(scores.min()) - 1.0
    return float(scores[lower].max() + scores[~lower].min()) / 2


def _log_between(low: Float[Tensor, " m"], high: Float[Tensor, " m"]) -> Float[Tensor, " m"]:
    """The logarithm of the probability that a standard normal value is between two others."""
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
