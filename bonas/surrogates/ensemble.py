"""An ensemble of small networks as a BoTorch model.

White, Neiswanger and Savani 2021, "BANANAS: Bayesian optimization with neural architectures for
neural architecture search": networks on path encodings with different initialisations. All
members train together as one batched matrix product.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from bonas.surrogates.members import Members
from spaces.encoding import Layout

Weights = list[Tensor]


@dataclass(frozen=True)
class Ensemble:
    """Fully connected networks on configuration and path encoding.

    Attributes:
        members: the number of networks.
        width: of the two hidden layers.
        steps: of Adam on all observations.
        rate: the learning rate, which falls to zero as a cosine.
        seed: of the initialisation.
    """

    members: int = 5
    width: int = 32
    steps: int = 150
    rate: float = 0.01
    seed: int = 0

    @property
    def reads_paths(self) -> bool:
        """See `Surrogate.reads_paths`: it does, and the configuration too."""
        return True

    def fit(
        self, inputs: Float[Tensor, "n d"], targets: Float[Tensor, "n 1"], layout: Layout
    ) -> EnsembleModel:
        """See `Surrogate.fit`; computes in the type of `inputs`."""
        blocks = (layout.configuration, layout.paths)
        columns = [column for block in blocks for column in range(block.start, block.stop)]
        rows = inputs[:, columns]
        mean = float(targets.mean())
        scale = float(targets.std(correction=0))
        scale = scale if scale > 1e-12 * (1 + abs(mean)) else 1.0
        weights = self._initial(len(columns), inputs)
        standardised = ((targets - mean) / scale).to(inputs).expand(self.members, -1, 1)
        with torch.enable_grad():
            optimizer = torch.optim.Adam(weights, self.rate)
            for step in range(self.steps):
                for group in optimizer.param_groups:
                    group["lr"] = 0.5 * self.rate * (1 + math.cos(math.pi * step / self.steps))
                optimizer.zero_grad()
                # The sum over members: each has its own loss and its own weights.
                errors = (_forward(weights, rows) - standardised).square().mean(1)
                errors.sum().backward()
                optimizer.step()
        fitted = [weight.detach() for weight in weights]
        return EnsembleModel(self, fitted, columns, (mean, scale), layout, inputs, targets)

    def _initial(self, columns: int, like: Tensor) -> Weights:
        """Return He's initialisation, drawn on the CPU, so that it is the same on every device."""
        generator = torch.Generator().manual_seed(self.seed)
        sizes = [columns, self.width, self.width, 1]
        weights = []
        for inputs, outputs in itertools.pairwise(sizes):
            drawn = torch.randn(self.members, inputs, outputs, generator=generator)
            weights.append((drawn * math.sqrt(2 / max(inputs, 1))).to(like).requires_grad_())
            weights.append(torch.zeros(self.members, 1, outputs).to(like).requires_grad_())
        return weights


def _forward(weights: Weights, rows: Float[Tensor, "m d"]) -> Float[Tensor, "members m 1"]:
    values = rows.expand(weights[0].shape[0], *rows.shape)
    for layer in range(0, len(weights), 2):
        values = torch.baddbmm(weights[layer + 1], values, weights[layer])
        if layer + 2 < len(weights):
            values = functional.relu(values)
    return values


class EnsembleModel(Members):
    """A trained ensemble.

    Args:
        surrogate: its settings.
        weights: of all members, layer by layer.
        columns: of the inputs that the networks read.
        moments: mean and standard deviation of the targets.
        layout: of the inputs' columns.
        inputs: the observed rows.
        targets: the observations.
    """

    def __init__(
        self,
        surrogate: Ensemble,
        weights: Weights,
        columns: list[int],
        moments: tuple[float, float],
        layout: Layout,
        inputs: Float[Tensor, "n d"],
        targets: Float[Tensor, "n 1"],
    ) -> None:
        super().__init__(inputs, targets, 0.0)
        self.surrogate = surrogate
        self.weights = weights
        self.columns = columns
        self.moments = moments
        self.layout = layout
        residual = self.predictions(inputs).mean(0) - targets[:, 0]
        self.noise = float(residual.square().mean())

    def predictions(self, rows: Float[Tensor, "m d"]) -> Float[Tensor, "members m"]:
        """See `Members.predictions`: one row per network."""
        mean, scale = self.moments
        return _forward(self.weights, rows[:, self.columns])[..., 0] * scale + mean

    def refitted(
        self, inputs: Float[Tensor, "n d"], targets: Float[Tensor, "n 1"]
    ) -> EnsembleModel:
        """See `Members.refitted`."""
        return self.surrogate.fit(inputs, targets, self.layout)
