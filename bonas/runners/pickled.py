"""Objectives as bytes for other processes, with the files of their functions for tracebacks.

Since version 3.1.3 cloudpickle leaves out the file of a function that it sends by value, so that a
traceback of a worker could not show the line that failed.
"""

from __future__ import annotations

import io
from collections import ChainMap
from types import CodeType
from typing import Any, ClassVar

import cloudpickle

_PICKLER: Any = cloudpickle.Pickler  # its annotations are partial
_reduce_code = _PICKLER.dispatch_table[CodeType]


def dumps(thing: Any) -> bytes:
    """Pickle anything that cloudpickle can; `cloudpickle.loads` reads it."""
    written = io.BytesIO()
    _Pickler(written).dump(thing)
    return written.getvalue()


def _reduced(code: CodeType) -> tuple[Any, ...]:
    make, arguments = _reduce_code(code)
    return _made, (make, arguments, code.co_filename)


def _made(make: Any, arguments: tuple[Any, ...], file: str) -> CodeType:
    code: CodeType = make(*arguments)
    return code.replace(co_filename=file)


class _Pickler(_PICKLER):  # type: ignore[misc]
    dispatch_table: ClassVar[Any] = ChainMap({CodeType: _reduced}, _PICKLER.dispatch_table)
