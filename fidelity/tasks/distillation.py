"""Distillation: a trained network teaches another one."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol, runtime_checkable

import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from fidelity.tasks.classification import Classification
from fidelity.tasks.task import Criterion, Measure, Outputs, Tally, Targets, Task


@runtime_checkable
class Taught(Criterion, Protocol):
    """A criterion of training that also reads what another network says about the same inputs."""

    @property
    def teacher(self) -> nn.Module:
        """The other network, on the device of the targets; it does not learn."""
        ...

    def taught(self, outputs: Outputs) -> Criterion:
        """Return the criterion for a batch of training inputs.

        Args:
            outputs: of the teacher for these inputs, augmented and mixed as the network sees them.
        """
        ...


@dataclass(frozen=True, eq=False)
class Distillation:
    """A task that networks learn from the targets and from a trained network.

    The loss of training is (1 - weight) times that of the task, plus weight * temperature² times
    the Kullback-Leibler divergence from the teacher's class probabilities to the network's, both
    at that temperature (Hinton et al. 2015, "Distilling the knowledge in a neural network",
    section 2). The teacher sees the same augmented inputs (Beyer et al. 2022, "Knowledge
    distillation: a good teacher is patient and consistent"). Cost, metrics and the loss on held-out
    examples are those of the task.

    Use it in a data set: `dataclasses.replace(dataset, task=Distillation(network))`.

    Attributes:
        teacher: from normalised inputs to logits (batch, outputs, ...); a copy of it is taken.
        task: its outputs are logits of classes along dimension 1.
        temperature: of the probabilities, above 0.
        weight: of the teacher, in [0, 1].

    Raises:
        ValueError: a number is out of range.
        TypeError: the teacher is no network.
    """

    teacher: nn.Module = field(repr=False)
    task: Task = field(default_factory=Classification)
    temperature: float = 4.0
    weight: float = 0.5

    def __post_init__(self) -> None:
        """Check the settings and copy the teacher."""
        if not isinstance(self.teacher, nn.Module):
            raise TypeError(
                f"the teacher is {self.teacher!r:.60}: expected a trained nn.Module, for instance "
                "the network that PrunedFrom was made of"
            )
        if not self.temperature > 0:
            raise ValueError(f"temperature is {self.temperature}: it must be above 0, such as 4.0")
        if not 0 <= self.weight <= 1:
            raise ValueError(f"weight is {self.weight}: it must be in [0, 1], for instance 0.5")
        teacher = copy.deepcopy(self.teacher).cpu().eval().requires_grad_(requires_grad=False)
        object.__setattr__(self, "teacher", teacher)

    @property
    def measure(self) -> Measure:
        """See `Task.measure`."""
        return self.task.measure

    def check(self, parts: Mapping[str, Targets], input_shape: tuple[int, ...]) -> None:
        """See `Task.check`."""
        self.task.check(parts, input_shape)

    def outputs(self, targets: Targets) -> int:
        """See `Task.outputs`."""
        return self.task.outputs(targets)

    def strata(self, targets: Targets) -> Int64[Tensor, " examples"] | None:
        """See `Task.strata`."""
        return self.task.strata(targets)

    def criterion(self, targets: Targets) -> Distilled:
        """See `Task.criterion`."""
        teacher = copy.deepcopy(self.teacher).to(targets.device)
        return Distilled(self.task.criterion(targets), teacher, self.temperature, self.weight)


@dataclass(frozen=True, eq=False)
class Distilled:
    """A `Taught` criterion; without the teacher's outputs it is that of the task.

    Attributes:
        criterion: of the task.
        teacher: see `Taught`.
        temperature: of the probabilities.
        weight: of the teacher.
        logits: of the teacher, for the batch at hand; None on held-out examples.
    """

    criterion: Criterion
    teacher: nn.Module
    temperature: float
    weight: float
    logits: Outputs | None = None

    @property
    def units(self) -> tuple[Tensor, Tensor] | None:
        """See `Criterion.units`."""
        return self.criterion.units

    def taught(self, outputs: Outputs) -> Distilled:
        """See `Taught.taught`."""
        return replace(self, logits=outputs)

    def losses(self, outputs: Outputs, targets: Targets) -> Float[Tensor, " batch"]:
        """See `Criterion.losses`.

        Raises:
            ValueError: the teacher has outputs of another shape.
        """
        own = self.criterion.losses(outputs, targets)
        if self.logits is None:
            return own
        if self.logits.shape != outputs.shape:
            raise ValueError(
                f"the teacher's outputs have the shape {tuple(self.logits.shape)}, the network's "
                f"{tuple(outputs.shape)}: both must be logits of the same classes"
            )
        student, teacher = (x.div(self.temperature).log_softmax(1) for x in (outputs, self.logits))
        each = F.kl_div(student, teacher, reduction="none", log_target=True).sum(1)
        divergence = each.flatten(1).mean(1) if each.ndim > 1 else each
        return (1 - self.weight) * own + self.weight * self.temperature**2 * divergence

    def tally(self) -> Tally:
        """See `Criterion.tally`."""
        return self.criterion.tally()
