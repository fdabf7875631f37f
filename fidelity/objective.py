"""Calls of an objective: any function of a configuration that returns a cost.

Only the arguments that its signature names are passed, so that `def f(x)`, SMAC's
`def train(config, seed, budget)` and a full `def f(configuration, budget, seed, context)` all work
unchanged.
"""

from __future__ import annotations

import inspect
import math
import os
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from numbers import Real
from typing import Any

from ConfigSpace import Configuration

from fidelity.checkpoint import Checkpoint
from fidelity.history.goal import Goal
from fidelity.history.metrics import checked, scalar, shown
from fidelity.history.result import (
    Diverged as Diverged,
)
from fidelity.history.result import (
    InvalidArchitecture as InvalidArchitecture,
)
from fidelity.history.result import (
    MissingValue as MissingValue,
)
from fidelity.history.result import (
    Objective as Objective,
)
from fidelity.history.result import (
    ObjectiveError as ObjectiveError,
)
from fidelity.history.result import (
    ProcessLost as ProcessLost,
)
from fidelity.history.result import (
    Result as Result,
)
from fidelity.history.trial import Evaluation, Status, Trial
from fidelity.ranks import ALONE, Ranks

CONFIGURATION = ("configuration", "config")
OTHERS = ("budget", "seed", "context")

MISSING = "MissingValue: "
"""The prefix of an evaluation's error when an objective or a constrained quantity is missing."""


@dataclass
class Context:
    """Resources of an objective while it runs.

    Attributes:
        checkpoint: of the trial's last budget, and the place for its new one.
        device: to train on, as torch names devices; None leaves it to the objective.
        resumed: the total budget of the checkpoint that is resumed; 0 if there is none.
        curve: the reported pairs (step, cost).
        ranks: the processes that train this trial's network together.
    """

    checkpoint: Checkpoint = field(default_factory=Checkpoint)
    device: str | None = None
    resumed: float = 0.0
    curve: list[tuple[float, float]] = field(default_factory=list)
    ranks: Ranks = ALONE

    def report(self, step: float, cost: float) -> None:
        """Record a point of the learning curve.

        Of more than 1000 points, the evaluation keeps 1000 evenly spaced ones.

        Args:
            step: units of budget, a total and not an increment.
            cost: after that step.
        """
        self.curve.append((float(step), float(cost)))

    def again(self) -> Context:
        """Return the context of a retry, which resumes from the last attempt's checkpoint."""
        return Context(self.checkpoint.again(), self.device, self.resumed)


def accepted_arguments(objective: Objective) -> tuple[str, ...]:
    """Return the parameters of `objective` that receive an argument.

    `budget`, `seed`, `context` and `configuration` (or `config`) are recognised by name. Without
    the last, the first required parameter, or else the very first one, gets the configuration.

    Raises:
        ObjectiveError: it is not callable, takes no configuration, or needs something else.
    """
    if not callable(objective):
        raise ObjectiveError(f"an objective is a function, not {objective!r}")
    if inspect.isclass(objective):
        raise ObjectiveError(
            f"the objective is the class {objective.__name__}, but a function or an object is "
            f"expected: make one, as in {objective.__name__}(...)"
        )
    parameters = inspect.signature(objective).parameters.values()
    by_name = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    names = [p.name for p in by_name]
    configuration = [name for name in names if name in CONFIGURATION]
    if not configuration:
        free = [p for p in by_name if p.name not in OTHERS]
        required = [p.name for p in free if p.default is p.empty]
        first = [p.name for p in free if p.name == names[0] and p.kind is not p.KEYWORD_ONLY]
        configuration = (required or first)[:1]
    accepted = tuple(name for name in names if name in (*configuration, *OTHERS))
    for parameter in parameters:
        variable = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        if parameter.default is parameter.empty and parameter.name not in accepted and not variable:
            raise ObjectiveError(
                f"the objective needs an argument '{parameter.name}', but only a configuration, "
                f"{', '.join(OTHERS)} are passed by name: give it a default, or bind it with "
                "functools.partial"
            )
    if not configuration:
        raise ObjectiveError(
            "the objective takes no configuration: its first parameter receives it, or the one "
            "named 'configuration' or 'config'"
        )
    return accepted


def takes_seed(objective: Objective) -> bool:
    """Return whether the signature of `objective` names a seed."""
    return "seed" in accepted_arguments(objective)


def deterministic(objective: Objective) -> bool:
    """Return whether `objective` declares `deterministic = True`: its costs ignore the seed."""
    return bool(getattr(objective, "deterministic", False))


