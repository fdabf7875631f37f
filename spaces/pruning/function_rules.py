"""Rules for functions and methods of torch: which channels of their results are which."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import fx

from spaces.pruning.channels import Axis
from spaces.pruning.trace import shape
from spaces.pruning.walk import Rule, Size, Sizes, Value, Walk, Weight, unknown


def argument(node: fx.Node, position: int, name: str, default: Any = None) -> Any:
    """Return an argument of a call, given by position or by name.

    Args:
        node: the call.
        position: of the argument.
        name: of the argument.
        default: if it is not given.
    """
    return node.args[position] if len(node.args) > position else node.kwargs.get(name, default)


def _source(walk: Walk, node: fx.Node) -> tuple[fx.Node, Axis | None]:
    source = argument(node, 0, "input")
    value = walk.values.get(source)
    return source, value if isinstance(value, Axis) else None


def elementwise(walk: Walk, node: fx.Node) -> Value:
    """See `Rule`: compute each number from those at its position, so that all operands depend."""
    rank, result = len(shape(node) or ()), shape(node) or ()
    operands = [n for n in node.all_input_nodes if shape(n)]
    axes = [(n, v) for n in operands if isinstance(v := walk.values.get(n), Axis)]
    dims = {axis.dim + rank - len(shape(n) or ()) for n, axis in axes}
    others = [n for n in node.all_input_nodes if not shape(n)]  # such as the size of a tensor
    if not axes:
        return unknown(walk, node) if others else None
    if len(dims) > 1 or any(walk.values.get(n) is not None for n in others):
        return unknown(walk, node, f"{node} combines different dimensions")
    dim = dims.pop()
    ids = next((a.ids for _, a in axes if len(a.ids) == result[dim]), None)
    if ids is None:
        return unknown(walk, node, f"{node} repeats its channels")
    for operand in operands:
        own = dim - rank + len(shape(operand) or ())
        size = (shape(operand) or ())[own] if own >= 0 else 1
        value = walk.values.get(operand)
        if isinstance(value, Axis):
            if len(value.ids) == len(ids):
                walk.channels.tie(ids, value.ids)
            else:
                walk.channels.fix(value.ids, f"{node} repeats its channels")
        elif isinstance(value, Weight) and size == len(ids) and walk.read_once(value):
            walk.slice(value.name, own, ids)
        elif size != 1:
            walk.channels.fix(ids, f"{node} combines them with {operand}, which stays as it is")
    return Axis(dim, ids)


def over_space(walk: Walk, node: fx.Node) -> Value:
    """See `Rule`: compute each channel by itself, such as pooling and resizing."""
    source, axis = _source(walk, node)
    if axis is None or axis.dim != 1 or len(shape(node) or ()) != len(shape(source) or ()):
        return unknown(walk, node)
    return axis if (shape(node) or ())[1] == len(axis.ids) else unknown(walk, node)


def pad(walk: Walk, node: fx.Node) -> Value:
    """See `Rule`: pad the last dimensions."""
    source, axis = _source(walk, node)
    sizes = argument(node, 1, "pad")
    whole = isinstance(sizes, list | tuple) and all(isinstance(size, int) for size in sizes)
    padded = len(sizes) // 2 if whole else math.inf
    if axis is None or axis.dim >= len(shape(source) or ()) - padded:
        return unknown(walk, node)
    return axis


def _dims(value: Any, rank: int) -> tuple[int, ...] | None:
    """Return dimensions as numbers from 0; None if they are unknown."""
    dims = value if isinstance(value, list | tuple) else (value,)
    return tuple(dim % rank for dim in dims) if all(type(dim) is int for dim in dims) else None


def normalised(walk: Walk, node: fx.Node) -> Value:
    """See `Rule`: normalise along one dimension, such as softmax."""
    source, axis = _source(walk, node)
    dim = walk.module(node).dim if node.op == "call_module" else argument(node, 1, "dim")
    dims = _dims(dim, len(shape(source) or ()))
    if axis is None or dims is None or axis.dim in dims:
        return unknown(walk, node)
    return axis


def reduced(walk: Walk, node: fx.Node) -> Value:
    """See `Rule`: reduce some dimensions, such as the mean."""
    source, axis = _source(walk, node)
    dims = _dims(argument(node, 1, "dim"), len(shape(source) or ()))
    if axis is None or dims is None or axis.dim in dims or shape(node) is None:
        return unknown(walk, node)
    if len(shape(node) or ()) == len(shape(source) or ()):
        return axis
    return Axis(axis.dim - sum(dim < axis.dim for dim in dims), axis.ids)


def concatenated(walk: Walk, node: fx.Node) -> Value:
    """See `Rule`: concatenate channels, or other dimensions of tensors with the same channels."""
    parts = argument(node, 0, "tensors")
    dims = _dims(argument(node, 1, "dim", 0), len(shape(node) or ()))
    if not isinstance(parts, list | tuple) or dims is None:
        return unknown(walk, node)
    axes = [walk.values.get(part) for part in parts]
    tracked = [axis for axis in axes if isinstance(axis, Axis)]
    if tracked and all(axis.dim == dims[0] for axis in tracked):
        return Axis(dims[0], np.concatenate([walk.ids(part, dims[0]) for part in parts]))
    if len(tracked) < len(parts) or len({axis.dim for axis in tracked}) > 1:
        return unknown(walk, node, f"{node} joins them with a tensor that stays as it is")
    for axis in tracked[1:]:
        walk.channels.tie(tracked[0].ids, axis.ids)
    return tracked[0]


def chunked(walk: Walk, node: fx.Node) -> Value:
    """See `Rule`: divide channels into equal parts, which lose the same positions."""
    source, axis = _source(walk, node)
    count = argument(node, 1, "chunks")
    dims = _dims(argument(node, 2, "dim", 0), len(shape(source) or ()))
    if axis is None or dims is None or not isinstance(count, int):
        return unknown(walk, node)
    if axis.dim != dims[0]:
        return (axis,) * count
    if len(axis.ids) % count:
        return unknown(walk, node)
    walk.channels.tie_across(axis.ids, count)
    return tuple(Axis(axis.dim, ids) for ids in np.split(axis.ids, count))


def permuted(walk: Walk, node: fx.Node) -> Value:
    """See `Rule`: reorder dimensions: `permute`."""
    source, axis = _source(walk, node)
    given = node.args[1:] if len(node.args) > 2 else argument(node, 1, "dims")
    dims = _dims(given, len(shape(source) or ()))
    if axis is None or dims is None:
        return unknown(walk, node)
    return Axis(dims.index(axis.dim), axis.ids)


def transposed_dims(walk: Walk, node: fx.Node) -> Value:
    """See `Rule`: swap two dimensions: `transpose`."""
    source, axis = _source(walk, node)
    dims = _dims((argument(node, 1, "dim0"), argument(node, 2, "dim1")), len(shape(source) or ()))
    if axis is None or dims is None:
        return unknown(walk, node)
    swap = {dims[0]: dims[1], dims[1]: dims[0]}
    return Axis(swap.get(axis.dim, axis.dim), axis.ids)


def flatten(walk: Walk, node: fx.Node) -> Value:
    """See `Rule`: merge adjacent dimensions; a channel becomes several numbers."""
    return _regrouped(walk, node, ())


def reshape(walk: Walk, node: fx.Node) -> Value:
    """See `Rule`: merge and split dimensions; split channels go in blocks, such as heads."""
    sizes = node.args[1:]
    if len(sizes) == 1 and isinstance(sizes[0], list | tuple):
        sizes = tuple(sizes[0])
    return unknown(walk, node) if node.kwargs else _regrouped(walk, node, sizes)


def _regrouped(walk: Walk, node: fx.Node, sizes: Sequence[Any]) -> Value:
    """Return the axis after the numbers of a tensor were regrouped in the same order.

    Removing whole slices along one dimension of the result must remove whole channels of the
    source; where a dimension is split, channels are tied until that is so.
    """
    source, axis = _source(walk, node)
    before, after = shape(source), shape(node)
    if axis is None or before is None or after is None:
        return unknown(walk, node)
    spread = [1] * len(before)
    spread[axis.dim] = -1
    numbers = np.broadcast_to(axis.ids.reshape(spread), before).reshape(after)
    varying = [d for d in range(len(after)) if (numbers != numbers.take([0], d)).any()]
    if not varying:
        return unknown(walk, node)
    dim = varying[0]
    rows = np.moveaxis(numbers, dim, 0).reshape(after[dim], -1)
    if len(varying) > 1:
        for row in rows:
            block = np.unique(row)
            walk.channels.tie(block[:-1], block[1:])
    for position, size in enumerate(sizes):
        if isinstance(size, fx.Node) and not _fits(walk, size, axis, position == dim, rows[:, 0]):
            return unknown(walk, node, f"{node} computes its shape from their number")
    return Axis(dim, rows[:, 0])


def _fits(walk: Walk, size: fx.Node, axis: Axis, here: bool, ids: Any) -> bool:
    """Return whether a computed size is right for any number of channels."""
    value = walk.values.get(size)
    if isinstance(value, Size):
        return here and np.array_equal(value.axis.ids, ids)
    return not here  # a number that no channel has taken part in


def sizes(walk: Walk, node: fx.Node) -> Value:
    """See `Rule`: read the shape of a tensor: `x.shape`, `x.size()` and `x.size(dim)`."""
    source, axis = _source(walk, node)
    if node.target is getattr and node.args[1] != "shape":
        return None if node.args[1] in ("device", "dtype", "ndim") else unknown(walk, node)
    dim = None if node.target is getattr else argument(node, 1, "dim")
    if axis is None:
        return None
    rank = len(shape(source) or ())
    if dim is None:
        return Sizes(axis, rank)
    dims = _dims(dim, rank)
    if dims is None:
        return unknown(walk, node)
    return Size(axis) if dims[0] == axis.dim else None


def item(walk: Walk, node: fx.Node) -> Value:
    """See `Rule`: read an entry of a tuple or of a shape, or a part of a tensor."""
    source, index = node.args
    value = walk.values.get(source)  # type: ignore[arg-type]
    if isinstance(value, tuple) and isinstance(index, int):
        return value[index]
    if isinstance(value, Sizes) and isinstance(index, int):
        return Size(value.axis) if index % value.rank == value.axis.dim else None
    if isinstance(value, Axis):
        return _part(walk, node, value, index)
    return unknown(walk, node)


def _part(walk: Walk, node: fx.Node, axis: Axis, index: Any) -> Value:
    """Return the axis of a part of a tensor that has all its channels."""
    entries = index if isinstance(index, tuple) else (index,)
    if not all(isinstance(e, int | slice) for e in entries):
        return unknown(walk, node)
    own = entries[axis.dim] if axis.dim < len(entries) else slice(None)
    if own != slice(None):
        return unknown(walk, node, f"{node} reads some of them by their numbers")
    return Axis(axis.dim - sum(isinstance(e, int) for e in entries[: axis.dim]), axis.ids)


def product(walk: Walk, node: fx.Node) -> Value:
    """See `Rule`: multiply matrices; channels may only be along a leading dimension."""
    a, b = node.args[:2]
    return _leading(walk, node, [a, b])


def attended(walk: Walk, node: fx.Node) -> Value:
    """See `Rule`: attend: the heads of queries, keys and values depend on one another."""
    names = ("query", "key", "value")
    given = [argument(node, position, name) for position, name in enumerate(names)]
    if argument(node, 3, "attn_mask") is not None:
        return unknown(walk, node, f"{node} has a mask")
    return _leading(walk, node, given)


def _leading(walk: Walk, node: fx.Node, operands: Sequence[Any]) -> Value:
    axes = [walk.values.get(operand) for operand in operands]
    ranks = {len(shape(operand) or ()) for operand in operands}
    tracked = [axis for axis in axes if isinstance(axis, Axis)]
    if len(tracked) < len(operands) or len(ranks) > 1 or len({axis.dim for axis in tracked}) > 1:
        return unknown(walk, node)
    first = tracked[0]
    if first.dim >= ranks.pop() - 2 or len({len(axis.ids) for axis in tracked}) > 1:
        return unknown(walk, node)
    for axis in tracked[1:]:
        walk.channels.tie(first.ids, axis.ids)
    return first


def _both(names: str, owner: Any = torch) -> list[Any]:
    """Return functions by name, and the methods of a tensor of the same names."""
    functions = [getattr(owner, name) for name in names.split() if hasattr(owner, name)]
    return [*functions, *_methods(names)]


def _methods(names: str) -> list[str]:
    return names.split()


_ELEMENTWISE = [
    *_both("add sub mul div maximum minimum relu sigmoid tanh abs neg exp sqrt square clamp"),
    *_both("dropout relu6 elu selu celu gelu silu mish hardtanh hardswish hardsigmoid softplus", F),
    *_both("relu leaky_relu logsigmoid softsign", F),
    *_methods("add_ sub_ mul_ div_ relu_ sigmoid_ tanh_ clamp_ contiguous clone detach float"),
    *(operator.add, operator.sub, operator.mul, operator.truediv, operator.neg),
    *(operator.iadd, operator.isub, operator.imul, operator.itruediv),
]
_OVER_SPACE = [
    getattr(F, f"{kind}{n}d")
    for kind in ("max_pool", "avg_pool", "adaptive_avg_pool", "adaptive_max_pool")
    for n in (1, 2, 3)
]

FUNCTION_RULES: Mapping[Any, Rule] = {
    **dict.fromkeys(_ELEMENTWISE, elementwise),
    **dict.fromkeys([*_OVER_SPACE, F.interpolate], over_space),
    **dict.fromkeys([*_both("softmax log_softmax"), F.softmax, F.log_softmax], normalised),
    **dict.fromkeys(_both("mean sum amax amin"), reduced),
    **dict.fromkeys([torch.cat, torch.concat, torch.concatenate], concatenated),
    **dict.fromkeys(_both("chunk"), chunked),
    **dict.fromkeys(_both("permute"), permuted),
    **dict.fromkeys(_both("transpose swapaxes"), transposed_dims),
    **dict.fromkeys(_both("flatten"), flatten),
    **dict.fromkeys(_both("reshape view"), reshape),
    **dict.fromkeys([*_both("matmul bmm"), operator.matmul], product),
    F.scaled_dot_product_attention: attended,
    F.pad: pad,
    getattr: sizes,
    "size": sizes,
    operator.getitem: item,
}
"""The rule of each function, and of each method of a tensor by its name."""
