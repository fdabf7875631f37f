"""A space that is a function: it builds a network, and picks what may change."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ConfigSpace import Configuration, ConfigurationSpace

from spaces.architecture.architecture import Architecture
from spaces.define_by_run.discovery import discovered, values_of
from spaces.define_by_run.domains import Domain
from spaces.define_by_run.pick import Pick, Record
from spaces.define_by_run.runs import Runs, construct
from spaces.display.html import Shown
from spaces.space import InputShape, SpaceError

if TYPE_CHECKING:
    from torch import nn

Constructor = Callable[[Pick, InputShape, int], "nn.Module"]
"""Builds a network: `constructor(pick, input_shape, outputs)`; a class of modules is one too."""


@dataclass(frozen=True, repr=False)
class DefineByRun(Shown):
    """All networks that a function can build; each call of `pick` is a choice.

    At its first use the space runs the function on torch's meta device with one value after
    another. It finds every choice that the function can reach, and the condition under which it
    does: depth 2 has no block 3. Choices may depend on earlier choices and on nothing else. A
    dependence that conditions cannot express is refused, with two runs that differ.

    Attributes:
        constructor: builds the network from `pick`, the shape of one input and the number of
            outputs.
        input_shape: the shape of one input, with which the choices are found and graphs are made.
            Pass that of your data unless its dimensions are those of an image; `build` receives
            the shape of the data.
        outputs: the number of outputs, used likewise.
        part: returns the part of a network whose graph represents it: the first cell of a network
            that repeats one cell, for instance. None is the whole network.
    """

    constructor: Constructor
    input_shape: InputShape = (3, 32, 32)
    outputs: int = 10
    part: Callable[[nn.Module], nn.Module] | None = None

    @cached_property
    def _discovered(self) -> tuple[ConfigurationSpace, dict[str, Domain]]:
        import torch

        shape, outputs = self.input_shape, self.outputs
        runs = Runs(
            self._constructor(shape, outputs),
            lambda: torch.device("meta"),
            _given(shape, outputs, " (arguments of DefineByRun)"),
        )
        space = discovered(runs)
        if not len(space):
            raise SpaceError(
                "the constructor picks nothing: call pick(name, choices) for what may change"
            )
        return space, runs.domains

    def _constructor(self, input_shape: InputShape, outputs: int) -> Callable[[Pick], nn.Module]:
        """Return the constructor that only lacks its `pick`."""
        return lambda pick: _module(self.constructor(pick, input_shape, outputs))

    @property
    def configuration_space(self) -> ConfigurationSpace:
        """A hyperparameter for each name that the constructor picks."""
        return self._discovered[0]

    def architecture(self, configuration: Configuration) -> Architecture:
        """Return the graph of the network, see `spaces.define_by_run.graph`."""
        import torch

        from spaces.define_by_run.graph import graph_of

        with torch.device("meta"):
            network, record = self._build(configuration, self.input_shape, self.outputs)
        return graph_of(network if self.part is None else self.part(network), record.made)

    def build(
        self, configuration: Configuration, input_shape: InputShape, outputs: int
    ) -> nn.Module:
        """See `Space.build`.

        Raises:
            SpaceError: the constructor raises an error, or reaches other choices than were found.
        """
        return self._build(configuration, input_shape, outputs)[0]

    def _build(
        self, configuration: Configuration, input_shape: InputShape, outputs: int
    ) -> tuple[nn.Module, Record]:
        record, values = Record(), values_of(configuration, self._discovered[1])

        def answer(name: str, domain: Domain) -> Any:
            if name not in values:
                raise _other_choices(f"picks {name!r}, which is not active", values)
            return values[name]

        pick = Pick(answer, record)
        given = _given(input_shape, outputs)
        network = construct(self._constructor(input_shape, outputs), pick, record, given)
        if ignored := [name for name in values if name not in record.values]:
            raise _other_choices(f"does not pick {', '.join(map(repr, ignored))}", values)
        return network, record  # type: ignore[return-value]


def choices_of(function: Callable[[Pick], object]) -> ConfigurationSpace:
    """Return the choices of a function, for instance hyperparameters of a `JointSpace`.

    Args:
        function: picks them; what it returns is not used.

    Raises:
        SpaceError: its choices cannot be described, see `DefineByRun`.
    """
    return discovered(Runs(function, nullcontext))


def _given(input_shape: InputShape, outputs: int, hint: str = "") -> str:
    return f"input_shape={input_shape} and outputs={outputs}{hint}"


def _module(network: nn.Module) -> nn.Module:
    if not hasattr(network, "named_parameters"):
        raise SpaceError(
            f"the constructor returns a {type(network).__name__}: it has to return a "
            "torch.nn.Module"
        )
    return network


def _other_choices(what: str, values: dict[str, Any]) -> SpaceError:
    return SpaceError(
        f"with {values} the constructor {what}, although it did when its choices were looked for. "
        "Which choices there are may depend on earlier choices, but not on the shape of the input, "
        "the number of outputs or chance; DefineByRun(constructor, input_shape, outputs) tells it "
        "the shape that you will use"
    )
