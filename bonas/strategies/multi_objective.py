"""Bayesian optimization of several objectives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from ConfigSpace import Configuration
from jaxtyping import Float

from bonas.candidates import Candidates, Pool
from bonas.strategies.observations import Observations, observations, running
from bonas.strategies.remembered import remembered
from bonas.surrogates.transform import Floats, Transform, imputed, normal_scores
from bonas.surrogates.tuning import Tuning
from fidelity.history import History
from spaces.features import Encoder, Encoding
from spaces.space import Space

if TYPE_CHECKING:
    from torch import Tensor

    from bonas.hypervolume_improvement import Marginals
    from bonas.surrogates.surrogate import Surrogate


def _surrogate() -> Surrogate:
    from bonas.surrogates.gaussian_process import GaussianProcess

    return GaussianProcess()


@dataclass
class _Memory:
    """What was derived from arguments; it changes how long a proposal takes, and nothing else."""

    pool: Pool
    tunings: dict[str, Tuning] = field(default_factory=dict)

    @property
    def space(self) -> Space:
        """Of the pool."""
        return self.pool.space


@dataclass(frozen=True)
class MultiObjectiveBayesianOptimization:
    surrogate: Surrogate = field(default_factory=_surrogate)
    candidates: Candidates = field(default_factory=lambda: Candidates(parents=16))
    transform: Transform = normal_scores
    initial: int = 5
    margin: float = 0.1
    refrule: str = "front"
    _memory: list[_Memory] = field(default_factory=list, repr=False, compare=False)

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Configuration:
        """See `Strategy.propose`."""
        memory = self._remember(space)
        asked = history.keys()
        observed = observations(history, self.initial)
        if history.networks < self.initial or not observed:
            return memory.pool.random(asked, rng)
        import torch

        from bonas.hypervolume_improvement import cells, log_expected_improvement

        best = observed.best_first()
        unseen = memory.pool.unseen(asked, best, len(history.trials), rng)
        pending = [trial.configuration for trial in running(history)]
        configurations = [*observed.configurations, *pending, *unseen.values()]
        encoding = memory.pool.encoder.encode(configurations)
        n = len(observed)
        seen, new = [], []
        costs = np.array([history.target.costs(e) for e in observed.evaluations])
        with torch.no_grad():
            for column, name in enumerate(history.target.objectives):
                belief = self._belief(memory, name, encoding, imputed(costs[:, column]), observed, len(pending))
                seen.append(belief.means[: n + len(pending)])
                new.append(belief.__class__(belief.means[n + len(pending):], belief.deviations[n + len(pending):]))
            points = torch.stack(seen, -1)
            if self.refrule == "front":
                from botorch.utils.multi_objective.pareto import is_non_dominated
                front = points[is_non_dominated(points)]
                low, high = front.amin(0), front.amax(0)
                reference = low - self.margin * (high - low) - 1e-3
            else:
                reference = points.amin(0) - self.margin
            lower, upper = cells(points, reference)
            scores = log_expected_improvement(new, lower, upper)
        return list(unseen.values())[int(scores.nan_to_num(nan=-torch.inf, neginf=-1e300).argmax())]

    def _belief(self, memory, name, encoding, costs, observed, pending):
        import torch
        from bonas.hypervolume_improvement import Marginals
        from bonas.surrogates.surrogate import mean
        rows = torch.from_numpy(encoding.rows)
        n = len(costs)
        targets = torch.from_numpy(self.transform(costs))[:, None]
        tuning = memory.tunings.setdefault(name, Tuning())
        surrogate = tuning.tuned(self.surrogate, observed.numbers, rows[:n], targets, encoding.layout)
        model = surrogate.fit(rows[:n], targets, encoding.layout)
        if pending:
            running = rows[n:n + pending]
            model = model.condition_on_observations(running, mean(model, running))
        posterior = model.posterior(rows[:, None])
        return Marginals(posterior.mean[:, 0, 0], posterior.variance[:, 0, 0].sqrt())

    def _remember(self, space: Space) -> _Memory:
        def made() -> _Memory:
            encoder = Encoder(space, 1, paths=self.surrogate.reads_paths)
            return _Memory(Pool(space, self.candidates, encoder))

        return remembered(self._memory, space, made)
