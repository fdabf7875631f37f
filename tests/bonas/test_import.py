"""What an import brings, and that it brings this project's own packages. In fresh interpreters."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
HEAVY = ("botorch", "gpytorch", "smac", "matplotlib", "sklearn", "rich", "pandas")


def python(code: str, *path: Path) -> subprocess.CompletedProcess[str]:
    """Runs code with the repository, and before it `path`, to import from."""
    setup = f"import sys; sys.path[:0] = {[str(p) for p in (*path, ROOT)]}\n"
    return subprocess.run(
        [sys.executable, "-c", setup + code],
        capture_output=True,
        text=True,
        cwd=path[0],
        encoding="utf-8",
    )


def loaded(code: str, directory: Path) -> set[str]:
    """The packages that are loaded after running `code`."""
    last = "\nimport sys; print(' '.join({name.split('.')[0] for name in sys.modules}))"
    done = python(code + last, directory)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split())


def test_the_package_alone_brings_nothing_heavy(tmp_path: Path) -> None:
    found = loaded("import bonas", tmp_path)
    assert found.isdisjoint({"torch", "numpy", "ConfigSpace", *HEAVY})


def test_a_search_with_its_default_strategy_brings_only_what_it_uses(tmp_path: Path) -> None:
    found = loaded("from bonas import Search, Trial, Evaluation, History", tmp_path)
    assert found.isdisjoint(HEAVY)


def test_running_a_random_search_brings_neither_botorch_nor_matplotlib(tmp_path: Path) -> None:
    code = """
from bonas import Search, strategies
from bonas.search.progress import Silent
from spaces import CellSpace
search = Search(CellSpace(), lambda configuration: 1.0, strategy=strategies.RandomSearch())
assert len(search.run(evaluations=2, progress=Silent())) == 2
"""
    found = loaded(code, tmp_path)
    assert "ConfigSpace" in found
    assert found.isdisjoint({"botorch", "gpytorch", "smac", "matplotlib"})


def test_every_public_name_exists() -> None:
    import bonas

    for name in bonas.__all__:
        assert getattr(bonas, name) is not None
    assert {"Search", "Trial", "Evaluation", "History", "plot", "strategies"} <= set(dir(bonas))
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = bonas.no_such_name


@pytest.mark.parametrize("name", ["bonas", "fidelity", "spaces"])
def test_type_checkers_read_the_annotations_of_each_package(name: str) -> None:
    assert (ROOT / name / "py.typed").is_file()


@pytest.mark.parametrize("name", ["spaces", "fidelity"])
@pytest.mark.parametrize("form", ["package", "module", "folder"])
def test_a_foreign_package_of_the_same_name_is_told_of(
    tmp_path: Path, name: str, form: str
) -> None:
    foreign = tmp_path / name
    if form == "module":
        foreign = tmp_path / f"{name}.py"
        foreign.write_text("", encoding="utf-8")
    else:
        foreign.mkdir()
        if form == "package":
            (foreign / "__init__.py").write_text("", encoding="utf-8")
    done = python("import bonas", tmp_path)
    if form == "folder":  # a folder without __init__.py never hides a package
        assert done.returncode == 0, done.stderr
        return
    assert done.returncode == 1
    error = done.stderr.splitlines()[-1]
    assert error.startswith(f"ImportError: bonas needs its own package '{name}' in {ROOT}")
    assert str(foreign) in error
    assert "remove or rename" in error


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder with the three packages, as pip installs them."""
    for name in ("bonas", "spaces", "fidelity"):
        (tmp_path / name).mkdir()
        for file in (ROOT / name).glob("__init__.py*"):
            shutil.copy(file, tmp_path / name)
    for file in ("lazy_names.py", "install_check.py"):
        shutil.copy(ROOT / "bonas" / file, tmp_path / "bonas")
    return tmp_path


def imported(folder: Path) -> str:
    """The last line of the error that `import bonas` raises in a folder, if it raises one."""
    code = f"import sys; sys.path[:0] = [{str(folder)!r}]; import bonas"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", cwd=folder)
    return (done.stderr.splitlines() or [""])[-1]


@pytest.mark.parametrize("name", ["spaces", "fidelity"])
def test_a_package_that_was_overwritten_is_told_of(installed: Path, name: str) -> None:
    assert imported(installed) == ""
    (installed / name / "__init__.py").write_text('"""Another."""', encoding="utf-8")
    error = imported(installed)
    assert error.startswith("ImportError: the package")
    assert f"'{name}'" in error
    assert "--force-reinstall" in error


def test_a_distribution_with_files_in_the_same_folder_is_told_of(installed: Path) -> None:
    (installed / "spaces" / "theirs.py").write_text("", encoding="utf-8")
    info = installed / "spaces-3.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: spaces\nVersion: 3.0\n", encoding="utf-8")
    (info / "RECORD").write_text("spaces/theirs.py,,\n", encoding="utf-8")
    error = imported(installed)
    assert error.startswith("ImportError: the distribution 'spaces' has installed its files into")
    assert "separate environment" in error


def test_all_packages_have_the_version_of_the_project() -> None:
    import bonas
    import fidelity
    import spaces

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert bonas.__version__ == project["version"]
    assert fidelity.__bonas__ == spaces.__bonas__ == project["version"]
