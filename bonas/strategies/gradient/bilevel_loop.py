"""The loop of a bilevel optimisation: a supernet and its architecture parameters in training."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import torch
from ConfigSpace import Configuration
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from bonas.strategies.gradient.bilevel import Bilevel
from bonas.strategies.gradient.hypergradient import Hypergradient, Step
from bonas.strategies.gradient.relaxation import Relaxation
from bonas.strategies.gradient.search_trace import Trace
from fidelity.datasets.part import Part
from fidelity.datasets.split import split
from fidelity.objective import Diverged
from fidelity.training.device_data import copy_to_device
from spaces.space import Space
from spaces.weight_sharing import Supernet, operation_supernet


class BilevelLoop:
    """A supernet and architecture parameters in training.

    Args:
        settings: of the training.
        space: any space with weight sharing.
        relaxation: of the choice between operations.
        hypergradient: of the architecture parameters.
        device: on which the training runs.

    Attributes:
        supernet: in training.
    """

    def __init__(
        self,
        settings: Bilevel,
        space: Space,
        relaxation: Relaxation,
        hypergradient: Hypergradient,
        device: torch.device,
    ) -> None:
        self.settings, self.relaxation, self.hypergradient = settings, relaxation, hypergradient
        dataset = settings.dataset
        held_out = round(settings.held_out * len(dataset.train))
        rng = np.random.default_rng(settings.seed)
        strata = dataset.task.strata(dataset.train.targets)
        train, held = split(dataset.train, held_out, rng, strata)
        self.data = copy_to_device(replace(dataset, train=train, validation=held), device)
        self.order = torch.Generator().manual_seed(settings.seed)
        self.generator = torch.Generator(device).manual_seed(settings.seed)
        self.supernet = self._supernet(space)
        self.weights = [p for p in self.supernet.parameters() if p.requires_grad]
        shape = len(self.supernet.edges), len(self.supernet.operations)
        initial = 1e-3 * torch.randn(shape, generator=self.order)
        self.parameters = initial.to(device).requires_grad_()
        self.optimizer = settings.optimizer.start(self.supernet)
        self.adam = torch.optim.Adam(
            [self.parameters],
            lr=settings.architecture_rate,
            betas=(0.5, 0.999),
            weight_decay=settings.architecture_decay,
        )
        self.steps_per_epoch = max(1, len(train) // settings.batch_size)
        self.steps = settings.epochs * self.steps_per_epoch
        self.step = 0
        self._course: list[Float[np.ndarray, "edges operations"]] = []
        self._cells: list[Configuration] = []
        self._losses: list[tuple[float, float]] = [(math.nan, math.nan)]

    def _supernet(self, space: Space) -> Supernet:
        device, dataset = self.data.device, self.settings.dataset
        shared = operation_supernet(space, dataset.input_shape, dataset.outputs)
        shared.to(device)
        shared.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # by torch
        # With a scale of its own an operation could undo its weight in the mixture.
        for operation in shared.candidates():
            for layer in operation.modules():
                if isinstance(layer, _BatchNorm):
                    layer.requires_grad_(False)
        return shared.train()

    def run(self) -> Trace:
        """Train for all epochs, or until the stop rule ends the search."""
        trace = self._trace()
        for epoch in range(self.settings.epochs):
            self._train(epoch)
            trace = self._trace()
            if self.settings.stop is not None and (reason := self.settings.stop(trace)):
                return replace(trace, stopped=reason)
        return trace

    def _train(self, epoch: int) -> None:
        """Train for one epoch: per batch a step of the architecture and one of the weights."""
        settings = self.settings
        totals = torch.zeros(2, device=self.data.device)
        for batch, other in self._batches():
            rate = settings.optimizer.learning_rate * settings.curve(self.step, self.steps)
            train = self._loss_on(self.data.train, batch)
            if epoch >= settings.warm_up:
                held_out = self._loss_on(self.data.validation, other)
                decay = settings.optimizer.weight_decay
                step = Step(self.parameters, self.weights, train, held_out, rate, decay)
                loss, self.parameters.grad = self.hypergradient(step)
                self.adam.step()
                totals[1] += loss
            totals[0] += self._descend(train, rate)
            self.step += 1
        means = (totals / self.steps_per_epoch).tolist()
        if not all(map(math.isfinite, [*means, self.parameters.sum().item()])):
            raise Diverged(
                f"the losses of the supernet are {means[0]} and {means[1]} (held out) after epoch "
                f"{epoch + 1}: lower the learning rate of the weights, or that of the architecture"
            )
        self._losses.append((means[0], means[1] if epoch >= settings.warm_up else math.nan))

    def _batches(self) -> Iterator[tuple[Int64[Tensor, " batch"], Int64[Tensor, " batch"]]]:
        """Yield the indices of training and of held-out images, each in a new random order."""
        size, device = self.settings.batch_size, self.data.device
        order = torch.randperm(len(self.data.train), generator=self.order)
        other = torch.randperm(len(self.data.validation), generator=self.order)
        for number in range(self.steps_per_epoch):
            positions = torch.arange(number * size, (number + 1) * size)
            # Either part may have fewer images than this epoch, or this batch, takes.
            first = order[positions[: len(order)] % len(order)]
            second = other[positions[: len(other)] % len(other)]
            yield first.to(device), second.to(device)

    def _loss_on(self, part: Part, index: Int64[Tensor, " batch"]) -> Callable[[], Tensor]:
        """Return the loss on these images, augmented once, of a mixture drawn at each call."""
        inputs = self.data.number(part.inputs[index])
        for augment in self.settings.dataset.augment:
            inputs = augment(inputs, self.generator)
        targets = part.targets[index]

        def loss() -> Tensor:
            progress = self.step / self.steps
            weights, active = self.relaxation(self.parameters, progress, self.generator)
            with self.data.autocast():
                outputs = self.supernet.mixture(self.data.normalise(inputs), weights, active)
            return self.data.criterion.losses(outputs.float(), targets).mean()

        return loss

    def _descend(self, train: Callable[[], Tensor], rate: float) -> Tensor:
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        loss = train()
        gradients = torch.autograd.grad(
            loss, self.weights, allow_unused=True, materialize_grads=True
        )
        for weight, gradient in zip(self.weights, gradients, strict=True):
            weight.grad = gradient
        torch.nn.utils.clip_grad_norm_(self.weights, self.settings.clip)
        self.optimizer.step()
        return loss.detach()

    def _trace(self) -> Trace:
        """Return the course so far; called once before the first and after each epoch."""
        self._course.append(self.parameters.detach().double().cpu().numpy().copy())
        self._cells.append(next(self.supernet.ranked(self._course[-1])))
        skips = [self.supernet.skips(cell) for cell in self._cells]
        return Trace(
            self.supernet.edges,
            self.supernet.operations,
            np.stack(self._course),
            tuple(self._cells),
            tuple(map(sum, skips)),
            tuple(sum(self.supernet.weightless(cell)) for cell in self._cells),
            len(skips[0]),
            tuple(train for train, _ in self._losses),
            tuple(held_out for _, held_out in self._losses),
        )
