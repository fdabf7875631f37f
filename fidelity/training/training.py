"""The objective that trains: the validation error of a network after so many epochs."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any

import torch
from ConfigSpace import Configuration
from torch import nn

from fidelity.augment import Augmentation, as_tuple
from fidelity.datasets.dataset import Dataset, check_dataset
from fidelity.objective import Context, InvalidArchitecture
from fidelity.training.device_data import Placed, choose, place
from fidelity.training.loop import Plan, TrainingLoop
from fidelity.training.optimizers import CosineSGD
from fidelity.training.resource_counts import Counted, counted
from spaces.joint import JointSpace
from spaces.space import Space

HYPERPARAMETERS = ("learning_rate", "momentum", "weight_decay", "warm_up", "batch_size")
"""What a `JointSpace` may choose for each training; the rest is the same for all."""

SAVE_SECONDS = 60.0
"""After so many seconds a training leaves a checkpoint, at the end of an epoch, from which another
attempt goes on if this one is broken off."""


@dataclass(frozen=True)
class FinalReport:
    """A network trained to the maximal budget, and the one look at the test part.

    Attributes:
        validation_error: the fraction of validation images that it gets wrong.
        test_error: the same for test images.
        parameters: the number of trainable parameters.
        epochs: how many it was trained in all.
        seconds: how long this training took, what came before its checkpoint excluded.
        network: the trained network, on the device where it was trained.
    """

    validation_error: float
    test_error: float
    parameters: int
    epochs: float
    seconds: float
    network: nn.Module = field(repr=False, compare=False)


@dataclass(frozen=True)
class Training:
    """An objective that builds the network of a configuration and trains it.

    The learning rate follows a curve over `max_epochs`, in steps; a budget is a point on it. A
    training that stops at a budget and goes on from its checkpoint is the same as one that
    never stopped, on a CPU to the last bit.

    Attributes:
        space: what builds the networks.
        dataset: what they are trained and compared on.
        max_epochs: the largest budget, in epochs: passes over the training images, without a
            last batch that would be smaller than the others.
        batch_size: images a step; all of them where there are fewer.
        learning_rate: at its peak.
        momentum: of SGD (Nesterov), in [0, 1).
        weight_decay: of every parameter.
        warm_up: the fraction of `max_epochs` in which the learning rate rises.
        augment: the augmentations; None means those of the data set, () none.
        device: as torch names devices; None means the GPU where there is one, else the CPU. A
            device that the context names goes first.

    Raises:
        ValueError: a number is out of its range.
        TypeError: something is of another kind, for instance a class in place of an object.
    """

    space: Space
    dataset: Dataset
    max_epochs: float
    batch_size: int = 128
    learning_rate: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4
    warm_up: float = 0.05
    augment: tuple[Augmentation, ...] | None = None
    device: str | None = None

    def __post_init__(self) -> None:
        """Checks what it was given."""
        if isinstance(self.space, type) or not hasattr(type(self.space), "build"):
            raise TypeError(
                f"the space is {self.space!r}: expected an object with configuration_space, "
                "architecture and build, for instance spaces.CellSpace()"
            )
        check_dataset(self.dataset)
        for name in ("max_epochs", *HYPERPARAMETERS):
            kind = Integral if name == "batch_size" else Real
            if not isinstance(value := getattr(self, name), kind):
                expected = "a whole number" if name == "batch_size" else "a number"
                raise TypeError(f"{name} is {value!r}: expected {expected}")
        if self.augment is not None:
            as_tuple(self.augment)
        if not (self.max_epochs > 0 and math.isfinite(self.max_epochs)):
            raise ValueError(f"max_epochs is {self.max_epochs}: it must be above 0")
        if self.batch_size < 1:
            raise ValueError(f"batch_size is {self.batch_size}: a step needs an image or more")
        self.plan({}, seed=0)

    @property
    def max_budget(self) -> float:
        """The largest budget: `max_epochs`."""
        return self.max_epochs

    @property
    def computed(self) -> Mapping[str, Counted]:
        """What a search knows of a network before it is trained: see `spaces.Cost`.

        For its constraints and its objectives: `parameters`, `multiply_adds`, `activations` and
        `peak_activation_bytes`.
        """
        return counted(self.space, self.dataset.input_shape, self.dataset.classes)

    def __call__(
        self,
        configuration: Configuration,
        budget: float,
        seed: int = 0,
        context: Context | None = None,
    ) -> dict[str, float]:
        """Trains to `budget` and evaluates on the validation part.

        Args:
            configuration: the network, a configuration of the space.
            budget: the total of epochs to train to; may be a fraction.
            seed: of initial weights, order, augmentation and dropout.
            context: the device, the checkpoint to continue from and the one to leave, and
                where the validation error is reported after each epoch.

        Returns:
            'cost', the fraction of validation images that the network gets wrong;
            'validation_loss' and 'train_loss', mean cross-entropies in nats, the latter over
            the last epoch; 'parameters', the number of trainable ones; 'epochs', the total
            trained; 'resumed_from', how many of them a checkpoint brought.

        Raises:
            ValueError: the budget is not in (0, max_epochs].
            InvalidArchitecture: there is no path from input to output, or no parameter on it.
            Diverged: the loss is no finite number.
        """
        context = context or Context()
        loop, resumed_from, (loss, error) = self._train(configuration, budget, seed, context)
        return {
            "cost": error,
            "validation_loss": loss,
            "train_loss": loop.train_loss,
            "parameters": trainable_parameters(loop.network),
            "epochs": loop.epoch,
            "resumed_from": resumed_from,
        }

    def final(
        self, configuration: Configuration, seed: int = 0, context: Context | None = None
    ) -> FinalReport:
        """Trains to `max_epochs` and looks at the test part, which no search may do.

        Args:
            configuration: the network.
            seed: as for a trial; the same one lets a trial's checkpoint be continued.
            context: the device and the checkpoint to continue from, for instance
                `Context(Checkpoint(source=path))`.

        Raises:
            InvalidArchitecture: there is no path from input to output, or no parameter on it.
            Diverged: the loss is no finite number.
        """
        start = time.monotonic()
        context = context or Context()
        loop, _, (_, error) = self._train(configuration, self.max_epochs, seed, context)
        _, test_error = loop.evaluate(self.dataset.test)
        return FinalReport(
            validation_error=error,
            test_error=test_error,
            parameters=trainable_parameters(loop.network),
            epochs=loop.epoch,
            seconds=time.monotonic() - start,
            network=loop.network,
        )

    def _train(
        self, configuration: Configuration, budget: float, seed: int, context: Context
    ) -> tuple[TrainingLoop, float, tuple[float, float]]:
        """The loop after `budget`, the epoch it resumed from, and validation loss and error."""
        joint = self.space.training(configuration) if isinstance(self.space, JointSpace) else {}
        plan = self.plan(joint, seed)
        until = self._steps(budget, plan)
        if not self.space.architecture(configuration).connected:
            raise InvalidArchitecture("no path leads from the input to the output")
        device = choose(context.device or self.device)
        data = place(self.dataset, device)
        with torch.random.fork_rng(devices=[device.index] if device.type == "cuda" else []):
            loop = self._resume(configuration, data, plan, until, context)
            resumed_from = loop.epoch
            result: tuple[float, float] | None = None
            saved = time.monotonic()

            def after_epoch() -> None:
                nonlocal result, saved
                result = loop.evaluate(data.validation)
                context.report(loop.epoch, result[1])
                if loop.step < until and time.monotonic() - saved >= SAVE_SECONDS:
                    context.checkpoint.save(loop.state() | {"curve": context.curve})
                    saved = time.monotonic()

            loop.run(until, after_epoch)
            if result is None or until % plan.steps_per_epoch:
                after_epoch()
            context.checkpoint.save(loop.state() | {"curve": context.curve})
        assert result is not None
        return loop, resumed_from, result

    def plan(self, chosen: Mapping[str, Any], seed: int) -> Plan:
        """How to train; what a joint space has chosen goes before this object's own settings."""
        unknown = set(chosen) - set(HYPERPARAMETERS)
        if unknown:
            raise ValueError(
                f"the joint space chooses {', '.join(sorted(unknown))}, but a training has only "
                f"{', '.join(HYPERPARAMETERS)}"
            )
        settings = {name: chosen.get(name, getattr(self, name)) for name in HYPERPARAMETERS}
        batch_size = min(int(settings.pop("batch_size")), len(self.dataset.train))
        steps_per_epoch = len(self.dataset.train) // batch_size
        return Plan(
            CosineSGD(**settings),
            batch_size,
            steps_per_epoch,
            max(1, round(self.max_epochs * steps_per_epoch)),
            self.dataset.augment if self.augment is None else self.augment,
            seed,
        )

    def _steps(self, budget: float, plan: Plan) -> int:
        if not 0 < budget <= self.max_epochs:
            raise ValueError(
                f"the budget is {budget} epochs: it must be above 0 and at most max_epochs, "
                f"{self.max_epochs}, since the learning rate is planned that far"
            )
        return max(1, round(budget * plan.steps_per_epoch))

    def _resume(
        self, configuration: Configuration, data: Placed, plan: Plan, until: int, context: Context
    ) -> TrainingLoop:
        """A loop that continues from the checkpoint, or starts anew where that is impossible."""
        loop = self._start(configuration, data, plan)
        try:
            state = context.checkpoint.load()
            if state is None:
                return loop
            loop.restore(state)
            if loop.step > until:
                raise ValueError(f"it is at epoch {loop.epoch} already")
            if context.checkpoint.own:  # the last epoch, if it is there, is measured again
                last = until / plan.steps_per_epoch
                context.curve += [(step, cost) for step, cost in state["curve"] if step < last]
        except Exception as error:  # whatever a foreign or damaged state makes torch raise
            context.checkpoint.refuse(f"does not fit this training ({error})")
            return self._start(configuration, data, plan)
        return loop

    def _start(self, configuration: Configuration, data: Placed, plan: Plan) -> TrainingLoop:
        # Each generator by itself: torch.manual_seed would also reseed devices of other trials.
        torch.default_generator.manual_seed(plan.seed)
        if data.device.type == "cuda":
            with torch.cuda.device(data.device):
                torch.cuda.manual_seed(plan.seed)
        network = self.space.build(configuration, self.dataset.input_shape, self.dataset.classes)
        if not trainable_parameters(network):
            raise InvalidArchitecture("the network has no parameter to train")
        # Built on the CPU, so that a seed gives the same initial weights on every device.
        network.to(data.device)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # by torch
        return TrainingLoop(network, data, plan)


def trainable_parameters(network: nn.Module) -> int:
    """How many numbers training changes."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)
