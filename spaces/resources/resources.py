"""Parameters, multiply-adds and memory of a network, computed without running it."""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from spaces.resources.evaluation_mode import evaluation_mode
from spaces.resources.example_input import example_input
from spaces.resources.simulation import simulate, tensors
from spaces.space import InputShape


@dataclass(frozen=True)
class Resources:
    """The resources of one forward pass of one input.

    Attributes:
        parameters: trainable weights.
        multiply_adds: of convolutions, linear layers and attention; for a sequence, at the length
            of the input shape. A causal mask saves none.
        activations: the number of outputs of convolutions and linear layers (Radosavovic et al.
            2020, "Designing network design spaces"), which predicts the time on a GPU better than
            multiply-adds do.
        peak_activation_bytes: the largest memory of input and intermediate results, not weights,
            at one time, without gradients and in the network's own precision. The scores of
            attention count as stored, although fused kernels store them in parts.
        cache_bytes_per_token: the keys and values of causal attention that generation keeps for
            each token; 0 for other networks.
    """

    parameters: int
    multiply_adds: int
    activations: int
    peak_activation_bytes: int
    cache_bytes_per_token: int = 0


class _Activations(TorchDispatchMode):
    """Follows every result from its computation to the release of its memory.

    Args:
        weights: of the network, whose memory is not counted.
    """

    COUNTED = (torch.ops.aten.convolution, torch.ops.aten.addmm, torch.ops.aten.mm)

    def __init__(self, weights: Iterable[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.flops = 0
        self.activations = 0
        self.peak = 0
        self._alive = 0
        # The tensors of each storage, which views share: torch keeps one object per storage.
        self._users: Counter[torch.UntypedStorage] = Counter()
        self._weights = {weight.untyped_storage() for weight in weights}

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        result, flops = simulate(func, args, kwargs or {})
        self.flops += flops
        for tensor in tensors(result):
            self._follow(tensor)
        if func.overloadpacket in self.COUNTED:
            self.activations += result.numel()
        return result

    def _follow(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        if storage in self._weights:  # a view of a weight, such as its transpose
            return
        if not self._users[storage]:
            self._alive += storage.nbytes()
            self.peak = max(self.peak, self._alive)
        self._users[storage] += 1
        weakref.finalize(tensor, self._release, storage)

    def _release(self, storage: torch.UntypedStorage) -> None:
        self._users[storage] -= 1
        if not self._users[storage]:
            del self._users[storage]
            self._alive -= storage.nbytes()


def count_resources(network: nn.Module, input_shape: InputShape) -> Resources:
    """Count on torch's meta device, where tensors have shapes but no contents.

    Args:
        network: on any device; it is not changed. Build it under `torch.device("meta")` to
            allocate nothing at all.
        input_shape: of one input, see `InputShape`.
    """
    state = {
        name: tensor.to("meta")
        for name, tensor in [*network.named_parameters(), *network.named_buffers()]
    }
    followed = _Activations(state.values())
    with evaluation_mode(network), torch.no_grad(), followed:
        torch.func.functional_call(network, state, (example_input(network, input_shape),))
    return Resources(
        parameters=sum(p.numel() for p in network.parameters() if p.requires_grad),
        multiply_adds=followed.flops // 2,
        activations=followed.activations,
        peak_activation_bytes=followed.peak,
        cache_bytes_per_token=sum(_cached_bytes(module) for module in network.modules()),
    )


def _cached_bytes(module: nn.Module) -> int:
    """Return the bytes per token that a module keeps, whose attribute `cached_numbers` counts."""
    numbers = int(getattr(module, "cached_numbers", 0))
    return numbers * next(module.parameters()).dtype.itemsize if numbers else 0


# Their names in version 0.1.
cost = count_resources
Cost = Resources
