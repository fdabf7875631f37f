"""Values without parts as bytes: numbers, text, tensors, arrays and the names of libraries."""

from __future__ import annotations

import datetime
import decimal
import enum
import fractions
import json
import operator
import re
import sys
import sysconfig
import uuid
from functools import cache
from hashlib import blake2b, sha256
from pathlib import Path, PurePath
from types import BuiltinFunctionType, EllipsisType, ModuleType, NotImplementedType
from typing import Any, Literal

import numpy as np
import torch
from ConfigSpace import ConfigurationSpace
from torch import Tensor
from torch.utils.weak import WeakIdKeyDictionary

Origin = Literal["user", "bonas", "installed", "python"]

OWN = ("bonas", "fidelity", "spaces")
"""Packages whose classes are named and not digested: their version is in the header."""

SHOWN_WHOLE = (
    *(EllipsisType, NotImplementedType, complex, range, slice),
    *(decimal.Decimal, fractions.Fraction, uuid.UUID, re.Pattern),
    *(datetime.date, datetime.time, datetime.timedelta, datetime.tzinfo),
    *(operator.itemgetter, operator.attrgetter, operator.methodcaller),
    *(torch.dtype, torch.layout, torch.memory_format),
)
"""Types of immutable values whose `repr` says everything."""

_of_tensor: Any = WeakIdKeyDictionary()
"""The version and the digest of tensors, so that a large data set is read once per process."""


def digested(*parts: bytes) -> str:
    """The digest of these bytes, 64 bits as hexadecimal digits."""
    made = blake2b(digest_size=8)
    for part in parts:
        made.update(len(part).to_bytes(8, "big"))
        made.update(part)
    return made.hexdigest()


PLAIN = (bool, int, float, str, np.float64, np.float32, np.int64, np.int32, np.bool_)


def plain(value: Any) -> bool:
    """Return whether a value is a number or text."""
    return type(value) in PLAIN


def leaf(value: Any) -> bytes | None:
    """A value without parts as bytes, equal ones alike; None if it has parts."""
    if plain(value):
        return b"text " + _utf8(value) if isinstance(value, str) else _number(value)
    if value is None or isinstance(value, SHOWN_WHOLE):
        return f"{type(value).__name__} {value!r}".encode()
    if isinstance(value, enum.Enum):
        return f"{type(value).__qualname__} {value.name}".encode()
    if isinstance(value, bool | int | float | np.bool_ | np.integer | np.floating):
        return _number(value)
    if isinstance(value, str | PurePath):
        return b"text " + _utf8(str(value))
    if isinstance(value, bytes | bytearray):
        return b"bytes " + value
    if isinstance(value, torch.device):
        return b"device"  # a search may resume elsewhere
    if isinstance(value, Tensor):
        return _tensor(value)
    if isinstance(value, np.generic | np.ndarray) and not value.dtype.hasobject:
        return _array(np.asarray(value))
    if isinstance(value, ConfigurationSpace):
        return json.dumps(value.to_serialized_dict(), default=repr, sort_keys=True).encode()
    return _name(value)


def origin(module: str | None) -> Origin:
    """Where a module comes from; what has no module was made by the user."""
    return "user" if module is None else _origin(module.partition(".")[0])


def library(module: str | None) -> bool:
    """Whether a module is part of Python, of bonas, or of an installed package."""
    return origin(module) != "user"


@cache
def _origin(package: str) -> Origin:
    if package in OWN:
        return "bonas"
    if package in ("__main__", "__mp_main__"):
        return "user"
    module = sys.modules.get(package)
    file = getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", ())), None)
    if file is None:
        return "python" if package in sys.stdlib_module_names else "user"
    path = Path(file)
    if {"site-packages", "dist-packages"} & set(path.parts):
        return "installed"
    return "python" if path.is_relative_to(sysconfig.get_path("stdlib")) else "user"


def _number(value: Any) -> bytes:
    """The same text for 9, 9.0 and `np.int64(9)`."""
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, float) and not plain.is_integer():
        return f"number {plain!r}".encode()
    return f"number {int(plain)}".encode()


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _tensor(tensor: Tensor) -> bytes:
    version = None if tensor.is_inference() else tensor._version
    if version is not None and tensor in _of_tensor:
        known, text = _of_tensor[tensor]
        if known == version:
            return bytes(text)
    plain = tensor.detach().cpu().resolve_conj().resolve_neg().contiguous()
    content = plain.reshape(-1).view(torch.uint8).numpy()
    text = _block(str(tensor.dtype).removeprefix("torch."), tuple(tensor.shape), content)
    _of_tensor[tensor] = version, text
    return text


def _array(array: np.ndarray[Any, Any]) -> bytes:
    if array.dtype.kind not in "biufc":
        content = np.frombuffer(np.ascontiguousarray(array).tobytes(), np.uint8)
    else:
        content = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    return _block(str(array.dtype), array.shape, content)


def _block(dtype: str, shape: tuple[int, ...], content: np.ndarray[Any, Any]) -> bytes:
    bytes_digest = sha256(content.data).hexdigest()  # mostly done by the processor itself
    return f"array {dtype} {list(shape)} {bytes_digest}".encode()


def _name(value: Any) -> bytes | None:
    """The name of a module, and of a class or function of a library."""
    if isinstance(value, ModuleType):
        return f"module {value.__name__}".encode()
    if isinstance(value, BuiltinFunctionType) and not isinstance(value.__self__, ModuleType | None):
        return f"method {type(value.__self__).__qualname__}.{value.__name__}".encode()
    named = getattr(value, "__qualname__", None)
    if isinstance(named, str) and library(getattr(value, "__module__", None)):
        return f"library {named}".encode()
    return None
