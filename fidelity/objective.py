"""The call of an objective: any function of a configuration that returns a cost.

Only the arguments that its signature names are passed, so that `def f(configuration)`,
SMAC's `def train(config, seed, budget)` and a full `def f(configuration, budget, seed, context)`
all work unchanged.
"""

from __future__ import annotations

import inspect
import math
import os
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from numbers import Real
from typing import Any

from ConfigSpace import Configuration

from fidelity.checkpoint import Checkpoint
from fidelity.history.metrics import checked, scalar, shown
from fidelity.history.trial import Evaluation, Status, Trial

Result = float | Mapping[str, Any]
Objective = Callable[..., Result]

ARGUMENTS = ("configuration", "config", "budget", "seed", "context")

MISSING = "MissingValue: "
"""How the error of an evaluation begins that lacks what the search minimises or constrains."""


class ObjectiveError(TypeError):
    """An objective that cannot be called, or that returned what is no cost."""


class MissingValue(ObjectiveError):
    """An objective that returned no value for what the search minimises or constrains."""


class InvalidArchitecture(ValueError):
    """Raised by an objective when there is nothing to train."""


class Diverged(ArithmeticError):
    """Raised by an objective when training gave something that is not a finite number."""


@dataclass
class Context:
    """What an objective may use while it runs.

    Attributes:
        checkpoint: what the same trial left at its last budget, and a place for this one's.
        device: where to train, as torch names devices; None leaves it to the objective.
        resumed: the total budget that the trial which this one continues was trained to; 0 for a
            new one, and where there is nothing left to continue from.
        curve: what was reported so far.
    """

    checkpoint: Checkpoint = field(default_factory=Checkpoint)
    device: str | None = None
    resumed: float = 0.0
    curve: list[tuple[float, float]] = field(default_factory=list)

    def report(self, step: float, cost: float) -> None:
        """Records the cost after `step` units of budget (a total, not an increment).

        Of more than 1000 reports, the evaluation keeps as many evenly spaced ones.
        """
        self.curve.append((float(step), float(cost)))

    def again(self) -> Context:
        """For another attempt at the same trial, which goes on from what the last one has left."""
        return Context(self.checkpoint.again(), self.device, self.resumed)


def accepted_arguments(objective: Objective) -> tuple[str, ...]:
    """Those of `ARGUMENTS` that the signature of `objective` names.

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
    accepted = []
    for name, parameter in inspect.signature(objective).parameters.items():
        if name in ARGUMENTS and parameter.kind is not parameter.POSITIONAL_ONLY:
            accepted.append(name)
        elif parameter.default is parameter.empty and parameter.kind in (
            parameter.POSITIONAL_ONLY,
            parameter.POSITIONAL_OR_KEYWORD,
            parameter.KEYWORD_ONLY,
        ):
            raise ObjectiveError(
                f"the objective needs an argument '{name}', but only {', '.join(ARGUMENTS)} are "
                "passed: give it a default, or bind it with functools.partial"
            )
    if "configuration" not in accepted and "config" not in accepted:
        raise ObjectiveError(
            "the objective takes no configuration: its first argument is named "
            "'configuration' (or 'config')"
        )
    return tuple(accepted)


def resumes(objective: Objective) -> bool:
    """Whether `objective` continues from checkpoints: unless it says `resumes = False`.

    One that doesn't gets no checkpoint, and a promotion spends its whole budget.
    """
    return bool(getattr(objective, "resumes", True))


def arguments_for(objective: Objective, trial: Trial, context: Context) -> dict[str, Any]:
    """What `objective` is called with on `trial`: the arguments that its signature names.

    Raises:
        ObjectiveError: the objective cannot be called with what there is.
    """
    # A copy, so that an objective that changes it changes nothing that is recorded.
    given = trial.configuration
    copied = Configuration(given.config_space, vector=given.get_array().copy())
    offered = {
        "configuration": copied,
        "config": copied,
        "budget": trial.budget,
        "seed": trial.seed,
        "context": context,
    }
    return {name: offered[name] for name in accepted_arguments(objective)}


def evaluate(objective: Objective, trial: Trial, context: Context) -> Evaluation:
    """Calls `objective` on `trial`; whatever happens in it becomes the evaluation's status."""
    arguments = arguments_for(objective, trial, context)
    start = time.monotonic()
    process = os.getpid()
    try:
        evaluation = interpret(trial, objective(**arguments))
    except MissingValue as error:
        evaluation = Evaluation(trial, status=Status.CRASHED, error=f"{MISSING}{error}")
    except KeyboardInterrupt:  # by the user, who wants the run to end
        raise
    # Recorded with its traceback, so that the search goes on; so is `sys.exit()`, and whatever a
    # library derives from BaseException.
    except BaseException as error:
        evaluation = Evaluation(trial, status=_status(error), error=traceback.format_exc())
    finally:
        if os.getpid() != process:  # a fork that the objective forgot would be a second search
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
    """The evaluation that a returned `result` means.

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
    # torch.OutOfMemoryError is a RuntimeError, named here without importing torch.
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return Status.MEMORY
    if isinstance(error, RuntimeError) and "can't allocate memory" in str(error):
        return Status.MEMORY  # what torch raises on the CPU
    return Status.CRASHED
