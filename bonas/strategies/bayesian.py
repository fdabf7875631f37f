"""Bayesian optimization over architectures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from ConfigSpace import Configuration

from bonas.candidates import Candidates, every
from bonas.strategies.strategy import Exhausted, Proposal
from fidelity.history import History
from fidelity.trial import Evaluation
from spaces.features import Encoder
from spaces.space import Space, sample

if TYPE_CHECKING:
    from bonas.acquisition import Acquisition
    from bonas.surrogates.surrogate import Surrogate

ATTEMPTS = 20


def _surrogate() -> Surrogate:
    from bonas.surrogates.gaussian_process import GaussianProcess

    return GaussianProcess()


def _acquisition() -> Acquisition:
    from bonas.acquisition import LogExpectedImprovement

    return LogExpectedImprovement()


@dataclass
class _Memory:
    """What was derived from a space; the same for every object that is given the space."""

    space: Space
    encoder: Encoder
    networks: dict[str, Configuration] | None = None


@dataclass(frozen=True)
class BayesianOptimization:
    """Fits a surrogate to what was seen and proposes where the acquisition function is highest.

    With several budgets the surrogate learns from the largest one with enough evaluations (Falkner
    et al. 2018, "BOHB"); failures count as the worst cost seen.

    Attributes:
        surrogate: what learns the costs.
        acquisition: what a candidate promises.
        candidates: where to look.
        initial: how many random networks come first.
    """

    surrogate: Surrogate = field(default_factory=_surrogate)
    acquisition: Acquisition = field(default_factory=_acquisition)
    candidates: Candidates = field(default_factory=Candidates)
    initial: int = 8
    _memory: list[_Memory] = field(default_factory=list, repr=False, compare=False)

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Proposal:
        """See `Strategy.propose`."""
        memory = self._remember(space)
        asked = {memory.encoder.key(trial.configuration) for trial in history.trials}
        observed = self._observed(history)
        if len(asked) < self.initial or not observed:
            return next(iter(self._unseen(memory, asked, [], rng).values()))
        best = sorted(observed, key=lambda e: e.cost)
        parents = [evaluation.trial.configuration for evaluation in best]
        unseen = list(self._unseen(memory, asked, parents, rng).values())
        pending = [trial.configuration for trial in history.pending]
        return unseen[self._best(memory, observed, pending, unseen, int(rng.integers(2**31)))]

    def _remember(self, space: Space) -> _Memory:
        if not self._memory or self._memory[0].space != space:
            self._memory[:] = [_Memory(space, Encoder(space, depth=1))]
        return self._memory[0]

    def _observed(self, history: History) -> Sequence[Evaluation]:
        """The evaluations of the largest budget that has enough, or else of the fullest one."""
        enough = [budget for budget in history.budgets if len(history.at(budget)) >= self.initial]
        if enough:
            return history.at(enough[-1])
        fullest = max(history.budgets, key=lambda b: (len(history.at(b)), b), default=0.0)
        return history.at(fullest)

    def _unseen(
        self,
        memory: _Memory,
        asked: set[str],
        parents: Sequence[Configuration],
        rng: np.random.Generator,
    ) -> dict[str, Configuration]:
        """Candidates by key, in random order, without those in `asked`."""
        space = memory.space.configuration_space
        key = memory.encoder.key
        if self.candidates.listed(space):
            if memory.networks is None:
                memory.networks = {}
                for configuration in every(space):
                    memory.networks.setdefault(key(configuration), configuration)
            names = [name for name in memory.networks if name not in asked]
            found = {names[i]: memory.networks[names[i]] for i in rng.permutation(len(names))}
            if not found:
                raise Exhausted("every architecture of the space has been proposed")
            return found
        for _ in range(ATTEMPTS):
            if parents:
                drawn = self.candidates.propose(space, parents, rng)
            else:
                drawn = sample(space, 8, rng)
            found = {name: c for c in drawn if (name := key(c)) not in asked}
            if found:
                return found
        raise Exhausted(f"{ATTEMPTS} rounds of candidates held no architecture that is new")

    def _best(
        self,
        memory: _Memory,
        observed: Sequence[Evaluation],
        pending: Sequence[Configuration],
        unseen: Sequence[Configuration],
        seed: int,
    ) -> int:
        """The position of the candidate with the highest score."""
        import torch

        from bonas.surrogates.surrogate import mean

        seen = [evaluation.trial.configuration for evaluation in observed]
        encoding = memory.encoder.encode([*seen, *pending, *unseen])
        rows = torch.from_numpy(encoding.rows)
        n, m = len(seen), len(seen) + len(pending)
        seen_rows, pending_rows, unseen_rows = rows[:n], rows[n:m], rows[m:]
        targets = torch.from_numpy(
            -imputed([e.cost if e.succeeded else math.inf for e in observed])
        )[:, None]
        model = self.surrogate.fit(seen_rows, targets, encoding.layout)
        with torch.no_grad():
            best = float(mean(model, seen_rows).max())
            if pending:
                # A pending trial is taken to confirm what is believed of it, which lowers the
                # variance around it and sends the next proposal elsewhere.
                believed = mean(model, pending_rows)
                model = model.condition_on_observations(pending_rows, believed)
            scores = self.acquisition.scores(model, unseen_rows, seen_rows, best, seed)
        return int(scores.nan_to_num(nan=-math.inf).argmax())


def imputed(costs: Sequence[float]) -> np.ndarray:
    """The costs with the worst finite one in place of those that are not finite; 0 if none is."""
    values = np.array(costs, dtype=np.float64)
    finite = np.isfinite(values)
    values[~finite] = values[finite].max() if finite.any() else 0.0
    return values
