"""Repeated sequences of modules as functions of the numbers in which they differ."""

from __future__ import annotations

import ast
import inspect
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from torch import nn

MIN_REPEATS = 3
"""Occurrences from which a sequence is worth a function."""

SHORT = {
    f"{kind}{axes}d": word
    for kind, word in (
        ("Conv", "conv"),
        ("BatchNorm", "norm"),
        ("MaxPool", "pool"),
        ("AvgPool", "pool"),
    )
    for axes in (1, 2)
}


@dataclass(frozen=True)
class _Chain:
    """Lines of Python without their whole numbers.

    Attributes:
        template: the lines, with `{}` for each number.
        names: the argument that each number is the value of.
        numbers: the numbers, in the order of the template.
    """

    template: tuple[str, ...]
    names: tuple[str, ...]
    numbers: tuple[int, ...]

    @classmethod
    def of(cls, lines: Sequence[str]) -> _Chain:
        parts = [_extract_numbers(line) for line in lines]
        return cls(
            tuple(template for template, _, _ in parts),
            tuple(name for _, names, _ in parts for name in names),
            tuple(number for _, _, numbers in parts for number in numbers),
        )


@dataclass(frozen=True)
class Repeats:
    """Sequences of modules written as calls of functions.

    Attributes:
        functions: the lines of Python that define the functions.
        calls: the call that constructs the sequence, by attribute.
    """

    functions: tuple[str, ...]
    calls: Mapping[str, str]


def repeats(sequences: Mapping[str, Sequence[str]]) -> Repeats:
    """Find sequences that differ only in numbers.

    Args:
        sequences: by attribute, the lines that construct its modules, two or more.
    """
    groups: dict[tuple[str, ...], list[tuple[str, _Chain]]] = defaultdict(list)
    for attribute, lines in sequences.items():
        chain = _Chain.of(lines)
        groups[chain.template].append((attribute, chain))
    repeated = {
        template: members for template, members in groups.items() if len(members) >= MIN_REPEATS
    }
    functions: list[str] = []
    calls: dict[str, str] = {}
    for name, members in zip(_names(list(repeated)), repeated.values(), strict=True):
        lines, arguments = _function(name, [chain for _, chain in members])
        functions += lines
        for (attribute, _), given in zip(members, arguments, strict=True):
            calls[attribute] = f"{name}({given})"
    return Repeats(tuple(functions), calls)


def _function(name: str, chains: Sequence[_Chain]) -> tuple[list[str], list[str]]:
    """Return the lines of the function, and the arguments of each chain's call."""
    columns = list(zip(*(chain.numbers for chain in chains), strict=True))
    parameters: dict[tuple[int, ...], str] = {}
    taken: Counter[str] = Counter()
    for column, argument in zip(columns, chains[0].names, strict=True):
        if len(set(column)) > 1 and column not in parameters:
            taken[argument] += 1
            number = taken[argument]
            parameters[column] = argument if number == 1 else f"{argument}{number}"
    written = iter(parameters.get(column, str(column[0])) for column in columns)
    lines = [f"def {name}({', '.join(parameters.values())}):", "    return nn.Sequential("]
    for template in chains[0].template:
        holes = template.count("{}")
        lines.append(f"        {template.format(*(next(written) for _ in range(holes)))},")
    lines += ["    )", "", ""]
    given = [
        ", ".join(
            str(column[position]) if len(parameters) <= 3 else f"{parameter}={column[position]}"
            for column, parameter in parameters.items()
        )
        for position in range(len(chains))
    ]
    return lines, given


def _names(templates: Sequence[tuple[str, ...]]) -> list[str]:
    """Return names such as `relu_conv_norm`; a longer sequence is a block."""
    plain = []
    for template in templates:
        kinds = [line.removeprefix("nn.").partition("(")[0] for line in template]
        words = [SHORT.get(kind, kind.lower()) for kind in kinds]
        plain.append("_".join(words) if len(words) <= 3 else "block")
    total = Counter(plain)
    numbers: defaultdict[str, count[int]] = defaultdict(lambda: count(1))
    return [f"{n}{next(numbers[n])}" if total[n] > 1 else n for n in plain]


def _extract_numbers(line: str) -> tuple[str, list[str], list[int]]:
    """Return a constructor call without its whole numbers, and their names and values."""
    call = ast.parse(line, mode="eval").body
    assert isinstance(call, ast.Call)
    assert isinstance(call.func, ast.Attribute)
    order = list(inspect.signature(getattr(nn, call.func.attr)).parameters)
    given = [*zip(order, call.args, strict=False), *((k.arg, k.value) for k in call.keywords)]
    template, names, numbers, end = "", [], [], 0
    for name, value in given:
        for node in ast.walk(value):
            if isinstance(node, ast.Constant) and type(node.value) is int:
                template += line[end : node.col_offset] + "{}"
                end = node.end_col_offset or end
                names.append(str(name))
                numbers.append(node.value)
    return template + line[end:], names, numbers
