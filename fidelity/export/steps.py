"""The graph of a network as steps, each one expression of Python."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn
from torch._C import _nn, _VariableFunctions
from torch._ops import OpOverload
from torch.export.graph_signature import InputKind

from fidelity.export.constructors import constructor
from fidelity.export.subject import ExportError, Subject

INFIX: Mapping[str, str] = {"add": "+", "sub": "-", "mul": "*", "div": "/", "matmul": "@"}
SIZES: Mapping[Any, str] = {
    operator.add: "+",
    operator.sub: "-",
    operator.mul: "*",
    operator.floordiv: "//",
    operator.mod: "%",
}
IDENTITIES = ("lift_fresh", "lift_fresh_copy")
CHECKS = ("_assert_scalar", "_assert_async", "sym_constrain_range", "sym_constrain_range_for_size")
SAME_ARGUMENTS = ("pad", "silu", "mish", "relu6", "hardswish", "hardsigmoid", "leaky_relu")
"""Functions of `torch.nn.functional` with the arguments of the operations that they call."""


@dataclass(frozen=True)
class Value:
    """The result of another step, in an expression.

    Attributes:
        name: of the step.
        bare: whether an expression may replace it without parentheses.
    """

    name: str
    bare: bool = False


@dataclass(frozen=True)
class Step:
    """One value of the graph.

    Attributes:
        name: of the value.
        parts: its expression, text and the values in it; for a module its input.
        module: the path of the module of `torch.nn` that is called.
        short: whether it is a sum or a concatenation, which may stand inside other expressions.
        size: whether the value is a size, a number and no tensor.
        shape: of the value, without the batch.
    """

    name: str
    parts: tuple[str | Value, ...]
    module: str | None = None
    short: bool = False
    size: bool = False
    shape: tuple[int, ...] | None = None

    @property
    def reads(self) -> list[str]:
        """The names of the values in the expression."""
        return [part.name for part in self.parts if isinstance(part, Value)]


@dataclass(frozen=True)
class Listing:
    """A whole network.

    Attributes:
        steps: in the order of their computation.
        inputs: the name of the input.
        outputs: the name of the output.
        weights: by attribute, those that no module of `torch.nn` holds.
        in_place: whether a step changes the value of an earlier one.
    """

    steps: tuple[Step, ...]
    inputs: str
    outputs: str
    weights: Mapping[str, Tensor] = field(repr=False)
    in_place: bool


def listing(subject: Subject) -> Listing:
    """Return the steps of a network.

    Raises:
        ExportError: it cannot be traced, or does not return one tensor.
    """
    reader = _Reader(subject)
    nodes = [node for node in subject.program.graph.nodes if node.op == "call_function"]
    steps: list[Step] = []
    for path, called in groupby(nodes, key=reader.call):
        steps += reader.steps(path, list(called))
    outputs = subject.program.graph_signature.user_outputs
    if len(outputs) != 1 or not isinstance(outputs[0], str):
        raise ExportError(
            f"the network returns {len(outputs)} values: a file of it needs exactly one tensor"
        )
    return Listing(
        tuple(steps),
        reader.inputs,
        reader.renamed.get(outputs[0], outputs[0]),
        reader.weights,
        any(_name(node).endswith("_") for node in nodes),
    )


class _Reader:
    """A reader that turns nodes into steps and collects the weights that they read directly."""

    def __init__(self, subject: Subject) -> None:
        self.network = subject.network
        self.weights: dict[str, Tensor] = {}
        self.renamed: dict[str, str] = {}
        self._tensors: dict[str, tuple[str, Tensor]] = {}  # by node: its path and the tensor
        self._attributes: dict[str, str] = {}
        program = subject.program
        for spec in program.graph_signature.input_specs:
            name = spec.arg.name
            if spec.kind is InputKind.USER_INPUT:
                self.inputs = name
                continue
            target = str(spec.target)
            source = program.state_dict if target in program.state_dict else program.constants
            self._tensors[name] = (target, source[target])

    def call(self, node: fx.Node) -> tuple[str, str]:
        """Return the module call that computes a node: a key unique per call, the module's path."""
        stack = node.meta.get("nn_module_stack") or {"": ("", "")}
        key, (path, _) = list(stack.items())[-1]
        return str(key), str(path)

    def steps(self, call: tuple[str, str], nodes: list[fx.Node]) -> Iterator[Step]:
        """Yield one step for the call of a module of `torch.nn`, or else one for each node.

        Args:
            call: as `call` returns it.
            nodes: those of the call.
        """
        read = self._module(call[1], nodes)
        if read is not None:
            value = Value(self.renamed.get(read, read), bare=True)
            yield Step(nodes[-1].name, (value,), module=call[1], shape=_shape(nodes[-1]))
            return
        for node in nodes:
            if _name(node) in CHECKS:
                continue
            if _name(node) in IDENTITIES or (_name(node) == "slice" and _slices_whole(node)):
                source = node.args[0]
                assert isinstance(source, fx.Node)
                self._alias(node.name, source.name)
                continue
            yield self._expression(node)

    def _alias(self, name: str, source: str) -> None:
        if source in self._tensors:
            self._tensors[name] = self._tensors[source]
        else:
            self.renamed[name] = self.renamed.get(source, source)

    def _module(self, path: str, nodes: list[fx.Node]) -> str | None:
        """Return the input of a module of `torch.nn` that has one, if its call is these nodes."""
        try:
            module = self.network.get_submodule(path)
        except AttributeError:
            return None
        if constructor(module) is None:
            return None
        own = {f"{path}.{name}" if path else name for name in module.state_dict(keep_vars=True)}
        inside = set(nodes)
        read = set()
        for node in nodes:
            for source in node.all_input_nodes:
                if source in inside:
                    continue
                if source.name not in self._tensors:
                    read.add(source.name)
                elif self._tensors[source.name][0] not in own:
                    return None
        read_outside = [node for node in nodes if any(user not in inside for user in node.users)]
        return read.pop() if len(read) == 1 and read_outside == nodes[-1:] else None

    def _expression(self, node: fx.Node) -> Step:
        name, arguments = _name(node), list(node.args)
        value = node.meta.get("val")
        step = Step(node.name, (), size=not isinstance(value, Tensor | tuple | list))
        step = replace(step, shape=_shape(node))
        sign = SIZES.get(node.target) or (None if node.kwargs else INFIX.get(name))
        if sign is not None and len(arguments) == 2:
            left, right = self._parts(arguments[0], bare=sign == "+"), self._parts(arguments[1])
            return replace(step, parts=(*left, f" {sign} ", *right), short=sign == "+")
        if node.target is operator.getitem:
            return replace(step, parts=(*self._parts(arguments[0]), f"[{arguments[1]}]"))
        if name == "cat":
            inner = self._listed([*arguments, *([] if len(arguments) > 1 else [0])], bare=True)
            return replace(step, parts=("torch.cat(", *inner, ")"), short=True)
        if name == "slice" and not any(isinstance(a, fx.Node) for a in arguments[1:]):
            return replace(step, parts=(*self._parts(arguments[0]), _slice(*arguments[1:])))
        if name == "sym_size":
            return replace(step, parts=(*self._parts(arguments[0]), f".shape[{arguments[1]}]"))
        return replace(step, parts=self._call(node, name, arguments))

    def _call(self, node: fx.Node, name: str, arguments: list[Any]) -> tuple[str | Value, ...]:
        tensor_first = bool(arguments) and isinstance(arguments[0], fx.Node)
        keywords = {k: v for k, v in node.kwargs.items() if k not in ("pin_memory", "layout")}
        if tensor_first:
            keywords.pop("device", None)  # the tensor's own
        front: tuple[str | Value, ...] = (_function(node, name),)
        if tensor_first and hasattr(Tensor, name):
            front = (*self._parts(arguments.pop(0)), f".{name}")
        inner = self._listed(arguments, bare=True)
        for key, value in keywords.items():
            inner += [", "] if inner else []
            inner += [f"{key}=", *self._parts(value, bare=True)]
        return (*front, "(", *inner, ")")

    def _listed(self, arguments: Iterable[Any], bare: bool) -> list[str | Value]:
        parts: list[str | Value] = []
        for position, argument in enumerate(arguments):
            parts += [", "] if position else []
            parts += self._parts(argument, bare)
        return parts

    def _parts(self, argument: Any, bare: bool = False) -> tuple[str | Value, ...]:
        if isinstance(argument, fx.Node):
            if argument.name in self._tensors:
                return (f"self.{self._attribute(argument.name)}",)
            return (Value(self.renamed.get(argument.name, argument.name), bare),)
        if isinstance(argument, list | tuple):
            return ("[", *self._listed(argument, bare=True), "]")
        if isinstance(argument, torch.device):
            return (Value(self.inputs), ".device")  # that of the network
        if isinstance(argument, float) and not math.isfinite(argument):
            return (f'float("{argument}")',)
        return (repr(argument),)

    def _attribute(self, node: str) -> str:
        target, tensor = self._tensors[node]
        if target not in self._attributes:
            last = target.rpartition(".")[2]
            taken = last in self._attributes.values() or hasattr(nn.Module, last)
            self._attributes[target] = target.replace(".", "_") + "_" if taken else last
            self.weights[self._attributes[target]] = tensor
        return self._attributes[target]


