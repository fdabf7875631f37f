"""Policies: distributions over configurations that are trained by gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from bonas.strategies.reinforcement.walk import INACTIVE, Vector, Walk

Memory = tuple[Tensor, ...]
"""The hidden state of a policy: tensors with one row per walk."""


class Distribution(Protocol):
    """A policy on one space; it makes the decisions of many walks at once, one after another."""

    @property
    def parameters(self) -> Sequence[Tensor]:
        """The trained tensors."""
        ...

    def begin(self, walks: int) -> Memory:
        """Return the memory before the first decision."""
        ...

    def step(self, memory: Memory, index: int) -> tuple[Float[Tensor, "walks options"], Memory]:
        """Return the logits of a decision's options, and the memory with them.

        Args:
            memory: before the decision.
            index: of the decision.
        """
        ...

    def decide(self, memory: Memory, index: int, options: Int[Tensor, " walks"]) -> Memory:
        """Return the memory after a decision.

        Args:
            memory: as `step` returned it.
            index: of the decision.
            options: the chosen ones.
        """
        ...


class Policy(Protocol):
    """The settings of a policy, for any space."""

    def start(self, walk: Walk) -> Distribution:
        """Return the untrained policy on the space of `walk`."""
        ...


def draw(
    distribution: Distribution, walk: Walk, walks: int, rng: np.random.Generator
) -> list[Vector]:
    """Return vectors of configurations drawn from a policy, possibly forbidden by clauses.

    Args:
        distribution: the policy.
        walk: of its space.
        walks: the number of vectors.
        rng: the only source of randomness.
    """
    vectors = np.full((walks, len(walk.decisions)), np.nan)
    with torch.no_grad():
        memory = distribution.begin(walks)
        for index, decision in enumerate(walk.decisions):
            active = np.array([decision.active(vector) for vector in vectors])
            if not active.any():
                continue
            options = np.zeros(walks, dtype=np.int64)
            if walk.sizes[index] > 1:
                logits, after = distribution.step(memory, index)
                # The Gumbel trick: drawn in proportion to the exponentials of the logits.
                options = (logits.numpy() + rng.gumbel(size=logits.shape)).argmax(1)
                after = distribution.decide(after, index, torch.from_numpy(options))
                memory = _where(torch.from_numpy(active), after, memory)
            for row in np.flatnonzero(active):
                vectors[row, index] = decision.options.draw(int(options[row]), rng)
    return list(vectors)


def evaluate(
    distribution: Distribution, walk: Walk, options: Int[Tensor, "walks decisions"]
) -> tuple[Float[Tensor, " walks"], Float[Tensor, " walks"]]:
    """Return the log probabilities of walks, and the entropies of their decisions.

    An inactive decision has no probability and leaves the memory as it is.

    Args:
        distribution: the policy.
        walk: of its space.
        options: as `Walk.options` returns them.

    Returns:
        For each walk its log probability, and the sum of the entropies of its active decisions,
        each given the earlier ones.
    """
    probabilities = torch.zeros(len(options), dtype=torch.float64)
    entropies = torch.zeros(len(options), dtype=torch.float64)
    memory = distribution.begin(len(options))
    for index, size in enumerate(walk.sizes):
        active = options[:, index] != INACTIVE
        if size == 1 or not bool(active.any()):
            continue
        logits, after = distribution.step(memory, index)
        taken = options[:, index].clamp(min=0)
        logs = logits.log_softmax(1)
        probabilities = probabilities + logs.gather(1, taken[:, None])[:, 0] * active
        entropies = entropies - (logs.exp() * logs).sum(1) * active
        memory = _where(active, distribution.decide(after, index, taken), memory)
    return probabilities, entropies


def _where(active: Tensor, new: Memory, old: Memory) -> Memory:
    """Return the new memory of the active walks, the old one of the others."""
    if bool(active.all()):
        return new
    return tuple(torch.where(active[:, None], n, o) for n, o in zip(new, old, strict=True))
