"""The protocols of a task: targets, the loss on them, and the metrics of a trained network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from jaxtyping import Float, Int64, Shaped
from torch import Tensor

Outputs = Float[Tensor, "batch outputs ..."]
"""What a network returns, in single precision."""

Targets = Shaped[Tensor, "batch ..."]
"""What its outputs are compared with."""


class DataError(ValueError):
    """Data that cannot be used; the message says what is wrong and how to mend it."""


@dataclass(frozen=True)
class Measure:
    """The meaning of a cost, for reports and plots.

    Attributes:
        name: for instance 'error' or '1 - macro F1'.
        fraction: whether the cost is a fraction, shown in percent.
    """

    name: str
    fraction: bool = False

    def text(self, cost: float, decimals: int = 2) -> str:
        """Return a cost as text.

        Args:
            cost: to show.
            decimals: of a percentage; other costs have two significant digits more.
        """
        return f"{cost:.{decimals}%}" if self.fraction else f"{cost:.{decimals + 2}g}"


class Tally(Protocol):
    """The metrics of one network on one part of the data, batch by batch."""

    def add(self, outputs: Outputs, targets: Targets) -> None:
        """Add a batch; must not wait for the device.

        Args:
            outputs: of the network, (batch, outputs) or (batch, outputs, ...).
            targets: of the same examples.
        """
        ...

    def cost(self) -> float:
        """Return the cost so far, which a search minimises."""
        ...

    def metrics(self) -> Mapping[str, Any]:
        """Return all metrics by name: numbers, or lists with one number per class or target."""
        ...


class Criterion(Protocol):
    """A task on one set of training targets: how outputs are trained and judged."""

    @property
    def units(self) -> tuple[Tensor, Tensor] | None:
        """The mean and the scale that turn outputs into targets; None where there are no units."""
        ...

    def losses(self, outputs: Outputs, targets: Targets) -> Float[Tensor, " batch"]:
        """Return the loss of each example, whose mean is minimised by the training.

        Args:
            outputs: of the network, (batch, outputs) or (batch, outputs, ...).
            targets: of the same examples.
        """
        ...

    def tally(self) -> Tally:
        """Return an empty tally."""
        ...


class Task(Protocol):
    """The purpose of a network: its targets, its loss and its cost.

    A task of your own has these five members; `OwnTask` suffices for a loss and some metrics.
    """

    @property
    def measure(self) -> Measure:
        """The meaning of the cost."""
        ...

    def check(self, parts: Mapping[str, Targets], input_shape: tuple[int, ...]) -> None:
        """Refuse targets that are none of this task.

        Args:
            parts: the targets of the training, validation and test part, by these names.
            input_shape: of one example.

        Raises:
            DataError: the message says what is wrong.
        """
        ...

    def outputs(self, targets: Targets) -> int:
        """Return the number of outputs of a network.

        Args:
            targets: of the training part.
        """
        ...

    def strata(self, targets: Targets) -> Int64[Tensor, " examples"] | None:
        """Return the class of each example, which splits keep in proportion; None: no classes.

        Args:
            targets: of any part.
        """
        ...

    def criterion(self, targets: Targets) -> Criterion:
        """Return the task on training targets, on their device.

        Args:
            targets: of the training part.
        """
        ...


def check_outputs(outputs: Outputs, expected: tuple[int, ...]) -> None:
    """Refuse outputs of another shape than the targets need.

    Args:
        outputs: of a network.
        expected: their shape, (batch, outputs) or (batch, outputs, ...).

    Raises:
        ValueError: the shapes differ.
    """
    if outputs.shape != expected:
        raise ValueError(
            f"the network returns the shape {tuple(outputs.shape)} for a batch of {expected[0]}: "
            f"the targets need {expected}; build the last layer with the number of outputs that "
            "the constructor receives as `outputs`"
        )


def check_cost(cost: str, known: Mapping[str, Measure]) -> None:
    """Refuse a cost that a task cannot minimise.

    Args:
        cost: its name.
        known: those that the task can minimise.

    Raises:
        ValueError: the name is unknown.
    """
    if cost not in known:
        raise ValueError(f"the cost is {cost!r}: expected one of {', '.join(map(repr, known))}")
