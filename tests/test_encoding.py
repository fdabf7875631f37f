"""Text is UTF-8 in every file and pipe, whatever the locale."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("bonas", "fidelity", "spaces", "benchmarks", "notebooks", "tests")
SOURCES = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((k.value for k in call.keywords if k.arg == name), None)


def constant(expression: ast.expr | None) -> object:
    return expression.value if isinstance(expression, ast.Constant) else None


def opens_text(call: ast.Call) -> bool:
    """Whether a call opens a file, or a pipe, as text."""
    function = call.func
    if isinstance(function, ast.Name):
        name, owner = function.id, None
    elif isinstance(function, ast.Attribute):
        name = function.attr
        owner = function.value.id if isinstance(function.value, ast.Name) else None
    else:
        return False
    if name in ("read_text", "write_text", "FileHandler"):
        return True
    if name in ("run", "Popen", "check_output"):
        return any(keyword(call, k) is not None for k in ("text", "universal_newlines"))
    if name in ("NamedTemporaryFile", "TemporaryFile"):
        return isinstance(mode := constant(keyword(call, "mode")), str) and "b" not in mode
    if name not in ("open", "fdopen") or owner in ("Image", "webbrowser", "tarfile", "zipfile"):
        return False
    if owner == "os" and name == "open":
        return False
    path_first = isinstance(function, ast.Name) or owner in ("os", "io", "gzip", "bz2", "lzma")
    modes = [keyword(call, "mode"), *call.args[1 if path_first else 0 :][:1]]
    mode = next((m for m in map(constant, modes) if isinstance(m, str)), None)
    if owner in ("gzip", "bz2", "lzma"):
        return mode is not None and "t" in mode
    return mode is None or "b" not in mode


def locale_calls(source: str) -> Iterator[int]:
    """Yield the lines that leave the encoding of a text to the locale."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and opens_text(node) and keyword(node, "encoding") is None:
            yield node.lineno


def test_every_text_file_names_its_encoding() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in SOURCES
        for line in locale_calls(path.read_text(encoding="utf-8"))
    ]
    assert not found, 'add encoding="utf-8"'


@pytest.mark.parametrize(
    ("code", "seen"),
    [
        ("path.read_text()", True),
        ('path.write_text(text, encoding="utf-8")', False),
        ("open(path)", True),
        ('path.open("a")', True),
        ('path.open("ab", buffering=0)', False),
        ('open(path, mode="rb")', False),
        ('gzip.open(path, "rt")', True),
        ("gzip.open(path)", False),
        ("subprocess.run(command, text=True)", True),
        ("subprocess.run(command)", False),
    ],
)
def test_a_call_that_leaves_the_encoding_to_the_locale_is_seen(code: str, seen: bool) -> None:
    assert list(locale_calls(code)) == ([1] if seen else [])


def in_ascii(code: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run Python in a locale that knows nothing but ASCII."""
    file = folder / "script.py"
    file.write_text(code, encoding="utf-8")
    return subprocess.run(
        [sys.executable, str(file), *arguments],
        env={**os.environ, **ASCII, "PYTHONPATH": str(ROOT)},
        cwd=folder,
        capture_output=True,
        encoding="ascii",
        timeout=200,
    )


FAILING = """
from bonas import Setup, compare
from bonas.strategies import RandomSearch
from fidelity import FullFidelity
from spaces import CellSpace

class Failing:
    def propose(self, space, history, rng):
        raise ValueError("kein gültiger Vorschlag " + chr(0xDCFF))

if __name__ == "__main__":
    setups = {"Zufällig": Setup(RandomSearch()), "über": Setup(Failing())}
    space = CellSpace.nasbench201(4, 1, 1)
    made = compare(
        setups, lambda configuration: 1.0, space=space, seeds=[0], evaluations=2, directory="runs"
    )
    assert "kein g\u00fcltiger Vorschlag" in made.failures["über", 0], made.failures
"""


def test_a_strategy_whose_error_is_not_ascii_leaves_the_comparison_whole(tmp_path: Path) -> None:
    done = in_ascii(FAILING, folder=tmp_path)
    assert done.returncode == 0, done.stderr


SHOWN = """
import sys
import warnings
from bonas import Search, report
from bonas.cli.main import main
from bonas.search.progress import Progress
from bonas.strategies import RandomSearch
from fidelity.history.journal import JournalError
from spaces import CellSpace

def objective(configuration):
    if sys.argv[1] == "fails":
        raise ValueError("größer als möglich")
    return 1.0

space = CellSpace.nasbench201(4, 1, 1)
with Search(space, objective, strategy=RandomSearch(), directory="run") as search:
    try:
        search.run(evaluations=5, progress=Progress("Die Suche für später"))
    except Exception as error:
        print(ascii(error))
    report(search, "seite.html")
sys.exit(main(["status", "run"]) or main(["check", "run"]) or main(["report", "run"]))
"""


@pytest.mark.parametrize("way", ["succeeds", "fails"])
def test_output_escapes_what_an_ascii_terminal_cannot_show(tmp_path: Path, way: str) -> None:
    done = in_ascii(SHOWN, way, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Die Suche f\\xfcr sp\\xe4ter: 5 evaluations" in done.stdout
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert ("größer als möglich" in page) == (way == "fails")


def test_a_directory_that_the_locale_cannot_name_is_an_error_that_says_so(tmp_path: Path) -> None:
    code = """
from fidelity.history.journal import Journal, JournalError
from pathlib import Path
try:
    Journal(Path("läufe"))
except JournalError as error:
    print(error)
"""
    done = in_ascii(code, folder=tmp_path)
    assert "set the environment variable PYTHONUTF8=1" in done.stdout, done.stderr
