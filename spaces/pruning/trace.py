"""A given network as a graph of operations with shapes, from `torch.fx`."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from spaces.resources.evaluation_mode import evaluation_mode
from spaces.space import SpaceError

SHAPE = "bonas_shape"
"""The entry of a node's `meta` with the shape of its result, if that is a tensor."""

ROOT = "network"

DROPOUTS: dict[Any, type[nn.Module]] = {
    F.dropout: nn.Dropout,
    F.dropout1d: nn.Dropout1d,
    F.dropout2d: nn.Dropout2d,
    F.dropout3d: nn.Dropout3d,
    F.alpha_dropout: nn.AlphaDropout,
}
"""Functions whose argument `training` a trace would freeze, and the modules that replace them."""


def trace(network: nn.Module, sample: Tensor) -> fx.GraphModule:
    """Return a network as a graph whose nodes know the shapes of their results.

    Args:
        network: on the CPU; the graph shares its modules.
        sample: a batch of inputs.

    Raises:
        SpaceError: the network cannot be traced, or computes other things in training than in
            evaluation, or does not read the sample.
    """
    expected = _run(network, sample)
    graphs = []
    for training in (True, False):
        with evaluation_mode(network):
            network.train(training)
            graph, parts = _graph(network)
            graphs.append(graph)
    traced = fx.GraphModule(parts, graph)
    for number, (one, other) in enumerate(zip(*(graph.nodes for graph in graphs), strict=False)):
        if _text(one) != _text(other):
            _as_module(traced, one, other, number)
    if len(graphs[0].nodes) != len(graphs[1].nodes):
        raise _differs(f"{len(graphs[0].nodes)} operations instead of {len(graphs[1].nodes)}")
    traced.recompile()
    with evaluation_mode(traced), torch.no_grad():
        result = _Shapes(traced).run(sample)
    if not isinstance(result, Tensor) or not _close(result, expected):
        raise SpaceError(
            f"the trace of {type(network).__name__} does not compute what the network computes: "
            "its forward pass depends on values or on a state that torch.fx does not record"
        )
    return traced


def _run(network: nn.Module, sample: Tensor) -> Tensor:
    try:
        with evaluation_mode(network), torch.no_grad():
            result = network(sample)
    except Exception as error:  # whatever the user's network raises
        raise SpaceError(
            f"{type(network).__name__} does not read the sample input, {sample.dtype} of shape "
            f"{tuple(sample.shape)}: {error}. Give a batch as the network reads it, "
            "(examples, *input_shape)"
        ) from error
    if not isinstance(result, Tensor) or result.ndim < 2 or len(result) != len(sample):
        kind = tuple(result.shape) if isinstance(result, Tensor) else type(result).__name__
        raise SpaceError(
            f"{type(network).__name__} returns {kind} for the sample input of shape "
            f"{tuple(sample.shape)}: expected one tensor (examples, outputs, ...)"
        )
    return result


def _close(a: Tensor, b: Tensor) -> bool:
    """Return whether results are equal up to rounding: torch's fused layers add in other orders."""
    relative = torch.finfo(b.dtype).eps ** 0.5
    largest = float(b.nan_to_num().abs().max())
    return torch.allclose(a, b, rtol=relative, atol=relative * largest, equal_nan=True)


class _OneInput(nn.Module):
    """A network that is called with its first argument only; the others keep their defaults."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, inputs: Tensor) -> Any:
        return self.network(inputs)


class _Tracer(fx.Tracer):
    """Enters torch's transformer layers, whose forward pass would else be one operation."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        layers = (nn.TransformerEncoder, nn.TransformerEncoderLayer)
        return type(m) not in layers and super().is_leaf_module(m, module_qualified_name)

    def call_module(
        self, m: nn.Module, forward: Callable[..., Any], args: Any, kwargs: dict[str, Any]
    ) -> Any:
        if type(m) is nn.TransformerEncoder and len(args) == 1 and not kwargs:
            return super().call_module(m, lambda x: _encoded(m, x), args, kwargs)
        return super().call_module(m, forward, args, kwargs)


def _encoded(encoder: nn.TransformerEncoder, x: Any) -> Any:
    """Return what the encoder computes without a mask; its own code asks for the rank of `x`."""
    for layer in encoder.layers:
        x = layer(x)
    return x if encoder.norm is None else encoder.norm(x)


@contextmanager
def _without_fast_path() -> Iterator[None]:
    """Make torch's transformer layers call their parts, for the length of a `with` block."""
    enabled = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(enabled)


def _graph(network: nn.Module) -> tuple[fx.Graph, dict[str, Any]]:
    """Return the graph, and the modules and tensors in it: those of the network, and constants."""
    root, parts = _OneInput(network), {}
    try:
        with _without_fast_path():
            graph = _Tracer().trace(root)
    except Exception as error:  # whatever the user's network raises for a proxy
        raise SpaceError(
            f"torch.fx cannot trace {type(network).__name__}: {error}. Its forward pass may not "
            "branch or loop on values; move such code into a module or function of its own and "
            "mark it with torch.fx.wrap, or give the part of the network that can be traced"
        ) from error
    for node in graph.nodes:
        node.type = None  # an annotation that is a text could not be pickled
        if node.target == ROOT:
            raise SpaceError(
                f"nothing in {type(network).__name__} can be pruned: it is a single operation. "
                "Give the network that it is a part of"
            )
        if node.op in ("call_module", "get_attr"):
            part = operator.attrgetter(node.target)(root)
            node.target = node.target.removeprefix(f"{ROOT}.")
            parts[node.target] = part
    return graph, parts


def _text(node: fx.Node) -> str:
    return f"{node.op} {node.target} {node.args} {node.kwargs}"


def _as_module(traced: fx.GraphModule, training: fx.Node, evaluation: fx.Node, number: int) -> None:
    """Replace a functional dropout by a module, which knows by itself whether it is training."""
    if training.target != evaluation.target or training.target not in DROPOUTS:
        raise _differs(f"{training.format_node()} instead of {evaluation.format_node()}")
    bind = inspect.signature(evaluation.target).bind  # type: ignore[arg-type]
    given = bind(*evaluation.args, **evaluation.kwargs).arguments
    rate = given.get("p", 0.5)
    name = f"dropout_{number}"
    traced.add_module(name, DROPOUTS[evaluation.target](rate))
    evaluation.op, evaluation.target = "call_module", name
    evaluation.args, evaluation.kwargs = (given["input"],), {}


def _differs(what: str) -> SpaceError:
    return SpaceError(
        f"in training the network computes {what}, as in evaluation, which one trace cannot "
        "record: use modules that depend on the mode, such as nn.Dropout, in place of "
        "`if self.training`"
    )


class _Shapes(fx.Interpreter):
    """Runs a graph and notes the shape of each tensor."""

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        if isinstance(result, Tensor):
            n.meta[SHAPE] = tuple(result.shape)
        return result


def shape(node: Any) -> tuple[int, ...] | None:
    """Return the shape of a node's result; None if that is no tensor."""
    return node.meta.get(SHAPE) if isinstance(node, fx.Node) else None
