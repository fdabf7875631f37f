from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from fidelity.export import ExportError, PythonFile
from spaces.resources.example_input import random_input
from spaces.space import Space
from tests.fidelity.export.contract import FormatContract
from tests.fidelity.export.networks import SPACES, subject

ALONE = """
import importlib.util, sys
from pathlib import Path
for blocked in ("bonas", "fidelity", "spaces", "ConfigSpace", "botorch"):
    sys.modules[blocked] = None
import torch
for path in map(Path, sys.argv[1:]):
    spec = importlib.util.spec_from_file_location("network", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    inputs, outputs = torch.load(path.with_name("expected"), weights_only=True)
    with torch.no_grad():
        torch.testing.assert_close(module.load()(inputs), outputs, atol=1e-5, rtol=1e-5)
    print(path.parent.name)
"""


class TestPythonFile(FormatContract):
    @staticmethod
    def make_format(name: str) -> PythonFile:
        return PythonFile()

    @staticmethod
    def of_space(space: Space, name: str) -> PythonFile:
        return PythonFile()


def test_runs_where_there_is_nothing_but_torch(tmp_path: Path) -> None:
    for name in SPACES:
        directory = tmp_path / name
        directory.mkdir()
        PythonFile().save(subject(name), directory)
        whole, generator = subject(name), torch.Generator().manual_seed(0)
        inputs = random_input(whole.network, whole.input_shape, 3, generator)
        with torch.no_grad():
            torch.save((inputs, subject(name).network(inputs)), directory / "expected")
    files = [str(tmp_path / name / "network.py") for name in SPACES]
    done = subprocess.run(
        [sys.executable, "-I", "-c", ALONE, *files],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == list(SPACES)


@pytest.mark.parametrize("name", SPACES)
def test_imports_torch_alone_and_asserts_nothing(name: str, tmp_path: Path) -> None:
    PythonFile().save(subject(name), tmp_path)
    text = (tmp_path / "network.py").read_text(encoding="utf-8")
    imported = set()
    for node in ast.walk(ast.parse(text)):
        assert not isinstance(node, ast.Assert)
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(str(node.module))
    assert imported == {"torch", "pathlib"}
    assert max(map(len, text.splitlines())) <= 100


def test_the_network_can_be_trained_further(tmp_path: Path) -> None:
    PythonFile().save(subject("macro"), tmp_path)
    network = PythonFile().load(tmp_path / "network.py").train()
    parameters = sum(p.numel() for p in network.parameters())
    assert parameters == sum(p.numel() for p in subject("macro").network.parameters())
    before = [buffer.clone() for buffer in network.buffers()]
    network(torch.randn(4, 3, 8, 8)).sum().backward()
    assert all(p.grad is not None for p in network.parameters())
    assert any(not torch.equal(a, b) for a, b in zip(before, network.buffers(), strict=True))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import no_such_module", "no_such_module"),
        ("def load(): return 3", "returns a int, no network"),
        ("x = 1", "has no attribute 'load'"),
    ],
)
def test_another_file_is_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "network.py").write_text(text, encoding="utf-8")
    with pytest.raises(ExportError, match=message):
        PythonFile().load(tmp_path / "network.py")
