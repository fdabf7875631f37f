"""`bonas status DIRECTORY`: the settings and the progress of a search."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from bonas.search.directory import SearchDirectory
from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Trial
from spaces.space import values

MAX_PENDING_SHOWN = 8


def status(search: SearchDirectory) -> list[str]:
    """Return the lines that describe a search."""
    history, manifest = search.history, search.manifest
    best = history.incumbent
    within = " within all constraints" if history.closest is not None else ""
    lines = [
        str(search.path),
        f"space {_described(manifest.get('space', {}))}",
        f"objective {_described(manifest.get('objective', {}))}",
        f"strategy {_described(manifest.get('strategy', {}))}",
        f"schedule {_described(manifest.get('schedule', {}))}, seed {manifest.get('seed', '?')}",
        f"{len(history)} evaluations of {len(history.trials)} trials, "
        f"{history.resource:g} epochs spent in {_elapsed(history)} of the search",
        f"no success{within} yet" if best is None else best_line(history, best),
    ]
    if len(history.goal.objectives) > 1:
        lines.append(f"Pareto front: {len(history.pareto_front)} evaluations")
    counts = Counter(str(e.status) for e in history.evaluations)
    lines.append("status: " + (", ".join(f"{k} {n}" for k, n in counts.most_common()) or "-"))
    reused = sum(e.reused is not None for e in history.evaluations)
    lines.append(f"cached results reused: {reused}")
    lines += _pending(search)
    sizes = search.checkpoint_bytes()
    lines.append(f"checkpoints: {len(sizes)} files, {sum(sizes.values()) / 1e6:.1f} MB")
    lines.append(_writer(search))
    return lines


def best_line(history: History, evaluation: Evaluation) -> str:
    """Return the line that describes the best evaluation.

    Args:
        history: of the search.
        evaluation: the incumbent, or the one that the strategy recommends.
    """
    trial = evaluation.trial
    choices = ", ".join(f"{name}={value}" for name, value in values(trial.configuration).items())
    cost = f"best {history.goal.measure.name} {history.cost_text(evaluation)}"
    return f"{cost} at budget {trial.budget:g} (trial {trial.number}): {choices}"


def _elapsed(history: History) -> str:
    return _duration(max((e.started + e.seconds for e in history.evaluations), default=0.0))


def _pending(search: SearchDirectory) -> list[str]:
    pending = search.history.pending
    if not pending:
        return []
    lines = [
        _pending_line(trial, search.proposed.get(trial.number))
        for trial in pending[:MAX_PENDING_SHOWN]
    ]
    if more := len(pending) - len(lines):
        lines.append(f"  and {more} more")
    title = "running or next:" if search.running else "to be evaluated when the search resumes:"
    return [title, *lines]


def _pending_line(trial: Trial, proposed: float | None) -> str:
    line = f"  trial {trial.number} at budget {trial.budget:g}"
    if trial.parent is not None:
        line += f", resumes trial {trial.parent}"
    if proposed is not None:
        line += f", proposed {_duration(max(0.0, time.time() - proposed))} ago"
    return line


def _writer(search: SearchDirectory) -> str:
    if search.owner is None:
        return "no process is writing to it"
    if search.running:
        return f"in use by {search.owner}"
    return f"left by {search.owner}, which has ended"


def _described(description: Mapping[str, Any]) -> str:
    """Return a class with the settings that the manifest holds."""
    settings = [
        f"{name}={_described(value) if isinstance(value, dict) else value}"
        for name, value in description.items()
        if name not in ("class", "len") and not isinstance(value, list)
    ]
    return f"{description.get('class', '?')}({', '.join(settings)})"


def _duration(seconds: float) -> str:
    hours, rest = divmod(round(seconds), 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}"
