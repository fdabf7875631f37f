"""A walk along a traced network that finds which channels depend on which others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, fx, nn

from spaces.pruning.channels import Axis, Channels, Ids
from spaces.pruning.trace import shape


@dataclass(frozen=True)
class Weight:
    """The value of a node that reads a parameter or buffer of the network directly.

    Attributes:
        name: the qualified name.
    """

    name: str


@dataclass(frozen=True)
class Sizes:
    """The value of a node that reads the shape of a tensor.

    Attributes:
        axis: of that tensor.
        rank: the number of its dimensions.
    """

    axis: Axis
    rank: int


@dataclass(frozen=True)
class Size:
    """The value of a node that reads the number of channels of a tensor.

    Attributes:
        axis: of that tensor.
    """

    axis: Axis


Removed = NDArray[np.bool_]
"""For the root of each set of channels, whether it goes."""

Value = Axis | Weight | Sizes | Size | tuple[Axis | None, ...] | None
"""What is known of a node's result; None where nothing of it can be pruned."""


@dataclass(frozen=True, eq=False)
class Slice:
    """A dimension of a parameter or buffer that loses channels.

    Attributes:
        tensor: its qualified name.
        dim: the dimension.
        ids: the channels along it.
        produces: whether the layer makes these channels; else it reads or scales them.
    """

    tensor: str
    dim: int
    ids: Ids
    produces: bool

    @property
    def layer(self) -> str:
        """The qualified name of the module."""
        return self.tensor.rpartition(".")[0]


class Walk:
    """The channels of each node's result, node by node.

    Args:
        traced: a graph with shapes, see `trace`.
        keep: qualified names of modules that stay as they are, with everything inside them.
    """

    def __init__(self, traced: fx.GraphModule, keep: tuple[str, ...] = ()) -> None:
        self.traced = traced
        self.keep = keep
        self.channels = Channels()
        self.values: dict[fx.Node, Value] = {}
        self.slices: dict[tuple[str, int], Slice] = {}
        self._outs: dict[str, Ids] = {}
        parameters = [*traced.named_parameters(remove_duplicate=False)]
        copies = Counter(id(parameter) for _, parameter in parameters)
        self._shared = {name for name, parameter in parameters if copies[id(parameter)] > 1}
        self._reads = Counter(str(n.target) for n in traced.graph.nodes if n.op == "get_attr")
        called = {f"{n.target}." for n in traced.graph.nodes if n.op == "call_module"}
        self._shared |= {name for name in self._reads if name.startswith((*called,))}

    def module(self, node: fx.Node) -> nn.Module:
        """Return the module that a node calls."""
        return self.traced.get_submodule(str(node.target))

    def tensor(self, name: str) -> Tensor:
        """Return a parameter or buffer."""
        layer, _, last = name.rpartition(".")
        result: Tensor = getattr(self.traced.get_submodule(layer), last)
        return result

    def outs(self, layer: str, count: int) -> Ids:
        """Return the channels that a layer makes, the same for each of its calls.

        Args:
            layer: the qualified name of the module.
            count: the number of channels.
        """
        if layer not in self._outs:
            self._outs[layer] = self.channels.fresh(count)
        return self._outs[layer]

    def ids(self, node: fx.Node, dim: int) -> Ids:
        """Return the channels of a node's result along a dimension; fixed where they must stay.

        Args:
            node: any node.
            dim: a dimension of its result.
        """
        value = self.values.get(node)
        if isinstance(value, Axis) and value.dim == dim:
            return value.ids
        self.fix(node, f"{node} is read along another dimension")
        size = (shape(node) or ())[dim]
        return self.fixed(size, f"the channels of {node} stay")

    def fixed(self, count: int, reason: str) -> Ids:
        """Return channels that must stay.

        Args:
            count: their number.
            reason: why they stay.
        """
        ids = self.channels.fresh(count)
        self.channels.fix(ids, reason)
        return ids

    def slice(self, tensor: str, dim: int, ids: Ids, produces: bool = False) -> None:
        """Note that a parameter or buffer loses the channels `ids`.

        Args:
            tensor: the qualified name.
            dim: the dimension that loses them.
            ids: the channels along it.
            produces: whether the layer makes them.
        """
        if (known := self.slices.get((tensor, dim))) is not None:
            self.channels.tie(known.ids, ids)
            return
        if tensor in self._shared:
            self.channels.fix(ids, f"{tensor} is used by several operations")
        if any(tensor == name or tensor.startswith(f"{name}.") for name in self.keep):
            self.channels.fix(ids, f"{tensor} is among those to keep")
        self.slices[tensor, dim] = Slice(tensor, dim, ids, produces)

    def slice_all(self, layer: str, names: tuple[str, ...], ids: Ids, produces: bool) -> None:
        """Slice the first dimension of several tensors of a layer, of those that it has.

        Args:
            layer: the qualified name of the module.
            names: of the tensors.
            ids: the channels.
            produces: whether the layer makes them.
        """
        module = self.traced.get_submodule(layer)
        for name in names:
            if isinstance(getattr(module, name, None), Tensor):
                self.slice(f"{layer}.{name}", 0, ids, produces)

    def read_once(self, weight: Weight) -> bool:
        """Return whether a single operation reads a parameter."""
        return self._reads[weight.name] == 1 and weight.name not in self._shared

    def fix(self, value: Any, reason: str) -> None:
        """Keep all channels of nodes, wherever these are within lists, tuples and slices.

        Args:
            value: the arguments of an operation.
            reason: why they stay.
        """
        for ids in self._tracked(value):
            self.channels.fix(ids, reason)

    def _tracked(self, value: Any) -> Iterator[Ids]:
        if isinstance(value, fx.Node):
            yield from self._tracked(self.values.get(value))
        elif isinstance(value, Axis):
            yield value.ids
        elif isinstance(value, Sizes | Size):
            yield value.axis.ids
        elif isinstance(value, list | tuple):
            for entry in value:
                yield from self._tracked(entry)
        elif isinstance(value, dict):
            yield from self._tracked(list(value.values()))
        elif isinstance(value, slice):
            yield from self._tracked([value.start, value.stop, value.step])


