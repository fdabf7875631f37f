"""Language modelling: the next token after each token of a sequence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from fidelity.tasks.classes import WHOLE
from fidelity.tasks.task import DataError, Measure, Outputs, Targets, check_cost, check_outputs

COSTS: Mapping[str, Measure] = {
    "bits_per_token": Measure("bits per token"),
    "error": Measure("error per token", fraction=True),
}


@dataclass(frozen=True)
class NextToken:
    """A network predicts the next token after each token of a sequence.

    Targets are sequences (examples, length): the inputs, one token further. Networks return (batch,
    vocabulary, length). The metrics are 'bits_per_token', the mean cross-entropy in bits,
    and 'error', the fraction of tokens that are predicted wrongly.

    Attributes:
        vocabulary: the number of different tokens.
        cost: what a search minimises: 'bits_per_token' or 'error'.

    Raises:
        ValueError: the cost is unknown, or there are fewer than two tokens.
    """

    vocabulary: int
    cost: str = "bits_per_token"

    def __post_init__(self) -> None:
        """Check the settings."""
        check_cost(self.cost, COSTS)
        if self.vocabulary < 2:
            raise ValueError(f"the vocabulary is {self.vocabulary}: it needs 2 tokens or more")

    @property
    def measure(self) -> Measure:
        """See `Task.measure`."""
        return COSTS[self.cost]

    def check(self, parts: Mapping[str, Targets], input_shape: tuple[int, ...]) -> None:
        """See `Task.check`."""
        for name, tokens in parts.items():
            if tokens.dtype not in WHOLE or tuple(tokens.shape[1:]) != tuple(input_shape):
                raise DataError(
                    f"the {name} targets are {tokens.dtype} of shape {tuple(tokens.shape)}, the "
                    f"inputs sequences of length {tuple(input_shape)}: expected the integer tokens "
                    "that follow each input token, (examples, length)"
                )
            least, most = int(tokens.min()), int(tokens.max())
            if least < 0 or most >= self.vocabulary:
                raise DataError(
                    f"the {name} targets have tokens from {least} to {most}, but a vocabulary of "
                    f"{self.vocabulary} has those from 0 to {self.vocabulary - 1}"
                )

    def outputs(self, targets: Targets) -> int:
        """Return the size of the vocabulary."""
        return self.vocabulary

    def strata(self, targets: Targets) -> None:
        """Return None: splits are random."""

    def criterion(self, targets: Targets) -> Tokens:
        """See `Task.criterion`."""
        return Tokens(self.cost, self.vocabulary)


@dataclass(frozen=True)
class Tokens:
    """A `Criterion` of language modelling.

    Attributes:
        cost: the name of the metric to minimise.
        vocabulary: the number of different tokens.
    """

    units: ClassVar[None] = None

    cost: str
    vocabulary: int

    def losses(self, outputs: Outputs, targets: Targets) -> Float[Tensor, " batch"]:
        """See `Criterion.losses`; in nats."""
        check_outputs(outputs, (len(targets), self.vocabulary, *targets.shape[1:]))
        return F.cross_entropy(outputs, targets.long(), reduction="none").mean(1)

    def tally(self) -> TokenTally:
        """See `Criterion.tally`."""
        return TokenTally(self.cost)


class TokenTally:
    """A `Tally` of language modelling.

    Args:
        cost: the name of the metric to minimise.
    """

    def __init__(self, cost: str) -> None:
        self._cost = cost
        self._nats: list[Tensor] = []
        self._wrong: list[Tensor] = []
        self._count = 0

    def add(self, outputs: Outputs, targets: Targets) -> None:
        """See `Tally.add`."""
        labels = targets.long()
        self._nats.append(F.cross_entropy(outputs, labels, reduction="sum").double())
        self._wrong.append((outputs.argmax(1) != labels).sum())
        self._count += labels.numel()

    def cost(self) -> float:
        """See `Tally.cost`."""
        return float(self.metrics()[self._cost])

    def metrics(self) -> Mapping[str, Any]:
        """See `Tally.metrics`."""
        nats = float(torch.stack(self._nats).sum()) / self._count
        wrong = int(torch.stack(self._wrong).sum()) / self._count
        return {"bits_per_token": nats / math.log(2), "error": wrong}
