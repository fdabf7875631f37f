"""What is known of architectures at all budgets: one surrogate of costs, one of spending rates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from ConfigSpace import Configuration
from jaxtyping import Float

from bonas.strategies.spending import Spending, budget_spent
from bonas.surrogates.observations import Observations, running
from bonas.surrogates.transform import Transform
from bonas.surrogates.tuning import Tuning
from fidelity.history.history import History
from spaces.encoding import Encoder, Layout

if TYPE_CHECKING:
    from torch import Tensor

    from bonas.surrogates.surrogate import Surrogate
    from fidelity.botorch import Model


@dataclass
class Memory:
    """What was tuned before; it changes how long a fit takes, and nothing else."""

    costs: Tuning = field(default_factory=Tuning)
    rates: Tuning = field(default_factory=Tuning)


@dataclass(frozen=True)
class Joint:
    """A surrogate over architecture and budget, and predicted spending, fitted to a history.

    Attributes:
        model: of targets that are maximised, over rows whose last column is the budget.
        rows: of the configurations that the model was made for, without budgets.
        log_rates: the expected logarithm of what each row spends per unit of budget.
        budgets: the lowest and the highest.
        resumes: a higher budget continues a lower one, or else trains anew.
    """

    model: Model
    rows: Float[Tensor, "m d"]
    log_rates: Float[Tensor, " m"]
    budgets: tuple[float, float]
    resumes: bool

    def at(self, budget: float) -> Float[Tensor, "m d+1"]:
        """The rows at one budget."""
        import torch

        column = torch.full_like(self.rows[:, :1], scaled(budget, self.budgets))
        return torch.cat([self.rows, column], 1)


def scaled(budget: float, budgets: tuple[float, float]) -> float:
    """The logarithm of a budget, from 0 at the lowest to 1 at the highest."""
    low, high = budgets
    return math.log(budget / low) / math.log(high / low) if high > low else 1.0


def fit(
    surrogate: Surrogate,
    transform: Transform,
    encoder: Encoder,
    history: History,
    candidates: Sequence[Configuration],
    budgets: tuple[float, float],
    memory: Memory,
    spending: Spending = budget_spent,
) -> Joint:
    """Fit both surrogates to everything in `history`; what runs confirms what is believed of it.

    Args:
        surrogate: learns costs over architecture and budget, and spending over architectures.
        transform: what is learned instead of the costs, over all budgets together.
        encoder: of the space.
        history: with one evaluation or more.
        candidates: the rows of the result.
        budgets: the lowest and the highest of the search.
        memory: of this search.
        spending: what each evaluation spent.
    """
    import torch

    from bonas.surrogates.surrogate import mean

    observed = Observations(history.evaluations)
    pending = running(history)
    waiting = [trial.configuration for trial in pending]
    encoding = encoder.encode([*observed.configurations, *waiting, *candidates])
    rows = torch.from_numpy(encoding.rows)
    n = len(observed)
    at = [e.trial.budget for e in observed.evaluations] + [trial.budget for trial in pending]
    column = torch.tensor([scaled(budget, budgets) for budget in at], dtype=rows.dtype)
    known = torch.cat([rows[: len(at)], column[:, None]], 1)
    columns = rows.shape[1]
    layout = replace(encoding.layout, budget=slice(columns, columns + 1))
    targets = torch.from_numpy(transform(observed.costs))[:, None]
    chosen = memory.costs.tuned(
        surrogate, observed.numbers, known[:n], observed.costs, transform, layout
    )
    model = chosen.fit(known[:n], targets, layout)
    if pending:
        with torch.no_grad():
            model = model.condition_on_observations(known[n:], mean(model, known[n:]))
    log_rates = _log_rates(surrogate, history, rows, encoding.layout, memory, spending)[len(at) :]
    return Joint(model, rows[len(at) :], log_rates, budgets, history.resumes)


def _log_rates(
    surrogate: Surrogate,
    history: History,
    rows: Float[Tensor, "n d"],
    layout: Layout,
    memory: Memory,
    spending: Spending,
) -> Float[Tensor, " n"]:
    """The expected logarithm of what each row spends per unit of budget.

    It is the same for all rows where all evaluations spent at one rate, and 0 where none is known.
    """
    import torch

    from bonas.surrogates.surrogate import mean

    spent = {
        place: spending(history, evaluation) / budget
        for place, evaluation in enumerate(history.evaluations)
        if (budget := history.spent(evaluation)) > 0
    }
    rates = {place: rate for place, rate in spent.items() if 0 < rate < math.inf}
    logs = np.log(list(rates.values()) or [1.0])
    if np.ptp(logs) == 0:
        return torch.full((len(rows),), float(logs[0]), dtype=torch.float64)
    places = list(rates)
    targets = torch.from_numpy(logs)[:, None]
    numbers = tuple(history.evaluations[place].trial.number for place in places)
    chosen = memory.rates.tuned(surrogate, numbers, rows[places], logs, np.asarray, layout)
    with torch.no_grad():
        return mean(chosen.fit(rows[places], targets, layout), rows)[:, 0]
