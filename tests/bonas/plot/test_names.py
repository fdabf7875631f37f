"""The public names, in fresh interpreters."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent.parent
CODE = """
import sys; sys.path.insert(0, {root!r})
from types import ModuleType
from bonas import plot
for name in {order}:
    getattr(plot, name)
print(*[name for name in plot.__all__ if isinstance(getattr(plot, name), ModuleType)])
"""


@pytest.mark.parametrize("order", ["sorted(plot.__all__)", "sorted(plot.__all__)[::-1]"])
def test_no_plot_hides_another_one(order: str, tmp_path: Path) -> None:
    # A plot that imports the file of another one would leave the file in place of its function:
    # what several plots need is in files of its own.
    code = CODE.format(root=str(ROOT), order=order)
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
        encoding="utf-8",
    )
    assert done.stdout.split() == []
