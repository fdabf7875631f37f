"""The Python source of a network that imports torch alone."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count

import torch
from torch import Tensor, nn

from fidelity.export.constructors import constructor
from fidelity.export.repeats import repeats
from fidelity.export.steps import Listing, Step, Value, listing
from fidelity.export.subject import Subject

INLINE_WIDTH = 60
"""Characters of a sum or concatenation that may stand inside another expression."""

LINE_WIDTH = 100

GLOBAL_POOLS = (nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d)

VARIABLES = ("x", "y", "z", "u", "v", "w")

FILE = '''"""{title}

It imports torch alone; `load()` reads the weights in the file next to this one.
"""

from pathlib import Path

import torch{functional}
from torch import nn


{functions}class Network(nn.Module):
    """From inputs (batch, {inputs}) to outputs (batch, {outputs})."""

    def __init__(self):
        super().__init__()
{attributes}

    def forward(self, x):
{statements}


def load(weights=Path(__file__).with_suffix(".pt"), device="cpu"):
    """The trained network, ready to predict."""
    network = Network()
    network.load_state_dict(torch.load(weights, map_location=device, weights_only=True))
    return network.to(device).eval()
'''


@dataclass(frozen=True)
class Source:
    """A network as text.

    Attributes:
        text: of the file.
        weights: the state that its `load_state_dict` takes.
    """

    text: str
    weights: Mapping[str, Tensor] = field(repr=False)


@dataclass
class _Unit:
    """Steps that become one expression: modules one after another, or a single step."""

    steps: list[Step]
    attribute: str = ""

    @property
    def name(self) -> str:
        return self.steps[-1].name

    @property
    def modules(self) -> list[str]:
        return [step.module for step in self.steps if step.module is not None]

    @property
    def parts(self) -> tuple[str | Value, ...]:
        first = self.steps[0].parts
        return (f"self.{self.attribute}(", *first, ")") if self.attribute else first


def source(subject: Subject) -> Source:
    """Return a module with an `__init__` and a `forward` that compute the same as the network.

    Modules of `torch.nn` that follow one another become one `nn.Sequential`; all other operations
    are written in `forward`.

    Raises:
        ExportError: the network cannot be traced, or has an operation with no form in Python.
    """
    listed = listing(subject)
    units = _name(_grouped(listed, subject.network), subject.network, listed.outputs)
    functions, attributes, weights = _attributes(units, subject.network)
    for name, tensor in listed.weights.items():
        attributes.append(_weight(name, tensor))
        weights[name] = tensor.detach()
    statements = list(_Writer(units, listed).statements())
    body = "\n".join(statements)
    outputs = next((s.shape for s in reversed(listed.steps) if s.name == listed.outputs), None)
    parameters = sum(p.numel() for p in subject.network.parameters())
    text = FILE.format(
        title=f"A network of {parameters:,} parameters.",
        functional="\nimport torch.nn.functional as F" if "F." in body else "",
        functions="".join(f"{line}\n" for line in functions),
        inputs="length" if subject.any_length else ", ".join(map(str, subject.input_shape)),
        outputs=", ".join(map(str, outputs or ("outputs",))),
        attributes="\n".join(_indented(attributes)) or "        pass",
        statements="\n".join(_indented(statements)),
    )
    return Source("\n".join(map(_wrapped, text.split("\n"))), weights)


def _grouped(listed: Listing, network: nn.Module) -> list[_Unit]:
    """Group modules in chains whose inner values nothing else reads; a pooling starts a new one."""
    calls = Counter(step.module for step in listed.steps)
    reads = Counter(name for step in listed.steps for name in step.reads) + Counter(
        [listed.outputs]
    )
    units: list[_Unit] = []
    ends: dict[str, _Unit] = {}  # chains that a module may extend, by their last value
    for step in listed.steps:
        chained = step.module is not None and calls[step.module] == 1
        pools = isinstance(network.get_submodule(step.module or ""), GLOBAL_POOLS)
        before = ends.pop(step.reads[0], None) if chained and not pools else None
        if before is not None and not (listed.in_place and units[-1] is not before):
            units.remove(before)  # a chain takes the position of its last module
            before.steps.append(step)
            units.append(before)
        else:
            units.append(_Unit([step]))
        if chained and reads[step.name] == 1:
            ends[step.name] = units[-1]
    return units


def _name(units: list[_Unit], network: nn.Module, outputs: str) -> list[_Unit]:
    """Name the attributes by their content: `conv1`, `conv2`, `pool`, `classifier`."""
    kinds: dict[tuple[str, ...], str] = {}
    keys: dict[str, tuple[str, ...]] = {}
    for unit in units:
        if not unit.modules:
            continue
        parts = [network.get_submodule(path) for path in unit.modules]
        # One attribute for all equal modules without state.
        alike = len(parts) == 1 and not parts[0].state_dict()
        key = (constructor(parts[0]) or "",) if alike else ("", *unit.modules)
        last = unit.name == outputs and _kind(parts) == "linear"
        kinds.setdefault(key, "classifier" if last else _kind(parts))
        keys[unit.name] = key
    total, numbers = Counter(kinds.values()), {kind: count(1) for kind in kinds.values()}
    names = {
        key: f"{kind}{next(numbers[kind])}" if total[kind] > 1 else kind
        for key, kind in kinds.items()
    }
    for unit in units:
        unit.attribute = names[keys[unit.name]] if unit.name in keys else ""
    return units


def _kind(modules: list[nn.Module]) -> str:
    names = [type(module).__name__.lower() for module in modules]
    for kind in ("conv", "linear", "pool", "norm"):
        if any(kind in name for name in names):
            return kind
    return names[0]


def _attributes(
    units: list[_Unit], network: nn.Module
) -> tuple[tuple[str, ...], list[str], dict[str, Tensor]]:
    """Return the functions, the lines of `__init__`, and the weights under their new names."""
    lines: list[str] = []
    weights: dict[str, Tensor] = {}
    made = {
        unit.attribute: [network.get_submodule(path) for path in unit.modules]
        for unit in units
        if unit.attribute
    }
    made_by = {name: [constructor(part) or "" for part in parts] for name, parts in made.items()}
    shared = repeats({name: every for name, every in made_by.items() if len(every) > 1})
    for name, parts in made.items():
        one = len(parts) == 1
        if one or name in shared.calls:
            lines.append(f"self.{name} = {shared.calls.get(name, made_by[name][0])}")
        else:
            lines.append(f"self.{name} = nn.Sequential(")
            lines += [f"    {line}," for line in made_by[name]]
            lines.append(")")
        for position, part in enumerate(parts):
            prefix = name if one else f"{name}.{position}"
            weights |= {f"{prefix}.{k}": v.detach() for k, v in part.state_dict().items()}
    return shared.functions, lines, weights


def _weight(name: str, tensor: Tensor) -> str:
    kind = "" if tensor.dtype is torch.float32 else f", dtype={tensor.dtype}"
    zeros = f"torch.zeros({', '.join(map(str, tensor.shape)) or '()'}{kind})"
    if isinstance(tensor, nn.Parameter):
        return f"self.{name} = nn.Parameter({zeros})"
    return f'self.register_buffer("{name}", {zeros})'


def _indented(lines: list[str]) -> list[str]:
    return [f"        {line}" for line in lines]


def _wrapped(line: str) -> str:
    """Return a line, wrapped if it is a call that is too long: its arguments on their own lines."""
    if len(line) <= LINE_WIDTH or "(" not in line or "#" in line:
        return line
    indentation = line[: len(line) - len(line.lstrip())]
    before, _, rest = line.partition("(")
    arguments, _, after = rest.rpartition(")")
    inner = f"{indentation}    "
    filled = textwrap.fill(
        arguments,
        LINE_WIDTH,
        initial_indent=inner,
        subsequent_indent=inner,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return f"{before}(\n{filled}\n{indentation}){after}"


class _Writer:
    """A writer of `forward`, which reuses a variable after the last use of its value."""

    def __init__(self, units: list[_Unit], listed: Listing) -> None:
        self._units = {unit.name: unit for unit in units}
        self._listed = listed
        reads = Counter(part.name for u in units for part in u.parts if isinstance(part, Value))
        self._inside = {u.name for u in units if self._stands_inside(u, reads)}
        self._inside.discard(listed.outputs)
        self._names = {listed.inputs: VARIABLES[0]}
        self._shape: tuple[int, ...] | None = None

    def _stands_inside(self, unit: _Unit, reads: Counter[str]) -> bool:
        step = unit.steps[-1]
        if self._listed.in_place:  # a later expression would see later changes
            return step.size
        plain = (
            sum(len(part) if isinstance(part, str) else 8 for part in step.parts) <= INLINE_WIDTH
        )
        return step.size or (step.short and plain and reads[step.name] == 1)

    def statements(self) -> Iterator[str]:
        """Return the lines, without indentation."""
        written = [unit for name, unit in self._units.items() if name not in self._inside]
        last_use = {
            name: position for position, u in enumerate(written) for name in self._leaves(u)
        }
        for position, unit in enumerate(written):
            text = self._text(unit.parts)
            if unit.name == self._listed.outputs and position == len(written) - 1:
                yield f"return {text}"
                return
            for name in self._leaves(unit):
                if last_use[name] == position and name != self._listed.outputs:
                    self._names.pop(name, None)
            variable = self._free()
            self._names[unit.name] = variable
            yield f"{variable} = {text}{self._comment(unit)}"
        yield f"return {self._names[self._listed.outputs]}"

    def _leaves(self, unit: _Unit) -> list[str]:
        """Return the variables in the expression of a unit."""
        names = [part.name for part in unit.parts if isinstance(part, Value)]
        return [
            leaf
            for name in names
            for leaf in (self._leaves(self._units[name]) if name in self._inside else [name])
        ]

    def _text(self, parts: tuple[str | Value, ...]) -> str:
        written = []
        for part in parts:
            if isinstance(part, str):
                written.append(part)
            elif part.name in self._inside:
                parts_inside = self._units[part.name].parts
                text = self._text(parts_inside)
                # Only operators stand between blanks.
                open_ended = any(str(inner).startswith(" ") for inner in parts_inside)
                written.append(f"({text})" if open_ended and not part.bare else text)
            else:
                written.append(self._names[part.name])
        return "".join(written)

    def _free(self) -> str:
        taken = set(self._names.values())
        every = (f"{name}{number or ''}" for number in count() for name in VARIABLES)
        return next(name for name in every if name not in taken)

    def _comment(self, unit: _Unit) -> str:
        shape = unit.steps[-1].shape
        if shape is None or len(shape) != 3 or shape == self._shape:
            return ""
        self._shape = shape
        return f"  # {' x '.join(map(str, shape))}"
