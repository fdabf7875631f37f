"""What a search is after: costs that are minimised, and limits that its networks have to keep."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

from ConfigSpace import Configuration

from fidelity.history.metrics import scalar, shown
from fidelity.history.trial import Evaluation
from fidelity.objective import Diverged, MissingValue, Objective, ObjectiveError, Result

COST = "cost"
LARGEST_VIOLATION = 1e300  # the sum over several constraints is still finite
"""The objective of a search that names none, and a number's name when an objective returns one."""

Computed = Mapping[str, Callable[[Configuration], float]]
"""Quantities that a configuration alone tells, before anything is trained, by their names."""


class GoalError(ValueError):
    """Objectives or constraints that no search can have."""


@dataclass(frozen=True)
class Constraint:
    """A limit on a quantity of a network.

    The quantity is what the objective returns under that name, or what is computed of a
    configuration before it is trained (`parameters`, for instance).

    Attributes:
        name: of the quantity; 'cost' is what the objective returns as that.
        at_most: the highest value that is allowed.
        at_least: the lowest one.

    Raises:
        GoalError: no limit is given, or none can be kept.
    """

    name: str
    at_most: float | None = None
    at_least: float | None = None

    def __post_init__(self) -> None:
        limits = [limit for limit in (self.at_least, self.at_most) if limit is not None]
        if not limits or any(math.isnan(limit) for limit in limits):
            raise GoalError(
                f"the constraint on '{self.name}' needs a number as at_most or at_least"
            )
        if limits[0] > limits[-1]:
            raise GoalError(
                f"no '{self.name}' is at least {self.at_least} and at most {self.at_most}"
            )

    def violation(self, value: float) -> float:
        """Return by which part of the limit a value is beyond it, at most `LARGEST_VIOLATION`.

        It is 0 where the limit is kept. A quantity that is not finite is that of a network that
        cannot be trained, which keeps no limit.
        """
        if not math.isfinite(value):
            return LARGEST_VIOLATION
        beyond = 0.0
        if self.at_most is not None:
            beyond = max(beyond, (value - self.at_most) / (abs(self.at_most) or 1.0))
        if self.at_least is not None:
            beyond = max(beyond, (self.at_least - value) / (abs(self.at_least) or 1.0))
        return min(beyond, LARGEST_VIOLATION)

    def __str__(self) -> str:
        lower = "" if self.at_least is None else f"{self.at_least:g} <= "
        upper = "" if self.at_most is None else f" <= {self.at_most:g}"
        return f"{lower}{self.name}{upper}"


