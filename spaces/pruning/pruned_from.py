"""The space of the smaller networks within a given, trained network."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

import numpy as np
import torch
from ConfigSpace import (
    CategoricalHyperparameter,
    Configuration,
    ConfigurationSpace,
    EqualsCondition,
    OrdinalHyperparameter,
)
from jaxtyping import Shaped
from torch import Tensor, fx, nn

from spaces.architecture.architecture import Architecture
from spaces.display.html import Shown
from spaces.keys import combined_key
from spaces.pruning.branches import DROPPED, KEPT, Branch, alive, branches
from spaces.pruning.graph import architecture
from spaces.pruning.groups import Dependencies, Group, dependencies
from spaces.pruning.importance import Importance, Norm, ranked
from spaces.pruning.slicing import smaller
from spaces.pruning.token_network import TokenNetwork
from spaces.pruning.trace import trace
from spaces.pruning.walk import Removed
from spaces.space import InputShape, SpaceError


@dataclass(frozen=True, eq=False, repr=False)
class PrunedFrom(Shown):
    """The smaller networks within a trained network, each of which starts with its weights.

    A choice `LAYER.width` is the number of channels that the layer, and every layer whose channels
    depend on it, keeps; `LAYER.heads` is the number of heads of an `nn.MultiheadAttention`. A
    choice `BLOCK.branch` drops a residual branch, so that the block becomes the identity. The most
    important channels are kept, so that a narrower layer has a part of the channels of a wider one.

    Dependencies are found along a trace of `torch.fx`: convolutions, also grouped and depthwise
    ones, linear layers, embeddings, attention, normalisations, sums, products, concatenations,
    pooling and reshapes. Everything else keeps the channels that it touches: `fixed` says which
    and why. Reshapes that split channels remove them in blocks, so that heads of attention that is
    written out go as a whole where queries, keys and values are layers of their own.

    A copy of the network is taken: later changes to it make no difference.

    Attributes:
        network: the trained network, from inputs (batch, *input_shape) to (batch, outputs, ...).
            Under `Training` it must have been trained on inputs that were normalised alike.
        sample_input: a small batch of inputs, in floating point or tokens of type int64.
        fractions: of the channels of each layer that may be kept, in (0, 1]; 1 is always possible.
        importance: of the channels, from the weights of each layer; see `Norm`.
        keep: qualified names of modules that stay as they are, with everything inside them.

    Raises:
        SpaceError: the network cannot be traced, does not read the sample, or nothing in it can be
            pruned; a fraction is out of range, or a module to keep does not exist.
    """

    network: nn.Module
    sample_input: Shaped[Tensor, "batch ..."]
    fractions: tuple[float, ...] = (1.0, 0.75, 0.5, 0.25)
    importance: Importance = field(default_factory=Norm)
    keep: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Take a copy of the network and find what can be pruned."""
        self._check()
        own = copy.deepcopy(self.network).cpu().eval()
        object.__setattr__(self, "network", own)
        object.__setattr__(self, "sample_input", self.sample_input.detach().cpu().clone())
        if not self.configuration_space:
            fixed = "; ".join(f"{name}: {why}" for name, why in self.fixed.items())
            raise SpaceError(
                f"nothing in {type(self.network).__name__} can be pruned. "
                f"{fixed or 'It has no layer with channels that another layer reads'}"
            )
        self._check_narrowest()

    def _check(self) -> None:
        if not isinstance(self.network, nn.Module):
            raise SpaceError(
                f"the network is {self.network!r:.60}: expected an nn.Module, with its weights"
            )
        sample = self.sample_input
        if not isinstance(sample, Tensor) or sample.ndim < 2 or not len(sample):
            kind = tuple(sample.shape) if isinstance(sample, Tensor) else type(sample).__name__
            raise SpaceError(
                f"the sample input is {kind}: expected a tensor with a batch of inputs, "
                "(examples, *input_shape), for instance torch.zeros(2, 3, 32, 32)"
            )
        if not (sample.is_floating_point() or sample.dtype is torch.int64):
            raise SpaceError(
                f"the sample input is {sample.dtype}: expected floating point, or int64 for tokens"
            )
        if not self.fractions or not all(0 < fraction <= 1 for fraction in self.fractions):
            raise SpaceError(
                f"the fractions are {self.fractions}: expected numbers above 0 and at most 1, for "
                "instance (1, 0.75, 0.5, 0.25)"
            )
        known = {name for name, _ in self.network.named_modules()}
        if unknown := [name for name in self.keep if name not in known]:
            raise SpaceError(
                f"there is no module {', '.join(unknown)} to keep: give qualified names such as "
                f"{', '.join(sorted(known - {''})[:3])}"
            )

    def _check_narrowest(self) -> None:
        """Run the network with the fewest channels once: a rule may not suit the network."""
        with torch.device("cpu"), torch.no_grad():
            narrowest = self.build(self.uniform(0.0), self.input_shape, self.outputs).eval()
            try:
                narrowest(self.sample_input)
            except Exception as error:  # whatever the user's modules raise
                raise SpaceError(
                    f"the narrowest network within {type(self.network).__name__} does not run: "
                    f"{error}. Name the module that fails, and those next to it, in keep=(...)"
                ) from error

    def __getstate__(self) -> dict[str, Any]:
        """Return the settings; another process finds the rest by itself."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @property
    def input_shape(self) -> InputShape:
        """The shape of one input."""
        return tuple(self.sample_input.shape[1:])

    @property
    def outputs(self) -> int:
        """The number of outputs of the given network."""
        return int(self._outputs)

    @property
    def fixed(self) -> Mapping[str, str]:
        """Why the channels of a layer all stay, by the qualified name of the layer."""
        return self._dependencies.fixed

    @cached_property
    def _outputs(self) -> int:
        with torch.device("cpu"), torch.no_grad():
            return int(self.network(self.sample_input).shape[1])

    @cached_property
    def _traced(self) -> fx.GraphModule:
        # A caller may count resources, and thus be on the meta device.
        with torch.device("cpu"):
            traced = trace(self.network, self.sample_input)
        if self.sample_input.is_floating_point():
            return traced
        return TokenNetwork(traced, traced.graph)

    @cached_property
    def _on_meta(self) -> fx.GraphModule:
        return copy.deepcopy(self._traced).to("meta")

    @cached_property
    def _dependencies(self) -> Dependencies:
        return dependencies(self._traced, self.keep)

    @cached_property
    def _groups(self) -> Mapping[str, Group]:
        """The groups with at least two widths to choose from."""
        return {g.name: g for g in self._dependencies.groups if len(self._widths(g)) > 1}

    @cached_property
    def _ranked(self) -> Mapping[str, list[int]]:
        """The units of each group, the most important first."""
        slices = self._dependencies.slices
        with torch.device("cpu"):
            return {
                name: ranked(self._traced, slices, group, self.importance)
                for name, group in self._groups.items()
            }

    @cached_property
    def _branches(self) -> Mapping[str, Branch]:
        return {branch.name: branch for branch in branches(self._traced, self.keep)}

    def _widths(self, group: Group) -> list[int]:
        units = len(group.units)
        kept = {max(1, round(fraction * units)) for fraction in (1.0, *self.fractions)}
        return [count * group.per_unit for count in sorted(kept)]

    @cached_property
    def configuration_space(self) -> ConfigurationSpace:
        """The width of each group of layers, and whether each residual branch is kept.

        A branch, and a width within it, is no choice where a branch around it is dropped.
        """
        space = ConfigurationSpace()
        space.add([CategoricalHyperparameter(n, (KEPT, DROPPED)) for n in self._branches])
        for name, group in self._groups.items():
            widths = self._widths(group)
            space.add(OrdinalHyperparameter(name, widths, default_value=widths[-1]))
        gone: dict[str, set[str]] = {
            name: self._around(lambda gone, branch=branch: branch.total in gone)  # type: ignore[misc]
            for name, branch in self._branches.items()
        }
        for name, calls in self._calls.items():
            gone[name] = self._around(lambda gone, calls=calls: gone >= calls)  # type: ignore[misc]
        for name, around in gone.items():
            others = around - {name}
            if others:  # the innermost, which is itself no choice where one around it is dropped
                inner = min(sorted(others), key=lambda other: len(self._branches[other].gone))
                space.add(EqualsCondition(space[name], space[inner], KEPT))
        return space

    def _around(self, goes: Callable[[Set[str]], bool]) -> set[str]:
        """Return the branches without which something has no effect."""
        return {name for name, branch in self._branches.items() if goes(branch.gone)}

    @cached_property
    def _calls(self) -> Mapping[str, set[str]]:
        """The nodes that call the layers of each group, or modules that these are a part of."""
        nodes = [node for node in self._traced.graph.nodes if node.op == "call_module"]
        return {
            name: {
                node.name
                for node in nodes
                if any(f"{layer}.".startswith(f"{node.target}.") for layer in group.layers)
            }
            for name, group in self._groups.items()
        }

    def uniform(self, fraction: float) -> Configuration:
        """Return the configuration in which every layer keeps about the same fraction of channels.

        Args:
            fraction: of the channels; of the choices for a layer, the closest one is taken. All
                residual branches are kept.
        """
        widths = {
            name: min(self._widths(group), key=lambda width: abs(width - fraction * group.width))
            for name, group in self._groups.items()
        }
        branches = dict.fromkeys(self._branches, KEPT)
        return Configuration(self.configuration_space, values={**branches, **widths})

    def _dropped(self, configuration: Configuration) -> dict[str, str]:
        values = dict(configuration)
        chosen = [b for name, b in self._branches.items() if values.get(name) == DROPPED]
        return {branch.total: branch.skip for branch in chosen}

    def _removed(self, configuration: Configuration) -> Removed:
        values = dict(configuration)
        removed = np.zeros(self._dependencies.channels, dtype=np.bool_)
        for name, group in self._groups.items():
            kept = int(values.get(name, group.width)) // group.per_unit
            removed[self._ranked[name][kept:]] = True
        return removed

    def key(self, configuration: Configuration) -> str:
        """Return a name of the network: the widths and the branches that have an effect.

        Not the graph alone, since layers that look alike start with different weights.
        """
        living = alive(self._traced, self._dropped(configuration))
        values = dict(configuration)
        effective: dict[str, Any] = {
            name: values.get(name) for name, b in self._branches.items() if b.total in living
        }
        for name, group in self._groups.items():
            if living & self._calls[name]:
                effective[name] = int(values.get(name, group.width))
        return combined_key("", effective)

    def architecture(self, configuration: Configuration) -> Architecture:
        """Return the graph of operations with their widths."""
        removed, dropped = self._removed(configuration), self._dropped(configuration)
        return architecture(self._dependencies, removed, dropped)

    def build(
        self, configuration: Configuration, input_shape: InputShape, outputs: int
    ) -> nn.Module:
        """Return the smaller network, which starts with the given weights.

        Args:
            configuration: a configuration of `configuration_space`.
            input_shape: of one input, that of the sample input.
            outputs: those of the given network.

        Raises:
            SpaceError: the given network has another input shape or number of outputs.
        """
        if (tuple(input_shape), outputs) != (self.input_shape, self.outputs):
            raise SpaceError(
                f"a network from inputs {tuple(input_shape)} to {outputs} outputs is wanted, but "
                f"the given {type(self.network).__name__} is one from {self.input_shape} to "
                f"{self.outputs}: give data of that shape, or replace the first or last layer of "
                "the network, train it and make another PrunedFrom"
            )
        device = torch.get_default_device()
        template = self._on_meta if device.type == "meta" else self._traced
        removed, dropped = self._removed(configuration), self._dropped(configuration)
        network: nn.Module = smaller(template, self._dependencies, removed, dropped)
        return network.to(device)
