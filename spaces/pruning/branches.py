"""Residual branches that may go, so that a block becomes the identity."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

import torch
from torch import fx, nn

from spaces.pruning.trace import shape

SUMS = (operator.add, operator.iadd, torch.add, "add", "add_")

KEPT, DROPPED = "kept", "dropped"


@dataclass(frozen=True)
class Branch:
    """One operand of a sum, computed from the other one.

    Attributes:
        name: of the choice: the qualified name of the block, and `branch`.
        total: the name of the node with the sum.
        skip: the name of the node that remains in its place.
        gone: the names of all nodes that are then without use.
    """

    name: str
    total: str
    skip: str
    gone: frozenset[str]


def branches(traced: fx.GraphModule, keep: Collection[str] = ()) -> list[Branch]:
    """Return the residual branches with weights, in the order of the graph.

    Args:
        traced: a graph with shapes, see `trace`.
        keep: qualified names of modules that stay as they are, with everything inside them.
    """
    result = []
    for node in traced.graph.nodes:
        operands = [operand for operand in node.args if isinstance(operand, fx.Node)]
        if node.target not in SUMS or len(node.args) != 2 or len(operands) != 2 or node.kwargs:
            continue
        for skip, end in (operands, operands[::-1]):
            origin = _before_identity(traced, skip)
            if shape(skip) == shape(end) == shape(node) and _reads(end, origin):
                gone = frozenset(_names(traced) - alive(traced, {node.name: skip.name}))
                layers = _layers(traced, gone)
                kept = any(f"{layer}.".startswith(f"{name}.") for layer in layers for name in keep)
                if layers and not kept:
                    result.append(Branch(_common(layers), node.name, skip.name, gone))
                break
    return _distinct(traced, result)


def alive(traced: fx.GraphModule, dropped: dict[str, str]) -> set[str]:
    """Return the names of the nodes that the output depends on.

    Args:
        traced: the graph.
        dropped: the sums of branches that are dropped, and what remains in their place.
    """
    nodes = {node.name: node for node in traced.graph.nodes}
    waiting = [node.name for node in traced.graph.nodes if node.op in ("output", "placeholder")]
    result: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in result:
            result.add(name)
            sources = (node.name for node in nodes[name].all_input_nodes)
            waiting += [dropped[name]] if name in dropped else sources
    return result


def _names(traced: fx.GraphModule) -> set[str]:
    return alive(traced, {})


def _before_identity(traced: fx.GraphModule, node: fx.Node) -> fx.Node:
    """Return what a shortcut without weights reads: often an `nn.Identity` or nothing at all."""
    while node.op == "call_module":
        module = traced.get_submodule(str(node.target))
        if type(module) not in (nn.Identity, nn.Dropout):
            break
        node = node.all_input_nodes[0]
    return node


def _reads(end: fx.Node, source: fx.Node) -> bool:
    waiting, seen = [end], {end}
    while waiting:
        for node in waiting.pop().all_input_nodes:
            if node is source:
                return True
            if node not in seen:
                seen.add(node)
                waiting.append(node)
    return False


def _layers(traced: fx.GraphModule, names: Collection[str]) -> list[str]:
    """Return the modules with weights that some nodes call, the largest first, then in order."""
    nodes = [n for n in traced.graph.nodes if n.op == "call_module" and n.name in names]
    sizes = {
        layer: sum(p.numel() for p in traced.get_submodule(layer).parameters())
        for layer in dict.fromkeys(str(node.target) for node in nodes)
    }
    return sorted((layer for layer in sizes if sizes[layer]), key=lambda layer: -sizes[layer])


def _common(layers: Sequence[str]) -> str:
    """Return the qualified name of the innermost module that contains all layers."""
    if len(layers) == 1:
        return layers[0]
    columns = zip(*(layer.split(".") for layer in layers), strict=False)
    return ".".join(column[0] for column in takewhile(lambda column: len({*column}) == 1, columns))


def _distinct(traced: fx.GraphModule, found: list[Branch]) -> list[Branch]:
    """Name branches of the same block, or of the whole network, by their largest layer."""
    counts = Counter(branch.name for branch in found)
    result = []
    for branch in found:
        name = branch.name
        if not name or counts[name] > 1:
            name = _layers(traced, branch.gone)[0]
        result.append(replace(branch, name=f"{name}.branch"))
    repeated = Counter(branch.name for branch in result)
    return [replace(b, name=f"{b.name} {b.total}") if repeated[b.name] > 1 else b for b in result]
