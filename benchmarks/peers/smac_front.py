"""SMAC3 with several objectives, by ParEGO (Knowles 2006), its own way to have them."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ConfigSpace import ConfigurationSpace

from peers.peer import Choice
from peers.several import options
from spaces.space import Space


@dataclass(frozen=True)
class SMACParEGO:
    """`smac.HyperparameterOptimizationFacade` with its `ParEGO` and its defaults."""

    def start(self, space: Space, seed: int, evaluations: int) -> SMACParEGOSession:
        """See `FrontPeer.start`."""
        from smac import HyperparameterOptimizationFacade, Scenario
        from smac.multi_objective.parego import ParEGO

        logging.getLogger("smac").setLevel(logging.ERROR)
        choices = {name: list(values) for name, values in options(space).items()}
        scenario = Scenario(
            ConfigurationSpace(choices, seed=seed),
            objectives=["error", "other"],
            deterministic=True,
            n_trials=evaluations,
            output_directory=Path(tempfile.mkdtemp(prefix="smac-")),
            seed=seed,
        )
        facade = HyperparameterOptimizationFacade(
            scenario,
            _never_called,
            multi_objective_algorithm=ParEGO(scenario),
            overwrite=True,
            logging_level=False,
        )
        return SMACParEGOSession(facade)


@dataclass
class SMACParEGOSession:
    """See `FrontSession`."""

    facade: Any
    info: Any = None

    def ask(self) -> Choice:
        """The next trial of its intensifier."""
        self.info = self.facade.ask()
        return {name: str(value) for name, value in self.info.config.items()}

    def tell(self, choice: Choice, costs: Sequence[float]) -> None:
        """Record the result in the intensifier."""
        from smac.runhistory.dataclasses import TrialValue

        self.facade.tell(self.info, TrialValue(cost=list(costs)), save=False)


def _never_called(config: Any, seed: int = 0) -> float:
    """Stand in for the function that SMAC requires, but never calls in ask-and-tell."""
    raise NotImplementedError
