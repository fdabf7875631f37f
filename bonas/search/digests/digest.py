"""A digest of any object, stable across processes, and what differs between two of them."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cached_property, partial
from io import IOBase
from socket import socket
from types import FunctionType, MappingProxyType, MethodType, SimpleNamespace
from typing import Any

import numpy as np

from bonas.search.digests.code import changed_by_methods, code_digest, members, variables
from bonas.search.digests.leaves import digested, leaf, origin, plain

log = logging.getLogger(__name__)

MAX_DEPTH = 60
"""Levels of objects in objects, of which the rest is named by its type only."""

WRITTEN_DEPTH = 4
"""Levels of parts whose digests are written, so that a difference can be named."""

LIVE = (type(threading.Lock()), type(threading.RLock()), threading.Thread, IOBase, socket)
"""What makes an object of a library a resource of this process: its state is no setting."""


class _LiveError(Exception):
    """Raised inside an object of a library that holds something of `LIVE`."""


@dataclass(frozen=True)
class Digest:
    """The digest of an object.

    Attributes:
        data: the digest of its values.
        code: the digest of its code; empty if it has none, or only that of libraries.
        parts: digests of attributes, variables and arguments; "" is the code of a function.
    """

    data: str
    code: str = ""
    parts: Mapping[str, Digest] = field(default_factory=dict)

    def record(self, depth: int = WRITTEN_DEPTH) -> Any:
        """Plain JSON values: 'data' or 'data code', with those of its parts."""
        own = f"{self.data} {self.code}".strip()
        if not self.parts or not depth:
            return own
        return [own, {name: part.record(depth - 1) for name, part in self.parts.items()}]


def digest(value: object) -> Digest:
    """The digest of an object with everything that it refers to.

    Equal values give equal digests: lists and tuples, numbers of any type, tensors and arrays.
    Of an object these count: its attributes, fields of a dataclass with `compare=False` or
    `init=False` excepted, or what its `__getstate__` returns, and the code of its class. Neither
    attributes that its methods change nor cached properties count. Of a library's functions and
    classes only the name counts, and of an object that cannot be digested only its type.
    """
    return _Digester().of(value, 0)


def digest_differences(
    path: str, recorded: Any, current: Any, *, code: bool
) -> Iterator[tuple[str, str]]:
    """Yields the path and what has changed there, as deep as both records say.

    Args:
        path: of the object.
        recorded: `Digest.record` as it was read.
        current: `Digest.record` as it is.
        code: whether code is compared.
    """
    (was, were), (now, are) = _parts(recorded), _parts(current)
    data_differs = was[0] != now[0]
    if not data_differs and not (code and was[1:] != now[1:]):
        return
    deeper = [
        found
        for name in sorted({*were, *are} if were and are else ())
        for found in _part_differences(path, name, were.get(name), are.get(name), code)
    ]
    yield from deeper or [(path, "is different" if data_differs else "has different code")]


def _part_differences(
    path: str, name: str, recorded: Any, current: Any, code: bool
) -> Iterator[tuple[str, str]]:
    path = f"{path}.{name}" if name else path
    if recorded is None or current is None:
        yield path, "is new" if recorded is None else "is missing"
    else:
        yield from digest_differences(path, recorded, current, code=code)


def _parts(record: Any) -> tuple[list[str], Mapping[str, Any]]:
    own, parts = record if isinstance(record, list) else (record, {})
    return own.split(), parts


class _Digester:
    """One walk over an object; what it meets again it does not enter again."""

    def __init__(self) -> None:
        self._met: dict[int, tuple[object, Digest]] = {}  # the object too, so that its id stays
        self._in_library = 0

    def of(self, value: Any, depth: int) -> Digest:
        """The digest of an object at a depth below the first."""
        if plain(value):
            return Digest(digested(leaf(value) or b""))
        by_type = Digest(digested(b"type", type(value).__qualname__.encode()))
        foreign = _foreign(value)
        self._in_library += foreign
        try:
            return by_type if depth > MAX_DEPTH else self._entered(value, depth + 1, by_type)
        except _LiveError:
            if not foreign or self._in_library > 1:
                raise
        except Exception:
            log.debug("%s cannot be read: it counts by its type", type(value), exc_info=True)
        finally:
            self._in_library -= foreign
        return by_type

    def _entered(self, value: Any, depth: int, cycle: Digest) -> Digest:
        if self._in_library > 1 and isinstance(value, LIVE):
            raise _LiveError
        text = leaf(value)
        if text is not None:
            return Digest(digested(text))
        if id(value) not in self._met:
            self._met[id(value)] = value, cycle
            self._met[id(value)] = value, self._digest(value, depth)
        return self._met[id(value)][1]

    def _digest(self, value: Any, depth: int) -> Digest:
        if isinstance(value, dict | MappingProxyType):
            entries = [[self.of(key, depth), self.of(value[key], depth)] for key in value]
            return _folded("mapping", [_folded("entry", entry) for entry in entries], ordered=False)
        if isinstance(value, list | tuple | deque):
            if all(map(plain, value)):  # a long list is read at once
                return Digest(digested(b"plain", *(leaf(entry) or b"" for entry in value)))
            return _folded("sequence", [self.of(entry, depth) for entry in value])
        if isinstance(value, Set):
            return _folded("set", [self.of(entry, depth) for entry in value], ordered=False)
        if isinstance(value, np.ndarray):
            return _folded("array", [self.of(entry, depth) for entry in value.tolist()])
        own, parts = self._apart(value)
        made = {name: self.of(parts[name], depth) for name in sorted(parts)}
        folded = _folded(
            "object",
            [own, *(_folded(name, [part]) for name, part in made.items())],
        )
        return Digest(folded.data, folded.code, {"": own, **made})

    def _apart(self, value: Any) -> tuple[Digest, Mapping[str, Any]]:
        """The digest of an object's own type or code, and its parts by name."""
        name = Digest(digested(type(value).__qualname__.encode()))
        if isinstance(value, FunctionType):
            return Digest(name.data, code_digest(value.__code__)), _settings(variables(value))
        if isinstance(value, MethodType):
            return name, {"self": value.__self__, "function": value.__func__}
        if isinstance(value, partial):
            arguments = {str(i): argument for i, argument in enumerate(value.args)}
            return name, {"function": value.func, **arguments, **value.keywords}
        if isinstance(value, property):
            return name, {"get": value.fget, "set": value.fset}
        if isinstance(value, cached_property):
            return name, {"get": value.func}
        if hasattr(type(value), "__array__"):
            return name, {"array": np.asarray(value)}
        if isinstance(value, type):
            return name, _settings(members(value), changed_by_methods(value))
        if "__wrapped__" in getattr(value, "__dict__", {}):
            return name, {"function": value.__wrapped__}
        return name, _settings({**members(type(value)), **_state(value)}, _hidden(value))