Rule = Callable[[Walk, fx.Node], Value]
"""From a walk and an operation to what is known of its result; ties, slices and fixes channels."""


def unknown(walk: Walk, node: fx.Node, reason: str = "") -> Value:
    """Keep all channels that an operation reads, and return None.

    Args:
        walk: so far.
        node: the operation.
        reason: why; by default that no rule is known for it.
    """
    walk.fix([node.args, node.kwargs], reason or f"{named(walk, node)} has no rule for pruning")
    return None


def named(walk: Walk, node: fx.Node) -> str:
    """Return the name of an operation for the user.

    Args:
        walk: of its network.
        node: the operation.
    """
    if node.op == "call_module":
        return f"{type(walk.module(node)).__name__} {node.target}"
    return getattr(node.target, "__name__", None) or str(node.target)


def along(walk: Walk, rules: Mapping[Any, Rule], module_rules: Mapping[type, Rule]) -> None:
    """Apply a rule to each node, in the order of the graph.

    Args:
        walk: nothing of it is known yet.
        rules: by the function, or the name of the method, that a node calls.
        module_rules: by the class of the module that a node calls.
    """
    for node in walk.traced.graph.nodes:
        rule: Rule | None = None
        if node.op == "get_attr":
            walk.values[node] = Weight(str(node.target))
            continue
        if node.op == "call_module":
            module = walk.module(node)
            hooked = module._forward_hooks or module._forward_pre_hooks
            rule = None if hooked else module_rules.get(type(module))
        elif node.op in ("call_function", "call_method"):
            rule = rules.get(node.target)
        if node.op == "output":
            unknown(walk, node, "they are the outputs of the network")
        elif node.op != "placeholder" and rule is None:
            unknown(walk, node)
        walk.values[node] = None if rule is None else rule(walk, node)


def repeated(ids: Ids, times: int) -> Ids:
    """Return each channel several times in a row.

    Args:
        ids: the channels.
        times: how often each is repeated.
    """
    return np.repeat(ids, times)