def resumes(objective: Objective) -> bool:
    """Return whether `objective` resumes from checkpoints: unless it declares `resumes = False`.

    One that does not gets no checkpoint, and a promotion spends its total budget.
    """
    return bool(getattr(objective, "resumes", True))


def arguments_for(objective: Objective, trial: Trial, context: Context) -> dict[str, Any]:
    """Return the keyword arguments for a call of `objective`.

    Args:
        objective: its signature names them.
        trial: to evaluate.
        context: of the call.

    Raises:
        ObjectiveError: the objective cannot be called with these.
    """
    # A copy, so that an objective that changes it does not change what is recorded.
    given = trial.configuration
    copy = Configuration(given.config_space, vector=given.get_array().copy())
    offered = {"budget": trial.budget, "seed": trial.seed, "context": context}
    return {name: offered.get(name, copy) for name in accepted_arguments(objective)}


def evaluate(objective: Objective, trial: Trial, context: Context) -> Evaluation:
    """Return the evaluation of `trial`; a failure of the objective becomes its status.

    Args:
        objective: called in this process.
        trial: to evaluate.
        context: of the call.

    Raises:
        ObjectiveError: the objective cannot be called.
    """
    arguments = arguments_for(objective, trial, context)
    start = time.monotonic()
    process = os.getpid()
    try:
        evaluation = interpret(trial, objective(**arguments))
    except MissingValue as error:
        evaluation = Evaluation(trial, status=Status.CRASHED, error=f"{MISSING}{error}")
    except KeyboardInterrupt:  # by the user, who wants the run to end
        raise
    # Recorded with its traceback, so that the search continues; `sys.exit()` and other classes
    # derived from BaseException too.
    except BaseException as error:
        evaluation = Evaluation(trial, status=_status(error), error=traceback.format_exc())
    finally:
        if os.getpid() != process:  # a child that the objective forked would be a second search
            os._exit(0)
    return checked(
        replace(
            evaluation,
            curve=context.curve,  # type: ignore[arg-type]  # becomes a tuple of pairs there
            seconds=time.monotonic() - start,
            retrained=context.checkpoint.refused,
            unsaved=context.checkpoint.unsaved,
        )
    )


def interpret(trial: Trial, result: Result) -> Evaluation:
    """Return the evaluation for the result of an objective.

    Args:
        trial: the evaluated one.
        result: a cost, or a mapping with 'cost'.

    Raises:
        ObjectiveError: `result` is neither a number nor a mapping with a number 'cost'.
    """
    metrics: dict[str, Any] = {}
    cost: object = result
    if isinstance(result, Mapping):
        if "cost" not in result:
            names = shown(sorted(map(str, result)))
            raise ObjectiveError(f"the objective returned a mapping without 'cost': {names}")
        metrics = {name: value for name, value in result.items() if name != "cost"}
        cost = result["cost"]
    number = scalar(cost)
    if not isinstance(number, Real):
        raise ObjectiveError(
            "the objective returns a number to be minimised, or a mapping with 'cost', "
            f"but it returned {shown(result)}"
        )
    if not math.isfinite(number):
        reason = f"the cost is {number}"
        return Evaluation(trial, metrics=metrics, status=Status.DIVERGED, error=reason)
    return Evaluation(trial, cost=float(number), metrics=metrics)


def _status(error: BaseException) -> Status:
    if isinstance(error, InvalidArchitecture):
        return Status.INVALID
    if isinstance(error, Diverged):
        return Status.DIVERGED
    if isinstance(error, ProcessLost):
        return Status.LOST
    # torch.OutOfMemoryError is a RuntimeError, named here without importing torch.
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return Status.MEMORY
    if isinstance(error, RuntimeError) and "can't allocate memory" in str(error):
        return Status.MEMORY  # what torch raises on the CPU
    return Status.CRASHED


@dataclass(frozen=True, eq=False)
class WithGoal:
    """An objective whose results are completed for a goal.

    Attributes:
        objective: called with the arguments that its own signature names.
        goal: says which values a result needs.
    """

    objective: Objective
    goal: Goal

    @property
    def resumes(self) -> bool:
        """Whether the objective resumes from checkpoints."""
        return bool(getattr(self.objective, "resumes", True))

    def __call__(
        self, configuration: Configuration, budget: float, seed: int, context: Context
    ) -> Result:
        """Return the completed result of the objective.

        Args:
            configuration: of the trial.
            budget: of the trial.
            seed: of the trial.
            context: of the trial.
        """
        trial = Trial(0, configuration, "", budget, seed)
        result = self.objective(**arguments_for(self.objective, trial, context))
        return self.goal.completed(configuration, result)
