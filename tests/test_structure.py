"""The house rules that a reader relies on: no cycles, few rooms per floor, no reaching inside."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("bonas", "fidelity", "spaces")
MAX_ROOT_MODULES = 8
MAX_LINES = 400
MAX_FUNCTION_LINES = 60
OPENERS = ("What ", "How ", "Of ", "Whether it ", "So many ")


@cache
def modules() -> Mapping[str, ast.Module]:
    """The parsed source of every module, by its dotted name."""
    parsed = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            parsed[name] = ast.parse(path.read_text(encoding="utf-8"))
    return parsed


def imports(name: str) -> Iterator[str]:
    """The modules of this project that a module imports, wherever in the file it does so."""
    known = modules()
    for node in ast.walk(known[name]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module in known:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full in known else node.module


def cycle() -> list[str]:
    """Some modules that import one another in a circle; empty where there are none."""
    done: set[str] = set()

    def visit(name: str, path: list[str]) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name not in done:
            for imported in sorted(set(imports(name)) - {name}):
                if found := visit(imported, [*path, name]):
                    return found
            done.add(name)
        return []

    for name in modules():
        if found := visit(name, []):
            return found
    return []


def test_no_modules_import_one_another_in_a_circle_deferred_imports_included() -> None:
    assert cycle() == []


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_has_few_public_modules_at_its_root(package: str) -> None:
    found = [p.stem for p in (ROOT / package).glob("*.py") if not p.stem.startswith("_")]
    assert len(found) <= MAX_ROOT_MODULES, sorted(found)


def private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def private_imports(name: str, tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGES):
            yield from (f"{name} imports {a.name}" for a in node.names if private(a.name))


def private_accesses(name: str, tree: ast.Module) -> Iterator[str]:
    """Uses of `x._y` where no code of the file defines `_y`."""
    own = {"_fields", "_asdict", "_replace"}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            own.add(node.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            own.add(node.attr)
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and isinstance(node.target, ast.Name):
            own.add(node.target.id)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            own.add(node.id)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and private(node.attr) and node.attr not in own:
            yield f"{name}:{node.lineno} uses {ast.unparse(node)}"


FOREIGN = {
    "os._exit",  # without the exit handlers of a parent process
    "tensor._version",  # counts changes in place
    "storage._cdata",  # names the memory of a tensor
    "module._forward_hooks",  # torch has no public way to see whether a module has hooks
    "module._forward_pre_hooks",
    "search._get_init_points_from_previous_configs",  # SMAC3 has no public way to order its starts
}
"""Names of other libraries that are used although they are private, and why."""


def test_no_underscore_crosses_a_file() -> None:
    found = []
    for name, tree in modules().items():
        found += private_imports(name, tree)
        found += private_accesses(name, tree)
    assert [line for line in found if line.partition(" uses ")[2] not in FOREIGN] == []


def functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef, bool]]:
    """Public functions and methods: the qualified name, the node, whether it is a method."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node.name, node, False
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef) and not inner.name.startswith("_"):
                    yield f"{node.name}.{inner.name}", inner, True


def arguments(node: ast.FunctionDef, method: bool) -> list[str]:
    static = any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in node.decorator_list)
    positional = [*node.args.posonlyargs, *node.args.args][1 if method and not static else 0 :]
    return [a.arg for a in (*positional, *node.args.kwonlyargs)]


def test_public_functions_document_each_of_two_or_more_arguments() -> None:
    missing = []
    for name, tree in modules().items():
        for qualified, node, method in functions(tree):
            named = [a for a in arguments(node, method) if not a.startswith("_")]
            text = ast.get_docstring(node) or ""
            if len(named) < 2 or text.startswith(("See `", "Implement `")):
                continue  # the Protocol that is named there documents them
            section = text.partition("Args:\n")[2]
            absent = [a for a in named if f"{a}:" not in section and f"{a} (" not in section]
            missing += [f"{name}.{qualified}: {', '.join(absent)}"] if absent else []
    assert missing == []


def test_docstrings_begin_with_the_thing_itself() -> None:
    found = []
    for name, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                first = (ast.get_docstring(node) or "").partition("\n")[0]
                if first.startswith(OPENERS):
                    found.append(f"{name}:{getattr(node, 'lineno', 1)} {first}")
    assert found == []


def test_files_and_functions_are_short() -> None:
    found = []
    for name, tree in modules().items():
        last = max((node.end_lineno or 0 for node in tree.body), default=0)
        found += [f"{name}: {last} lines"] if last > MAX_LINES else []
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                if length > MAX_FUNCTION_LINES:
                    found.append(f"{name}.{node.name}: {length} lines")
    assert found == []
