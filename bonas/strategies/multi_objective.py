"""Bayesian optimization of several objectives by expected hypervolume improvement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from ConfigSpace import Configuration
from jaxtyping import Float

from bonas.acquisition.candidates import Candidates, Pool
from bonas.acquisition.feasibility import Feasibility
from bonas.strategies.remembered import remembered
from bonas.surrogates.observations import Observations, observations, running
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

MARGIN = 0.1
"""The reference point is so far below the worst that was observed, so that the ends of a front
count for something too."""


def _surrogate() -> Surrogate:
    from bonas.surrogates.gaussian_process import GaussianProcess

    return GaussianProcess()


@dataclass
class _Memory:
    """What was derived from arguments; it changes how long a proposal takes, and nothing else."""

    pool: Pool
    feasibility: Feasibility
    tunings: dict[str, Tuning] = field(default_factory=dict)

    @property
    def space(self) -> Space:
        """Of the pool."""
        return self.pool.space


@dataclass(frozen=True)
class MultiObjectiveBayesianOptimization:
    """Proposes what is expected to add most to the hypervolume of the front.

    One surrogate an objective; an objective that is computed from the configuration (the
    objective's attribute `computed`: parameters, multiply-adds) is known of every candidate and
    not learned. The improvement is over the front of the surrogates' means at what was evaluated,
    so that a lucky observation is none, and it is exact for any number of objectives (Emmerich et
    al. 2006, "Single- and multiobjective evolutionary optimization assisted by Gaussian random
    field metamodels"; Yang et al. 2019). Volumes are those of the transformed costs, in which no
    unit matters. They count from a reference point just below the worst value that was observed
    of each objective.

    What is running is taken to confirm what is believed of it. What is beyond a limit is no part
    of the front, and limits that only an evaluation tells weight the improvement, as in
    `BayesianOptimization`. With several budgets it learns from the largest one with enough
    evaluations; failures have the worst costs seen.

    Attributes:
        surrogate: what learns each objective.
        candidates: where to look: neighbours of the best by front and by the room around them,
            and samples.
        transform: what is learned instead of the costs.
        initial: how many random networks come first.
    """

    surrogate: Surrogate = field(default_factory=_surrogate)
    candidates: Candidates = field(default_factory=lambda: Candidates(parents=16))
    transform: Transform = balanced_scores
    initial: int = 5
    _memory: list[_Memory] = field(init=False, default_factory=list, repr=False, compare=False)

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Configuration:
        """See `Strategy.propose`."""
        memory = self._remember(space)
        asked = history.keys()
        observed = observations(history, self.initial)
        if history.networks < self.initial or not observed:
            return memory.pool.random(asked, rng)
        import torch

        best = observed.best_first()
        unseen = list(memory.pool.unseen(asked, best, len(history.trials), rng).values())
        pending = [trial.configuration for trial in running(history)]
        known = [*observed.configurations, *pending]
        with torch.no_grad():
            beliefs = self._beliefs(memory, history.goal, observed, pending, unseen)
            kept = [history.goal.feasible(e) for e in observed.evaluations]
            scores = _scores(beliefs, len(observed), kept + [True] * len(pending))
            scores = scores[len(known) :].nan_to_num(nan=-torch.inf)
        chances = memory.feasibility.log_weight(memory.pool.encoder, history, unseen)
        if chances is not None:
            # As long as nothing has kept all limits, there is no front to improve on.
            scores = scores + chances if any(kept) else chances
        return unseen[int(scores.argmax())]

    def _beliefs(
        self,
        memory: _Memory,
        goal: Goal,
        observed: Observations,
        pending: Sequence[Configuration],
        unseen: Sequence[Configuration],
    ) -> list[Marginals]:
        """Of each objective about what was observed, what is running, and what could be next."""
        import torch

        from bonas.acquisition.hypervolume_improvement import Marginals

        configurations = [*observed.configurations, *pending, *unseen]
        encoding = memory.pool.encoder.encode(configurations)
        costs = np.array([goal.costs(e) for e in observed.evaluations])
        beliefs = []
        for name, column in zip(goal.objectives, costs.T, strict=True):
            if name in goal.computed:
                values = np.array([goal.known(chosen)[name] for chosen in configurations])
                means = torch.from_numpy(self.transform(imputed(values.tolist())))
                beliefs.append(Marginals(means, torch.zeros_like(means)))
            else:
                tuning = memory.tunings.setdefault(name, Tuning())
                beliefs.append(self._learned(tuning, encoding, observed, column, len(pending)))
        return beliefs

    def _learned(
        self,
        tuning: Tuning,
        encoding: Encoding,
        observed: Observations,
        costs: Float[np.ndarray, " n"],
        pending: int,
    ) -> Marginals:
        """The posterior of a surrogate at all rows, of which the first were observed."""
        import torch

        from bonas.acquisition.hypervolume_improvement import Marginals
        from bonas.surrogates.surrogate import mean

        rows, layout, n = torch.from_numpy(encoding.rows), encoding.layout, len(observed)
        costs = imputed(costs.tolist())
        surrogate = tuning.tuned(
            self.surrogate, observed.numbers, rows[:n], costs, self.transform, layout
        )
        targets = torch.from_numpy(self.transform(costs))[:, None]
        model = surrogate.fit(rows[:n], targets, layout)
        if pending:
            waiting = rows[n : n + pending]
            model = model.condition_on_observations(waiting, mean(model, waiting))
        posterior = model.posterior(rows[:, None])
        means: Tensor = posterior.mean[:, 0, 0]  # type: ignore[attr-defined]
        variances: Tensor = posterior.variance[:, 0, 0]  # type: ignore[attr-defined]
        return Marginals(means, variances.clamp_min(0.0).sqrt())

    def _remember(self, space: Space) -> _Memory:
        def made() -> _Memory:
            encoder = Encoder(space, 1, paths=self.surrogate.reads_paths)
            return _Memory(Pool(space, self.candidates, encoder), Feasibility(self.surrogate))

        return remembered(self._memory, space, made)


def _scores(
    beliefs: Sequence[Marginals], observed: int, kept: Sequence[bool]
) -> Float[Tensor, " m"]:
    """The logarithm of the expected improvement by each row.

    Args:
        beliefs: one an objective, about the same rows.
        observed: so many of the first rows were evaluated.
        kept: of the rows that were evaluated or are running, those that may be in the front.
    """
    import torch

    from bonas.acquisition.hypervolume_improvement import cells, log_expected_improvement

    means = torch.stack([belief.means for belief in beliefs], -1)
    reference = means[:observed].amin(0) - MARGIN
    front = means[: len(kept)][torch.tensor(kept)]
    return log_expected_improvement(beliefs, *cells(front, reference))
