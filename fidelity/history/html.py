"""Trials, evaluations and histories as HTML, for notebooks and reports."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fidelity.history.columns import columns
from spaces.display.html import Html, element, table
from spaces.space import values

if TYPE_CHECKING:
    from ConfigSpace import Configuration

    from fidelity.history.history import History
    from fidelity.history.trial import Evaluation, Trial

BEST = 5
"""Of a history, a notebook shows so many evaluations."""

FILE = re.compile(r'File "([^"\n]*[/\\])([^"/\\\n]+[/\\][^"/\\\n]+)"')


def without_folders(traceback: str) -> str:
    """A traceback in which files keep the last two parts of their paths: those of no machine."""
    return FILE.sub(lambda found: f'File "{found[2]}"', traceback)


def choices(configuration: Configuration) -> str:
    """The active hyperparameters in one line."""
    return ", ".join(f"{name}={value}" for name, value in values(configuration).items())


def cost(evaluation: Evaluation) -> str:
    """The cost with four digits, or a dash where there is none."""
    return f"{evaluation.cost:.4g}" if evaluation.succeeded else "–"


def status(evaluation: Evaluation) -> str:
    """How it ended, and whether that was known before."""
    known = "" if evaluation.reused is None else f", known from trial {evaluation.reused}"
    return f"{evaluation.status}{known}"


def rows(
    prefix: str, values: Mapping[str, Any], above: Sequence[tuple[str, str]]
) -> list[tuple[str, str]]:
    """Return the lines of a user's values, told from the lines above by a prefix where needed."""
    names = columns(prefix, map(str, values), {name for name, _ in above})
    return [(names[str(name)], str(value)) for name, value in values.items()]


def trial_html(trial: Trial) -> Html:
    """What is evaluated, line by line."""
    lines = [
        ("trial", str(trial.number)),
        ("budget", f"{trial.budget:g}"),
        ("seed", str(trial.seed)),
        ("continues", "–" if trial.parent is None else f"trial {trial.parent}"),
        ("bracket", str(trial.bracket)),
        ("network", trial.key),
    ]
    lines += rows("configuration", values(trial.configuration), lines)
    return table(("", ""), lines)


def evaluation_html(evaluation: Evaluation) -> Html:
    """What came of a trial, above the trial."""
    lines = [
        ("cost", cost(evaluation)),
        ("status", status(evaluation)),
        ("seconds", f"{evaluation.seconds:.2f}"),
    ]
    lines += rows("metrics", evaluation.metrics, lines)
    result = table(("", ""), lines)
    error = element("pre", without_folders(evaluation.error)) if evaluation.error else Html()
    return element("div", result, error, trial_html(evaluation.trial))


def summary(history: History) -> str:
    """How much was evaluated, for how much, and the best of it, in one sentence."""
    failed = sum(not evaluation.succeeded for evaluation in history.evaluations)
    parts = [f"{len(history)} evaluations", f"{history.resource:g} units of budget spent"]
    parts += [f"{failed} failed"] if failed else []
    parts += [f"{len(history.pending)} pending"] if history.pending else []
    best = history.incumbent
    found = f"best cost {cost(best)} at budget {best.trial.budget:g}" if best else "no success yet"
    return ", ".join([*parts, found])


def best_of(history: History, most: int = BEST) -> list[Evaluation]:
    """The lowest costs at the highest budget that had a success, each network once."""
    best = history.incumbent
    if best is None:
        return []
    found: dict[str, Evaluation] = {}
    for evaluation in sorted(history.at(best.trial.budget), key=lambda e: e.cost):
        if evaluation.succeeded:
            found.setdefault(evaluation.trial.key, evaluation)
    return list(found.values())[:most]


def evaluations_html(evaluations: Sequence[Evaluation]) -> Html:
    """One row an evaluation."""
    return table(
        ("trial", "cost", "budget", "seconds", "configuration"),
        [
            (
                str(e.trial.number),
                cost(e),
                f"{e.trial.budget:g}",
                f"{e.seconds:.2f}",
                choices(e.trial.configuration),
            )
            for e in evaluations
        ],
    )


def history_html(history: History, most: int = BEST) -> Html:
    """A sentence, and the best few."""
    best = best_of(history, most)
    shown = evaluations_html(best) if best else Html()
    return element("div", element("p", element("b", "History"), f": {summary(history)}"), shown)
