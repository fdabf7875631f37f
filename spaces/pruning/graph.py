"""The architecture of a pruned network: its operations with their widths."""

from __future__ import annotations

from typing import Any

from torch import fx, nn

from spaces.architecture.architecture import Architecture, Node
from spaces.architecture.labels import CONCAT, IDENTITY, INPUT, OUTPUT
from spaces.pruning.branches import SUMS, alive
from spaces.pruning.channels import Axis
from spaces.pruning.function_rules import FUNCTION_RULES, concatenated
from spaces.pruning.groups import Dependencies
from spaces.pruning.trace import shape
from spaces.pruning.walk import Removed

NEUTRAL = (nn.Identity, nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout)


def architecture(found: Dependencies, removed: Removed, dropped: dict[str, str]) -> Architecture:
    """Return the graph of a pruned network; labels say operation and width.

    Args:
        found: which channels depend on which others.
        removed: which channels go.
        dropped: the sums of the branches that go, and what remains in their place.
    """
    living = alive(found.traced, dropped)
    positions: dict[str, int] = {}
    nodes: list[Node] = []
    for node in found.traced.graph.nodes:
        if node.name not in living or not _is_tensor(node):
            continue
        if node.name in dropped:
            positions[node.name] = positions[dropped[node.name]]
            continue
        sources = _sources(node)
        read = [positions[name] for name in sources if name in positions]
        positions[node.name] = len(nodes)
        nodes.append(Node(_label(found, node, removed), tuple(read)))
    return Architecture(tuple(nodes))


def _is_tensor(node: fx.Node) -> bool:
    """Return whether a node is an operation on tensors, not a weight or the size of a tensor."""
    if node.op in ("placeholder", "output", "call_module"):
        return True
    return node.op != "get_attr" and (shape(node) is not None or _several(node))


def _several(node: fx.Node) -> bool:
    """Return whether an operation returns several tensors, of which others read one each."""
    return any(user.target in FUNCTION_RULES and shape(user) is not None for user in node.users)


def _sources(node: fx.Node) -> list[str]:
    """Return what an operation reads; a sum may read the same twice."""
    if node.target in SUMS and len(node.args) == 2:
        return [operand.name for operand in node.args if isinstance(operand, fx.Node)]
    if FUNCTION_RULES.get(node.target) is concatenated and isinstance(node.args[0], list | tuple):
        return [part.name for part in node.args[0] if isinstance(part, fx.Node)]
    return [source.name for source in node.all_input_nodes]


def _label(found: Dependencies, node: fx.Node, removed: Removed) -> str:
    if node.op == "placeholder":
        return INPUT
    if node.op == "output":
        return OUTPUT
    if FUNCTION_RULES.get(node.target) is concatenated:
        return CONCAT
    if node.op == "call_module":
        module = found.traced.get_submodule(str(node.target))
        return IDENTITY if isinstance(module, NEUTRAL) else _of_module(found, node, module, removed)
    summed = node.target in SUMS and len([*node.all_input_nodes]) == len(node.args) == 2
    if summed or isinstance(found.values.get(node.args[0]) if node.args else None, tuple):  # type: ignore[arg-type]
        return IDENTITY
    return str(getattr(node.target, "__name__", node.target))


def _of_module(found: Dependencies, node: fx.Node, module: nn.Module, removed: Removed) -> str:
    name, value = type(module).__name__.lower(), found.values.get(node)
    if isinstance(module, nn.MultiheadAttention):
        tensor = f"{node.target}.in_proj_weight"
        rows = [s for s in found.slices if s.tensor == tensor and s.dim == 0]
        heads = _count(rows[0].ids, removed) // (3 * module.head_dim) if rows else module.num_heads
        axis = value[0] if isinstance(value, tuple) else None
        width = module.embed_dim if axis is None else _count(axis.ids, removed)
        return f"attention {heads} heads {width}"
    if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Conv3d):
        name = f"conv {'x'.join(map(str, module.kernel_size))}"
        name += f" stride {module.stride[0]}" if module.stride[0] > 1 else ""
        depthwise = module.groups == module.in_channels > 1
        grouped = f" {module.groups} groups" if module.groups > 1 else ""
        name += " depthwise" if depthwise else grouped
    has_weights = any(True for _ in module.parameters(recurse=False))
    return f"{name} {_width(node, value, removed)}" if has_weights else name


def _width(node: fx.Node, value: Any, removed: Removed) -> str:
    if isinstance(value, Axis):
        return str(_count(value.ids, removed))
    size = shape(node)
    return str(size[1]) if size is not None and len(size) > 1 else ""


def _count(ids: Any, removed: Removed) -> int:
    return int((~removed[ids]).sum())
