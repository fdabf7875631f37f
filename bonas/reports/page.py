"""The page of a report, section by section. Whatever is text is escaped by `element`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bonas.reports.figures import anytime_svg, picture
from bonas.reports.style import POLICY, SCRIPT, STYLE
from fidelity.history.history import History
from fidelity.history.html import choices, rows, without_folders
from fidelity.history.trial import Evaluation
from spaces.display.html import Html, element, join, size, table, tree
from spaces.space import Space, values

MOST_CHOICES = 400
"""Of the space, so many are listed."""

COLUMNS = ("trial", "continues", "budget", "cost", "seconds", "seed", "status", "configuration")
NUMBERS = 6
"""So many columns hold numbers."""


@dataclass(frozen=True)
class Subject:
    """What a report is about.

    Attributes:
        history: of the search.
        incumbent: the best evaluation.
        chosen: space, objective, strategy, schedule, seed and versions, as plain values; empty
            where they are not known.
        space: draws the incumbent, where it is known.
    """

    history: History
    incumbent: Evaluation | None
    chosen: Mapping[str, Any] = field(default_factory=dict)
    space: Space | None = None


def page(subject: Subject) -> str:
    """The whole page."""
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
            _incumbent(subject),
            element("h2", "Lowest cost so far"),
            anytime_svg(subject.history),
            _choices(subject),
            _trials(subject),
            _failures(subject.history),
            _versions(subject),
            element("script", Html(SCRIPT)),
        )
    )
    written = element("html", element("head", head), element("body", body), lang="en")
    return f"<!doctype html>\n{written}\n"


def _title(subject: Subject) -> str:
    """What was searched, in a few words."""
    names = [
        str(subject.chosen[part].get("class", ""))
        for part in ("space", "strategy", "schedule")
        if part in subject.chosen
    ]
    return f"Search report: {' × '.join(names)}" if names else "Search report"


def _tiles(subject: Subject) -> Html:
    history, best = subject.history, subject.incumbent
    failed = sum(not evaluation.succeeded for evaluation in history.evaluations)
    networks = len(history.keys())
    tiles = [
        (best.cost_text if best else "–", "lowest cost"),
        (str(len(history)), "evaluations"),
        (str(networks), "network" if networks == 1 else "different networks"),
        (f"{history.resource:g}", "budget spent"),
        (str(failed), "failure" if failed == 1 else "failures"),
    ]
    if history.pending:
        tiles.append((str(len(history.pending)), "pending"))
    made = [
        element("div", element("b", number), element("span", label), class_="tile")
        for number, label in tiles
    ]
    return element("div", *made, class_="tiles")


def _facts(lines: list[tuple[str, str]]) -> Html:
    return element("div", table(("", ""), lines), class_="facts")


def _incumbent(subject: Subject) -> Html:
    heading = element("h2", "Incumbent")
    best = subject.incumbent
    if best is None:
        return join((heading, element("p", "Nothing has succeeded yet.", class_="soft")))
    trial = best.trial
    drawn = Html()
    if subject.space is not None:
        drawn = picture(subject.space.architecture(trial.configuration))
    lines = [
        ("trial", str(trial.number)),
        ("cost", f"{best.cost:.6g}"),
        ("budget", f"{trial.budget:g}"),
        ("network", trial.key),
    ]
    measured = {str(name): _short(value) for name, value in best.metrics.items()}
    lines[3:3] = rows("metrics", measured, lines)
    chosen = [(name, str(value)) for name, value in values(trial.configuration).items()]
    details = element("details", element("summary", "Its configuration"), _facts(chosen))
    return join((heading, drawn, _facts(lines), details))


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _choices(subject: Subject) -> Html:
    space = subject.history.space
    lines = [
        (part, _described(subject.chosen[part]))
        for part in ("space", "objective", "strategy", "schedule", "seed")
        if part in subject.chosen
    ]
    counted = f"The space: {len(space)} choices, {size(space)}"
    listed = element("details", element("summary", counted), tree(space, MOST_CHOICES))
    return join((element("h2", "Choices made"), _facts(lines) if lines else Html(), listed))


def _described(part: Any) -> str:
    """A class with its settings, as the header of a history has them."""
    if not isinstance(part, Mapping):
        return str(part)
    settings = [
        f"{name}={_described(value)}" for name, value in part.items() if name not in ("class",)
    ]
    return f"{part.get('class', '')}({', '.join(settings)})" if settings else str(part["class"])


def _trials(subject: Subject) -> Html:
    heading = element("h2", "Trials")
    if not len(subject.history):
        return join((heading, element("p", "Nothing has been evaluated yet.", class_="soft")))
    titles = join(
        element(
            "th",
            element("button", name, type="button"),
            scope="col",
            **({"class_": "number"} if place < NUMBERS else {}),
        )
        for place, name in enumerate(COLUMNS)
    )
    body = [_row(e, e is subject.incumbent) for e in subject.history.evaluations]
    written = element(
        "table",
        element("thead", element("tr", titles)),
        element("tbody", *body),
        class_="trials",
    )
    note = element("p", "Press a heading to sort by it.", class_="soft")
    return join((heading, note, element("div", written, class_="scroll")))


def _row(evaluation: Evaluation, best: bool) -> Html:
    trial, parent = evaluation.trial, evaluation.trial.parent
    numbers: list[tuple[float, str]] = [
        (trial.number, str(trial.number)),
        (-1, "") if parent is None else (parent, str(parent)),
        (trial.budget, f"{trial.budget:g}"),
        (evaluation.cost, evaluation.cost_text),
        (evaluation.seconds, f"{evaluation.seconds:.2f}"),
        (trial.seed, str(trial.seed)),
    ]
    cells = [
        # JavaScript's own word for what Python writes 'inf'.
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
    # The same reason is told once, with all the trials that it ended.
    reasons: dict[tuple[str, str], list[int]] = {}
    for evaluation in failed:
        reason = without_folders(evaluation.error or "").strip() or "no reason was recorded"
        reasons.setdefault((evaluation.status, reason), []).append(evaluation.trial.number)
    told = []
    for (how, reason), numbers in reasons.items():
        many = f"trial{'' if len(numbers) == 1 else 's'} {', '.join(map(str, numbers))}"
        last = reason.splitlines()[-1]
        summary = element("summary", element("b", how), f", {many}: {last}")
        told.append(element("details", summary, element("pre", reason)))
    return join((heading, *told))


def _versions(subject: Subject) -> Html:
    versions = subject.chosen.get("versions", {})
    lines = [(str(name), str(version)) for name, version in versions.items()]
    seeds = sorted({trial.seed for trial in subject.history.trials})
    if "seed" in subject.chosen:
        lines.append(("seed of the search", str(subject.chosen["seed"])))
    if seeds:
        lines.append(("seeds of trials", ", ".join(map(str, seeds))))
    if not lines:
        return Html()
    return join((element("h2", "Versions and seeds"), _facts(lines)))
