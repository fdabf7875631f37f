"""Bilevel optimisation of a supernet: weights on one half of the images, the cell on the other.

Liu et al. (2019), "DARTS: differentiable architecture search", algorithm 1.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
from ConfigSpace import Configuration
from jaxtyping import Float

from bonas.strategies.gradient.early_stop import StopRule
from bonas.strategies.gradient.hypergradient import Hypergradient
from bonas.strategies.gradient.search_trace import CollapseWarning, Trace
from bonas.strategies.strategy import Exhausted
from fidelity.history.history import History
from spaces.keys import trial_key
from spaces.space import Space

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from bonas.strategies.gradient.bilevel_loop import BilevelLoop
    from fidelity.datasets.dataset import Dataset
    from fidelity.training.optimizers import CosineSGD
    from spaces.weight_sharing import Active, Supernet


class Relaxation(Protocol):
    """How a choice between operations is made continuous."""

    def __call__(
        self,
        parameters: Float[Tensor, "edges operations"],
        progress: float,
        generator: torch.Generator,
    ) -> tuple[Float[Tensor, "edges operations"], Active | None]:
        """The weights of the operations, and which of them are computed (None: all).

        Args:
            parameters: of the architecture.
            progress: of the search, from 0 to 1.
            generator: the only source of randomness.
        """
        ...


def _paper() -> CosineSGD:
    from fidelity.training.optimizers import CosineSGD

    return CosineSGD(learning_rate=0.025, momentum=0.9, weight_decay=3e-4, warm_up=0.0)


@dataclass(frozen=True)
class Bilevel:
    """How a supernet and its architecture parameters are trained together.

    The defaults are those of Liu et al. (2019), for 25,000 training images in batches of 64;
    with few images, and so few steps, `architecture_rate` has to be higher.

    Attributes:
        dataset: of which only the training part is looked at; the validation part is for
            comparing networks.
        epochs: passes over the part of the images that the weights are trained on.
        batch_size: images a step, of either part.
        optimisation: of the weights: Nesterov's momentum, and a learning rate that falls to 0.
        clip: the largest norm of the weights' gradient.
        architecture_rate: the learning rate of Adam for the architecture parameters.
        architecture_decay: their weight decay.
        held_out: the share of the training images for the architecture parameters.
        warm_up: so many epochs train the weights alone.
        stop: ends the search early; None goes to the last epoch.
        device: as torch names devices; None means the GPU where there is one, else the CPU.
        seed: of everything random.

    Raises:
        ValueError: a number is out of its range.
    """

    dataset: Dataset
    epochs: int = 50
    batch_size: int = 64
    optimisation: CosineSGD = field(default_factory=_paper)
    clip: float = 5.0
    architecture_rate: float = 3e-4
    architecture_decay: float = 1e-3
    held_out: float = 0.5
    warm_up: int = 0
    stop: StopRule | None = None
    device: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        from fidelity.datasets.dataset import check_dataset

        check_dataset(self.dataset)
        for name in ("epochs", "batch_size", "clip", "architecture_rate"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}: it must be above 0")
        if not 0 < self.held_out < 1:
            raise ValueError(f"held_out is {self.held_out}: it lies between 0 and 1")
        if not 0 <= self.warm_up < self.epochs:
            raise ValueError(
                f"warm_up is {self.warm_up}: it lies between 0 and the {self.epochs} epochs"
            )

    def run(self, space: Space, relaxation: Relaxation, hypergradient: Hypergradient) -> Found:
        """Trains a supernet of `space`, and what it chooses.

        Warns:
            CollapseWarning: skip connections have taken over, or nothing is left with weights.

        Raises:
            SpaceError: the space has no weight sharing.
            DataError: there are too few images to hold some out.
            Diverged: a loss is no finite number.
        """
        from bonas.strategies.gradient.bilevel_loop import BilevelLoop
        from fidelity.training.device_data import resolve_device
        from fidelity.training.seeding import seeded

        device = resolve_device(self.device)
        with seeded(device, self.seed):
            search = BilevelLoop(self, space, relaxation, hypergradient, device)
            trace = self._course(search)
        if trace.failure is not None:
            warnings.warn(
                f"the search has collapsed: {trace.failure}; end it earlier, for instance with "
                "stop=SkipConnections(), or hold out more images",
                CollapseWarning,
                stacklevel=2,
            )
        return Found(space, search.shared, trace)

    def _course(self, search: BilevelLoop) -> Trace:
        trace = search.trace()
        for epoch in range(self.epochs):
            search.train(epoch)
            trace = search.trace()
            if self.stop is not None and (reason := self.stop(trace)):
                return replace(trace, stopped=reason)
        return trace


@dataclass(frozen=True, eq=False)
class Found:
    """What a gradient-based search has found.

    Attributes:
        space: that was searched.
        supernet: trained.
        trace: the course of the search.
    """

    space: Space
    supernet: Supernet
    trace: Trace

    def ranked(self) -> Iterator[Configuration]:
        """The configurations by their probability, the highest first."""
        return self.supernet.ranked(np.log(self.trace.probabilities()[-1]))

    def next_unasked(self, history: History) -> Configuration:
        """The most probable configuration whose network was never asked for.

        Raises:
            Exhausted: all of them were.
        """
        asked = history.keys()
        for chosen in self.ranked():
            if trial_key(self.space, chosen) not in asked:
                return chosen
        raise Exhausted("every configuration without 'none' has been asked for")