def _foreign(value: object) -> bool:
    """Whether an object is an instance of an installed package's class."""
    kind = type(value)
    return kind.__module__ != "builtins" and origin(kind.__module__) in ("installed", "python")


def _settings(parts: Mapping[str, Any], hidden: Set[str] = frozenset()) -> dict[str, Any]:
    return {name: parts[name] for name in parts if name != "device" and name not in hidden}


def _hidden(value: Any) -> Set[str]:
    """The attributes of an object that are caches or records."""
    kind = type(value)
    classes = [vars(base) for base in kind.__mro__]
    hidden = {n for c in classes for n in c if isinstance(c[n], cached_property)}
    if is_dataclass(value):
        hidden |= {f.name for f in fields(value) if not (f.init and f.compare)}
    return hidden | changed_by_methods(kind)


def _state(value: Any) -> dict[str, Any]:
    """The attributes of an object."""
    kind = type(value)
    if origin(kind.__module__) == "python" and not isinstance(value, SimpleNamespace):
        return {}
    if is_dataclass(value):
        return {**getattr(value, "__dict__", {})} | {
            f.name: getattr(value, f.name) for f in fields(value)
        }
    return _pickled(value) if hasattr(value, "__dict__") or hasattr(kind, "__slots__") else {}


def _pickled(value: Any) -> dict[str, Any]:
    state = value.__getstate__()
    pair = state if isinstance(state, tuple) and len(state) == 2 else (state,)
    if all(isinstance(part, dict | None) for part in pair):
        return {str(name): part[name] for part in pair if part for name in part}
    return {"state": state}


def _folded(kind: str, digests: Sequence[Digest], *, ordered: bool = True) -> Digest:
    """One digest of several; it has a digest of code if one of them has."""
    if not ordered:
        digests = sorted(digests, key=lambda found: (found.data, found.code))
    data = digested(kind.encode(), *(found.data.encode() for found in digests))
    if not any(found.code for found in digests):
        return Digest(data)
    return Digest(data, digested(*(found.code.encode() for found in digests)))