@dataclass(frozen=True)
class Goal:
    """The objectives of a search, all minimised, and its constraints.

    Attributes:
        objectives: names of what the objective returns or what is computed; the first one is the
            `cost` of an evaluation.
        constraints: limits on these or other quantities.
        computed: how quantities follow from a configuration.

    Raises:
        GoalError: there is no objective, one is named twice, or constraints contradict.
    """

    objectives: tuple[str, ...] = (COST,)
    constraints: tuple[Constraint, ...] = ()
    computed: Computed = field(default_factory=dict, compare=False)
    _known: dict[bytes, dict[str, float]] = field(
        init=False, default_factory=dict, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        if not self.objectives or len(set(self.objectives)) < len(self.objectives):
            raise GoalError(f"objectives are one name or several, each once: {self.objectives}")
        named = [*self.objectives[1:], *(c.name for c in self.constraints)]
        if COST in named and self.objectives[0] != COST:
            raise GoalError(
                f"'{COST}' is to be the first objective where it is one or has a limit, because "
                f"the cost of an evaluation is its first objective, here '{self.objectives[0]}'"
            )
        for name in {constraint.name for constraint in self.constraints}:
            same = [constraint for constraint in self.constraints if constraint.name == name]
            most = min((c.at_most for c in same if c.at_most is not None), default=None)
            least = max((c.at_least for c in same if c.at_least is not None), default=None)
            Constraint(name, most, least)  # raises if they leave nothing between them

    @property
    def plain(self) -> bool:
        """Whether there is one objective and no limit."""
        return len(self.objectives) == 1 and not self.constraints

    @property
    def named(self) -> bool:
        """Whether results need more than a cost, or have their cost under another name."""
        return self.objectives != (COST,) or bool(self.constraints)

    @property
    def _names(self) -> tuple[str, ...]:
        return (*self.objectives, *(c.name for c in self.constraints))

    @property
    def measured(self) -> tuple[Constraint, ...]:
        """The constraints that only an evaluation can tell of."""
        return tuple(c for c in self.constraints if c.name not in self.computed)

    # Before an evaluation ---------------------------------------------------------------------

    def known(self, configuration: Configuration) -> Mapping[str, float]:
        """What is computed of a configuration, of all that objectives and constraints name."""
        name = configuration.get_array().tobytes()
        if name not in self._known:
            self._known[name] = {
                quantity: float(self.computed[quantity](configuration))
                for quantity in sorted({*self._names} & set(self.computed))
            }
        return self._known[name]

    def interruptible(self, check: Callable[[], None]) -> Goal:
        """Return this goal, with `check` called before a quantity is computed.

        Quantities that were computed already are shared.
        """

        def checked(compute: Callable[[Configuration], float]) -> Callable[[Configuration], float]:
            def after_check(configuration: Configuration) -> float:
                check()
                return compute(configuration)

            return after_check

        goal = copy(self)
        computed = {name: checked(compute) for name, compute in self.computed.items()}
        object.__setattr__(goal, "computed", computed)
        return goal

    def admits(self, configuration: Configuration) -> bool:
        """Whether a configuration keeps all limits of which that is known beforehand."""
        return self.known_violation(configuration) == 0.0

    def known_violation(self, configuration: Configuration) -> float:
        """The sum of what is known to be beyond the limits, in parts of them, before training."""
        known = self.known(configuration) if self.computed else {}
        return math.fsum(c.violation(known[c.name]) for c in self.constraints if c.name in known)

    # After an evaluation ----------------------------------------------------------------------

    def completed(self, configuration: Configuration, result: Result) -> Result:
        """The result of an objective with what was computed, and its first objective as cost.

        Raises:
            MissingValue: an objective or a constrained quantity is missing.
            ObjectiveError: one of them is no number.
            Diverged: one of them is not finite.
        """
        if not self.named:
            return result
        found: dict[str, Any] = dict(result) if isinstance(result, Mapping) else {COST: result}
        found |= self.known(configuration)
        for name in self._names:
            found[name] = _number(name, found)
        found[COST] = found[self.objectives[0]]
        return found

    def check(self, evaluation: Evaluation) -> None:
        """Check that a success has a value for all that is minimised or constrained.

        Raises:
            MissingValue: one is missing.
        """
        if evaluation.succeeded:
            found = {**evaluation.metrics, COST: evaluation.cost}
            for name in self._names:
                _number(name, found)

    def costs(self, evaluation: Evaluation) -> tuple[float, ...]:
        """The values of the objectives; infinite where it failed."""
        if not evaluation.succeeded:
            return (math.inf,) * len(self.objectives)
        return tuple(self.value(evaluation, name) for name in self.objectives)

    def value(self, evaluation: Evaluation, name: str) -> float:
        """A quantity of an evaluation that succeeded."""
        # The ranked view (see `fidelity.history.ranking`) keeps the original cost in the metrics.
        return float(evaluation.metrics.get(name, evaluation.cost))

    def violation(self, evaluation: Evaluation) -> float:
        """The sum of what is beyond the limits, in parts of them; infinite if it failed."""
        if not evaluation.succeeded:
            return math.inf
        return math.fsum(c.violation(self.value(evaluation, c.name)) for c in self.constraints)

    def feasible(self, evaluation: Evaluation) -> bool:
        """Whether it succeeded and keeps all limits."""
        return evaluation.succeeded and (not self.constraints or self.violation(evaluation) == 0.0)

    # As JSON ----------------------------------------------------------------------------------

    def record(self) -> dict[str, Any]:
        """As plain JSON values; what is computed is left out."""
        limits = [
            {"name": c.name, "at_most": scalar(c.at_most), "at_least": scalar(c.at_least)}
            for c in self.constraints
        ]
        return {"objectives": list(self.objectives), "constraints": limits}

    @classmethod
    def read(cls, record: Mapping[str, Any]) -> Goal:
        """The goal that `record` wrote."""
        return cls(
            tuple(record["objectives"]), tuple(Constraint(**c) for c in record["constraints"])
        )


def goal(
    objective: Objective,
    objectives: Sequence[str],
    constraints: Sequence[Constraint] | Constraint,
) -> Goal:
    """The goal of a search; what an objective can compute is in its attribute `computed`.

    Raises:
        GoalError: as `Goal`.
    """
    if isinstance(constraints, Constraint):
        constraints = (constraints,)
    for constraint in constraints:
        if not isinstance(constraint, Constraint):
            raise GoalError(
                "constraints are objects, such as Constraint('parameters', at_most=100_000), not "
                f"{constraint!r}"
            )
    names = (objectives,) if isinstance(objectives, str) else tuple(objectives)
    if not all(isinstance(name, str) for name in names):
        raise GoalError(f"objectives are names of what the objective returns, not {names}")
    return Goal(names, tuple(constraints), getattr(objective, "computed", {}))


class WithGoal:
    """An objective whose results are completed for a goal.

    Args:
        objective: is called as it is.
        goal: says what its results have to hold.
    """

    def __init__(self, objective: Objective, goal: Goal) -> None:
        self.objective = objective
        self.goal = goal
        self.__signature__ = inspect.signature(objective)
        self.resumes = bool(getattr(objective, "resumes", True))

    def __call__(self, *arguments: Any, **named: Any) -> Result:
        """What the objective returns, completed."""
        result = self.objective(*arguments, **named)
        bound = self.__signature__.bind(*arguments, **named).arguments
        configuration = bound["configuration" if "configuration" in bound else "config"]
        return self.goal.completed(configuration, result)


def _number(name: str, found: Mapping[str, Any]) -> float:
    if name not in found:
        raise MissingValue(
            f"the objective returned no '{name}', but {shown(sorted(map(str, found)))}: return it "
            "under that name, or give the objective an attribute 'computed' that computes it"
        )
    value = found[name]
    number = scalar(value)
    if not isinstance(number, Real):
        raise ObjectiveError(
            f"'{name}' is to be a number, but the objective returned {shown(value)}"
        )
    if not math.isfinite(number):
        raise Diverged(f"'{name}' is {number}")
    return float(number)
