"""Parts of the knowledge of Bayesian optimization, and its rival: a multi-task process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from ConfigSpace import Configuration
from jaxtyping import Float
from torch import Tensor

from bonas.strategies.bayesian import BayesianOptimization
from bonas.strategies.prior_knowledge import PriorKnowledge
from bonas.strategies.strategy import Proposal, Strategy
from bonas.surrogates.gaussian_process import GaussianProcess, GaussianProcessModel
from bonas.surrogates.transform import normal_scores
from fidelity.history.history import History
from fidelity.history.trial import Evaluation
from peers.bonas import BonasSession
from peers.informed import Informed
from peers.peer import FlatSpace
from spaces.encoding import Encoder, Encoding, Layout


class DesignOnly(PriorKnowledge):
    """The surrogate knows nothing."""

    def extended(
        self,
        encoding: Encoding,
        history: History,
        evaluations: Sequence[Evaluation],
        configurations: Sequence[Configuration],
    ) -> Encoding:
        """Return the encoding as it is."""
        return encoding


class TrendOnly(PriorKnowledge):
    """The initial networks are random."""

    def first(self, history: History, rng: np.random.Generator) -> Proposal | None:
        """Return only a request for scores."""
        proposal = super().first(history, rng)
        return None if proposal is None or not hasattr(proposal, "proxies") else proposal


def design_only(strategy: Strategy) -> Strategy:
    """Use what is known for the initial networks alone."""
    return _with(strategy, DesignOnly)


def trend_only(strategy: Strategy) -> Strategy:
    """Use what is known for the surrogate alone."""
    return _with(strategy, TrendOnly)


def _with(strategy: Strategy, kind: type[PriorKnowledge]) -> Strategy:
    prior = strategy.prior  # type: ignore[attr-defined]
    changed = kind(prior.space, prior.pool, prior.zero_cost, prior.knowledge)
    return replace(strategy, prior=changed)  # type: ignore[type-var]


@dataclass(frozen=True)
class MultiTask:
    """One Gaussian process over both searches, the task in the place of a budget.

    The kernel is that of the networks times a correlation of the two tasks that the evidence
    chooses (a multi-task process with one shared kernel: Swersky et al. 2013, "Multi-task Bayesian
    optimization"), and each task has a mean of its own. The initial networks are chosen as with
    `earlier`.

    Attributes:
        earlier: the earlier searches for each seed.
    """

    earlier: Callable[[int], Sequence[History]]

    def start(self, flat: FlatSpace, seed: int) -> BonasSession:
        """See `Peer.start`."""
        (history,) = self.earlier(seed)
        surrogate = Tasks(history)
        settings = BayesianOptimization(zero_cost=None)

        def told(strategy: Any) -> Any:
            prior = strategy.prior
            both = Both(prior.space, prior.pool, None, prior.knowledge, surrogate, strategy.encoder)
            return replace(strategy, prior=both, settings=replace(settings, surrogate=surrogate))

        return Informed(settings, None, self.earlier, told).start(flat, seed)


@dataclass
class Tasks:
    """A surrogate that adds the observations of another task.

    Attributes:
        history: of the other task.
        inner: the process of both.
        rows: of its configurations, in the columns of the last encoding.
    """

    history: History
    inner: GaussianProcess = field(default_factory=GaussianProcess)
    reads_paths: bool = False
    rows: list[Float[Tensor, "n d"]] = field(default_factory=list)

    def tuned(
        self, inputs: Float[Tensor, "n d"], targets: Float[Tensor, "n 1"], layout: Layout
    ) -> Tasks:
        """See `Tunable.tuned`."""
        return replace(self, inner=self.inner.tuned(*self._joined(inputs, targets), layout))

    def fit(
        self, inputs: Float[Tensor, "n d"], targets: Float[Tensor, "n 1"], layout: Layout
    ) -> GaussianProcessModel:
        """See `Surrogate.fit`."""
        return self.inner.fit(*self._joined(inputs, targets), layout)

    def _joined(
        self, inputs: Float[Tensor, "n d"], targets: Float[Tensor, "n 1"]
    ) -> tuple[Float[Tensor, "n d"], Float[Tensor, "n 1"]]:
        costs = np.array([e.cost for e in self.history.evaluations])
        other = torch.from_numpy(normal_scores(costs))[:, None]
        return torch.cat([self.rows[0], inputs]), torch.cat([other, targets])


@dataclass(frozen=True)
class Both(PriorKnowledge):
    """Adds the task to each row, 1 for this search and 0 for the earlier one.

    Attributes:
        tasks: the surrogate, which gets the rows of the earlier search.
        encoder: of the space.
    """

    tasks: Tasks
    encoder: Encoder

    def extended(
        self,
        encoding: Encoding,
        history: History,
        evaluations: Sequence[Evaluation],
        configurations: Sequence[Configuration],
    ) -> Encoding:
        """Return the rows with their task."""
        other = [e.trial.configuration for e in self.tasks.history.evaluations]
        encoding = self.encoder.encode([*other, *configurations])
        n = len(other)
        task = np.r_[np.zeros(n), np.ones(len(configurations))][:, None]
        rows = np.hstack([encoding.rows, task])
        self.tasks.rows[:] = [torch.from_numpy(rows[:n])]
        columns = slice(rows.shape[1] - 1, rows.shape[1])
        return Encoding(rows[n:], replace(encoding.layout, budget=columns))
