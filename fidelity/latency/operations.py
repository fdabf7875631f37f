"""The operations of a network's forward pass, recorded without computing them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode, resolve_name
from torch.utils._pytree import tree_any, tree_leaves, tree_map

from spaces.resources.evaluation_mode import evaluation_mode
from spaces.resources.example_input import example_input
from spaces.space import InputShape

CACHE_BYTES = 2**25
"""More than usual caches hold."""

MAX_COPIES = 64


@dataclass(frozen=True)
class Blank:
    """The form of a tensor, without its numbers.

    Attributes:
        shape: of the tensor.
        dtype: of its numbers.
        weight: whether it is a parameter or buffer of the network, not the result of an operation.
    """

    shape: tuple[int, ...]
    dtype: torch.dtype
    weight: bool = False

    @property
    def bytes(self) -> int:
        """The size of the numbers in bytes."""
        return math.prod(self.shape) * self.dtype.itemsize

    def filled(self, device: torch.device) -> Tensor:
        """Return a tensor of this form, its numbers positive, so that it can also be a variance."""
        if not self.dtype.is_floating_point:
            return torch.ones(self.shape, dtype=self.dtype, device=device)
        generator = torch.Generator().manual_seed(0)
        return (torch.rand(self.shape, generator=generator) + 0.5).to(device, self.dtype)

    def __repr__(self) -> str:
        return "x".join(map(str, self.shape)) or "number"


@dataclass(frozen=True)
class Operation:
    """A call of a function of torch, with tensors of certain shapes.

    Attributes:
        key: names function, shapes and settings: equal keys take equally long.
        function: the function that is called.
        arguments: of the call, with `Blank` in place of tensors.
        keywords: likewise, by name.
    """

    key: str
    function: Callable[..., Any] = field(repr=False, compare=False)
    arguments: tuple[Any, ...] = field(repr=False, compare=False)
    keywords: Mapping[str, Any] = field(repr=False, compare=False)

    def prepared(self, device: torch.device) -> Callable[[], object]:
        """Return the call with random tensors on `device`.

        In a network, all other weights have passed through the caches since an operation last read
        its own, while its input is still cached. So successive calls use different copies of the
        weights.
        """

        def filled(value: Any, weight: bool) -> Any:
            blank = isinstance(value, Blank) and value.weight is weight
            return value.filled(device) if blank else value

        given = (self.arguments, dict(self.keywords))
        size = sum(leaf.bytes for leaf in tree_leaves(given) if _is_weight(leaf))
        copies = min(MAX_COPIES, math.ceil(CACHE_BYTES / size)) if size else 1
        shared = tree_map(lambda value: filled(value, False), given)
        turns = cycle([tree_map(lambda value: filled(value, True), shared) for _ in range(copies)])
        function = self.function

        def call() -> object:
            arguments, keywords = next(turns)
            return function(*arguments, **keywords)

        return call


class _Recorder(TorchFunctionMode):
    """A recorder of every call that makes a tensor from tensors; `weights` are the network's."""

    def __init__(self, weights: Sequence[Tensor]) -> None:
        super().__init__()
        self.weights = {id(tensor) for tensor in weights}
        self.operations: list[Operation] = []

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        getter = getattr(func, "__name__", "") == "__get__"  # such as x.shape
        if not getter and tree_any(_is_tensor, result) and tree_any(_is_tensor, (args, kwargs)):
            arguments, keywords = tree_map(self._blank, (args, kwargs))
            named = [f"{name}={value!r}" for name, value in keywords.items()]
            listed = ", ".join([*map(repr, arguments), *named])
            self.operations.append(
                Operation(f"{resolve_name(func)}({listed})", func, arguments, keywords)
            )
        return result

    def _blank(self, value: Any) -> Any:
        if not isinstance(value, Tensor):
            return value
        return Blank(tuple(value.shape), value.dtype, id(value) in self.weights)


def operations_of(
    network: nn.Module, input_shape: InputShape, batch_size: int = 1
) -> list[Operation]:
    """Return every call of a function of torch in a forward pass, in order.

    Nothing is computed: the network runs on torch's meta device, in evaluation mode.

    Args:
        network: on any device; it does not change. Build it under `torch.device("meta")` to
            allocate nothing at all.
        input_shape: of one input, see `spaces.InputShape`.
        batch_size: inputs in the pass.
    """
    state = {
        name: tensor.to("meta")
        for name, tensor in [*network.named_parameters(), *network.named_buffers()]
    }
    recorder = _Recorder(list(state.values()))
    with evaluation_mode(network), torch.no_grad():
        inputs = example_input(network, input_shape, batch_size)
        with recorder:
            torch.func.functional_call(network, state, (inputs,))
    return recorder.operations


def _is_tensor(value: Any) -> bool:
    return isinstance(value, Tensor)


def _is_weight(value: Any) -> bool:
    return isinstance(value, Blank) and value.weight
