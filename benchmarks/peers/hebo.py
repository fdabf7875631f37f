"""HEBO (Cowen-Rivers et al. 2022, "HEBO: pushing the limits of sample-efficient ...")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from peers.peer import EDGES, OPERATIONS, Choice


@dataclass(frozen=True)
class HEBO:
    """`hebo.optimizers.hebo.HEBO` with its defaults: a warped Gaussian process and MACE."""

    def start(self, seed: int) -> HEBOSession:
        """See `Peer.start`."""
        import torch
        from hebo.design_space.design_space import DesignSpace
        from hebo.optimizers.hebo import HEBO as Optimizer

        # It draws from the global generators of numpy and torch.
        np.random.seed(seed)  # noqa: NPY002
        torch.manual_seed(seed)
        edges = [{"name": e, "type": "cat", "categories": list(OPERATIONS)} for e in EDGES]
        return HEBOSession(Optimizer(DesignSpace().parse(edges), scramble_seed=seed))


@dataclass
class HEBOSession:
    """See `Session`."""

    optimizer: Any
    frame: Any = None

    def ask(self) -> Choice:
        """One suggestion."""
        self.frame = self.optimizer.suggest(1)
        return {edge: str(self.frame[edge].iloc[0]) for edge in EDGES}

    def tell(self, choice: Choice, cost: float) -> None:
        """One observation."""
        self.optimizer.observe(self.frame, np.array([[cost]]))
