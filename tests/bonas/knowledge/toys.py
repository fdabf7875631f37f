"""An objective whose networks can be scored, and whose cost is known without training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from ConfigSpace import Configuration
from torch import Generator, nn

from fidelity.datasets import from_arrays
from fidelity.datasets.dataset import Dataset
from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Status, Trial
from fidelity.proxies.proxy import Batch
from spaces.cells.cell import CellSpace
from spaces.space import Space, sample

SPACE = CellSpace.nasbench201(channels=2, cells=1)


def images() -> Dataset:
    generator = np.random.default_rng(0)
    return from_arrays(
        generator.normal(size=(40, 1, 4, 4)).astype(np.float32), np.arange(40) % 4, name="noise"
    )


def convolutions(configuration: Configuration, space: Space = SPACE) -> int:
    nodes = space.architecture(configuration).canonical().nodes
    return sum(str(node.operation).startswith("nor_conv") for node in nodes)


@dataclass(frozen=True)
class Countable:
    """The cost falls with the number of convolutions, as most proxies rise with it."""

    space: Space = SPACE
    dataset: Dataset = field(default_factory=images)
    max_budget: float = 10_000.0

    def __call__(self, configuration: Configuration) -> float:
        return 10.0 - convolutions(configuration)


@dataclass(frozen=True)
class Broken:
    """A proxy that always raises."""

    def __call__(self, network: nn.Module, batch: Batch, generator: Generator) -> float:
        raise RuntimeError("no gradient here")


@dataclass(frozen=True)
class Nowhere:
    """A proxy without a finite score."""

    def __call__(self, network: nn.Module, batch: Batch, generator: Generator) -> float:
        return float("nan")


def searched(
    costs: Mapping[int, float] | None = None, count: int = 30, seed: int = 5, space: Space = SPACE
) -> History:
    """A history of random networks with their costs, or with those that are given by number."""
    history = History(space.configuration_space)
    drawn = sample(space.configuration_space, count, np.random.default_rng(seed))
    for number, configuration in enumerate(drawn):
        trial = Trial(number, configuration, space.architecture(configuration).key, 1.0)
        history.add_trial(trial)
        cost = 10.0 - convolutions(configuration, space) if costs is None else costs[number]
        history.add_evaluation(Evaluation(trial, cost))
    return history


def failed() -> History:
    """A history in which everything crashed."""
    history = History(SPACE.configuration_space)
    for number, configuration in enumerate(
        sample(SPACE.configuration_space, 6, np.random.default_rng(0))
    ):
        trial = Trial(number, configuration, str(number), 1.0)
        history.add_trial(trial)
        history.add_evaluation(Evaluation(trial, status=Status.CRASHED, error="broken"))
    return history
