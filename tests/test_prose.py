"""README, docs, docstrings, help texts and notebooks are free of phrases that read as translated.

Each pattern is a phrase that has a better form wherever it stands. Words that are right in some
sentences and wrong in others are left to reviews.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
NUMBER = r"(?:\d+|one|two|three|four|five|six|eight|ten|twenty|fifty|hundred|times)"
UNIT = r"(?:core|epoch|evaluation|GPU|hour|minute|network|process|proposal|second|seed|step|worker)"
# What reads as translated, and what a native engineer writes.
PATTERNS = {
    r"\b(?:go(?:es)?|going|went) on\b(?! to\b)": "resumes, continues",
    r"\banew\b": "again, from scratch",
    r"\bonce more\b": "again",
    r"\b(?:so|as) many as that\b": "the number",
    r"\b(?:after|of|in|by|with|for) so many\b": "`N`, the number of",
    r"\bwhat is (?:learned|known|found|told) instead\b": "name the thing",
    r"\b(?:gives?|gave|giving) (?:the|its|a|this) \w+ free\b": "releases",
    rf"\b{NUMBER}(?: \w+)? an? {UNIT}\b": "per worker, per epoch",
    r"\b(?:nobody|whoever|anybody)\b": "the caller, another process",
    r"\b(?:is|are|was|were) (?:told|asked)\b(?! apart\b| for\b| from\b)": "receives, is requested",
    r"\bbeside\b": "next to, compared with",
    r"\bwhole trainings?\b": "full training run",
    r"\btrainings\b": "training runs",
    r"\blimits? (?:on|of|for) (?:a|the|each|every) networks?\b": "constraint",
    r"\b(?:evaluation|training) (?:alone )?tells\b": "measured constraint",
    r"\bknown beforehand\b": "computable before training",
    r"\b(?:how|so) much money\b": "what does it cost",
    r"\bis where (?:\w+ ){1,3}is\b": "reaches the result of",
    r"\blooks? whether\b": "verify that",
}
SEEN = (
    ("the search goes on from its checkpoint", "goes on"),
    ("it is trained anew", "anew"),
    ("trials are made once more", "once more"),
    ("the regret after so many evaluations", "so many"),
    ("this gives the directory free", "gives the directory free"),
    ("prefetches two a worker", "two a worker"),
    ("nobody else writes there", "nobody"),
    ("the strategy is told the cost", "is told"),
    ("a table beside the network", "beside"),
    ("after 150 whole trainings", "whole trainings"),
    ("a limit on a network", "limit on a network"),
    ("it is where random search is", "is where random search is"),
    ("look whether every record is whole", "look whether"),
)
RIGHT = (
    "A search goes on to the next rung.",
    "Search.ask and Search.tell: trials are asked for and told one by one; they can be told apart.",
    "so many networks that a table is too large; as many processes as cores",
    "once per minute, twice per worker, one worker a machine owns",
    "A limit on `seconds` and on memory; each training run is a trial.",
)
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    *sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/**/*.md")),
)
NOTEBOOKS = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("notebooks/*.ipynb"))
PACKAGES = ("spaces", "fidelity", "bonas", "benchmarks")
COMMANDS = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("bonas/cli/*.py"))


def phrases(text: str) -> list[str]:
    """Return what the patterns find in a text, each with what to write instead."""
    joined = re.sub(r"\s+", " ", text)
    return [
        f"'{found[0]}' ({instead}) in '{joined[max(0, found.start() - 40) : found.end() + 30]}'"
        for pattern, instead in PATTERNS.items()
        for found in re.finditer(pattern, joined, re.I)
    ]


def without_code(markdown: str) -> str:
    """Return a page without its blocks of code, names in backticks and titles of papers."""
    text = re.sub(r"^```.*?^```", "", markdown, flags=re.M | re.S)
    return re.sub(r"`[^`\n]*`|\"[^\"]*\"", "", text)


@pytest.mark.parametrize("page", PAGES)
def test_pages_read_as_native_english(page: str) -> None:
    assert phrases(without_code((ROOT / page).read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_notebooks_read_as_native_english(notebook: str) -> None:
    cells = nbformat.read(ROOT / notebook, as_version=4).cells
    text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    assert phrases(without_code(text)) == []


@pytest.mark.parametrize("file", COMMANDS)
def test_help_texts_read_as_native_english(file: str) -> None:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    texts = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert phrases("\n".join(texts)) == []


def docstrings(file: Path) -> str:
    """Return all strings that document something, without the names of arguments."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    texts = [
        str(node.value.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    ]
    return without_code(re.sub(r"^ *\w+:", "", "\n".join(texts), flags=re.M))


@pytest.mark.parametrize("package", PACKAGES)
def test_docstrings_read_as_native_english(package: str) -> None:
    files = sorted((ROOT / package).rglob("*.py"))
    found = {str(file.relative_to(ROOT)): phrases(docstrings(file)) for file in files}
    assert {file: texts for file, texts in found.items() if texts} == {}


@pytest.mark.parametrize(("sentence", "phrase"), SEEN)
def test_the_patterns_find_what_the_style_guide_forbids(sentence: str, phrase: str) -> None:
    assert [found for found in phrases(sentence) if phrase in found.partition(" (")[0]]


@pytest.mark.parametrize("sentence", RIGHT)
def test_the_patterns_leave_good_sentences_alone(sentence: str) -> None:
    assert phrases(sentence) == []
