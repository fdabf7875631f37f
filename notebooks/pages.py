"""A hook of mkdocs: notebooks, benchmark results and some files next to `docs` become pages.

Pages link to these files where they are in the repository, so that links are right there too; on
the site the links lead to the pages that are made of them.
"""

from __future__ import annotations

import base64
import posixpath
import re
from pathlib import Path
from typing import Any

import nbformat
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
PAGES = {
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "CHANGELOG.md": "changelog.md",
}
LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)(#[^)\s]*)?\)")
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


def place(path: str) -> str | None:
    """Where a file of the repository is on the site; None if it is not there."""
    folder, name = posixpath.split(path)
    if path in PAGES:
        return PAGES[path]
    if folder == "benchmarks/results" and name.endswith(".md"):
        return f"results/{name}"
    if folder == "notebooks" and name.endswith(".ipynb"):
        return f"notebooks/{name.removesuffix('.ipynb')}.md"
    if folder == "notebooks" and name.endswith(".png"):  # of the outputs
        return path
    return path.removeprefix("docs/") if path.startswith("docs/") else None


def linked(text: str, here: str, page: str) -> str:
    """The text of the file `here` as the page `page`: its links lead to pages of the site.

    A link to a file that is no page becomes the path of that file.
    """

    def replace(found: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(here), found[1]))
        there = place(path)
        if there is None:
            return f"] (`{path}`)"
        return f"]({posixpath.relpath(there, posixpath.dirname(page) or '.')}{found[2] or ''})"

    return LINK.sub(replace, text)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages."""
    results = sorted(ROOT.glob("benchmarks/results/*.md"))
    for path in [*(ROOT / name for name in PAGES), *results]:
        here = path.relative_to(ROOT).as_posix()
        text = path.read_text(encoding="utf-8")
        if not text.startswith("# "):
            text = f"# {path.stem}\n\n{text}"
        _add(files, config, here, text)
    for path in sorted(ROOT.glob("notebooks/*.ipynb")):
        _notebook(files, config, path)
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Mends the links of the pages in `docs`."""
    uri = page.file.src_uri
    return linked(markdown, f"docs/{uri}", uri) if page.file.generated_by is None else markdown


def _add(files: Files, config: MkDocsConfig, here: str, text: str) -> None:
    page = place(here)
    assert page is not None
    files.append(File.generated(config, page, content=linked(text, here, page)))


def _notebook(files: Files, config: MkDocsConfig, path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    parts = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            parts.append(cell.source)
            continue
        parts.append(f"```python\n{cell.source}\n```")
        for output in cell.outputs:
            part, picture = _output(output, f"{path.stem}-{len(parts)}.png")
            parts.append(part)
            if picture is not None:
                name = f"notebooks/{path.stem}-{len(parts) - 1}.png"
                files.append(File.generated(config, name, content=picture))
    here = path.relative_to(ROOT).as_posix()
    source = f"This page is `{here}`, with the outputs of a full run."
    title, _, rest = "\n\n".join(parts).partition("\n")
    _add(files, config, here, f"{title}\n\n{source}\n{rest}")


def _output(output: Any, name: str) -> tuple[str, bytes | None]:
    """An output as Markdown, and the picture in it that is called `name`."""
    if output.output_type == "stream":
        return _text(output.text), None
    data = output.data
    if "image/png" in data:
        return f"![]({name})", base64.b64decode(data["image/png"])
    if "text/html" in data:  # tables: without blank lines, which would end them
        return re.sub(r"<style.*?</style>|\n\s*", "", data["text/html"], flags=re.S), None
    return _text(data["text/plain"]), None


def _text(text: str) -> str:
    return f"```text\n{ESCAPES.sub('', text).rstrip()}\n```"
