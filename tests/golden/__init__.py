"""Golden histories: what seeded searches recorded, which later code reproduces bit for bit.

`python -m tests.golden.record` writes them anew. That is right only where a change of behaviour is
wanted; the difference in `histories.json` then shows it, and the CHANGELOG says it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path

import pytest

from fidelity.history.history import History
from fidelity.history.trial import Evaluation

FILE = Path(__file__).with_name("histories.json")
PACKAGES = ("torch", "botorch", "gpytorch", "numpy", "scipy", "scikit-learn", "ConfigSpace", "smac")
"""With other releases of these, the same code may compute something else."""


def versions() -> dict[str, str]:
    """The installed release of each package that a history depends on."""
    return {name: version(name).partition("+")[0] for name in PACKAGES}


def lines(history: History) -> list[str]:
    """A history as text, an evaluation per line in the order of their ends; costs are exact."""
    return [_line(evaluation) for evaluation in history.evaluations]


def _line(evaluation: Evaluation) -> str:
    trial = evaluation.trial
    parent = "" if trial.parent is None else f" after {trial.parent}"
    reused = "" if evaluation.reused is None else f" as {evaluation.reused}"
    return (
        f"{trial.number}{parent} bracket {trial.bracket} {trial.key[:12]} seed {trial.seed} "
        f"budget {trial.budget:g}{reused}: {evaluation.status} {float(evaluation.cost).hex()}"
    )


def check(name: str, history: History) -> None:
    """Compares a history with the recorded one; skips, saying so, with other packages."""
    recorded, packages = _recorded()
    if packages != versions():
        pytest.skip(f"the golden histories were recorded with {packages}")
    assert lines(history) == recorded[name], f"{name}: not the recorded history"


@cache
def _recorded() -> tuple[Mapping[str, Sequence[str]], Mapping[str, str]]:
    content = json.loads(FILE.read_text(encoding="utf-8"))
    return content["histories"], content["versions"]


def write(histories: Mapping[str, History]) -> None:
    """Replaces the file."""
    content = {"versions": versions(), "histories": {n: lines(h) for n, h in histories.items()}}
    FILE.write_text(json.dumps(content, indent=0) + "\n", encoding="utf-8")
