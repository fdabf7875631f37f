"""A network in the scale of the data set."""

from __future__ import annotations

from collections.abc import Collection

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fidelity.augment import Inputs
from fidelity.datasets.normalisation import PerChannel, normalise


class Normalised(nn.Module):
    """A network behind the normalisation of its inputs, and before the units of its outputs.

    Args:
        network: from normalised inputs to outputs.
        statistics: the mean of each channel in the scale of the inputs, and one over its standard
            deviation; None for tokens.
        offset: of each channel, subtracted before the mean; see `Dataset.offset`.
        units: the mean and the scale of each target, by which outputs become targets; None leaves
            outputs as they are.
    """

    mean: PerChannel | None
    scale: PerChannel | None
    offset: PerChannel | None
    target_mean: Float[Tensor, " outputs"] | None
    target_scale: Float[Tensor, " outputs"] | None

    def __init__(
        self,
        network: nn.Module,
        statistics: tuple[PerChannel, PerChannel] | None,
        offset: PerChannel | None = None,
        units: tuple[Tensor, Tensor] | None = None,
    ) -> None:
        super().__init__()
        self.network = network
        if hasattr(network, "input_dtype"):  # see `spaces.example_input`
            self.input_dtype = network.input_dtype
        device = next((p.device for p in network.parameters()), torch.device("cpu"))
        mean, scale = statistics or (None, None)
        target_mean, target_scale = units or (None, None)
        # Offset and mean are two steps, each exact in float32, where their sum would not be.
        values = {"mean": mean, "scale": scale, "offset": offset}
        targets = {"target_mean": target_mean, "target_scale": target_scale}
        for name, value in (values | targets).items():
            copied = None if value is None else value.detach().to(device, torch.float32).clone()
            self.register_buffer(name, copied)

    @classmethod
    def blank(
        cls, network: nn.Module, channels: int, axes: int, parts: Collection[str], outputs: int
    ) -> Normalised:
        """Return one that does not change inputs yet, to load weights into.

        Args:
            network: from normalised inputs to outputs.
            channels: of an input.
            axes: of a batch of inputs.
            parts: the names of the buffers that the weights include.
            outputs: of the network.
        """
        zeros, units = torch.zeros(1, channels, *[1] * (axes - 2)), torch.zeros(outputs)
        return cls(
            network,
            (zeros, torch.ones_like(zeros)) if "mean" in parts else None,
            zeros if "offset" in parts else None,
            (units, torch.ones_like(units)) if "target_mean" in parts else None,
        )

    @property
    def parts(self) -> list[str]:
        """The names of the buffers that there are."""
        return [name for name, _ in self.named_buffers(recurse=False)]

    def forward(self, inputs: Inputs) -> Float[Tensor, "batch outputs ..."]:
        """Return the outputs for inputs in the scale of the data set.

        Args:
            inputs: whole numbers, or floating-point numbers of single or double precision.
        """
        if self.offset is not None:
            inputs = inputs - self.offset
        if self.mean is not None and self.scale is not None:
            inputs = normalise(inputs, self.mean, self.scale)
        outputs: Tensor = self.network(inputs)
        if self.target_mean is not None and self.target_scale is not None:
            outputs = outputs * self.target_scale + self.target_mean
        return outputs
