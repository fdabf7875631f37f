"""The result of a search: the configuration that it recommends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ConfigSpace import Configuration

from fidelity.history.trial import Evaluation
from spaces.space import values


class NoResult(LookupError):
    """A search has no best configuration: nothing has succeeded and met all constraints yet."""


@dataclass(frozen=True)
class Best:
    """The recommended configuration.

    Attributes:
        evaluation: that the strategy recommends; the incumbent where it has no judgement.
    """

    evaluation: Evaluation

    @property
    def configuration(self) -> Configuration:
        """The configuration."""
        return self.evaluation.trial.configuration

    @property
    def values(self) -> dict[str, Any]:
        """The active hyperparameters as plain Python values."""
        return values(self.configuration)

    @property
    def cost(self) -> float:
        """The observed cost."""
        return self.evaluation.cost

    def __repr__(self) -> str:
        trial = self.evaluation.trial
        return (
            f"Best(cost={self.cost:.6g}, trial={trial.number}, budget={trial.budget:g}, "
            f"configuration={self.values})"
        )
