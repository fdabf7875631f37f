"""Zero-cost proxies as features for a surrogate."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from ConfigSpace import Configuration

from fidelity.datasets.dataset import Dataset, check_dataset
from fidelity.proxies.proxy import Batch, Proxy, ProxyError
from fidelity.training.device_data import copy_to_device, resolve_device
from fidelity.training.seeding import seeded
from spaces.space import Space, require


@dataclass(frozen=True)
class ProxyFeatures:
    """The scores of each network's initial weights on one batch of training images.

    For `BayesianOptimization(features=...)`, which computes them once per network. The batch is
    the same for all networks.

    Attributes:
        space: builds the networks.
        dataset: the batch is drawn from its training part, normalised as for `Training`.
        proxies: score the networks, on the same initial weights.
        images: the size of the batch; all training examples if there are fewer.
        seed: of initial weights, batch, and what a proxy draws.
        device: as torch names devices; None means the GPU where there is one, else the CPU.

    Raises:
        ValueError: there is no proxy, or no image.
        TypeError: the data set is not a `Dataset`.
    """

    space: Space
    dataset: Dataset
    proxies: tuple[Proxy, ...]
    images: int = 64
    seed: int = 0
    device: str | None = None

    def __post_init__(self) -> None:
        """Check the settings."""
        require(self.space, "build", "to score networks")
        check_dataset(self.dataset)
        if not self.proxies:
            raise ValueError("there is no proxy: give one or more, such as (NASWOT(), Synflow())")
        if self.images < 1:
            raise ValueError(f"images is {self.images}: a batch has an image or more")

    def __call__(self, configuration: Configuration) -> tuple[float, ...]:
        """Return one score per proxy; NaN where no path leads from the network's input to output.

        Raises:
            ProxyError: a proxy cannot score this network or this batch.
        """
        outcomes = self.outcomes(configuration)
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome
        return tuple(outcome for outcome in outcomes if not isinstance(outcome, Exception))

    def outcomes(self, configuration: Configuration) -> tuple[float | Exception, ...]:
        """Return the score of each proxy, or the exception that it raised."""
        if not self.space.architecture(configuration).connected:
            return (math.nan,) * len(self.proxies)
        device = resolve_device(self.device)
        data = copy_to_device(self.dataset, device)
        generator = torch.Generator().manual_seed(self.seed)
        index = torch.randperm(len(data.train), generator=generator)[: self.images]
        drawn = next(data.train.batches(index.to(device), len(index)))
        batch = Batch(data.normalise(drawn.inputs), drawn.targets, data.criterion.losses)
        # Built on the CPU, so that a seed gives the same initial weights on every device.
        with seeded(torch.device("cpu"), self.seed):
            network = self.space.build(
                configuration, self.dataset.input_shape, self.dataset.outputs
            )
        network.to(device)
        scores: list[float | Exception] = []
        for proxy in self.proxies:
            # A generator per proxy, so that a score does not depend on the proxies before it.
            own = torch.Generator().manual_seed(self.seed)
            try:
                scores.append(proxy(network, batch, own))
            except ProxyError as error:
                named = ProxyError(f"{type(proxy).__name__}: {error}")
                named.__cause__ = error
                scores.append(named)
            except Exception as error:
                scores.append(error)
        return tuple(scores)
