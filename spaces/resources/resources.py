"""What a network costs, computed without running or allocating it."""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from spaces.resources.modes import evaluation_mode
from spaces.resources.simulation import simulate, tensors
from spaces.space import InputShape


@dataclass(frozen=True)
class Cost:
    """The resources of one forward pass of one image.

    Attributes:
        parameters: trainable weights.
        multiply_adds: of convolutions and linear layers.
        activations: numbers that convolutions and linear layers put out (Radosavovic et al. 2020,
            "Designing network design spaces"), which predict the time on a GPU better than
            multiply-adds do.
        peak_activation_bytes: the most that is alive at a time without gradients, in the
            network's own precision: image and intermediate results, not weights.
    """

    parameters: int
    multiply_adds: int
    activations: int
    peak_activation_bytes: int


class _Activations(TorchDispatchMode):
    """Follows every result from its computation to the release of its memory."""

    COUNTED = (torch.ops.aten.convolution, torch.ops.aten.addmm, torch.ops.aten.mm)

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.flops = 0
        self.activations = 0
        self.peak = 0
        self._alive = 0
        self._users: Counter[int] = Counter()  # tensors of each storage: views share one

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
        name, size = storage._cdata, storage.nbytes()
        if not self._users[name]:
            self._alive += size
            self.peak = max(self.peak, self._alive)
        self._users[name] += 1
        weakref.finalize(tensor, self._release(name, size))

    def _release(self, name: int, size: int) -> Callable[[], None]:
        def release() -> None:
            self._users[name] -= 1
            if not self._users[name]:
                del self._users[name]
                self._alive -= size

        return release


def cost(network: nn.Module, input_shape: InputShape) -> Cost:
    """Counts on torch's meta device, where tensors have shapes and no contents.

    Args:
        network: on any device; it is not changed. Build it under `torch.device("meta")` to
            allocate nothing at all.
        input_shape: channels, height and width of one image.
    """
    state = {
        name: tensor.to("meta")
        for name, tensor in [*network.named_parameters(), *network.named_buffers()]
    }
    precision = next((p.dtype for p in network.parameters()), torch.get_default_dtype())
    followed = _Activations()
    with evaluation_mode(network), torch.no_grad(), followed:
        image = torch.empty(1, *input_shape, device="meta", dtype=precision)
        torch.func.functional_call(network, state, (image,))
    return Cost(
        parameters=sum(p.numel() for p in network.parameters() if p.requires_grad),
        multiply_adds=followed.flops // 2,
        activations=followed.activations,
        peak_activation_bytes=followed.peak,
    )
