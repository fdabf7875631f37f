"""A recurrent policy: each decision depends on the earlier ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from bonas.strategies.reinforcement.policy import Distribution, Memory
from bonas.strategies.reinforcement.walk import PolicyError, Walk


@dataclass(frozen=True)
class LSTMPolicy:
    """A recurrent network that decides one hyperparameter after another, given the earlier ones.

    The controller of Zoph & Le 2017, "Neural architecture search with reinforcement learning"
    (their section 3.1), with one layer as in Zoph et al. 2018: its input is the embedding of the
    last chosen option, and each hyperparameter has its own softmax. An inactive
    hyperparameter is skipped.

    Attributes:
        width: of the hidden state and of the embeddings.
        spread: initial weights are uniform between -`spread` and `spread`.
        seed: of the initial weights.

    Raises:
        PolicyError: the width is below 1, or the spread is negative or not finite.
    """

    width: int = 32
    spread: float = 0.08
    seed: int = 0

    def __post_init__(self) -> None:
        if self.width < 1:
            raise PolicyError(f"the width of an LSTM is at least 1, not {self.width}")
        if not 0 <= self.spread < math.inf:
            raise PolicyError(
                f"the spread of initial weights is a number from 0 on, not {self.spread}"
            )

    def start(self, walk: Walk) -> Distribution:
        """See `Policy.start`."""
        return _LSTM(self, walk)


class _LSTM:
    """See `Distribution`; the memory is the last input, the hidden state and the cell state."""

    def __init__(self, settings: LSTMPolicy, walk: Walk) -> None:
        self._slices = walk.slices
        total = sum(walk.sizes)
        # From a generator of their own: torch's global one is left as it is.
        generator = torch.Generator().manual_seed(settings.seed)

        def drawn(*shape: int) -> Tensor:
            uniform = torch.rand(*shape, generator=generator, dtype=torch.float64)
            return ((2 * uniform - 1) * settings.spread).requires_grad_()

        width = settings.width
        self._start = drawn(width)
        self._embeddings = drawn(total, width)
        self._gates = drawn(2 * width, 4 * width)
        self._bias = drawn(4 * width)
        self._heads = drawn(total, width)
        self._biases = drawn(total)

    @property
    def parameters(self) -> Sequence[Tensor]:
        return [
            self._start,
            self._embeddings,
            self._gates,
            self._bias,
            self._heads,
            self._biases,
        ]

    def begin(self, walks: int) -> Memory:
        zeros = torch.zeros(walks, len(self._start), dtype=torch.float64)
        return self._start.expand(walks, -1), zeros, zeros

    def step(self, memory: Memory, index: int) -> tuple[Float[Tensor, "walks options"], Memory]:
        last, hidden, cell = memory
        gates = torch.addmm(self._bias, torch.cat([last, hidden], 1), self._gates)
        admit, forget, candidate, out = gates.chunk(4, 1)
        cell = forget.sigmoid() * cell + admit.sigmoid() * candidate.tanh()
        hidden = out.sigmoid() * cell.tanh()
        own = self._slices[index]
        logits = torch.addmm(self._biases[own], hidden, self._heads[own].T)
        return logits, (last, hidden, cell)

    def decide(self, memory: Memory, index: int, options: Int[Tensor, " walks"]) -> Memory:
        _, hidden, cell = memory
        return self._embeddings[self._slices[index]][options], hidden, cell
