"""The part that all gradient-based strategies share: train a supernet, propose its best cells."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from ConfigSpace import Configuration

from bonas.strategies.gradient.bilevel import Bilevel
from bonas.strategies.gradient.hypergradient import Hypergradient
from bonas.strategies.gradient.relaxation import Relaxation
from bonas.strategies.gradient.search_trace import CollapseWarning, Trace
from bonas.strategies.strategy import Exhausted, Startable
from fidelity.history.history import History
from spaces.keys import Keys
from spaces.space import Space

if TYPE_CHECKING:
    from spaces.weight_sharing import Supernet


@dataclass(frozen=True, eq=False)
class TrainedSupernet:
    """The result of a gradient-based search.

    Attributes:
        supernet: trained.
        trace: the course of the training.
    """

    supernet: Supernet
    trace: Trace

    def ranked(self) -> Iterator[Configuration]:
        """Yield the configurations by their probability, the highest first."""
        return self.supernet.ranked(np.log(self.trace.probabilities()[-1]))


def train_supernet(
    bilevel: Bilevel, space: Space, relaxation: Relaxation, hypergradient: Hypergradient
) -> TrainedSupernet:
    """Train a supernet of `space` and its architecture parameters.

    Args:
        bilevel: the settings.
        space: any space with weight sharing.
        relaxation: of the choice between operations.
        hypergradient: of the architecture parameters.

    Warns:
        CollapseWarning: skip connections have taken over, or no operation with weights is left.

    Raises:
        SpaceError: the space has no weight sharing.
        DataError: there are too few images to hold some out.
        Diverged: a loss is not a finite number.
    """
    from bonas.strategies.gradient.bilevel_loop import BilevelLoop
    from fidelity.training.device_data import resolve_device
    from fidelity.training.seeding import seeded

    device = resolve_device(bilevel.device)
    with seeded(device, bilevel.seed):
        loop = BilevelLoop(bilevel, space, relaxation, hypergradient, device)
        trace = loop.run()
    if trace.failure is not None:
        warnings.warn(
            f"the search has collapsed: {trace.failure}; end it earlier, for instance with "
            "stop=SkipConnections(), or hold out more images",
            CollapseWarning,
            stacklevel=2,
        )
    return TrainedSupernet(loop.supernet, trace)


class GradientSearch(Startable):
    """Settings of a strategy that trains one supernet and proposes cells by their probability.

    The supernet is trained for the first proposal, which takes minutes. It depends on the space
    and on the settings alone, and a started strategy keeps it. A resumed search trains it again,
    with the same result. The first proposal is the discretised cell, the next ones are the most
    probable cells whose networks have not been proposed, so any schedule can be used.
    """

    @abstractmethod
    def train(self, space: Space) -> TrainedSupernet:
        """Return a trained supernet of `space`; see `train_supernet`."""

    def trace(self, space: Space) -> Trace:
        """Return the course of the training of a supernet of `space`."""
        return self.train(space).trace

    def start(self, space: Space) -> SupernetProposals:
        """See `Startable.start`."""
        return SupernetProposals(self, space)


@dataclass(frozen=True)
class SupernetProposals:
    """A gradient-based strategy for one search, with its supernet.

    Attributes:
        settings: of the strategy.
        space: the search space.
    """

    settings: GradientSearch
    space: Space

    @cached_property
    def trained(self) -> TrainedSupernet:
        """The supernet, trained on first use."""
        return self.settings.train(self.space)

    @cached_property
    def _keys(self) -> Keys:
        return Keys(self.space)

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Configuration:
        """Return the most probable configuration whose network has not been proposed.

        Args:
            space: the search space.
            history: of the search.
            rng: unused.

        Raises:
            Exhausted: every configuration without `none` has been proposed.
            SpaceError: the space has no weight sharing.
            Diverged: a loss of the supernet is not a finite number.
        """
        asked = history.keys()
        for configuration in self.trained.ranked():
            if self._keys.key(configuration) not in asked:
                return configuration
        raise Exhausted("every configuration without 'none' has been asked for")
