"""Objectives as bytes for other processes, with the file names that tracebacks need.

Since version 3.1.3 cloudpickle drops the file name of a function that it sends by value, so a
traceback from a worker could not show the line that failed.
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
    buffer = io.BytesIO()
    _Pickler(buffer).dump(thing)
    return buffer.getvalue()


def _reduced(code: CodeType) -> tuple[Any, ...]:
    make, arguments = _reduce_code(code)
    return _with_file, (make, arguments, code.co_filename)


def _with_file(make: Any, arguments: tuple[Any, ...], file: str) -> CodeType:
    code: CodeType = make(*arguments)
    return code.replace(co_filename=file)


class _Pickler(_PICKLER):  # type: ignore[misc]
    dispatch_table: ClassVar[Any] = ChainMap({CodeType: _reduced}, _PICKLER.dispatch_table)
