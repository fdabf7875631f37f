"""The graph of a module that a user wrote, traced by torch.fx.

Modules of `torch.nn`, and those that a dictionary of alternatives has made, are the operations.
Where a `forward` cannot be traced, because it looks at its input, that module is one operation.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import fx, nn

from spaces.architecture.architecture import Architecture, Node, chain
from spaces.architecture.labels import CONCAT, IDENTITY, INPUT, OUTPUT, ZERO
from spaces.define_by_run.signature import digest, label, plain
from spaces.operations.modules import Zero

SUMS = frozenset({operator.add, operator.iadd, torch.add, "add", "add_"})
CONCATENATIONS = frozenset({torch.cat, torch.concat, torch.concatenate})
COMMUTATIVE = frozenset({operator.mul, torch.mul, "mul"})


def graph_of(module: nn.Module, made: Sequence[tuple[str, object]] = ()) -> Architecture:
    """Return the graph of a module.

    Args:
        module: with one input or several; it may be on the meta device.
        made: parts of it that alternatives have made, with their names, innermost ones first;
            these are operations, with the alternative as their label.
    """
    tracer = _traced(module, _operations(module, made))
    if tracer is None:
        return chain([label(module)])
    return _Reader(module, tracer).architecture


def _operations(root: nn.Module, made: Sequence[tuple[str, object]]) -> dict[nn.Module, str]:
    """Return the parts that alternatives have made, without those that have others inside."""
    names: dict[nn.Module, str] = {}
    inside: set[nn.Module] = set()
    for name, part in made:
        if isinstance(part, nn.Module) and part is not root:
            if inside.isdisjoint(part.modules()):
                names.setdefault(part, name)
            inside.add(part)
    return names


@dataclass(frozen=True)
class _Part:
    """The nodes of a module that an alternative has made.

    Attributes:
        name: of the alternative.
        nodes: without the input.
        inputs: the nodes that the module was called with.
        output: its result.
    """

    name: str
    nodes: Sequence[fx.Node]
    inputs: Sequence[fx.Node]
    output: fx.Node

    @property
    def is_operation(self) -> bool:
        """Whether nothing but one input goes in, and nothing but the output goes out."""
        inner = set(self.nodes)
        read = {source for node in self.nodes for source in node.all_input_nodes}
        readers = {user for node in self.nodes if node is not self.output for user in node.users}
        return (
            len(self.inputs) == 1
            and self.output in inner
            and read <= inner | set(self.inputs)
            and readers <= inner
        )


class _Tracer(fx.Tracer):
    """Looks into the modules that a user wrote, and notes where parts begin and end.

    Args:
        operations: the parts, with their names.
        whole: modules that cannot be traced.
    """

    def __init__(self, operations: Mapping[nn.Module, str], whole: set[nn.Module]) -> None:
        super().__init__(autowrap_modules=())  # type: ignore[arg-type]  # by torch
        self.operations = operations
        self.whole = whole
        self.entered: list[nn.Module] = []
        self.parts: dict[fx.Node, _Part] = {}

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """See `fx.Tracer`; a module of this package is an operation too."""
        own = type(m).__module__.startswith(("torch.nn.", "spaces."))
        return m in self.whole or (own and not isinstance(m, nn.Sequential))

    def call_module(self, m: nn.Module, forward: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """See `fx.Tracer`."""
        before = len(self.graph.nodes)
        self.entered.append(m)
        result = super().call_module(m, forward, args, kwargs)
        self.entered.pop()
        new = list(self.graph.nodes)[before:] if m in self.operations else []
        if new and isinstance(result, fx.Proxy):
            given = [a.node for a in (*args, *kwargs.values()) if isinstance(a, fx.Proxy)]
            part = _Part(self.operations[m], new, given, result.node)
            if part.is_operation:
                self.parts[new[0]] = part
        return result


def _traced(root: nn.Module, operations: Mapping[nn.Module, str]) -> _Tracer | None:
    """Return the tracer after its work; None if not even the outermost module can be traced."""
    whole: set[nn.Module] = set()
    while root not in whole:
        tracer = _Tracer(operations, whole)
        try:
            tracer.graph = tracer.trace(root)
        except Exception:  # whatever code raises that is given proxies instead of tensors
            whole.add(tracer.entered[-1] if tracer.entered else root)
        else:
            return tracer
    return None


class _Reader:
    """Turns a trace into an architecture.

    Args:
        root: the module that was traced.
        tracer: after its work.
    """

    def __init__(self, root: nn.Module, tracer: _Tracer) -> None:
        self._root = root
        self._parts = tracer.parts
        nodes = list(tracer.graph.nodes)
        self._calls = Counter(str(node.target) for node in nodes if node.op == "call_module")
        self._shared: dict[str, int] = {}
        inputs = [node for node in nodes if node.op == "placeholder"]
        results = nodes[-1].all_input_nodes
        self.architecture = self._graph(nodes[len(inputs) : -1], inputs, results)

    def _graph(
        self, nodes: Sequence[fx.Node], inputs: Sequence[fx.Node], results: Sequence[fx.Node]
    ) -> Architecture:
        built = [Node(INPUT) for _ in inputs]
        at = {node: position for position, node in enumerate(inputs)}
        waiting = list(nodes)
        while waiting:
            node = waiting[0]
            part = self._parts.pop(node, None)
            if part is None:
                self._read(waiting.pop(0), at, built)
            else:
                del waiting[: len(part.nodes)]
                inner = self._graph(part.nodes, part.inputs, [part.output])
                built.append(Node(_named(part.name, inner), (at[part.inputs[0]],)))
                at[part.output] = len(built) - 1
        built.append(Node(OUTPUT, tuple(at[result] for result in results)))
        return Architecture(tuple(built))

    def _read(self, node: fx.Node, at: dict[fx.Node, int], built: list[Node]) -> None:
        inputs = [at[source] for source in node.all_input_nodes]
        if node.op == "call_module":
            operation = self._called(str(node.target))
        elif node.op == "get_attr":
            path, _, name = str(node.target).rpartition(".")
            weight = getattr(self._root.get_submodule(path), name)
            operation = f"weight {node.target} {tuple(getattr(weight, 'shape', ()))}"
        elif _is_sum(node):
            operation = IDENTITY
            inputs = [at[a] for a in node.args if isinstance(a, fx.Node)]
        elif node.target in CONCATENATIONS and _dimension(node) == 1:
            operation = CONCAT
        else:
            operation = _text(node)
            if len(inputs) > 1:  # a node reads their sum, so each argument is a node of its own
                first = len(built)
                same = node.target in COMMUTATIVE
                built += [
                    Node(f"{operation} argument" + ("" if same else f" {i}"), (position,))
                    for i, position in enumerate(inputs)
                ]
                inputs = list(range(first, len(built)))
        built.append(Node(operation, tuple(inputs)))
        at[node] = len(built) - 1

    def _called(self, path: str) -> str:
        module = self._root.get_submodule(path)
        if isinstance(module, nn.Identity):
            return IDENTITY
        if isinstance(module, Zero):
            return ZERO
        if self._calls[path] > 1 and any(True for _ in module.parameters()):
            # The same weights twice are another network than two modules of their own.
            number = self._shared.setdefault(path, len(self._shared) + 1)
            return f"{label(module)} (shared {number})"
        return label(module)


def _named(name: str, inner: Architecture) -> str:
    """Return the label of a part: its name, and what tells it from others of the same name."""
    if not inner.connected:
        return ZERO
    if inner.key == chain([IDENTITY]).key:
        return IDENTITY
    return f"{name} {digest(inner.key)}"


def _is_sum(node: fx.Node) -> bool:
    """Return whether a node adds two tensors, or zero, with which Python's `sum` begins."""
    arguments = (*node.args, *node.kwargs.values())
    constants = [a for a in arguments if not isinstance(a, fx.Node)]
    return node.target in SUMS and len(arguments) == 2 and all(c == 0 for c in constants)


def _dimension(node: fx.Node) -> object:
    return node.kwargs.get("dim", node.args[1] if len(node.args) > 1 else 0)


def _text(node: fx.Node) -> str:
    """Return the name of a function with its arguments that are no tensors."""
    name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")
    settings = [_argument(a) for a in node.args]
    settings += [f"{key}={_argument(value)}" for key, value in node.kwargs.items()]
    if all(setting == "." for setting in settings):
        return str(name)
    return f"{name}({', '.join(settings)})"


def _argument(value: Any) -> str:
    """Return an argument as text; a dot stands for the result of another node."""
    if isinstance(value, fx.Node):
        return "."
    if isinstance(value, tuple | list):
        return f"({', '.join(map(_argument, value))})"
    if isinstance(value, slice):
        return ":".join(map(_argument, (value.start, value.stop, value.step)))
    if isinstance(value, Mapping):
        return str({str(key): _argument(entry) for key, entry in value.items()})
    return str(plain(value))
