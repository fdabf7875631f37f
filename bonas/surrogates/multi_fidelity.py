"""One surrogate of costs at all budgets, and one of what training spends per unit of budget."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from ConfigSpace import Configuration
from jaxtyping import Float

from bonas.surrogates.observations import Observations, pending
from bonas.surrogates.transform import Transform
from bonas.surrogates.tuning import Tuning
from fidelity.history.history import History
from fidelity.history.trial import Evaluation
from spaces.encoding import Encoder, Encoding, Layout

if TYPE_CHECKING:
    from torch import Tensor

    from bonas.surrogates.budget_grid import GridPosterior
    from bonas.surrogates.surrogate import Surrogate
    from fidelity.botorch import Model


Spending = Callable[[History, Evaluation], float]
"""Returns what an evaluation spent, in any unit; 0 where it is not known.

A strategy predicts from it what each network spends per unit of budget. Decisions depend on it, so
a search is reproducible only if it returns the same in every run. Besides the functions in
`bonas.strategies.spending`, any other is possible, for instance one that multiplies
`history.spent(evaluation)` by the multiply-adds in `evaluation.metrics`.
"""

Extension = Callable[[Encoding, History, Sequence[Evaluation], Sequence[Configuration]], Encoding]
"""Adds columns to an encoding: see `bonas.strategies.prior_knowledge.PriorKnowledge.extended`."""


def unchanged(
    encoding: Encoding,
    history: History,
    evaluations: Sequence[Evaluation],
    configurations: Sequence[Configuration],
) -> Encoding:
    """Return the encoding as it is.

    Args:
        encoding: of the configurations.
        history: of the search.
        evaluations: to which the surrogate is fitted.
        configurations: one per row.
    """
    return encoding


DECAY = 0.5
"""The power of the budget that errors fall with. On `MNIST1DCells` it gives 1, 3 and 9 epochs
correlations with 27 like those measured (0.54, 0.78, 0.95), where the logarithm of the budget
makes equal steps of them."""


@dataclass
class JointTuning:
    """The tuned hyperparameters of both surrogates, kept from one fit to the next."""

    costs: Tuning = field(default_factory=Tuning)
    rates: Tuning = field(default_factory=Tuning)


@dataclass(frozen=True)
class Joint:
    """A surrogate over architecture and budget, and predicted spending, fitted to a history.

    Attributes:
        model: of targets that are maximised, over rows whose last column is the budget.
        rows: of the candidates, without budgets.
        log_rates: the expected logarithm of what each row spends per unit of budget.
        budgets: the lowest and the highest.
        resumes: whether a higher budget resumes a lower one instead of training from scratch.
    """

    model: Model
    rows: Float[Tensor, "m d"]
    log_rates: Float[Tensor, " m"]
    budgets: tuple[float, float]
    resumes: bool

    def at(self, budget: float) -> Float[Tensor, "m d+1"]:
        """Return the rows at one budget."""
        import torch

        column = torch.full_like(self.rows[:, :1], scaled(budget, self.budgets))
        return torch.cat([self.rows, column], 1)

    def over(self, budgets: Sequence[float]) -> GridPosterior:
        """Return the posterior of the rows at all of these budgets."""
        import torch

        from bonas.surrogates.budget_grid import grid_posterior

        column = torch.tensor([scaled(budget, self.budgets) for budget in budgets])
        return grid_posterior(self.model, self.rows, column.to(self.rows))


def scaled(budget: float, budgets: tuple[float, float]) -> float:
    """Return the position of a budget on a curve of power law, from 0 at the lowest to 1.

    Errors fall about as a power of the budget, so they are closer to linear in this than in the
    budget or its logarithm, and high budgets tell more about each other than low ones do.

    Args:
        budget: between the two.
        budgets: the lowest and the highest.
    """
    low, high = budgets
    if high <= low:
        return 1.0
    position: float = (1 - (low / budget) ** DECAY) / (1 - (low / high) ** DECAY)
    return position


def fit(
    surrogate: Surrogate,
    transform: Transform,
    encoder: Encoder,
    history: History,
    candidates: Sequence[Configuration],
    budgets: Sequence[float],
    tuning: JointTuning,
    spending: Spending = History.spent,
    extended: Extension = unchanged,
) -> Joint:
    """Fit both surrogates to all of `history`; running trials return their posterior means.

    Args:
        surrogate: of costs over architecture and budget, and of spending over architectures.
        transform: maps the costs at all budgets together to the surrogate's targets.
        encoder: of the space.
        history: with one evaluation or more.
        candidates: the rows of the result.
        budgets: of the search, ascending. A learning curve that was resumed, or will be, counts
            as an observation at each of them that it passes.
        tuning: of this search.
        spending: what each evaluation spent; its budget by default.
        extended: adds what is known from elsewhere to the rows of the costs' surrogate.
    """
    import torch

    from bonas.surrogates.surrogate import marginal_mean

    ends = budgets[0], budgets[-1]
    observed = Observations(_with_passed(history, budgets))
    running = pending(history)
    waiting = [trial.configuration for trial in running]
    configurations = [*observed.configurations, *waiting, *candidates]
    plain = encoder.encode(configurations)
    encoding = extended(plain, history, observed.evaluations, configurations)
    rows = torch.from_numpy(encoding.rows)
    n = len(observed)
    at = [e.trial.budget for e in observed.evaluations] + [trial.budget for trial in running]
    column = torch.tensor([scaled(budget, ends) for budget in at], dtype=rows.dtype)
    inputs = torch.cat([rows[: len(at)], column[:, None]], 1)
    columns = rows.shape[1]
    layout = replace(encoding.layout, budget=slice(columns, columns + 1))
    targets = torch.from_numpy(transform(observed.costs))[:, None]
    tuned = tuning.costs.tuned(
        surrogate, observed.numbers, inputs[:n], observed.costs, transform, layout
    )
    model = tuned.fit(inputs[:n], targets, layout)
    if running:
        with torch.no_grad():
            model = model.condition_on_observations(inputs[n:], marginal_mean(model, inputs[n:]))
    networks = rows[len(at) :]
    row_of = {e.trial.number: row for row, e in enumerate(observed.evaluations)}
    evaluated = [row_of[evaluation.trial.number] for evaluation in history.evaluations]
    alone = torch.from_numpy(plain.rows)
    split = alone[evaluated], alone[len(at) :]
    rates = _log_rates(surrogate, history, *split, plain.layout, tuning.rates, spending)
    return Joint(model, networks, rates, ends, history.resumes)


def _with_passed(history: History, budgets: Sequence[float]) -> list[Evaluation]:
    """Return the evaluations, and before each of them the budgets that its learning curve passed.

    Only where training resumes: without, a shorter training run may have another learning rate.
    """
    if not history.resumes:
        return list(history.evaluations)
    return [e for last in history.evaluations for e in (*_passed(last, budgets), last)]


def _passed(evaluation: Evaluation, budgets: Sequence[float]) -> Iterator[Evaluation]:
    """Yield the evaluation as it would have ended at each lower budget of its own curve."""
    trial, curve = evaluation.trial, evaluation.curve
    first = curve[0][0] * (1 - 1e-9) if curve and evaluation.succeeded else math.inf
    for budget in budgets[bisect_left(budgets, first) :]:
        # Budgets of a schedule are quotients, which may miss a step by a rounding error.
        position = bisect_left(curve, (budget * (1 - 1e-9),))
        if position < len(curve) and budget < trial.budget * (1 - 1e-9):
            step, cost = curve[position]
            if math.isclose(step, budget):
                yield replace(evaluation, trial=replace(trial, budget=budget), cost=cost)


def _log_rates(
    surrogate: Surrogate,
    history: History,
    evaluated: Float[Tensor, "n d"],
    rows: Float[Tensor, "m d"],
    layout: Layout,
    tuning: Tuning,
    spending: Spending,
) -> Float[Tensor, " m"]:
    """Return the expected logarithm of what each of `rows` spends per unit of budget.

    It is the same for all rows where all evaluations spent at one rate, and 0 where none is known.
    """
    import torch

    from bonas.surrogates.surrogate import marginal_mean

    spent = {
        row: spending(history, evaluation) / budget
        for row, evaluation in enumerate(history.evaluations)
        if (budget := history.spent(evaluation)) > 0
    }
    rates = {row: rate for row, rate in spent.items() if 0 < rate < math.inf}
    logs = np.log(list(rates.values()) or [1.0])
    if np.ptp(logs) == 0:
        return torch.full((len(rows),), float(logs[0]), dtype=torch.float64)
    inputs = evaluated[list(rates)]
    numbers = tuple(history.evaluations[row].trial.number for row in rates)
    tuned = tuning.tuned(surrogate, numbers, inputs, logs, np.asarray, layout)
    with torch.no_grad():
        return marginal_mean(tuned.fit(inputs, torch.from_numpy(logs)[:, None], layout), rows)[:, 0]
