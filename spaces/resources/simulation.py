"""Operations on torch's meta device, each simulated once per process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode


@dataclass(frozen=True)
class _Layout:
    """Shape, strides and data type: all that distinguishes tensors on the meta device."""

    shape: tuple[int, ...]
    stride: tuple[int, ...]
    dtype: torch.dtype

    @classmethod
    def of(cls, tensor: Tensor) -> _Layout:
        return cls(tuple(tensor.shape), tensor.stride(), tensor.dtype)

    def tensor(self) -> Tensor:
        return torch.empty_strided(self.shape, self.stride, dtype=self.dtype, device="meta")


def simulate(operation: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Any, int]:
    """Run an operation of torch, from the cache where it was run with the same layouts before.

    Most operations are simulated in Python, which takes up to a millisecond, and networks repeat
    the same few dozen.

    Args:
        operation: an overload, as a `TorchDispatchMode` receives it.
        args: positional arguments.
        kwargs: named arguments.

    Returns:
        The result, and the number of floating point operations.
    """
    values = [*args, *kwargs.values()]
    if not all(map(_plain, tensors(values))):
        return _counted(operation, args, kwargs)
    values = [_map(_frozen, value) for value in values]
    layouts, flops = _simulated(operation, torch.get_default_dtype(), tuple(kwargs), *values)
    if layouts is None:
        return operation(*args, **kwargs), flops
    return _map(_Layout.tensor, layouts), flops


@lru_cache(maxsize=4096, typed=True)
def _simulated(
    operation: Any, default: torch.dtype, names: tuple[str, ...], *values: Any
) -> tuple[Any, int]:
    """Return the layouts of the results, and the number of floating point operations.

    The layouts are None where the results are more than their layouts: views of arguments,
    arguments that were changed in place, and values other than tensors of the meta device.
    """
    del default  # decides the type of some results
    arguments = [_map(_thawed, value) for value in values]
    split = len(arguments) - len(names)
    kwargs = dict(zip(names, arguments[split:], strict=True))
    result, flops = _counted(operation, arguments[:split], kwargs)
    results = result if isinstance(result, list | tuple) else [result]
    if not all(isinstance(value, Tensor) and _plain(value) for value in results):
        return None, flops
    storages = [tensor.untyped_storage() for tensor in tensors([arguments, results])]
    if len(set(storages)) < len(storages):  # torch keeps one object per storage
        return None, flops
    layouts = _map(_Layout.of, result)
    again = tensors(_map(_Layout.tensor, layouts))
    whole = all(map(_same_size, tensors(results), again))
    return (layouts if whole else None), flops


def _counted(operation: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Any, int]:
    with FlopCounterMode(display=False) as counter:
        result = operation(*args, **kwargs)
    return result, counter.get_total_flops()


def _plain(tensor: Tensor) -> bool:
    """Whether a tensor is nothing but its layout."""
    known = type(tensor) in (Tensor, nn.Parameter) and tensor.layout is torch.strided
    return known and tensor.device.type == "meta"


def _same_size(a: Tensor, b: Tensor) -> bool:
    return a.untyped_storage().nbytes() == b.untyped_storage().nbytes()


def _frozen(value: Any) -> Any:
    return _Layout.of(value) if isinstance(value, Tensor) else value


def _thawed(value: Any) -> Any:
    return value.tensor() if isinstance(value, _Layout) else value


def _map(change: Callable[[Any], Any], value: Any) -> Any:
    """Change the leaves of nested lists and tuples, which become tuples."""
    if isinstance(value, list | tuple):
        return tuple(_map(change, entry) for entry in value)
    return change(value)


def tensors(value: Any) -> Iterator[Tensor]:
    """Return the tensors in nested lists and tuples."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from tensors(entry)
