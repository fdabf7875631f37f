"""The loop of a bilevel optimisation: a supernet, what it chooses, and how far both have come."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from ConfigSpace import Configuration
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from bonas.strategies.gradient.bilevel import Bilevel, Relaxation
from bonas.strategies.gradient.hypergradient import Hypergradient, Step
from bonas.strategies.gradient.search_trace import Trace
from fidelity.datasets.dataset import Part, split
from fidelity.objective import Diverged
from fidelity.training.device_data import copy_to_device
from spaces.space import Space
from spaces.weight_sharing import Supernet, supernet


class BilevelLoop:
    """A supernet and architecture parameters in training."""

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
        train, held = split(dataset.train, held_out, rng)
        self.data = copy_to_device(replace(dataset, train=train, validation=held), device)
        self.order = torch.Generator().manual_seed(settings.seed)
        self.generator = torch.Generator(device).manual_seed(settings.seed)
        self.shared = self._supernet(space)
        self.weights = [p for p in self.shared.parameters() if p.requires_grad]
        shape = len(self.shared.edges), len(self.shared.operations)
        start = 1e-3 * torch.randn(shape, generator=self.order)
        self.parameters = start.to(device).requires_grad_()
        self.optimizer = settings.optimisation.optimizer(self.shared)
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
        shared = supernet(space, dataset.input_shape, dataset.classes)
        shared.to(device)
        shared.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # by torch
        # A scale of its own would let an operation undo its weight in the mixture.
        for operation in shared.candidates():
            for layer in operation.modules():
                if isinstance(layer, _BatchNorm):
                    layer.requires_grad_(False)
        return shared.train()

    def train(self, epoch: int) -> None:
        """One epoch: a step of the architecture, and a step of the weights, for each batch."""
        settings = self.settings
        totals = torch.zeros(2, device=self.data.device)
        for batch, other in self._batches():
            rate = settings.optimisation.rate(self.step, self.steps)
            train = self._loss_on(self.data.train, batch)
            if epoch >= settings.warm_up:
                held_out = self._loss_on(self.data.validation, other)
                decay = settings.optimisation.weight_decay
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
        """Positions of training and of held-out images, each in a new random order."""
        size, device = self.settings.batch_size, self.data.device
        order = torch.randperm(len(self.data.train), generator=self.order)
        other = torch.randperm(len(self.data.validation), generator=self.order)
        for number in range(self.steps_per_epoch):
            places = torch.arange(number * size, (number + 1) * size)
            # Of either part there may be fewer images than this epoch, or this batch, takes.
            first = order[places[: len(order)] % len(order)]
            second = other[places[: len(other)] % len(other)]
            yield first.to(device), second.to(device)

    def _loss_on(self, part: Part, index: Int64[Tensor, " batch"]) -> Callable[[], Tensor]:
        """The loss on these images, augmented once, of a mixture drawn at each call."""
        images = part.images[index].float()
        for augment in self.settings.dataset.augment:
            images = augment(images, self.generator)
        labels = part.labels[index]

        def loss() -> Tensor:
            progress = self.step / self.steps
            weights, active = self.relaxation(self.parameters, progress, self.generator)
            with self.data.autocast():
                logits = self.shared.mixture(self.data.normalise(images), weights, active)
            return F.cross_entropy(logits.float(), labels)

        return loss

    def _descend(self, train: Callable[[], Tensor], rate: float) -> Tensor:
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        loss = train()
        found = torch.autograd.grad(loss, self.weights, allow_unused=True, materialize_grads=True)
        for weight, gradient in zip(self.weights, found, strict=True):
            weight.grad = gradient
        torch.nn.utils.clip_grad_norm_(self.weights, self.settings.clip)
        self.optimizer.step()
        return loss.detach()

    def trace(self) -> Trace:
        """The course so far; to be called once after each epoch."""
        self._course.append(self.parameters.detach().double().cpu().numpy().copy())
        self._cells.append(next(self.shared.ranked(self._course[-1])))
        skips = [self.shared.skips(cell) for cell in self._cells]
        return Trace(
            self.shared.edges,
            self.shared.operations,
            np.stack(self._course),
            tuple(self._cells),
            tuple(map(sum, skips)),
            tuple(sum(self.shared.weightless(cell)) for cell in self._cells),
            len(skips[0]),
            tuple(train for train, _ in self._losses),
            tuple(held_out for _, held_out in self._losses),
        )
