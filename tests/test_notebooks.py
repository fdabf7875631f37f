"""Notebooks run from top to bottom, and what is committed is the output of a whole run."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted(ROOT.glob("notebooks/*.ipynb"))
LARGEST = 900_000  # bytes
MACHINE = re.compile(r"(?<![\w.])/(?:home|root|tmp|work|usr|var|Users|private)/|\w:\\\\")
"""Paths that say where a notebook was run."""

by_name = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def cells(path: Path, kind: str) -> list[Any]:
    return [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == kind]


def outputs(path: Path) -> Iterator[Any]:
    for cell in cells(path, "code"):
        yield from cell.outputs


def test_there_are_nine() -> None:
    assert [path.stem[0] for path in NOTEBOOKS] == list("123456789")


@by_name
def test_outputs_are_of_one_whole_run(path: Path) -> None:
    nbformat.validate(nbformat.read(path, 4))
    counts = [cell.execution_count for cell in cells(path, "code")]
    assert counts == list(range(1, len(counts) + 1))
    kinds = {output.output_type for output in outputs(path)}
    assert "error" not in kinds
    assert any("image/png" in output.get("data", {}) for output in outputs(path))


@by_name
def test_nothing_but_results_is_in_the_outputs(path: Path) -> None:
    assert not MACHINE.search(path.read_text(encoding="utf-8")), (
        "a path of the machine it was run on"
    )
    assert not [o.text for o in outputs(path) if o.get("name") == "stderr"], "a warning"
    assert path.stat().st_size < LARGEST
    for output in outputs(path):
        if picture := output.get("data", {}).get("image/png"):
            assert base64.b64decode(picture).startswith(b"\x89PNG")


@by_name
def test_the_text_is_finished(path: Path) -> None:
    text = [cell.source for cell in cells(path, "markdown")]
    assert text[0].startswith("# ")
    assert not [source for source in text if "@@" in source or "TODO" in source]


@by_name
def test_one_variable_shortens_it(path: Path) -> None:
    code = "\n".join(cell.source for cell in cells(path, "code"))
    assert code.count("BONAS_QUICK") == 1
    assert "QUICK else" in code


@pytest.mark.timeout(900)
@by_name
def test_runs(path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, ROOT / "notebooks" / "execute.py", "--check", path],
        env={**os.environ, "BONAS_QUICK": "1"},
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )
    assert ran.returncode == 0, ran.stderr[-4000:]
    assert path.name in ran.stdout


def test_a_cell_that_fails_is_an_error(tmp_path: Path) -> None:
    v4: Any = nbformat.v4
    notebook = v4.new_notebook(cells=[v4.new_code_cell("raise ValueError('no such thing')")])
    path = tmp_path / "bad.ipynb"
    nbformat.write(notebook, path)
    before = path.read_bytes()
    ran = subprocess.run(
        [sys.executable, ROOT / "notebooks" / "execute.py", path],
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )
    assert ran.returncode != 0
    assert "no such thing" in ran.stderr
    assert path.read_bytes() == before
