"""The objective that trains: the validation cost of a network after a number of epochs."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass, replace
from numbers import Integral, Real
from typing import Any

from ConfigSpace import Configuration
from torch import nn

from fidelity.augment import Augmentation, as_tuple
from fidelity.datasets.dataset import Dataset, check_dataset
from fidelity.mixing import Mixing
from fidelity.objective import Context, InvalidArchitecture
from fidelity.ranks import Ranks
from fidelity.tasks.task import Measure
from fidelity.training.capture import captured
from fidelity.training.curves import Cosine, Curve
from fidelity.training.device_data import DeviceData, copy_to_device, resolve_device
from fidelity.training.loop import Judgement, TrainingLoop
from fidelity.training.networks import check_connected, move_network, trainable_parameters
from fidelity.training.optimizers import SGD, Optimizer
from fidelity.training.plan import Plan
from fidelity.training.resource_counts import ResourceCount, resource_counts
from fidelity.training.seeding import preserved, seed_generators
from spaces.joint import JointSpace
from spaces.space import Space, require

CHOOSABLE = ("batch_size", "optimizer", "curve", "mixing", "clip_norm", "average")
"""The settings that a `JointSpace` may choose per training, besides the fields of the optimizer and
of the curve; the rest is the same for all."""

SAVE_SECONDS = 60.0
"""Seconds between a training's checkpoints, each at the end of an epoch, from which another attempt
resumes if this one is interrupted."""


@dataclass(frozen=True)
class FinalReport:
    """A network after a full training run, with its one evaluation on the test part.

    Attributes:
        validation_cost: what the search minimised.
        test_cost: the same on the test part.
        test_metrics: all metrics of the task on the test part.
        parameters: the number of trainable parameters.
        epochs: the total number trained.
        seconds: of this training, without those before the checkpoint that it resumed.
        network: the trained network, on the device where it was trained.
    """

    validation_cost: float
    test_cost: float
    test_metrics: Mapping[str, Any]
    parameters: int
    epochs: float
    seconds: float
    network: nn.Module = field(repr=False, compare=False)


@dataclass(frozen=True)
class Training:
    """An objective that builds the network of a configuration and trains it.

    The learning rate follows a curve over `max_epochs`, in steps; a budget is a point on it. A
    training that stops at a budget and resumes from its checkpoint is the same as one that never
    stopped, on a CPU to the last bit.

    Attributes:
        space: builds the networks.
        dataset: they are trained and compared on it, for its task.
        max_epochs: the largest budget, in epochs: passes over the training examples, without a
            last batch that would be smaller than the others.
        batch_size: examples per step; all of them where there are fewer.
        optimizer: of the weights, with its learning rate at the peak.
        curve: of the learning rate over `max_epochs`.
        augment: the augmentations; None means those of the data set, () none.
        mixing: of the examples of a batch, such as `Mixup()`; None mixes none.
        clip_norm: the largest norm of the gradient; None does not clip.
        average: the decay per step of an exponential moving average of the weights, such as 0.999,
            which is evaluated in place of the weights; None takes no average.
        device: as torch names devices; None means the GPU where there is one, else the CPU. A
            device that the context names takes precedence.
        cuda_graph: whether steps on a GPU are captured as a CUDA graph, which helps where a step is
            many small kernels. The networks must do the same operations in each step (dropout may
            draw other numbers); where a capture fails, the log says so and the step stays.
        choices: objects that a `JointSpace` chooses by name, for instance
            `{"optimizer": {"sgd": SGD(0.1), "adamw": AdamW(0.001)}}`.

    Raises:
        ValueError: a number is out of range.
        TypeError: an argument has the wrong type, for instance a class in place of an object.
    """

    space: Space
    dataset: Dataset
    max_epochs: float
    batch_size: int = 128
    optimizer: Optimizer = field(default_factory=SGD)
    curve: Curve = field(default_factory=lambda: Cosine(warm_up=0.05))
    augment: tuple[Augmentation, ...] | None = None
    mixing: Mixing | None = None
    clip_norm: float | None = None
    average: float | None = None
    device: str | None = None
    cuda_graph: bool = False
    choices: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, hash=False)

    def __repr__(self) -> str:
        names = [getattr(a, "__name__", type(a).__name__) for a in self.augment or ()]
        shown = [type(self.space).__name__, self.dataset.name, f"max_epochs={self.max_epochs:g}"]
        for each in fields(self):
            value, default = getattr(self, each.name), each.default
            if each.default_factory is not MISSING:
                default = each.default_factory()
            if default is not MISSING and value != default:
                text = f"({', '.join(names)})" if each.name == "augment" else repr(value)
                shown.append(f"{each.name}={text}")
        return f"Training({', '.join(shown)})"

    def __post_init__(self) -> None:
        """Check the settings."""
        if isinstance(self.space, type) or not hasattr(self.space, "configuration_space"):
            raise TypeError(
                f"the space is {self.space!r}: expected an object with configuration_space, "
                "architecture and build, for instance spaces.CellSpace()"
            )
        require(self.space, "architecture", "to train networks")
        require(self.space, "build", "to train networks")
        check_dataset(self.dataset)
        self._check_numbers()
        for name, method in (("optimizer", "start"), ("curve", "__call__")):
            value = getattr(self, name)
            if isinstance(value, type) or not hasattr(value, method):
                raise TypeError(
                    f"{name} is {value!r}: expected an object such as "
                    + ("SGD(0.1) or AdamW()" if name == "optimizer" else "Cosine() or OneCycle()")
                )
        if self.augment is not None:
            as_tuple(self.augment)
        self.plan({}, seed=0)

    def _check_numbers(self) -> None:
        for name, kind in (("max_epochs", Real), ("batch_size", Integral)):
            if not isinstance(value := getattr(self, name), kind):
                expected = "a whole number" if name == "batch_size" else "a number"
                raise TypeError(f"{name} is {value!r}: expected {expected}")
        if not (self.max_epochs > 0 and math.isfinite(self.max_epochs)):
            raise ValueError(f"max_epochs is {self.max_epochs}: it must be above 0")
        if self.batch_size < 1:
            raise ValueError(f"batch_size is {self.batch_size}: a step needs 1 example or more")
        if self.clip_norm is not None and not self.clip_norm > 0:
            raise ValueError(f"clip_norm is {self.clip_norm}: it must be above 0, or None")
        if self.average is not None and not 0 <= self.average < 1:
            raise ValueError(f"average is {self.average}: it must be in [0, 1), or None")

    @property
    def max_budget(self) -> float:
        """The largest budget: `max_epochs`."""
        return self.max_epochs

    @property
    def measure(self) -> Measure:
        """The meaning of the cost, which is that of the task."""
        return self.dataset.task.measure

    @property
    def computed(self) -> Mapping[str, ResourceCount]:
        """The resources that constraints and objectives can use before a network is trained.

        They are `parameters`, `multiply_adds`, `activations`, `peak_activation_bytes` and
        `cache_bytes_per_token`: see `spaces.Cost`.
        """
        return resource_counts(self.space, self.dataset.input_shape, self.dataset.outputs)

    def __call__(
        self,
        configuration: Configuration,
        budget: float,
        seed: int = 0,
        context: Context | None = None,
    ) -> dict[str, Any]:
        """Train to `budget` and evaluate on the validation part.

        Args:
            configuration: the network, a configuration of the space.
            budget: the total number of epochs to train to; may be a fraction.
            seed: of initial weights, order, augmentation and dropout.
            context: the device, the checkpoint to resume and the one to leave; it receives the
                validation cost after each epoch.

        Returns:
            'cost', that of the task on the validation part; the metrics of the task;
            'validation_loss' and 'train_loss', mean losses, the latter over the last epoch;
            'parameters', the number of trainable ones; 'epochs', the total trained;
            'resumed_from', the epoch of the checkpoint that was resumed.

        Raises:
            ValueError: the budget is not in (0, max_epochs].
            InvalidArchitecture: there is no path from input to output, or no parameter on it.
            Diverged: the loss is not finite.
        """
        context = context or Context()
        loop, resumed_from, judgement = self._train(configuration, budget, seed, context)
        return {
            **judgement.record,
            "train_loss": loop.train_loss,
            "parameters": trainable_parameters(loop.network),
            "epochs": loop.epoch,
            "resumed_from": resumed_from,
        }

    def final(
        self, configuration: Configuration, seed: int = 0, context: Context | None = None
    ) -> FinalReport:
        """Train to `max_epochs` and evaluate on the test part, which no search may do.

        Args:
            configuration: the network.
            seed: as for a trial; with the same seed a trial's checkpoint can be resumed.
            context: the device and the checkpoint to resume, for instance
                `Context(Checkpoint(source=path))`.

        Raises:
            InvalidArchitecture: there is no path from input to output, or no parameter on it.
            Diverged: the loss is not finite.
        """
        start = time.monotonic()
        context = context or Context()
        loop, _, judgement = self._train(configuration, self.max_epochs, seed, context)
        test = loop.evaluate(self.dataset.test)
        return FinalReport(
            validation_cost=judgement.cost,
            test_cost=test.cost,
            test_metrics=test.tally.metrics(),
            parameters=trainable_parameters(loop.network),
            epochs=loop.epoch,
            seconds=time.monotonic() - start,
            network=loop.trained,
        )

    def _train(
        self, configuration: Configuration, budget: float, seed: int, context: Context
    ) -> tuple[TrainingLoop, float, Judgement]:
        """Return the loop after `budget`, the epoch resumed at, and the validation."""
        joint = self.space.training(configuration) if isinstance(self.space, JointSpace) else {}
        plan = self.plan(joint, seed)
        until = self._steps(budget, plan)
        check_connected(self.space, configuration)
        device = resolve_device(context.device or self.device)
        data = copy_to_device(self.dataset, device)
        with preserved(device):
            loop = self._resume(configuration, data, plan, until, context)
            resumed_from = loop.epoch
            if len(steps := set(context.ranks.gather(loop.step))) > 1:
                raise RuntimeError(f"the ranks resume at different steps: {sorted(steps)}")
            result: Judgement | None = None
            saved = time.monotonic()

            def after_epoch() -> None:
                nonlocal result, saved
                result = loop.evaluate(data.validation)
                context.report(loop.epoch, result.cost)
                due = loop.step < until and time.monotonic() - saved >= SAVE_SECONDS
                if context.ranks.agree(due):
                    context.checkpoint.save(loop.state() | {"curve": context.curve})
                    saved = time.monotonic()

            loop.run(until, after_epoch, captured(loop) if self.cuda_graph else None)
            if result is None or until % plan.steps_per_epoch:
                after_epoch()
            context.checkpoint.save(loop.state() | {"curve": context.curve})
        assert result is not None
        return loop, resumed_from, result

    def plan(self, overrides: Mapping[str, Any], seed: int) -> Plan:
        """Return the plan of a training.

        Args:
            overrides: the settings that a joint space chooses, in place of this object's own.
            seed: of everything random.

        Raises:
            ValueError: the training has no such setting, or a value is out of range.
        """
        given = dict(overrides)
        chosen = {name: self._chosen(name, given.pop(name)) for name in CHOOSABLE if name in given}
        settings = {name: chosen.get(name, getattr(self, name)) for name in CHOOSABLE}
        for part in ("optimizer", "curve"):
            own = {name for name in given if name in _field_names(settings[part])}
            values = {name: given.pop(name) for name in own}
            settings[part] = replace(settings[part], **values) if own else settings[part]
        if given:
            raise ValueError(
                f"the joint space chooses {', '.join(sorted(given))}, but a training has only "
                f"{', '.join(CHOOSABLE)}, and the fields of {settings['optimizer']!r} and "
                f"{settings['curve']!r}"
            )
        batch_size = min(int(settings.pop("batch_size")), len(self.dataset.train))
        steps_per_epoch = len(self.dataset.train) // batch_size
        return Plan(
            **settings,
            batch_size=batch_size,
            steps_per_epoch=steps_per_epoch,
            steps=max(1, round(self.max_epochs * steps_per_epoch)),
            augment=self.dataset.augment if self.augment is None else self.augment,
            seed=seed,
        )

    def _chosen(self, name: str, value: Any) -> Any:
        """Return the value of a setting that a joint space chooses by its name or as a number."""
        if not isinstance(value, str):
            return value
        known = self.choices.get(name, {})
        if value not in known:
            raise ValueError(
                f"the joint space chooses {name} {value!r}, but the training knows "
                f"{', '.join(map(repr, known)) or 'none'}: give it as "
                f"choices={{{name!r}: {{{value!r}: ...}}}}"
            )
        return known[value]

    def _steps(self, budget: float, plan: Plan) -> int:
        if not 0 < budget <= self.max_epochs:
            raise ValueError(
                f"the budget is {budget} epochs: it must be above 0 and at most max_epochs, "
                f"{self.max_epochs}, since the learning rate is planned that far"
            )
        return max(1, round(budget * plan.steps_per_epoch))

    def _resume(
        self,
        configuration: Configuration,
        data: DeviceData,
        plan: Plan,
        until: int,
        context: Context,
    ) -> TrainingLoop:
        """Return a loop that has resumed the checkpoint, or one at step 0 if it cannot."""
        loop = self._start(configuration, data, plan, context.ranks)
        try:
            state = context.checkpoint.load()
            if state is None:
                return loop
            loop.restore(state)
            if loop.step > until:
                raise ValueError(f"it is at epoch {loop.epoch} already")
            if context.checkpoint.own:  # the last epoch, if present, is evaluated again
                last = until / plan.steps_per_epoch
                context.curve += [(step, cost) for step, cost in state["curve"] if step < last]
        except Exception as error:  # whatever a foreign or damaged state makes torch raise
            context.checkpoint.refuse(f"does not fit this training ({error})")
            return self._start(configuration, data, plan, context.ranks)
        return loop

    def _start(
        self, configuration: Configuration, data: DeviceData, plan: Plan, ranks: Ranks
    ) -> TrainingLoop:
        seed_generators(data.device, plan.seed)
        network = self.space.build(configuration, self.dataset.input_shape, self.dataset.outputs)
        if not trainable_parameters(network):
            raise InvalidArchitecture("the network has no parameter to train")
        move_network(network, data.device)
        if ranks.number:  # the same weights on all ranks, but not the same dropout
            seed_generators(data.device, plan.seed_of_rank(ranks.number))
        return TrainingLoop(network, data, plan, ranks)


def _field_names(settings: Any) -> set[str]:
    """Return the names of the fields that a joint space can choose."""
    return {each.name for each in fields(settings)} if is_dataclass(settings) else set()
