"""The code in README, CONTRIBUTING and docs runs, and what they point to exists."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import pytest
import yaml

from bonas.callbacks.callback import Callback
from bonas.runners.runner import Runner
from bonas.search.search import Search
from fidelity.history.history import History
from fidelity.history.trial import Status

ROOT = Path(__file__).resolve().parent.parent
PAGES = tuple(sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/**/*.md")))
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", *PAGES)
ELSEWHERE = ("docs/slurm.md",)
"""Needs Slurm: what can be run of it is run by `tests/test_slurm.py`."""
NOT_RUN = {
    ("docs/howto/parallel.md", "needs two GPUs"),
    ("docs/howto/parallel.md", "starts a cluster"),
    ("docs/howto/distributed.md", "needs four GPUs"),
    ("docs/howto/export.md", "needs onnxruntime"),
    ("docs/coming-from.md", "NNI 3"),
    ("docs/coming-from.md", "Optuna"),
    ("docs/coming-from.md", "SMAC3"),
    ("docs/coming-from.md", "NASLib"),
    ("docs/coming-from.md", "AutoKeras"),
    ("docs/coming-from.md", "Ax 1"),
}
"""Blocks that cannot run in a test. Their title says so: python title="not run here: REASON"."""
MOST = 6  # evaluations, where a document asks for more
MOST_ON = {"docs/gallery.md": 15}
"""Where fewer are too few: importance needs ten different networks."""


def blocks(document: str) -> list[str]:
    return re.findall(
        r"^```python\n(.*?)^```", (ROOT / document).read_text(encoding="utf-8"), re.M | re.S
    )


@pytest.fixture
def _tiny(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[None]:
    """In an empty folder, with a budget of a few evaluations."""
    matplotlib.use("Agg")
    parameters = getattr(request.node, "callspec", None)
    most = MOST_ON.get(parameters.params["page"], MOST) if parameters else MOST
    run = Search.run

    def few(
        self: Search,
        *,
        runner: Runner | None = None,
        callbacks: Sequence[Callback] = (),
        **limits: Any,
    ) -> History:
        return run(self, evaluations=most, runner=runner, callbacks=callbacks)

    monkeypatch.setattr(Search, "run", few)
    monkeypatch.chdir(tmp_path)
    yield
    plt.close("all")


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


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 200


def test_the_citation_names_this_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == project["version"]
    assert citation["license"] == project["license"]


@pytest.mark.usefixtures("_tiny")
def test_contributing() -> None:
    names = execute("CONTRIBUTING.md")
    history = names["history"]
    assert len(history) == MOST
    assert all(evaluation.succeeded for evaluation in history.evaluations)
    assert any(trial.parent is not None for trial in history.trials)
    ax = plt.gca()
    assert len(ax.lines) == sum(bool(evaluation.curve) for evaluation in history.evaluations) > 0


@pytest.mark.usefixtures("_tiny")
@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page) and page not in ELSEWHERE])
def test_page(page: str) -> None:
    names = execute(page)
    searches = [value for value in names.values() if isinstance(value, Search)]
    if page == "docs/overview.md":
        assert len(names["search"].history) == 5  # asked and told one by one
    for search in searches:
        assert not [e.error for e in search.history.evaluations if e.status is Status.CRASHED]


def test_blocks_that_do_not_run_are_listed_and_marked() -> None:
    found = set()
    for document in DOCUMENTS:
        for info in re.findall(
            r"^```(python\b.+)$", (ROOT / document).read_text(encoding="utf-8"), re.M
        ):
            marked = re.fullmatch(r'python title="not run here: (.+)"', info)
            assert marked, f"{document}: a block of code that is not run: {info}"
            found.add((document, marked[1]))
    assert found == NOT_RUN


def test_the_first_example_has_ten_lines() -> None:
    lines = [line for line in blocks("README.md")[0].splitlines() if line.strip()]
    statements = [line for line in lines if not line.startswith(" ")]
    assert len(statements) <= 10


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)#\s]+)(?:#[^)]*)?\)", text):
        assert ((ROOT / document).parent / target).exists(), target


def test_commands_are_targets_of_the_makefile() -> None:
    targets = re.findall(r"^(\w[\w-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    for document in DOCUMENTS:
        named = re.findall(
            r"`make ([\w-]+)`|^make ([\w-]+)", (ROOT / document).read_text(encoding="utf-8"), re.M
        )
        assert {first or second for first, second in named} <= set(targets)


def test_files_that_are_named_exist() -> None:
    for document in (name for name in DOCUMENTS if name != "CHANGELOG.md"):
        text = (ROOT / document).read_text(encoding="utf-8")
        for file in re.findall(r"`((?:bonas|fidelity|spaces|tests|benchmarks)/[\w/.]*)`", text):
            assert (ROOT / file).exists(), f"{document}: {file}"


def test_programs_exist() -> None:
    for document in DOCUMENTS:
        for program in re.findall(
            r"python (\w+/\w+\.py)", (ROOT / document).read_text(encoding="utf-8")
        ):
            assert (ROOT / program).exists(), f"{document}: {program}"
