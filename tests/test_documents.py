"""The code in README and CONTRIBUTING runs, and what they point to exists."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import pytest

from bonas.search import Search
from fidelity.history import History

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
MOST = 6  # evaluations, where a document asks for more


def blocks(document: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", (ROOT / document).read_text(), re.M | re.S)


@pytest.fixture
def _tiny(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In an empty folder, with a budget of a few evaluations."""
    matplotlib.use("Agg")
    run = Search.run
    monkeypatch.setattr(Search, "run", lambda self, **limits: run(self, evaluations=MOST))
    monkeypatch.chdir(tmp_path)


def execute(document: str) -> dict[str, Any]:
    """Runs the blocks of a document one after another in one namespace."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for number, block in enumerate(blocks(document), start=1):
        code = compile(block, f"{document}, block {number}", "exec", dont_inherit=True)
        exec(code, names)
    return names


@pytest.mark.usefixtures("_tiny")
def test_readme(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    names = execute("README.md")
    printed = capsys.readouterr().out
    assert re.search(r"^0\.\d+ \|\w+~0\|\+\|", printed, re.M)
    assert len(names["history"]) == MOST
    assert len(History.load(tmp_path / "runs" / "digits")) == MOST
    assert plt.imread(tmp_path / "anytime.png").size > 0
    assert len(names["search"].history) == 5  # of the second block
    plt.close("all")


@pytest.mark.usefixtures("_tiny")
def test_contributing() -> None:
    names = execute("CONTRIBUTING.md")
    history = names["history"]
    assert len(history) == MOST
    assert all(evaluation.succeeded for evaluation in history.evaluations)
    assert any(trial.parent is not None for trial in history.trials)
    ax = plt.gca()
    assert len(ax.lines) == sum(bool(evaluation.curve) for evaluation in history.evaluations) > 0
    plt.close("all")


def test_the_first_example_has_ten_lines() -> None:
    lines = [line for line in blocks("README.md")[0].splitlines() if line.strip()]
    statements = [line for line in lines if not line.startswith(" ")]
    assert len(statements) <= 10


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", (ROOT / document).read_text()):
        assert (ROOT / target).exists(), target


def test_commands_are_targets_of_the_makefile() -> None:
    targets = re.findall(r"^(\w[\w-]*):", (ROOT / "Makefile").read_text(), re.M)
    for document in DOCUMENTS:
        assert set(re.findall(r"\bmake (demo|test|lint)\b", (ROOT / document).read_text())) <= set(
            targets
        )
