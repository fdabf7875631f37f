"""Declaration of hierarchical choices in one ConfigSpace, and access to their values.

`ConfigurationSpace.add_configuration_space` does not prefix a name that already begins with the
prefix (ConfigSpace 1.2), so a motif within a motif of its own kind would lose its prefix, and it
attaches a subspace to one value of one parent only. Here a choice is declared in its scope, under
its full name and the conditions of the scope.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ConfigSpace import (
    AndConjunction,
    CategoricalHyperparameter,
    ConfigurationSpace,
    EqualsCondition,
    GreaterThanCondition,
    OrConjunction,
    OrdinalHyperparameter,
    UniformIntegerHyperparameter,
)
from ConfigSpace.hyperparameters import Hyperparameter
from ConfigSpace.types import NotSet

from spaces.space import SpaceError

DELIMITER = ":"


@dataclass(frozen=True)
class Is:
    """A condition: the choice has this value."""

    parent: Hyperparameter[Any, Any]
    value: Any

    def of(self, child: Hyperparameter[Any, Any]) -> Any:
        """Return the condition of ConfigSpace."""
        return EqualsCondition(child, self.parent, self.value)


@dataclass(frozen=True)
class Above:
    """A condition: the number is greater than this."""

    parent: Hyperparameter[Any, Any]
    value: Any

    def of(self, child: Hyperparameter[Any, Any]) -> Any:
        """Return the condition of ConfigSpace."""
        return GreaterThanCondition(child, self.parent, self.value)


@dataclass(frozen=True)
class AnyOf:
    """A condition: at least one of these holds."""

    conditions: tuple[Is | Above, ...]

    def of(self, child: Hyperparameter[Any, Any]) -> Any:
        """Return the condition of ConfigSpace."""
        parts = [condition.of(child) for condition in self.conditions]
        return parts[0] if len(parts) == 1 else OrConjunction(*parts)


Condition = Is | Above | AnyOf


@dataclass(frozen=True)
class Declared:
    """Choices and conditions that are added to a space all at once.

    ConfigSpace sorts the whole space on every addition: one by one, the 374 choices of `StageSpace`
    took minutes.
    """

    hyperparameters: list[Hyperparameter[Any, Any]] = field(default_factory=list)
    conditions: list[Any] = field(default_factory=list)

    def space(self) -> ConfigurationSpace:
        """Return the configuration space of all declared choices."""
        space = ConfigurationSpace()
        space.add(*self.hyperparameters, *self.conditions)
        return space


@dataclass(frozen=True)
class Scope:
    """A position in the hierarchy of a configuration space.

    Attributes:
        declared: receives the choices.
        prefix: of their names.
        conditions: all of them must hold for a choice here to be active. An inactive parent
            satisfies no condition, so only the nearest ones are needed.
    """

    declared: Declared
    prefix: str = ""
    conditions: tuple[Condition, ...] = ()

    def inside(self, name: str, *conditions: Condition) -> Scope:
        """Return the scope `name` within this one, with its own conditions or those of this one."""
        return Scope(
            self.declared, f"{self.prefix}{name}{DELIMITER}", conditions or self.conditions
        )

    def categorical(self, name: str, choices: Sequence[Any]) -> Hyperparameter[Any, Any]:
        """Declare a choice without an order.

        Args:
            name: of the choice, relative to this scope.
            choices: the values.

        Raises:
            SpaceError: there is nothing to choose from.
        """
        self._check(name, choices)
        return self._add(CategoricalHyperparameter(self.prefix + name, list(choices)))

    def ordinal(
        self, name: str, choices: Sequence[Any], default: Any = None
    ) -> Hyperparameter[Any, Any]:
        """Declare a choice of ascending values.

        Args:
            name: of the choice, relative to this scope.
            choices: the values in ascending order.
            default: the default value; None is the first one.

        Raises:
            SpaceError: there is nothing to choose from.
        """
        self._check(name, choices)
        return self._add(
            OrdinalHyperparameter(
                self.prefix + name,
                list(choices),
                default_value=NotSet if default is None else default,
            )
        )

    def integer(self, name: str, low: int, high: int) -> Hyperparameter[Any, Any]:
        """Declare a number.

        Args:
            name: of the number, relative to this scope.
            low: the smallest value.
            high: the largest value.

        Raises:
            SpaceError: `low` is negative or above `high`.
        """
        if not 0 <= low <= high:
            raise SpaceError(
                f"{self.prefix}{name} is a number from 0 up, and its bounds ascend, "
                f"not {low} to {high}"
            )
        if low == high:  # ConfigSpace has no range of one number
            return self._add(OrdinalHyperparameter(self.prefix + name, [low]))
        return self._add(UniformIntegerHyperparameter(self.prefix + name, low, high))

    def _check(self, name: str, choices: Sequence[Any]) -> None:
        if not choices:
            raise SpaceError(f"{self.prefix}{name} has nothing to choose from: name a choice")

    def _add(self, hyperparameter: Hyperparameter[Any, Any]) -> Hyperparameter[Any, Any]:
        self.declared.hyperparameters.append(hyperparameter)
        parts = [condition.of(hyperparameter) for condition in self.conditions]
        if parts:
            self.declared.conditions.append(parts[0] if len(parts) == 1 else AndConjunction(*parts))
        return hyperparameter


@dataclass(frozen=True)
class Chosen:
    """The values of a configuration, as seen from a scope.

    Attributes:
        values: of the active choices, by full name.
        prefix: of the names in the scope.
    """

    values: Mapping[str, Any]
    prefix: str = ""

    def inside(self, name: str) -> Chosen:
        """Return the values of the scope `name` within this one."""
        return Chosen(self.values, f"{self.prefix}{name}{DELIMITER}")

    def __getitem__(self, name: str) -> Any:
        return self.values[self.prefix + name]
