"""Syne Tune's BORE (Salinas et al. 2022, "Syne Tune"; Tiao et al. 2021, "BORE")."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np

from peers.peer import Choice, FlatSpace


@dataclass(frozen=True)
class BORE:
    """`syne_tune.optimizer.baselines.BORE` with its defaults: gradient-boosted trees."""

    def start(self, flat: FlatSpace, seed: int) -> BORESession:
        """See `Peer.start`."""
        logging.getLogger("syne_tune").setLevel(logging.ERROR)
        from syne_tune.config_space import choice
        from syne_tune.optimizer.baselines import BORE as Scheduler

        # Its random configurations come from numpy's global generator, whatever the seed.
        np.random.seed(seed)  # noqa: NPY002
        space = {name: choice(list(values)) for name, values in flat.values.items()}
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
        return {name: str(value) for name, value in self.trial.config.items()}

    def tell(self, choice: Choice, cost: float) -> None:
        """Completes the trial."""
        self.scheduler.on_trial_complete(self.trial, {"cost": cost})
        self.number += 1
