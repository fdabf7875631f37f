"""Zero-cost proxies as features for a surrogate."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from ConfigSpace import Configuration

from fidelity.datasets.dataset import Dataset, check_dataset
from fidelity.proxies.proxy import Proxy, ProxyError
from fidelity.training.device_data import choose, place
from spaces.space import Space


@dataclass(frozen=True)
class ProxyFeatures:
    """The scores of each network's initial weights on one batch of training images.

    For `BayesianOptimization(features=...)`, which asks once a network. All networks see the same
    batch.

    Attributes:
        space: builds the networks.
        dataset: of whose training part the batch is drawn, normalised as for `Training`.
        proxies: what scores them, on the same initial weights.
        images: in the batch; all there are where the training part has fewer.
        seed: of initial weights, batch, and what a proxy draws.
        device: as torch names devices; None means the GPU where there is one, else the CPU.

    Raises:
        ValueError: there is no proxy, or no image.
        TypeError: the data set is none.
    """

    space: Space
    dataset: Dataset
    proxies: tuple[Proxy, ...]
    images: int = 64
    seed: int = 0
    device: str | None = None

    def __post_init__(self) -> None:
        """Checks what it was given."""
        check_dataset(self.dataset)
        if not self.proxies:
            raise ValueError("there is no proxy: give one or more, such as (NASWOT(), Synflow())")
        if self.images < 1:
            raise ValueError(f"images is {self.images}: a batch has an image or more")

    def __call__(self, configuration: Configuration) -> tuple[float, ...]:
        """One score a proxy; NaN where no path leads from the network's input to its output.

        Raises:
            ProxyError: a proxy cannot score this network or this batch.
        """
        if not self.space.architecture(configuration).connected:
            return (math.nan,) * len(self.proxies)
        device = choose(self.device)
        data = place(self.dataset, device)
        generator = torch.Generator().manual_seed(self.seed)
        chosen = torch.randperm(len(data.train), generator=generator)[: self.images]
        batch = data.train.select(chosen.to(device))
        images = data.normalise(batch.images)
        # Built on the CPU, so that a seed gives the same initial weights on every device.
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(self.seed)
            network = self.space.build(
                configuration, self.dataset.input_shape, self.dataset.classes
            )
        network.to(device)
        scores = []
        for proxy in self.proxies:
            # One of its own, so that a score does not depend on which proxies come before.
            own = torch.Generator().manual_seed(self.seed)
            try:
                scores.append(proxy(network, images, batch.labels, own))
            except ProxyError as error:
                raise ProxyError(f"{type(proxy).__name__}: {error}") from error
        return tuple(scores)
