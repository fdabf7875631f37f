"""Inputs of a network: without contents, and random ones."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from spaces.space import InputShape


def example_input(
    network: nn.Module, input_shape: InputShape, batch: int = 1, device: str = "meta"
) -> Tensor:
    """Return zeros of the shape and the type that a network reads.

    The type is that of its attribute `input_dtype`, for instance torch.int64 for tokens; without
    the attribute, that of its first parameter. A network of tokens that reads sequences of other
    lengths may have an attribute `max_length`, None without a bound: an export then reads them too.

    Args:
        network: from inputs (batch, *input_shape).
        input_shape: of one input, see `InputShape`.
        batch: the number of inputs.
        device: of the result; `meta` allocates nothing.
    """
    precision = next((p.dtype for p in network.parameters()), torch.get_default_dtype())
    dtype = getattr(network, "input_dtype", precision)
    return torch.zeros(batch, *input_shape, dtype=dtype, device=device)


def random_input(
    network: nn.Module, input_shape: InputShape, batch: int, generator: torch.Generator
) -> Tensor:
    """Return numbers of a normal distribution, or tokens that the network embeds, on the CPU.

    Args:
        network: from inputs (batch, *input_shape).
        input_shape: of one input, see `InputShape`.
        batch: the number of inputs.
        generator: draws them, on the CPU.
    """
    zeros = example_input(network, input_shape, batch, "cpu")
    if zeros.is_floating_point():
        return torch.randn(zeros.shape, generator=generator).to(zeros.dtype)
    embeddings = [part for part in network.modules() if isinstance(part, nn.Embedding)]
    vocabulary = min((part.num_embeddings for part in embeddings), default=1)
    return torch.randint(vocabulary, zeros.shape, generator=generator).to(zeros.dtype)
