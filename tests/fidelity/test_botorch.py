from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
EVERY_MODULE = """
import importlib, pkgutil, sys, warnings
for package in ("spaces", "fidelity", "bonas"):
    path = importlib.import_module(package).__path__
    for module in pkgutil.walk_packages(path, f"{package}."):
        if module.name not in ("bonas.__main__", "bonas.callbacks.mlflow"):  # it is optional
            importlib.import_module(module.name)
assert "linear_operator" in sys.modules
for _, message, *_ in warnings.filters:
    assert message is None or "script" not in message.pattern
"""


@pytest.mark.parametrize("code", ["import bonas.acquisition.functions", EVERY_MODULE])
def test_an_import_gives_no_warning_and_leaves_no_filter(code: str, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-W",
        "error",
        "-c",
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{code}",
    ]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
