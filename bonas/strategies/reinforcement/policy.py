"""Policies: distributions over the configurations of a space that can be learned by gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from bonas.strategies.reinforcement.walk import INACTIVE, Vector, Walk

Memory = tuple[Tensor, ...]
"""What a policy remembers of a walk: tensors with one row a walk."""


class Distribution(Protocol):
    """A policy on one space: goes from decision to decision, many walks at once."""

    @property
    def parameters(self) -> Sequence[Tensor]:
        """What is learned."""
        ...

    def begin(self, walks: int) -> Memory:
        """What is remembered before the first decision."""
        ...

    def step(self, memory: Memory, place: int) -> tuple[Float[Tensor, "walks options"], Memory]:
        """The logits of the options of the decision at `place`, and what is remembered then."""
        ...

    def chosen(self, memory: Memory, place: int, options: Int[Tensor, " walks"]) -> Memory:
        """What is remembered after the decision at `place`."""
        ...


class Policy(Protocol):
    """The settings of a policy, for any space."""

    def start(self, walk: Walk) -> Distribution:
        """The policy on the space of `walk` before it has learned anything."""
        ...


def draw(
    distribution: Distribution, walk: Walk, walks: int, rng: np.random.Generator
) -> list[Vector]:
    """Vectors of configurations drawn from a policy; conditions hold, forbidden clauses may not.

    Args:
        distribution: the policy.
        walk: of its space.
        walks: how many.
        rng: the only source of randomness.
    """
    vectors = np.full((walks, len(walk.decisions)), np.nan)
    with torch.no_grad():
        memory = distribution.begin(walks)
        for place, decision in enumerate(walk.decisions):
            active = np.array([decision.active(vector) for vector in vectors])
            if not active.any():
                continue
            chosen = np.zeros(walks, dtype=np.int64)
            if walk.sizes[place] > 1:
                logits, after = distribution.step(memory, place)
                # The Gumbel trick: drawn in proportion to the exponentials of the logits.
                chosen = (logits.numpy() + rng.gumbel(size=logits.shape)).argmax(1)
                after = distribution.chosen(after, place, torch.from_numpy(chosen))
                memory = _where(torch.from_numpy(active), after, memory)
            for row in np.flatnonzero(active):
                vectors[row, place] = decision.options.draw(int(chosen[row]), rng)
    return list(vectors)


def judged(
    distribution: Distribution, walk: Walk, options: Int[Tensor, "walks decisions"]
) -> tuple[Float[Tensor, " walks"], Float[Tensor, " walks"]]:
    """Logarithms of the probabilities of walks, and the entropies of their decisions.

    A decision that is inactive is passed over: it has no probability, and nothing is remembered.

    Args:
        distribution: the policy.
        walk: of its space.
        options: as `Walk.options` gives them.

    Returns:
        One logarithm a walk, and one sum of the entropies of its active decisions, each given
        the earlier ones.
    """
    probabilities = torch.zeros(len(options), dtype=torch.float64)
    entropies = torch.zeros(len(options), dtype=torch.float64)
    memory = distribution.begin(len(options))
    for place, size in enumerate(walk.sizes):
        active = options[:, place] != INACTIVE
        if size == 1 or not bool(active.any()):
            continue
        logits, after = distribution.step(memory, place)
        taken = options[:, place].clamp(min=0)
        logs = logits.log_softmax(1)
        probabilities = probabilities + logs.gather(1, taken[:, None])[:, 0] * active
        entropies = entropies - (logs.exp() * logs).sum(1) * active
        memory = _where(active, distribution.chosen(after, place, taken), memory)
    return probabilities, entropies


def _where(active: Tensor, new: Memory, old: Memory) -> Memory:
    """The new memory of the active walks, the old one of the others."""
    if bool(active.all()):
        return new
    return tuple(torch.where(active[:, None], n, o) for n, o in zip(new, old, strict=True))