def _function(node: fx.Node, name: str) -> str:
    """Return the name by which Python code calls an operation."""
    builtin = getattr(_nn, name, None)
    if name in SAME_ARGUMENTS or (builtin and builtin is getattr(F, name, None)):
        return f"F.{name}"
    if hasattr(_VariableFunctions, name):
        return f"torch.{name}"
    if isinstance(node.target, OpOverload):
        return f"torch.ops.{node.target}"
    raise ExportError(f"the network computes {node.target}, which has no form in Python")


def _name(node: fx.Node) -> str:
    if isinstance(node.target, OpOverload):
        return str(node.target.overloadpacket.__name__)
    return getattr(node.target, "__name__", str(node.target))


def _shape(node: fx.Node) -> tuple[int, ...] | None:
    value = node.meta.get("val")
    if not isinstance(value, Tensor) or any(type(size) is not int for size in value.shape[1:]):
        return None
    return tuple(value.shape[1:])


def _slices_whole(node: fx.Node) -> bool:
    """Return whether a slice takes a whole dimension: `x[:]`."""
    rest = node.args[1:]
    return not any(isinstance(a, fx.Node) for a in rest) and _slice(0, *rest[1:]) == "[:]"


def _slice(dim: Any = 0, start: Any = None, end: Any = None, step: Any = 1) -> str:
    first = f"{start}" if start else ""
    last = "" if end is None or end == torch.iinfo(torch.int64).max else f"{end}"
    own = f"{first}:{last}" + (f":{step}" if step != 1 else "")
    return f"[{'..., ' if dim < 0 else ':, ' * dim}{own}{', :' * (-1 - dim)}]"
