"""A table of the best evaluations, as HTML."""

from __future__ import annotations

from collections.abc import Sequence

from fidelity.history.html import choices
from fidelity.history.trial import Evaluation
from fidelity.tasks.task import Measure
from spaces.display.html import Html, table

BEST = 5
"""The number of evaluations in the table."""


def best_table(evaluations: Sequence[Evaluation], measure: Measure) -> Html:
    """Return the best of some evaluations, each network once; nothing where none succeeded.

    Args:
        evaluations: of any networks, at one budget.
        measure: of their costs.
    """
    best: dict[str, Evaluation] = {}
    for evaluation in sorted(evaluations, key=lambda e: e.cost):
        if evaluation.succeeded:
            best.setdefault(evaluation.trial.key, evaluation)
    rows = [
        (
            str(e.trial.number),
            measure.text(e.cost),
            f"{e.trial.budget:g}",
            f"{e.seconds:.2f}",
            choices(e.trial.configuration),
        )
        for e in list(best.values())[:BEST]
    ]
    columns = ("trial", measure.name, "budget", "seconds", "configuration")
    return table(columns, rows) if rows else Html()
