"""A smaller copy of a network: some channels, without some branches."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import fx, nn

from spaces.pruning.attention import PrunedAttention
from spaces.pruning.branches import alive
from spaces.pruning.channels import Axis
from spaces.pruning.groups import Dependencies
from spaces.pruning.walk import Removed, Slice

RESHAPES = (torch.reshape, "reshape", "view")


def smaller(
    network: fx.GraphModule,
    found: Dependencies,
    removed: Removed,
    dropped: dict[str, str],
) -> fx.GraphModule:
    """Return a copy of a network without some channels and branches, with the given weights.

    Args:
        network: the traced network, or one like it on another device.
        found: which channels depend on which others.
        removed: which channels go.
        dropped: the sums of the branches that go, in the order of the graph, and what remains in
            their place.
    """
    result = copy.deepcopy(network)
    living = alive(found.traced, dropped)
    nodes = {node.name: node for node in result.graph.nodes}
    for total, skip in reversed(dropped.items()):  # what remains of one may be the sum before it
        if total in living:
            nodes[total].replace_all_uses_with(nodes[skip])
    for node in reversed([*result.graph.nodes]):
        if node.name not in living or node.name in dropped:
            result.graph.erase_node(node)
    result.delete_all_unused_submodules()
    if removed.any():
        called = {str(n.target) for n in result.graph.nodes if n.op in ("call_module", "get_attr")}
        _slice(result, [s for s in found.slices if _within(s.tensor, called)], removed)
        for node in found.traced.graph.nodes:
            if node.name in living and node.name not in dropped:
                _rewrite(result, nodes[node.name], found.values.get(node), removed)
    result.graph.lint()
    result.recompile()
    return result.train()


def _within(tensor: str, called: set[str]) -> bool:
    """Return whether a tensor belongs to a module that is called, or is read directly."""
    parts = tensor.split(".")
    return any(".".join(parts[:length]) in called for length in range(1, len(parts) + 1))


def _slice(network: nn.Module, slices: Iterable[Slice], removed: Removed) -> None:
    """Slice weights and buffers in place."""
    heads = {
        name: module.head_dim
        for name, module in network.named_modules()
        if isinstance(module, nn.MultiheadAttention)
    }
    sliced = set()
    for each in slices:
        remaining = np.flatnonzero(~removed[each.ids])
        if len(remaining) == len(each.ids):
            continue
        layer, _, name = each.tensor.rpartition(".")
        module = network.get_submodule(layer)
        tensor = getattr(module, name)
        index = torch.from_numpy(remaining).to(tensor.device)
        part = tensor.detach().index_select(each.dim, index)
        if isinstance(tensor, nn.Parameter):
            part = nn.Parameter(part, requires_grad=tensor.requires_grad)
        setattr(module, name, part)
        sliced |= {layer, layer.removesuffix(".out_proj")}
    for layer in sorted(sliced):
        module = network.get_submodule(layer)
        if layer in heads:
            network.set_submodule(layer, PrunedAttention(module, heads[layer]))  # type: ignore[arg-type]
        else:
            _note_sizes(module)


def _note_sizes(module: nn.Module) -> None:
    """Make the attributes of a module say the sizes of its weights."""
    weight: Any = getattr(module, "weight", None)
    if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Conv3d):
        if module.groups == module.in_channels > 1:
            module.groups = len(weight) * module.groups // module.out_channels
        module.out_channels, module.in_channels = len(weight), weight.shape[1] * module.groups
    elif isinstance(module, nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d):
        module.in_channels, module.out_channels = weight.shape[:2]
    elif isinstance(module, nn.Linear):
        module.out_features, module.in_features = weight.shape
    elif isinstance(module, nn.Embedding):
        module.embedding_dim = weight.shape[1]
    elif isinstance(module, nn.GroupNorm):
        module.num_channels = len(weight)
    elif isinstance(module, nn.LayerNorm):
        module.normalized_shape = tuple(weight.shape)
    elif isinstance(module, nn.PReLU):
        module.num_parameters = len(weight)
    elif hasattr(module, "num_features"):
        known: Any = module.running_mean if weight is None else weight
        module.num_features = len(known)  # type: ignore[assignment]  # of any normalisation


def _rewrite(network: nn.Module, node: fx.Node, value: Any, removed: Removed) -> None:
    """Change the numbers of channels that are written in a call."""
    if node.op == "call_module" and isinstance(
        network.get_submodule(str(node.target)), PrunedAttention
    ):
        named = [node.kwargs[name] for name in ("query", "key", "value") if name in node.kwargs]
        node.args, node.kwargs = (*node.args, *named), {}
    if node.target not in RESHAPES or not isinstance(value, Axis):
        return
    remaining = int((~removed[value.ids]).sum())
    listed = isinstance(node.args[1], list | tuple)
    sizes: list[Any] = list(node.args[1] if listed else node.args[1:])  # type: ignore[arg-type]
    if isinstance(sizes[value.dim], int) and sizes[value.dim] != -1:
        sizes[value.dim] = remaining
    node.args = (node.args[0], sizes) if listed else (node.args[0], *sizes)
