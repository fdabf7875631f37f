"""Neighbours, mutation and crossover in any ConfigSpace, conditions respected.

A change may switch other choices off and on. A choice that is switched off loses its value, one
that is switched on is drawn at random, parents before children, so that every result is valid.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from ConfigSpace import Configuration
from ConfigSpace.hyperparameters import (
    CategoricalHyperparameter,
    Constant,
    Hyperparameter,
    IntegerHyperparameter,
    OrdinalHyperparameter,
)

from spaces.configurations.active_choices import Activation, Vector
from spaces.space import SpaceError

STEP = 0.2
"""Standard deviation of a step of a number, as a fraction of its range (Hutter et al. 2011)."""

STEPS = 4
"""The number of neighbours of a real number, or of an integer of a wide range."""

MAX_ATTEMPTS = 100
"""Changes that are tried where clauses forbid some."""


def _others(
    hyperparameter: Hyperparameter[Any, Any], value: float, rng: np.random.Generator
) -> Vector:
    """Return the values other than `value`, as vectors hold them, in random order."""
    if isinstance(hyperparameter, Constant):
        return np.empty(0)
    if isinstance(hyperparameter, CategoricalHyperparameter):
        choices = np.arange(hyperparameter.size, dtype=np.float64)
        return rng.permutation(choices[choices != value])
    if isinstance(hyperparameter, OrdinalHyperparameter):
        near = np.array([value - 1, value + 1])
        return rng.permutation(near[(near >= 0) & (near < hyperparameter.size)])
    low, high = hyperparameter.lower_vectorized, hyperparameter.upper_vectorized
    if isinstance(hyperparameter, IntegerHyperparameter) and hyperparameter.size <= STEPS + 1:
        every = np.arange(hyperparameter.lower, hyperparameter.upper + 1)
        choices = np.asarray(hyperparameter.to_vector(every))
    else:
        steps = value + rng.normal(scale=STEP * (high - low), size=STEPS)
        # Reflected at the ends, which would otherwise collect all steps beyond them.
        steps = np.where(steps < low, 2 * low - steps, steps)
        steps = np.clip(np.where(steps > high, 2 * high - steps, steps), low, high)
        choices = np.unique(hyperparameter.to_vector(hyperparameter.to_value(steps)))
    return rng.permutation(choices[~np.isclose(choices, value)])


def neighbours(configuration: Configuration, rng: np.random.Generator) -> Iterator[Configuration]:
    """Yield configurations that differ in one active choice and its consequences.

    Args:
        configuration: the centre, which is not among them.
        rng: draws the order, steps of numbers and the values of choices that become active.

    Yields:
        In random order: every other value of a categorical, the next values of an ordinal, a
        few steps of a number. None of them is forbidden.
    """
    activation = Activation(configuration.config_space)
    vector = configuration.get_array()
    changes = [
        (index, other)
        for index, (hyperparameter, _) in enumerate(activation.entries)
        if not np.isnan(vector[index])
        for other in _others(hyperparameter, float(vector[index]), rng)
    ]
    for position in rng.permutation(len(changes)):
        index, other = changes[position]
        neighbour = activation.changed(vector, index, other, rng)
        if neighbour is not None:
            yield neighbour


def variants(
    configuration: Configuration, index: int, rng: np.random.Generator
) -> Iterator[Configuration]:
    """Yield the neighbours that differ in one given choice, as `neighbours` does for all of them.

    Args:
        configuration: the centre, which is not among them.
        index: the position of the choice in the configuration's vector.
        rng: draws the order, steps of numbers and the values of choices that become active.
    """
    activation = Activation(configuration.config_space)
    vector = configuration.get_array()
    if np.isnan(vector[index]):
        return
    for other in _others(activation.entries[index][0], float(vector[index]), rng):
        variant = activation.changed(vector, index, other, rng)
        if variant is not None:
            yield variant


def mutate(
    configuration: Configuration, rng: np.random.Generator, changes: int = 1
) -> Configuration:
    """Change active choices, each drawn with equal probability, one after another.

    Args:
        configuration: the parent; it is not changed.
        rng: draws the choices and their new values.
        changes: the number of changes.

    Raises:
        SpaceError: nothing can be changed, or `changes` is below 1.
    """
    if changes < 1:
        raise SpaceError(f"a mutation makes at least 1 change, not {changes}")
    activation = Activation(configuration.config_space)
    for _ in range(changes):
        configuration = _mutate_once(activation, configuration, rng)
    return configuration


def _mutate_once(
    activation: Activation, configuration: Configuration, rng: np.random.Generator
) -> Configuration:
    vector = configuration.get_array()
    # A forbidden clause may leave a choice nothing to change to, so others are tried then.
    for _ in range(MAX_ATTEMPTS if activation.space.forbidden_clauses else 1):
        for index in rng.permutation(np.flatnonzero(~np.isnan(vector))):
            others = _others(activation.entries[index][0], float(vector[index]), rng)
            if len(others):
                mutant = activation.changed(vector, index, others[0], rng)
                if mutant is not None:
                    return mutant
    raise SpaceError("a space of one valid configuration has no mutation")


def crossover(one: Configuration, other: Configuration, rng: np.random.Generator) -> Configuration:
    """Take each choice from one of two parents, drawn with equal probability.

    A choice that is active in the child has the value of the drawn parent, or of the other one
    if it is inactive there, or is drawn at random if neither has it.

    Args:
        one: a parent.
        other: a parent from the same space.
        rng: draws the parent of each choice.

    Raises:
        SpaceError: every attempt gave a forbidden combination.
    """
    activation = Activation(one.config_space)
    first, second = one.get_array(), other.get_array()
    for _ in range(MAX_ATTEMPTS):
        swap = rng.random(len(first)) < 0.5
        drawn = np.where(swap, second, first)
        child = activation.repair(
            np.where(np.isnan(drawn), np.where(swap, first, second), drawn), rng, range(len(first))
        )
        if child is not None:
            return child
    raise SpaceError(f"{MAX_ATTEMPTS} crossovers of these parents were all forbidden")
