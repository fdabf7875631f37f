"""The behaviour of a function and the variables that it refers to, from its bytecode.

The bytecode is what runs, while the source file may have been edited since. It has no file names
and no line numbers, but differs between versions of Python.
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from functools import lru_cache
from types import CodeType, FunctionType, ModuleType
from typing import Any

from bonas.search.digests.leaves import digested, leaf, library, origin

PYTHON = f"{sys.implementation.cache_tag}, optimization {sys.flags.optimize}"
"""Digests of code can be compared if they were made by the same of these."""

CHANGING = (
    *("add", "append", "appendleft", "clear", "discard", "extend", "extendleft", "insert"),
    *("pop", "popitem", "popleft", "remove", "reverse", "setdefault", "sort", "update"),
)
"""Methods that change a container."""

INITIALIZERS = ("__init__", "__new__", "__post_init__", "__setstate__")

STORES = ("STORE_GLOBAL", "STORE_DEREF", "STORE_NAME", "DELETE_GLOBAL", "DELETE_DEREF")
TARGETS = ("STORE_SUBSCR", "DELETE_SUBSCR", "STORE_SLICE", "STORE_ATTR", "DELETE_ATTR")


def code_digest(code: CodeType) -> str:
    """The digest of instructions and constants; docstrings and positions do not count."""
    parts = [f"{code.co_argcount} {code.co_kwonlyargcount} {code.co_flags & 0xF}".encode()]
    for instruction in dis.get_instructions(code):
        parts += [instruction.opname.encode(), _argument(instruction)]
    return digested(*parts, code.co_exceptiontable)


def _argument(instruction: dis.Instruction) -> bytes:
    value = instruction.argval
    if instruction.opcode in dis.hasconst:
        return _constant(value)
    if instruction.opcode in dis.hasjrel or instruction.opcode in dis.hasjabs:
        return str(instruction.arg).encode()
    return repr(value).encode()


def _constant(value: Any) -> bytes:
    if isinstance(value, CodeType):
        return code_digest(value).encode()
    if isinstance(value, tuple | frozenset):
        entries = [_constant(entry) for entry in value]
        return digested(*(sorted(entries) if isinstance(value, frozenset) else entries)).encode()
    return leaf(value) or repr(value).encode()


def variables(function: FunctionType) -> dict[str, Any]:
    """Return what a function refers to: defaults, closure, globals and its own attributes.

    Left out is what it changes itself, which is a record or a cache and no setting.
    """
    code = function.__code__
    positional = code.co_varnames[: code.co_argcount]
    found: dict[str, Any] = dict(
        zip(reversed(positional), reversed(function.__defaults__ or ()), strict=False)
    )
    found |= function.__kwdefaults__ or {}
    found |= dict(_globals(function))
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # not yet assigned
            continue
    found |= vars(function)
    left_out = changed(code)
    return {name: value for name, value in found.items() if name not in left_out}


def _globals(function: FunctionType) -> Iterator[tuple[str, Any]]:
    codes = list(nested(function.__code__))
    loaded = {
        instruction.argval
        for code in codes
        for instruction in dis.get_instructions(code)
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME")
    }
    for name in loaded & function.__globals__.keys():
        value = function.__globals__[name]
        if not name.startswith("__"):
            yield name, value
        if isinstance(value, ModuleType) and not library(value.__name__):
            attributes = {name for code in codes for name in code.co_names}
            for attribute in attributes & vars(value).keys():
                yield f"{name}.{attribute}", vars(value)[attribute]


def nested(code: CodeType) -> Iterator[CodeType]:
    """A code object and those of the functions that it defines."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from nested(constant)


def changed(code: CodeType) -> set[str]:
    """Names of variables and attributes that code assigns, or whose content it changes."""
    return {name for part in nested(code) for name in _changed(part)}


@lru_cache(maxsize=4096)
def _changed(code: CodeType) -> frozenset[str]:
    instructions = list(dis.get_instructions(code))
    own = {*code.co_cellvars}  # variables of this function, new in each call
    found = {i.argval for i in instructions if i.opname in STORES} - own
    # An expression such as `log.entries[key] = value` begins where its first variable stands.
    begins = {_begin(i) for i in instructions if _changes(i)} - {None}
    for instruction in instructions:
        if instruction.opname.startswith(("LOAD_GLOBAL", "LOAD_DEREF", "LOAD_NAME", "LOAD_ATTR")):
            if _begin(instruction) in begins:
                found.add(instruction.argval)
        elif instruction.opname in ("STORE_ATTR", "DELETE_ATTR"):
            found.add(instruction.argval)
    return frozenset(found - own - set(CHANGING))


def _changes(instruction: dis.Instruction) -> bool:
    if instruction.opname in TARGETS:
        return True
    return instruction.opname in ("LOAD_ATTR", "LOAD_METHOD") and instruction.argval in CHANGING


def _begin(instruction: dis.Instruction) -> tuple[int, int] | None:
    where = instruction.positions
    if where is None or where.lineno is None or where.col_offset is None:
        return None
    return where.lineno, where.col_offset


def changed_by_methods(kind: type) -> set[str]:
    """Attributes that evaluations change: those that `__call__`, or else any method, assigns."""
    methods = {
        name: method.__code__
        for base in reversed(kind.__mro__)
        if origin(base.__module__) in ("user", "bonas")
        for name, member in vars(base).items()
        if isinstance(method := getattr(member, "fget", member), FunctionType)
    }
    running = {"__call__"} & methods.keys() or methods.keys() - set(INITIALIZERS)
    reached: set[str] = set()
    while running:
        reached |= running
        codes = [code for name in running for code in nested(methods[name])]
        running = {n for code in codes for n in code.co_names if n in methods} - reached
    return {name for method in reached for name in changed(methods[method])}


def members(kind: type) -> Mapping[str, Any]:
    """The methods and attributes of a class and its bases, without those of libraries."""
    found: dict[str, Any] = {}
    for base in reversed(kind.__mro__):
        if not library(base.__module__):
            found |= {name: vars(base)[name] for name in vars(base) if not _generated(base, name)}
    return found


ADDED = ("__repr__", "__annotate__", "__annotate_func__", "_abc_impl", "_is_protocol")
"""Members that Python adds to a class, and those that no evaluation depends on."""


def _generated(kind: type, name: str) -> bool:
    """Return whether Python or `dataclass` made a member of a class."""
    value = vars(kind)[name]
    if name in ADDED or name.startswith("_is_runtime"):
        return True
    if not (name.startswith("__") and name.endswith("__")) or name == "__call__":
        return False
    code = getattr(getattr(value, "__func__", value), "__code__", None)
    return code is None or (is_dataclass(kind) and code.co_filename == "<string>")
