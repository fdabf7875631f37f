"""The site builds without a warning, and asks no other host for anything."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from types import FunctionType

import pytest

ROOT = Path(__file__).resolve().parent.parent
FETCHED = re.compile(
    r"<(?:script|img|iframe|source|video)\b[^>]*\bsrc=\"?(?:https?:)?//"
    r"|<link\b(?=[^>]*rel=\"?(?:stylesheet|preconnect|icon|preload))[^>]*href=\"?(?:https?:)?//"
)
"""What a browser asks another host for by itself; links that a reader follows are none of these."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    built = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, encoding="utf-8"
    )
    assert built.returncode == 0, built.stderr[-4000:]
    return folder


def test_every_public_name_is_in_the_reference(site: Path) -> None:
    import bonas
    import fidelity
    import spaces
    from bonas import callbacks, interop, plot, runners, strategies, surrogates
    from fidelity import axes, datasets, export, latency, proxies, tables

    documented = {
        name
        for page in (site / "reference").glob("*/index.html")
        for name in re.findall(r'id="([\w.]+)"', page.read_text(encoding="utf-8"))
    }
    last = {name.rpartition(".")[2] for name in documented}
    modules = (bonas, fidelity, spaces, callbacks, interop, plot, runners, strategies, surrogates)
    for module in (*modules, axes, datasets, export, latency, proxies, tables):
        values = [getattr(module, name) for name in module.__all__]
        # By their own names: those of version 0.1 are other names of the same objects.
        names = {value.__name__ for value in values if isinstance(value, type | FunctionType)}
        assert names - last == set(), module.__name__


def test_notebooks_and_results_are_pages(site: Path) -> None:
    for notebook in ROOT.glob("notebooks/*.ipynb"):
        page = site / "notebooks" / notebook.stem / "index.html"
        assert "<img" in page.read_text(encoding="utf-8")
    for result in ROOT.glob("benchmarks/results/*.md"):
        assert "<table>" in (site / "results" / result.stem / "index.html").read_text(
            encoding="utf-8"
        )


def test_all_results_are_among_the_measurements() -> None:
    text = (ROOT / "docs" / "measurements.md").read_text(encoding="utf-8")
    for result in ROOT.glob("benchmarks/results/*.md"):
        assert f"](../benchmarks/results/{result.name})" in text, result.name


def test_nothing_is_fetched_from_another_host(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 30
    for page in pages:
        assert not FETCHED.search(page.read_text(encoding="utf-8")), page
    for style in site.rglob("*.css"):
        assert not re.search(r"url\(\"?(?:https?:)?//", style.read_text(encoding="utf-8")), style
