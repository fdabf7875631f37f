"""DEHB at full fidelity (Awad, Mallik and Hutter 2021, "DEHB: evolutionary Hyperband ...")."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from typing import Any

from peers.peer import Choice, FlatSpace


@dataclass(frozen=True)
class DEHB:
    """`dehb.DEHB` with its defaults; its lowest fidelity is so high that there is one rung."""

    def start(self, flat: FlatSpace, seed: int) -> DEHBSession:
        """See `Peer.start`."""
        from dehb import DEHB as Optimizer
        from loguru import logger

        logger.remove()
        return DEHBSession(
            Optimizer(
                cs=flat.configuration_space(seed),
                min_fidelity=0.9,
                max_fidelity=1.0,
                eta=3,
                n_workers=1,
                seed=seed,
                output_path=tempfile.mkdtemp(prefix="dehb-"),
                log_level="ERROR",
            )
        )


@dataclass
class DEHBSession:
    """See `Session`."""

    optimizer: Any
    job: Any = None

    def ask(self) -> Choice:
        """The next job of the only rung."""
        self.job = self.optimizer.ask()
        return {name: str(value) for name, value in self.job["config"].items()}

    def tell(self, choice: Choice, cost: float) -> None:
        """Ends the job."""
        self.optimizer.tell(self.job, {"fitness": cost, "cost": 1.0})
