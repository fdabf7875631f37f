"""Knowledge about the networks of a search before they are trained, as one prediction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from ConfigSpace import Configuration

from bonas.surrogates.agreement import agreement
from bonas.surrogates.observations import Observations
from bonas.surrogates.transform import Floats
from fidelity.history.history import History
from fidelity.history.trial import Evaluation

DIGITS = 9
"""Decimals of a prediction."""

BELIEVED = 5
"""The number of evaluations that the presumed agreement of a source with the search is worth."""


class Source(Protocol):
    """One source of predictions."""

    @property
    def agreement(self) -> float:
        """The rank correlation with the search that is presumed before any evaluation."""
        ...

    def known(self, history: History) -> bool:
        """Return whether the source may have predictions by now."""
        ...

    def predictions(
        self, history: History, configurations: Sequence[Configuration]
    ) -> Floats | None:
        """Return one prediction per configuration, the higher the better.

        Args:
            history: of the search.
            configurations: of its space.

        Returns:
            About mean 0 and standard deviation 1 over random networks of the space; None if the
            source knows nothing.
        """
        ...


@dataclass(frozen=True)
class Knowledge:
    """The mean of several sources, weighted by how well they rank what was evaluated.

    The agreement of a source is its rank correlation with the evaluations, shrunk towards the
    presumed one as if that were `BELIEVED` more evaluations, and 0 where it is negative. Weights
    are squared agreements.

    Attributes:
        sources: of predictions.
    """

    sources: Sequence[Source]

    def known(self, history: History) -> bool:
        """Return whether there may be predictions by now."""
        return any(source.known(history) for source in self.sources)

    def predictions(
        self,
        history: History,
        seen: Sequence[Evaluation],
        configurations: Sequence[Configuration],
    ) -> Floats | None:
        """Return one prediction per configuration, the higher the better; None if nothing is known.

        Args:
            history: of the search.
            seen: the evaluations that decide the weights, by those at the highest budget with
                `BELIEVED` of them.
            configurations: of the space.

        Returns:
            In standard deviations over random networks.
        """
        if not self.known(history):
            return None
        observed = _at_one_budget(seen)
        n = len(observed)
        total, weights = np.zeros(len(configurations)), 0.0
        for source in self.sources:
            predicted = source.predictions(history, [*observed.configurations, *configurations])
            if predicted is None:
                continue
            agreed = agreement(predicted[:n], observed.costs, source.agreement, BELIEVED)
            total += agreed**2 * predicted[n:]
            weights += agreed**2
        return total / weights if weights > 0 else None


def _at_one_budget(seen: Sequence[Evaluation]) -> Observations:
    """Return the evaluations at the highest budget with enough of them, or at the fullest one."""
    counts = Counter(evaluation.trial.budget for evaluation in seen)
    enough = [budget for budget, count in counts.items() if count >= BELIEVED]
    chosen = max(enough) if enough else max(counts, key=lambda b: (counts[b], b), default=0.0)
    return Observations([e for e in seen if e.trial.budget == chosen])


@dataclass
class Memo:
    """Predictions of the networks of one space, each computed once.

    Attributes:
        predict: returns one prediction per configuration.
    """

    predict: Callable[[Sequence[Configuration]], Floats]
    _known: dict[bytes, float] = field(init=False, default_factory=dict, repr=False)

    def __call__(self, configurations: Sequence[Configuration]) -> Floats:
        """Return one prediction per configuration."""
        names = [configuration.get_array().tobytes() for configuration in configurations]
        distinct = dict(zip(names, configurations, strict=True))
        new = {name: each for name, each in distinct.items() if name not in self._known}
        if new:
            # Rounding errors that depend on the other rows must not break ties.
            predicted = self.predict(list(new.values())).round(DIGITS)
            self._known.update(zip(new, predicted.tolist(), strict=True))
        return np.array([self._known[name] for name in names])


def standardised(predictions: Floats, reference: Floats) -> Floats:
    """Return predictions in units of those of random networks.

    Args:
        predictions: of any networks.
        reference: predictions of random networks of the space.
    """
    spread = float(reference.std())
    if spread <= 1e-12 * (1 + float(np.abs(reference).max())):
        return np.zeros_like(predictions)
    return np.asarray((predictions - reference.mean()) / spread)
