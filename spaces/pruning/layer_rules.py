"""Rules for the layers of torch: which channels they make, read and scale."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from torch import fx, nn

from spaces.pruning.channels import Axis
from spaces.pruning.function_rules import elementwise, flatten, normalised, over_space
from spaces.pruning.trace import shape
from spaces.pruning.walk import Rule, Value, Walk, repeated, unknown


def _input(node: fx.Node) -> fx.Node:
    source = node.args[0] if node.args else node.kwargs["input"]
    assert isinstance(source, fx.Node)
    return source


def convolution(walk: Walk, node: fx.Node) -> Value:
    """See `Rule`: make channels; all groups of a grouped convolution lose the same ones."""
    module, layer, source = walk.module(node), str(node.target), _input(node)
    assert isinstance(module, nn.Conv1d | nn.Conv2d | nn.Conv3d)
    if len(shape(source) or ()) != module.weight.ndim:
        return unknown(walk, node, f"{layer} reads a single example")
    ins = walk.ids(source, 1)
    outs = walk.outs(layer, module.out_channels)
    groups, depthwise = module.groups, module.groups == module.in_channels > 1
    if depthwise:
        walk.channels.tie(outs, repeated(ins, len(outs) // len(ins)))
    elif groups > 1:
        walk.channels.tie_across(ins, groups)
        walk.channels.tie_across(outs, groups)
    walk.slice_all(layer, ("weight", "bias"), outs, not depthwise)
    if not depthwise:
        walk.slice(f"{layer}.weight", 1, ins[: len(ins) // groups])
    return Axis(1, outs)


def transposed(walk: Walk, node: fx.Node) -> Value:
    """See `Rule`: make channels; grouped transposed convolutions stay."""
    module, layer, source = walk.module(node), str(node.target), _input(node)
    assert isinstance(module, nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d)
    if module.groups > 1 or len(shape(source) or ()) != module.weight.ndim or len(node.args) > 1:
        return unknown(walk, node)
    outs = walk.outs(layer, module.out_channels)
    walk.slice(f"{layer}.weight", 0, walk.ids(source, 1))
    walk.slice(f"{layer}.weight", 1, outs, produces=True)
    walk.slice_all(layer, ("bias",), outs, produces=True)
    return Axis(1, outs)


def linear(walk: Walk, node: fx.Node) -> Value:
    """See `Rule`: make channels along the last dimension."""
    module, layer, source = walk.module(node), str(node.target), _input(node)
    assert isinstance(module, nn.Linear)
    last = len(shape(source) or ()) - 1
    outs = walk.outs(layer, module.out_features)
    walk.slice_all(layer, ("weight", "bias"), outs, produces=True)
    walk.slice(f"{layer}.weight", 1, walk.ids(source, last))
    return Axis(last, outs)


def embedding(walk: Walk, node: fx.Node) -> Value:
    """See `Rule`: make channels along a new last dimension."""
    module, layer = walk.module(node), str(node.target)
    assert isinstance(module, nn.Embedding)
    if module.max_norm is not None:
        return unknown(walk, node)
    outs = walk.outs(layer, module.embedding_dim)
    walk.slice(f"{layer}.weight", 1, outs, produces=True)
    return Axis(len(shape(node) or ()) - 1, outs)


def batch_norm(walk: Walk, node: fx.Node) -> Value:
    """See `Rule`: scale channels; their statistics do not depend on other channels."""
    names = ("weight", "bias", "running_mean", "running_var")
    if all(getattr(walk.module(node), name) is None for name in names):
        return unknown(walk, node, f"{node.target} has no weight that knows their number")
    ids = walk.ids(_input(node), 1)
    walk.slice_all(str(node.target), names, ids, produces=False)
    return Axis(1, ids)


def group_norm(walk: Walk, node: fx.Node) -> Value:
    """See `Rule`: scale channels; all groups lose the same number."""
    module, ids = walk.module(node), walk.ids(_input(node), 1)
    assert isinstance(module, nn.GroupNorm)
    walk.channels.tie_across(ids, module.num_groups)
    walk.slice_all(str(node.target), ("weight", "bias"), ids, produces=False)
    return Axis(1, ids)


def layer_norm(walk: Walk, node: fx.Node) -> Value:
    """See `Rule`: scale channels; mean and variance become those of the remaining ones."""
    module, source = walk.module(node), _input(node)
    assert isinstance(module, nn.LayerNorm)
    value = walk.values.get(source)
    first = len(shape(source) or ()) - len(module.normalized_shape)
    if not isinstance(value, Axis) or value.dim < first:
        return value if isinstance(value, Axis) else None
    if not module.elementwise_affine:
        return unknown(walk, node, f"{node.target} has no weight that knows their number")
    for name in ("weight", "bias"):
        if getattr(module, name, None) is not None:
            walk.slice(f"{node.target}.{name}", value.dim - first, value.ids)
    return value


def prelu(walk: Walk, node: fx.Node) -> Value:
    """See `Rule`: scale channels, if each has a slope of its own."""
    module = walk.module(node)
    assert isinstance(module, nn.PReLU)
    if module.num_parameters == 1:
        return elementwise(walk, node)
    ids = walk.ids(_input(node), 1)
    walk.slice_all(str(node.target), ("weight",), ids, produces=False)
    return Axis(1, ids)


def attention(walk: Walk, node: fx.Node) -> Value:
    """See `Rule`: make heads, and channels along the last dimension."""
    module, layer = walk.module(node), str(node.target)
    assert isinstance(module, nn.MultiheadAttention)
    names = ("query", "key", "value")
    given = dict(zip(names, node.args, strict=False)) | dict(node.kwargs)
    sources = [source for name in names if isinstance(source := given.pop(name), fx.Node)]
    masked = any(given.get(name) is not None for name in ("key_padding_mask", "attn_mask"))
    plain = module.bias_k is None and not module.add_zero_attn and module.in_proj_weight is not None
    weights_used = any(user.args[1:] != (0,) for user in node.users)
    if masked or len(node.args) > 3 or not plain or weights_used:
        return unknown(walk, node, f"{layer} has a mask, or its attention weights are read")
    ins = [walk.ids(source, len(shape(source) or ()) - 1) for source in sources]
    for other in ins[1:]:
        walk.channels.tie(ins[0], other)
    outs = walk.outs(layer, module.embed_dim)
    heads = repeated(walk.outs(f"{layer}.heads", module.num_heads), module.head_dim)
    walk.slice(f"{layer}.in_proj_weight", 0, np.tile(heads, 3), produces=True)
    walk.slice(f"{layer}.in_proj_weight", 1, ins[0])
    if module.in_proj_bias is not None:
        walk.slice(f"{layer}.in_proj_bias", 0, np.tile(heads, 3), produces=True)
    walk.slice(f"{layer}.out_proj.weight", 1, heads)
    walk.slice_all(f"{layer}.out_proj", ("weight", "bias"), outs, produces=True)
    return (Axis(len(shape(sources[0]) or ()) - 1, outs), None)


_ACTIVATIONS = (
    *(nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU, nn.Mish),
    *(nn.Sigmoid, nn.Tanh, nn.Hardtanh, nn.Hardswish, nn.Hardsigmoid, nn.Softplus, nn.Softsign),
    *(nn.LogSigmoid, nn.Identity, nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d),
    *(nn.AlphaDropout, nn.FeatureAlphaDropout),
)
_OVER_SPACE = (
    *(nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d, nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d),
    *(nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d),
    *(nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d),
    *(nn.Upsample, nn.UpsamplingNearest2d, nn.UpsamplingBilinear2d),
    *(nn.ZeroPad1d, nn.ZeroPad2d, nn.ConstantPad1d, nn.ConstantPad2d),
    *(nn.ReflectionPad1d, nn.ReflectionPad2d, nn.ReplicationPad1d, nn.ReplicationPad2d),
)
_BATCH_NORMS = (
    *(nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d),
    *(nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d),
)

LAYER_RULES: Mapping[type, Rule] = {
    **dict.fromkeys((nn.Conv1d, nn.Conv2d, nn.Conv3d), convolution),
    **dict.fromkeys((nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d), transposed),
    **dict.fromkeys(_BATCH_NORMS, batch_norm),
    **dict.fromkeys(_ACTIVATIONS, elementwise),
    **dict.fromkeys(_OVER_SPACE, over_space),
    **dict.fromkeys((nn.Softmax, nn.LogSoftmax), normalised),
    nn.Linear: linear,
    nn.Embedding: embedding,
    nn.GroupNorm: group_norm,
    nn.LayerNorm: layer_norm,
    nn.PReLU: prelu,
    nn.Flatten: flatten,
    nn.MultiheadAttention: attention,
}
"""The rule of each class; an instance of a subclass, whose code may differ, has none."""
