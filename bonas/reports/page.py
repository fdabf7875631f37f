"""The page of a report, section by section. `element` escapes all text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bonas.reports.figures import anytime_svg, picture
from bonas.reports.style import POLICY, SCRIPT, STYLE
from fidelity.history.goal import COST
from fidelity.history.history import History
from fidelity.history.html import choices, rows, without_folders
from fidelity.history.trial import Evaluation
from spaces.display.html import Html, element, join, size, table, tree
from spaces.space import Space, provides, values

MAX_CHOICES = 400
"""The number of hyperparameters of the space that are listed at most."""

NUMERIC_COLUMNS = ("trial", "resumes", "budget", "cost", "seconds", "seed")
COLUMNS = (*NUMERIC_COLUMNS, "status", "configuration")


@dataclass(frozen=True)
class Subject:
    """The subject of a report.

    Attributes:
        history: of the search.
        best: the evaluation that the strategy recommends, or else the incumbent.
        settings: space, objective, strategy, schedule, seed and versions, as plain values; empty
            if unknown.
        space: draws the best network, if known.
    """

    history: History
    best: Evaluation | None
    settings: Mapping[str, Any] = field(default_factory=dict)
    space: Space | None = None


def page(subject: Subject) -> str:
    """Return the whole page as HTML."""
    title = _title(subject)
    head = join(
        (
            Html('<meta charset="utf-8">'),
            Html('<meta name="viewport" content="width=device-width, initial-scale=1">'),
            Html(f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'),
            Html('<link rel="icon" href="data:,">'),
            element("title", title),
            element("style", Html(STYLE)),
        )
    )
    body = join(
        (
            element("h1", title),
            _tiles(subject),
            _best(subject),
            element("h2", f"Lowest {subject.history.goal.measure.name} so far"),
            anytime_svg(subject.history),
            _settings(subject),
            _trials(subject),
            _failures(subject.history),
            _versions(subject),
            element("script", Html(SCRIPT)),
        )
    )
    written = element("html", element("head", head), element("body", body), lang="en")
    return f"<!doctype html>\n{written}\n"


def _title(subject: Subject) -> str:
    """Return the title: the classes of space, strategy and schedule, if known."""
    names = [
        str(subject.settings[part].get("class", ""))
        for part in ("space", "strategy", "schedule")
        if part in subject.settings
    ]
    return f"Search report: {' × '.join(names)}" if names else "Search report"


def _tiles(subject: Subject) -> Html:
    history, best = subject.history, subject.history.incumbent
    failed = sum(not evaluation.succeeded for evaluation in history.evaluations)
    trained = len({e.trial.key for e in history.evaluations if e.succeeded})
    refused = f", {len(history.refused)} refused" if history.refused else ""
    tiles = [
        (history.cost_text(best) if best else "–", f"lowest {history.goal.measure.name}"),
        (str(len(history)), "evaluations"),
        (f"{trained} trained{refused}", "distinct networks"),
        (f"{history.resource:g}", "budget spent"),
        (str(failed), "failure" if failed == 1 else "failures"),
    ]
    if history.pending:
        tiles.append((str(len(history.pending)), "pending"))
    elements = [
        element("div", element("b", number), element("span", label), class_="tile")
        for number, label in tiles
    ]
    return element("div", *elements, class_="tiles")


def _facts(lines: list[tuple[str, str]]) -> Html:
    return element("div", table(("", ""), lines), class_="facts")


def _best(subject: Subject) -> Html:
    heading = element("h2", "Best network")
    best, history = subject.best, subject.history
    incumbent, measure = history.incumbent, history.goal.measure
    if best is None:
        return join((heading, element("p", "Nothing has succeeded yet.", class_="soft")))
    trial = best.trial
    lowest = f"The lowest observed {measure.name} at the highest budget"
    reason = f"{lowest}." if best is incumbent else "Recommended by the strategy."
    if incumbent is not None and best is not incumbent:
        reason += f" {lowest} is {history.cost_text(incumbent)}, of trial {incumbent.trial.number}."
    drawn = Html()
    if subject.space is not None and provides(subject.space, "architecture"):
        drawn = picture(subject.space.architecture(trial.configuration))
    lines = [
        ("trial", str(trial.number)),
        (measure.name, measure.text(best.cost, decimals=4)),
        ("budget", f"{trial.budget:g}"),
        ("network", trial.key),
    ]
    measured = {str(name): _short(value) for name, value in best.metrics.items()}
    lines[3:3] = rows("metrics", measured, lines)
    choices = [(name, str(value)) for name, value in values(trial.configuration).items()]
    details = element("details", element("summary", "Configuration"), _facts(choices))
    return join((heading, element("p", reason, class_="soft"), drawn, _facts(lines), details))


def _short(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_short, value))
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _settings(subject: Subject) -> Html:
    space = subject.history.space
    lines = [
        (part, _described(subject.settings[part]))
        for part in ("space", "objective", "strategy", "schedule", "seed")
        if part in subject.settings
    ]
    lines += _goal(subject.history)
    summary = f"Search space: {len(space)} hyperparameters, {size(space)}"
    listed = element("details", element("summary", summary), tree(space, MAX_CHOICES))
    return join((element("h2", "Settings"), _facts(lines), listed))


def _goal(history: History) -> list[tuple[str, str]]:
    """Return what is minimised, and each constraint with the evaluations that violate it."""
    goal = history.goal
    names = [goal.measure.name if name == COST else name for name in goal.objectives]
    lines = [("minimised", ", ".join(names))]
    successes = [e for e in history.evaluations if e.succeeded]
    for constraint in goal.constraints:
        violated = sum(constraint.violation(goal.value(e, constraint.name)) > 0 for e in successes)
        effect = f"violated by {violated} of {len(successes)} evaluations"
        lines.append(("constraint", f"{constraint}, {effect}"))
    if history.refused:
        number = len(history.refused)
        lines.append(("refused", f"{number} networks that violate a constraint before training"))
    return lines


def _described(part: Any) -> str:
    """Return a class with its settings, as the manifest records them."""
    if not isinstance(part, Mapping):
        return str(part)
    settings = [f"{name}={_described(value)}" for name, value in part.items() if name != "class"]
    return f"{part.get('class', '')}({', '.join(settings)})" if settings else str(part["class"])


def _trials(subject: Subject) -> Html:
    heading = element("h2", "Trials")
    history = subject.history
    if not len(history):
        return join((heading, element("p", "Nothing has been evaluated yet.", class_="soft")))
    measure = history.goal.measure.name
    titles = join(
        element(
            "th",
            element("button", measure if name == "cost" else name, type="button"),
            scope="col",
            **({"class_": "number"} if name in NUMERIC_COLUMNS else {}),
        )
        for name in COLUMNS
    )
    body = [_row(e, e is subject.best, history.cost_text(e)) for e in history.evaluations]
    head = element("thead", element("tr", titles))
    written = element("table", head, element("tbody", *body), class_="trials")
    note = element("p", "Click a heading to sort by that column.", class_="soft")
    words = "Search, for instance: crashed conv3x3"
    box = element("input", type="search", class_="search", placeholder=words, aria_label=words)
    box = Html(box.removesuffix("</input>"))
    search = element("p", box, element("output", class_="soft shown"))
    sideways = element("p", "The table scrolls sideways →", class_="soft sideways")
    return join((heading, note, search, sideways, element("div", written, class_="scroll")))


def _row(evaluation: Evaluation, best: bool, cost: str) -> Html:
    trial, parent = evaluation.trial, evaluation.trial.parent
    numbers: list[tuple[float, str]] = [
        (trial.number, str(trial.number)),
        (-1, "") if parent is None else (parent, str(parent)),
        (trial.budget, f"{trial.budget:g}"),
        (evaluation.cost, cost),
        (evaluation.seconds, f"{evaluation.seconds:.2f}"),
        (trial.seed, str(trial.seed)),
    ]
    cells = [
        # JavaScript reads 'Infinity' where Python writes 'inf'.
        element("td", text, class_="number", data_value=f"{number}".replace("inf", "Infinity"))
        for number, text in numbers
    ]
    cells += [element("td", evaluation.status_text), element("td", choices(trial.configuration))]
    kind = "best" if best else "" if evaluation.succeeded else "failed"
    return element("tr", *cells, **({"class_": kind} if kind else {}))


def _failures(history: History) -> Html:
    failed = [evaluation for evaluation in history.evaluations if not evaluation.succeeded]
    heading = element("h2", "Failures")
    if not failed:
        return join((heading, element("p", "None.", class_="soft")))
    # Each reason is listed once, with all the trials that failed for it.
    reasons: dict[tuple[str, str], list[int]] = {}
    for evaluation in failed:
        reason = without_folders(evaluation.error or "").strip() or "no reason was recorded"
        reasons.setdefault((evaluation.status, reason), []).append(evaluation.trial.number)
    details = []
    for (kind, reason), numbers in reasons.items():
        trials = f"trial{'' if len(numbers) == 1 else 's'} {', '.join(map(str, numbers))}"
        last = reason.splitlines()[-1]
        summary = element("summary", element("b", kind), f", {trials}: {last}")
        details.append(element("details", summary, element("pre", reason)))
    return join((heading, *details))


def _versions(subject: Subject) -> Html:
    versions = subject.settings.get("versions", {})
    lines = [(str(name), str(version)) for name, version in versions.items()]
    seeds = sorted({trial.seed for trial in subject.history.trials})
    if "seed" in subject.settings:
        lines.append(("seed of the search", str(subject.settings["seed"])))
    if seeds:
        lines.append(("seeds of trials", ", ".join(map(str, seeds))))
    if not lines:
        return Html()
    return join((element("h2", "Versions and seeds"), _facts(lines)))
