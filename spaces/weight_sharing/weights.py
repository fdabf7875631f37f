"""The weights of a network as parts of shared ones.

Cai et al. (2020), "Once-for-all: train one network and specialize it for efficient deployment": a
narrow layer has the first channels of the widest one, a small kernel is the centre of the largest.

Weights are shared by their names, which are those of the network's modules. Modules that are
numbered, and have other numbers in networks of another depth, can be given names that do not
change, in an attribute of the module that holds them:

    weight_names: Mapping[str, str]   # {"layers.3": "layers.head"}
    weight_parts: Mapping[str, int]   # {"read.weight": 3}: three matrices in one

Both are keyed by paths within the module. Of a weight with parts, a narrow layer has the first
channels of each part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

Window = tuple[slice, ...]

GATES: Mapping[type[nn.Module], int] = {
    nn.LSTM: 4,
    nn.GRU: 3,
    nn.LSTMCell: 4,
    nn.GRUCell: 3,
}
"""The parts of the weights of recurrent layers."""


class NamedSequential(nn.Sequential):
    """Modules one after another, some of which keep a name where their number changes.

    Args:
        names: from the number of a module to its name.
        modules: the modules.
    """

    def __init__(self, names: Mapping[int, str], *modules: nn.Module) -> None:
        super().__init__(*modules)
        self.weight_names = {str(number): name for number, name in names.items()}


@dataclass(frozen=True)
class Weight:
    """A parameter of a network, as a part of a shared tensor.

    Attributes:
        owner: the module of the parameter.
        attribute: its name there.
        key: of the shared tensor: the name of the weight and the kind of its layer, since layers
            of different kinds share nothing.
        parts: the number of equal parts along the first dimension, each of which is sliced.
        centred: the dimensions from the third are those of a kernel, whose centre is taken.
    """

    owner: nn.Module
    attribute: str
    key: str
    parts: int
    centred: bool

    @property
    def tensor(self) -> Tensor:
        """The values in the network itself."""
        tensor: Tensor = getattr(self.owner, self.attribute)
        return tensor

    def covered(self, shape: tuple[int, ...]) -> bool:
        """Return whether a shared tensor of this shape holds the whole weight."""
        return all(own <= size for own, size in zip(self.tensor.shape, shape, strict=True))

    def read(self, shared: Tensor) -> Tensor:
        """Return the weight from the shared tensor, of which it is a view where that is possible.

        Where the shared tensor is smaller, the other values are those of the network itself.
        """
        own, whole = self.tensor, self._split(shared)
        target = self._split(own)
        common = self._common(target, whole)
        inner = whole[self._window(common, whole)]
        if common == tuple(target.shape):
            return inner.reshape(own.shape)
        target = target.detach().to(shared.device, copy=True)
        target[self._window(common, target)] = inner
        return target.reshape(own.shape)

    @torch.no_grad()
    def write(self, shared: Tensor) -> None:
        """Copy the network's values into the shared tensor."""
        own, whole = self._split(self.tensor), self._split(shared)
        common = self._common(own, whole)
        whole[self._window(common, whole)] = own[self._window(common, own)].to(shared.device)

    def replace(self, tensor: Tensor) -> None:
        """Let the network compute with a tensor in place of its parameter."""
        # Through the module, because a recurrent layer keeps a second list of its weights.
        delattr(self.owner, self.attribute)
        setattr(self.owner, self.attribute, tensor)

    def _split(self, tensor: Tensor) -> Tensor:
        if self.parts == 1:
            return tensor
        return tensor.view(self.parts, tensor.shape[0] // self.parts, *tensor.shape[1:])

    def _common(self, one: Tensor, other: Tensor) -> tuple[int, ...]:
        return tuple(map(min, zip(one.shape, other.shape, strict=True)))

    def _window(self, sizes: tuple[int, ...], tensor: Tensor) -> Window:
        """Return the slices of a tensor that have these sizes."""
        starts = [
            (whole - size) // 2 if self.centred and dimension >= 2 else 0
            for dimension, (size, whole) in enumerate(zip(sizes, tensor.shape, strict=True))
        ]
        return tuple(slice(start, start + size) for start, size in zip(starts, sizes, strict=True))


def weights(network: nn.Module) -> Iterator[Weight]:
    """Yield the parameters of a network.

    A parameter that several modules have is one weight, with the key that it has in the first.

    Args:
        network: any network.
    """
    names, parts = {"": ""}, dict[str, int]()
    renamed: dict[str, str] = {}
    keys: dict[int, str] = {}
    for path, module in network.named_modules():
        names.setdefault(path, renamed.get(path) or _child(names, path))
        for local, name in getattr(module, "weight_names", {}).items():
            renamed[_join(path, local)] = _join(names[path], name)
        for local, number in getattr(module, "weight_parts", {}).items():
            parts[_join(path, local)] = number
        for attribute, parameter in module.named_parameters(recurse=False):
            full = _join(path, attribute)
            name = renamed.get(full) or _join(names[path], attribute)
            split = parts.get(full) or _parts(module, attribute)
            key = keys.setdefault(id(parameter), _key(name, module, parameter, split))
            yield Weight(module, attribute, key, split, isinstance(module, _ConvNd))


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _child(names: Mapping[str, str], path: str) -> str:
    parent, _, leaf = path.rpartition(".")
    return _join(names[parent], leaf)


def _parts(module: nn.Module, attribute: str) -> int:
    """Return the parts of the weights of torch's own layers."""
    if isinstance(module, nn.MultiheadAttention) and attribute.startswith("in_proj"):
        return 3
    if attribute.startswith("weight_hr"):  # the projection of an LSTM's state
        return 1
    return next((gates for kind, gates in GATES.items() if isinstance(module, kind)), 1)


def _key(name: str, module: nn.Module, parameter: Tensor, parts: int) -> str:
    kind = f"{type(module).__name__} {parameter.ndim}d"
    if isinstance(module, _ConvNd) and module.groups > 1:
        # Of groups of the same width, the first channels read the same channels in all networks.
        sizes = module.in_channels // module.groups, module.out_channels // module.groups
        kind += f" groups of {sizes[0]} to {sizes[1]}"
    if parts > 1:
        kind += f" in {parts}"
    return f"{name} ({kind})".replace(".", "/")  # torch allows no dots in names of parameters
