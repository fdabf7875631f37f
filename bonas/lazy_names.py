"""The names of `bonas`, imported when they are first used.

`lazy_loader` does the same for the subpackages. The names here come from `fidelity` and `spaces`,
too, which it does not support.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any


def attach(package: str, stub: Path) -> tuple[Callable[[str], Any], list[str]]:
    """Return the `__getattr__` and the `__all__` of a package.

    Args:
        package: its name.
        stub: its `__init__.pyi`, whose imports say where each name is from.
    """
    origins: dict[str, str] = {}
    for node in ast.parse(stub.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            parent = f"{package}." if node.level else ""
            module = f"{parent}{node.module or ''}".rstrip(".")
            origins |= {alias.name: module for alias in node.names}

    def resolve(name: str) -> Any:
        if name not in origins:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        if origins[name] == package:
            return import_module(f"{package}.{name}")
        return getattr(import_module(origins[name]), name)

    return resolve, sorted(origins)
