"""A zero-cost proxy as an objective."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from ConfigSpace import Configuration

from fidelity.datasets.dataset import Dataset
from fidelity.objective import Context, Diverged
from fidelity.proxies.features import ProxyFeatures
from fidelity.proxies.proxy import Proxy
from fidelity.training.networks import check_connected
from spaces.space import Space


@dataclass(frozen=True)
class Score:
    """An objective without training: the cost of a network is minus its score.

    It has no budget: use it with `FullFidelity`, or as the cost of `bonas.strategies.Screened`.

    Attributes:
        space: builds the networks.
        dataset: the batch is drawn from its training part.
        proxy: scores the networks.
        images: the size of the batch.
        device: as torch names devices; None means the GPU where there is one, else the CPU. A
            device that the context names takes precedence.

    Raises:
        ValueError: `images` is below 1.
    """

    resumes: ClassVar[bool] = False

    space: Space
    dataset: Dataset
    proxy: Proxy
    images: int = 64
    device: str | None = None

    def __post_init__(self) -> None:
        """Check the settings."""
        self._features(0, self.device)

    def __call__(
        self, configuration: Configuration, seed: int = 0, context: Context | None = None
    ) -> float:
        """Return minus the score, which is lowest for the most promising network.

        Args:
            configuration: the network, a configuration of the space.
            seed: of initial weights, batch, and what the proxy draws; the batch differs between
                seeds.
            context: only its device is used.

        Raises:
            InvalidArchitecture: there is no path from input to output.
            Diverged: the score is not finite.
            ProxyError: the proxy cannot score this network or this batch.
        """
        check_connected(self.space, configuration)
        device = (context.device if context else None) or self.device
        (score,) = self._features(seed, device)(configuration)
        if not math.isfinite(score):
            raise Diverged(
                f"the score of {type(self.proxy).__name__} is {score}: the network does not "
                "tell the images of the batch apart, or its numbers overflow"
            )
        return -score

    def _features(self, seed: int, device: str | None) -> ProxyFeatures:
        return ProxyFeatures(self.space, self.dataset, (self.proxy,), self.images, seed, device)
