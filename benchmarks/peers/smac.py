"""SMAC3 (Lindauer et al. 2022, "SMAC3: a versatile Bayesian optimization package ...")."""

from __future__ import annotations

import logging
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peers.peer import Choice, FlatSpace


@dataclass(frozen=True)
class SMAC:
    """`smac.HyperparameterOptimizationFacade` with its defaults: random forest and log EI.

    Attributes:
        deterministic: if not, it repeats contenders with other seeds (its intensification).
        budget: the announced number of evaluations.
    """

    deterministic: bool
    budget: int = 150

    def start(self, flat: FlatSpace, seed: int) -> SMACSession:
        """See `Peer.start`."""
        from smac import HyperparameterOptimizationFacade, Scenario

        # In a space this small it repeatedly warns that it falls back on random ones.
        logging.getLogger("smac").setLevel(logging.ERROR)

        scenario = Scenario(
            flat.configuration_space(seed),
            deterministic=self.deterministic,
            n_trials=self.budget,
            output_directory=Path(tempfile.mkdtemp(prefix="smac-")),
            seed=seed,
        )
        facade = HyperparameterOptimizationFacade(
            scenario, _never_called, overwrite=True, logging_level=False
        )
        return SMACSession(facade)


@dataclass
class SMACSession:
    """See `Session`."""

    facade: Any
    info: Any = None

    def ask(self) -> Choice:
        """The next trial of its intensifier."""
        self.info = self.facade.ask()
        return {name: str(value) for name, value in self.info.config.items()}

    def tell(self, choice: Choice, cost: float) -> None:
        """Record the result in the intensifier."""
        from smac.runhistory.dataclasses import TrialValue

        self.facade.tell(self.info, TrialValue(cost), save=False)

    def recommend(self) -> Choice:
        """Its incumbent."""
        incumbent = self.facade.intensifier.get_incumbent()
        return {name: str(value) for name, value in incumbent.items()}


def _never_called(config: Any, seed: int = 0) -> float:
    """Stand in for the function that SMAC requires, but never calls in ask-and-tell."""
    raise NotImplementedError
