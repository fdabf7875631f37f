"""The goal of a search: its objectives and the constraints on its networks."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from numbers import Real
from typing import Any, TypeVar

import numpy as np
from ConfigSpace import Configuration

from fidelity.history.metrics import scalar, shown
from fidelity.history.result import Diverged, MissingValue, Objective, ObjectiveError, Result
from fidelity.history.trial import Evaluation
from fidelity.tasks.task import Measure

COST = "cost"
"""The default objective, and the name of a number that an objective returns alone."""

UNNAMED = Measure(COST)
"""The measure of costs of which no more is known."""

LARGEST_VIOLATION = 1e300
"""The cap of one violation, so that the sum over several constraints is finite."""

Values = TypeVar("Values", float, np.ndarray)

Computed = Mapping[str, Callable[[Configuration], float]]
"""Functions of the configuration by the name of the quantity, computable before training."""


class GoalError(ValueError):
    """Inconsistent objectives or constraints."""


@dataclass(frozen=True)
class Maximize:
    """An objective to be maximised: `objectives=(Maximize("accuracy"), "parameters")`.

    Its cost is the negated value. Metrics and constraints keep the original one.

    Attributes:
        name: of the quantity, as the objective returns it.

    Raises:
        GoalError: the name is 'cost', which is minimised by definition.
    """

    name: str

    def __post_init__(self) -> None:
        if self.name == COST:
            raise GoalError(
                f"'{COST}' is always minimised: return the value to be maximised under another "
                "name, for instance {'accuracy': 0.9}, and give Maximize('accuracy')"
            )


@dataclass(frozen=True)
class Constraint:
    """Bounds on a quantity of a network.

    The quantity is what the objective returns under that name, or what is computed of a
    configuration before training (`parameters`, for instance).

    Attributes:
        name: of the quantity; 'cost' is the returned cost.
        at_most: the upper bound.
        at_least: the lower bound.

    Raises:
        GoalError: there is no bound, or the bounds contradict.
    """

    name: str
    at_most: float | None = None
    at_least: float | None = None

    def __post_init__(self) -> None:
        bounds = [bound for bound in (self.at_least, self.at_most) if bound is not None]
        if not bounds or any(math.isnan(bound) for bound in bounds):
            raise GoalError(
                f"the constraint on '{self.name}' needs a number as at_most or at_least"
            )
        if bounds[0] > bounds[-1]:
            raise GoalError(
                f"no '{self.name}' is at least {self.at_least} and at most {self.at_most}"
            )

    def violation(self, value: float) -> float:
        """Return the excess over the bound relative to it; 0 if satisfied.

        It is at most `LARGEST_VIOLATION`, which is also the violation of a quantity that is not
        finite: that of a network that cannot be trained.
        """
        if not math.isfinite(value):
            return LARGEST_VIOLATION
        excess = 0.0
        if self.at_most is not None:
            excess = max(excess, (value - self.at_most) / (abs(self.at_most) or 1.0))
        if self.at_least is not None:
            excess = max(excess, (self.at_least - value) / (abs(self.at_least) or 1.0))
        return min(excess, LARGEST_VIOLATION)

    def __str__(self) -> str:
        lower = "" if self.at_least is None else f"{self.at_least:g} <= "
        upper = "" if self.at_most is None else f" <= {self.at_most:g}"
        return f"{lower}{self.name}{upper}"


@dataclass(frozen=True)
class Goal:
    """The objectives of a search and its constraints.

    Attributes:
        objectives: names of returned or computed quantities; the cost of the first one is the
            `cost` of an evaluation.
        constraints: on these or other quantities.
        computed: functions for quantities that follow from a configuration.
        maximised: the names among the objectives whose costs are the negated values.
        measure: the meaning of the cost, for reports and plots.

    Raises:
        GoalError: there is no objective, one is named twice, or constraints contradict.
    """

    objectives: tuple[str, ...] = (COST,)
    constraints: tuple[Constraint, ...] = ()
    computed: Computed = field(default_factory=dict, compare=False)
    maximised: tuple[str, ...] = ()
    measure: Measure = field(default=UNNAMED, compare=False)
    _computed: dict[bytes, dict[str, float]] = field(  # by configuration
        init=False, default_factory=dict, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        if not self.objectives or len(set(self.objectives)) < len(self.objectives):
            raise GoalError(f"objectives are one name or several, each once: {self.objectives}")
        named = [*self.objectives[1:], *(c.name for c in self.constraints)]
        if COST in named and self.objectives[0] != COST:
            raise GoalError(
                f"'{COST}' is to be the first objective where it is one or has a constraint, "
                "because the cost of an evaluation is its first objective, here "
                f"'{self.objectives[0]}'"
            )
        for name in {constraint.name for constraint in self.constraints}:
            same = [constraint for constraint in self.constraints if constraint.name == name]
            most = min((c.at_most for c in same if c.at_most is not None), default=None)
            least = max((c.at_least for c in same if c.at_least is not None), default=None)
            Constraint(name, most, least)  # raises if they contradict

    @property
    def plain(self) -> bool:
        """Whether there is one objective and no constraint."""
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
        """The measured constraints: those that are not computable before training."""
        return tuple(c for c in self.constraints if c.name not in self.computed)

    def shown(self, name: str, value: Values) -> Values:
        """Return the original value of an objective's cost; applied twice, the cost again.

        Args:
            name: of the objective; any other quantity is returned unchanged.
            value: its cost, also an array of costs.
        """
        return 0.0 - value if name in self.maximised else value

    # Before an evaluation ---------------------------------------------------------------------

    def known(self, configuration: Configuration) -> Mapping[str, float]:
        """Return the computed quantities that objectives and constraints name."""
        vector = configuration.get_array().tobytes()
        if vector not in self._computed:
            self._computed[vector] = {
                name: float(self.computed[name](configuration))
                for name in sorted({*self._names} & set(self.computed))
            }
        return self._computed[vector]

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
        """Return whether a configuration satisfies all constraints computable before training."""
        return self.known_violation(configuration) == 0.0

    def known_violation(self, configuration: Configuration) -> float:
        """Return the sum of the violations computable before training."""
        known = self.known(configuration) if self.computed else {}
        return math.fsum(c.violation(known[c.name]) for c in self.constraints if c.name in known)

    # After an evaluation ----------------------------------------------------------------------

    def completed(self, configuration: Configuration, result: Result) -> Result:
        """Return a result with the computed quantities, and the first objective's cost.

        Args:
            configuration: the evaluated one.
            result: as the objective returned it.

        Raises:
            MissingValue: an objective or a constrained quantity is missing.
            ObjectiveError: one of them is not a number.
            Diverged: one of them is not finite.
        """
        if not self.named:
            return result
        values: dict[str, Any] = dict(result) if isinstance(result, Mapping) else {COST: result}
        values |= self.known(configuration)
        for name in self._names:
            values[name] = _number(name, values)
        values[COST] = self.shown(self.objectives[0], values[self.objectives[0]])
        return values

    def check(self, evaluation: Evaluation) -> None:
        """Check that a success has a value for each objective and constraint.

        Raises:
            MissingValue: one is missing.
        """
        if evaluation.succeeded:
            values = {**evaluation.metrics, COST: evaluation.cost}
            for name in self._names:
                _number(name, values)

    def costs(self, evaluation: Evaluation) -> tuple[float, ...]:
        """Return the costs of the objectives, all minimised; infinite for a failure."""
        if not evaluation.succeeded:
            return (math.inf,) * len(self.objectives)
        return tuple(self.shown(name, self.value(evaluation, name)) for name in self.objectives)

    def value(self, evaluation: Evaluation, name: str) -> float:
        """Return the original value of a quantity.

        Args:
            evaluation: a success.
            name: of an objective or of a constrained quantity.
        """
        # The ranked view (see `fidelity.history.ranking`) keeps the original cost in the metrics.
        return float(evaluation.metrics.get(name, evaluation.cost))

    def violation(self, evaluation: Evaluation) -> float:
        """Return the sum of the violations; infinite for a failure."""
        if not evaluation.succeeded:
            return math.inf
        return math.fsum(c.violation(self.value(evaluation, c.name)) for c in self.constraints)

    def feasible(self, evaluation: Evaluation) -> bool:
        """Return whether an evaluation succeeded and satisfies all constraints."""
        return evaluation.succeeded and (not self.constraints or self.violation(evaluation) == 0.0)

    # As JSON ----------------------------------------------------------------------------------

    def record(self) -> dict[str, Any]:
        """Return the goal as plain JSON values, without the computed quantities."""
        constraints = [
            {"name": c.name, "at_most": scalar(c.at_most), "at_least": scalar(c.at_least)}
            for c in self.constraints
        ]
        record = {"objectives": list(self.objectives), "constraints": constraints}
        return record | ({"maximised": list(self.maximised)} if self.maximised else {})

    @classmethod
    def read(cls, record: Mapping[str, Any], measure: Measure = UNNAMED) -> Goal:
        """Return the goal that `record` wrote.

        Args:
            record: objectives and constraints.
            measure: the meaning of the cost, which is no part of the record.
        """
        return cls(
            tuple(record["objectives"]),
            tuple(Constraint(**c) for c in record["constraints"]),
            maximised=tuple(record.get("maximised", ())),
            measure=measure,
        )


def goal(
    objective: Objective,
    objectives: Sequence[str | Maximize] | str | Maximize,
    constraints: Sequence[Constraint] | Constraint,
) -> Goal:
    """Return the goal of a search.

    Args:
        objective: its attribute `computed`, if it has one, computes quantities before training;
            its attribute `measure`, a `Measure`, says what its cost is.
        objectives: names of minimised quantities, or `Maximize`.
        constraints: on these or other quantities.

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
    if isinstance(objectives, str | Maximize):
        objectives = (objectives,)
    if not all(isinstance(entry, str | Maximize) for entry in objectives):
        raise GoalError(
            "objectives are names of what the objective returns, or Maximize(name), not "
            f"{tuple(objectives)}"
        )
    maximised = tuple(entry.name for entry in objectives if isinstance(entry, Maximize))
    names = tuple(entry.name if isinstance(entry, Maximize) else entry for entry in objectives)
    computed = getattr(objective, "computed", {})
    measure = getattr(objective, "measure", None)
    if names[:1] != (COST,) or not isinstance(measure, Measure):
        measure = UNNAMED
    return Goal(names, tuple(constraints), computed, maximised, measure)


def _number(name: str, values: Mapping[str, Any]) -> float:
    if name not in values:
        raise MissingValue(
            f"the objective returned no '{name}', but {shown(sorted(map(str, values)))}: return it "
            "under that name, or give the objective an attribute 'computed' that computes it"
        )
    value = values[name]
    number = scalar(value)
    if not isinstance(number, Real):
        raise ObjectiveError(
            f"'{name}' is to be a number, but the objective returned {shown(value)}"
        )
    if not math.isfinite(number):
        raise Diverged(f"'{name}' is {number}")
    return float(number)
