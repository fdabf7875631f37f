"""Random search (Bergstra & Bengio 2012; the baseline of Li & Talwalkar 2020 for NAS)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from ConfigSpace import Configuration

from bonas.acquisition.prior import Belief
from bonas.strategies.networks import Networks
from bonas.strategies.strategy import Proposal, Startable, Strategy
from fidelity.history.history import History
from spaces.space import Space, draw


@dataclass(frozen=True)
class RandomSearch(Startable):
    """Proposes random configurations, independent of the history; from a belief if there is one.

    With a belief and the schedule `Hyperband` this is PriorBand (Mallik et al. 2023, "PriorBand:
    practical hyperparameter optimization in the age of deep learning"): a mixture of the space,
    the belief and the neighbourhood of the incumbent, in which the lowest budgets explore most. A
    network that was proposed before is then drawn again. `Ensemble` in
    `bonas.acquisition.ensemble_sampling` has the probabilities, and what differs from the paper.

    Attributes:
        belief: the user's prior over the best configuration.
    """

    belief: Belief | None = None

    def start(self, space: Space) -> Strategy:
        """See `Startable.start`."""
        return self if self.belief is None else _Believing(Networks(space, self.belief))

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Proposal:
        """See `Strategy.propose`."""
        if self.belief is None:
            return draw(space.configuration_space, rng)
        return self.start(space).propose(space, history, rng)


@dataclass(frozen=True)
class _Believing:
    networks: Networks = field(repr=False, compare=False)

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Configuration:
        return self.networks.random(history, rng)
