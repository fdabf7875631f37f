"""A policy without memory: hyperparameters are independent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from bonas.strategies.reinforcement.policy import Distribution, Memory
from bonas.strategies.reinforcement.walk import Walk


@dataclass(frozen=True)
class LogitsPolicy:
    """Independent logits for each hyperparameter, uniform at first.

    The policy of REINFORCE in Dong & Yang 2020, "NAS-Bench-201: extending the scope of
    reproducible neural architecture search": each hyperparameter is learned without regard to the
    others.
    """

    def start(self, walk: Walk) -> Distribution:
        """See `Policy.start`."""
        return _Logits(walk)


class _Logits:
    """See `Distribution`."""

    def __init__(self, walk: Walk) -> None:
        self._slices = walk.slices
        self._logits = torch.zeros(sum(walk.sizes), dtype=torch.float64, requires_grad=True)

    @property
    def parameters(self) -> Sequence[Tensor]:
        return [self._logits]

    def begin(self, walks: int) -> Memory:
        return (torch.zeros(walks, 0, dtype=torch.float64),)

    def step(self, memory: Memory, index: int) -> tuple[Float[Tensor, "walks options"], Memory]:
        own = self._logits[self._slices[index]]
        return own.expand(len(memory[0]), -1), memory

    def decide(self, memory: Memory, index: int, options: Int[Tensor, " walks"]) -> Memory:
        return memory
