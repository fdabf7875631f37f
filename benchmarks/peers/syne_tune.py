"""Syne Tune's BORE (Salinas et al. 2022, "Syne Tune"; Tiao et al. 2021, "BORE")."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np

from peers.peer import EDGES, OPERATIONS, Choice


@dataclass(frozen=True)
class BORE:
    """`syne_tune.optimizer.baselines.BORE` with its defaults: gradient-boosted trees."""

    def start(self, seed: int) -> BORESession:
        """See `Peer.start`."""
        logging.getLogger("syne_tune").setLevel(logging.ERROR)
        from syne_tune.config_space import choice
        from syne_tune.optimizer.baselines import BORE as Scheduler

        # Its random configurations come from numpy's global generator, whatever the seed.
        np.random.seed(seed)  # noqa: NPY002
        space = {edge: choice(list(OPERATIONS)) for edge in EDGES}
        return BORESession(Scheduler(space, metric="cost", do_minimize=True, random_seed=seed))


@dataclass
class BORESession:
    """See `Session`."""

    scheduler: Any
    number: int = 0
    trial: Any = None

    def ask(self) -> Choice:
        """The scheduler's suggestion as a trial."""
        from datetime import datetime

        from syne_tune.backend.trial_status import Trial

        suggestion = self.scheduler.suggest()
        self.trial = Trial(self.number, suggestion.config, datetime.now())
        self.scheduler.on_trial_add(self.trial)
        return {edge: str(self.trial.config[edge]) for edge in EDGES}

    def tell(self, choice: Choice, cost: float) -> None:
        """Completes the trial."""
        self.scheduler.on_trial_complete(self.trial, {"cost": cost})
        self.number += 1
