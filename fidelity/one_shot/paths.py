"""The networks that a supernet is trained as, one per step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from ConfigSpace import Configuration
from jaxtyping import Float
from torch import Tensor, nn

from fidelity.augment import Inputs
from spaces.configurations.extremes import Extremes
from spaces.space import Space, draw
from spaces.weight_sharing import SharedWeights

Draw = Callable[[int, np.random.Generator], Configuration]
"""A function (step, rng) that returns the network of a step."""


class Paths(Protocol):
    """A rule by which the network of each step is drawn."""

    def start(self, space: Space) -> Draw:
        """Return a function that draws the network of each step.

        Disconnected networks are drawn again: they would train nothing.
        """
        ...


@dataclass(frozen=True)
class Uniform:
    """A network drawn uniformly in each step.

    Guo et al. (2020), "Single path one-shot neural architecture search with uniform sampling".
    """

    def start(self, space: Space) -> Draw:
        """See `Paths.start`."""
        return _connected(space, lambda step, rng: draw(space.configuration_space, rng))


@dataclass(frozen=True)
class Sandwich:
    """A large, a small and then some random networks, by turns, one per step.

    The sandwich rule of Yu and Huang (2019), "Universally slimmable networks", which trains all of
    them in each step; here a step costs as much as one network. The large and the small one are
    drawn uniformly, and then have all numbers at their largest or smallest values, so that every
    operation has its turn. In a space without numbers this is `Uniform`.

    Attributes:
        random: the number of random networks after each pair.

    Raises:
        ValueError: `random` is negative.
    """

    random: int = 2

    def __post_init__(self) -> None:
        if self.random < 0:
            raise ValueError(f"random is {self.random}: a number of networks is 0 or more")

    def start(self, space: Space) -> Draw:
        """See `Paths.start`."""
        extremes = Extremes(space.configuration_space)

        def sandwich(step: int, rng: np.random.Generator) -> Configuration:
            drawn = draw(space.configuration_space, rng)
            turn = step % (2 + self.random)
            if turn > 1:
                return drawn
            return extremes.at(drawn, "smallest" if turn else "largest", rng) or drawn

        return _connected(space, sandwich)


@dataclass(frozen=True)
class Grouped:
    """Groups of networks, each of which is trained several times before the next one is drawn.

    To build a small network takes about as long as a step of its training: in a group it is built
    once.

    Attributes:
        paths: the rule by which the networks of a group are drawn.
        size: the number of networks in a group, which are kept in memory without their weights.
        repeats: the number of steps with each of them.

    Raises:
        ValueError: a number is below 1.
    """

    paths: Paths
    size: int = 64
    repeats: int = 4

    def __post_init__(self) -> None:
        for name in ("size", "repeats"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}: it is at least 1")

    def start(self, space: Space) -> Draw:
        """See `Paths.start`."""
        inner, group = self.paths.start(space), list[Configuration]()

        def grouped(step: int, rng: np.random.Generator) -> Configuration:
            index = step % (self.size * self.repeats)
            if index == 0:
                group[:] = [inner(number, rng) for number in range(self.size)]
            return group[index % self.size]

        return grouped


def _connected(space: Space, draw_one: Draw) -> Draw:
    def connected(step: int, rng: np.random.Generator) -> Configuration:
        path = draw_one(step, rng)
        while not space.architecture(path).connected:
            path = draw_one(step, rng)
        return path

    return connected


class SampledPaths(nn.Module):
    """A supernet that runs another path in each step of its training.

    Args:
        shared: the supernet.
        space: its configurations are the paths.
        paths: the rule by which they are drawn.
        seed: of the paths.
    """

    def __init__(self, shared: SharedWeights, space: Space, paths: Paths, seed: int) -> None:
        super().__init__()
        self.shared = shared
        self.rng = np.random.default_rng(seed)
        self.step = 0
        self._draw = paths.start(space)

    def forward(self, inputs: Inputs) -> Float[Tensor, "batch outputs"]:
        """Return the outputs of the path of the next step."""
        path = self._draw(self.step, self.rng)
        self.step += 1
        return self.shared.path(inputs, path)
