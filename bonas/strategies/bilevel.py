"""Bilevel optimisation of a supernet: weights on one half of the images, the cell on the other.

Liu et al. (2019), "DARTS: differentiable architecture search", algorithm 1.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
from ConfigSpace import Configuration
from jaxtyping import Float, Int64

from bonas.strategies.early_stop import StopRule
from bonas.strategies.hypergradient import Hypergradient, Step
from bonas.strategies.search_trace import CollapseWarning, Trace
from bonas.strategies.strategy import Exhausted
from fidelity.history import History
from fidelity.objective import Diverged
from spaces.space import Space, trial_key

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from fidelity.data import Dataset, Part
    from fidelity.optimisation import CosineSGD
    from spaces.sharing import Active, Supernet


class Relaxation(Protocol):
    """How a choice between operations is made continuous."""

    def __call__(
        self,
        parameters: Float[Tensor, "edges operations"],
        progress: float,
        generator: torch.Generator,
    ) -> tuple[Float[Tensor, "edges operations"], Active | None]:
        """The weights of the operations, and which of them are computed (None: all).

        Args:
            parameters: of the architecture.
            progress: of the search, from 0 to 1.
            generator: the only source of randomness.
        """
        ...


def _paper() -> CosineSGD:
    from fidelity.optimisation import CosineSGD

    return CosineSGD(learning_rate=0.025, momentum=0.9, weight_decay=3e-4, warm_up=0.0)


@dataclass(frozen=True)
class Bilevel:
    """How a supernet and its architecture parameters are trained together.

    The defaults are those of Liu et al. (2019), for 25,000 training images in batches of 64;
    with few images, and so few steps, `architecture_rate` has to be higher.

    Attributes:
        dataset: of which only the training part is looked at; the validation part is for
            comparing networks.
        epochs: passes over the part of the images that the weights are trained on.
        batch_size: images a step, of either part.
        optimisation: of the weights: Nesterov's momentum, and a learning rate that falls to 0.
        clip: the largest norm of the weights' gradient.
        architecture_rate: the learning rate of Adam for the architecture parameters.
        architecture_decay: their weight decay.
        held_out: the share of the training images for the architecture parameters.
        warm_up: so many epochs train the weights alone.
        stop: ends the search early; None goes to the last epoch.
        device: as torch names devices; None means the GPU where there is one, else the CPU.
        seed: of everything random.

    Raises:
        ValueError: a number is out of its range.
    """

    dataset: Dataset
    epochs: int = 50
    batch_size: int = 64
    optimisation: CosineSGD = field(default_factory=_paper)
    clip: float = 5.0
    architecture_rate: float = 3e-4
    architecture_decay: float = 1e-3
    held_out: float = 0.5
    warm_up: int = 0
    stop: StopRule | None = None
    device: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "clip", "architecture_rate"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}: it must be above 0")
        if not 0 < self.held_out < 1:
            raise ValueError(f"held_out is {self.held_out}: it lies between 0 and 1")
        if not 0 <= self.warm_up < self.epochs:
            raise ValueError(
                f"warm_up is {self.warm_up}: it lies between 0 and the {self.epochs} epochs"
            )

    def run(self, space: Space, relaxation: Relaxation, hypergradient: Hypergradient) -> Found:
        """Trains a supernet of `space`, and what it chooses.

        Warns:
            CollapseWarning: skip connections have taken over.

        Raises:
            SpaceError: the space has no weight sharing.
            DataError: there are too few images to hold some out.
            Diverged: a loss is no finite number.
        """
        import torch

        from fidelity.placement import choose

        device = choose(self.device)
        with torch.random.fork_rng(devices=[device.index] if device.type == "cuda" else []):
            # Each generator by itself: torch.manual_seed would reseed other devices too.
            torch.default_generator.manual_seed(self.seed)
            search = _Search(self, space, relaxation, hypergradient, device)
            trace = self._course(search)
        if trace.collapsed is not None:
            warnings.warn(
                f"the search has collapsed: {trace.skips[-1]} of {trace.cell_edges} edges of its "
                f"cell are skip connections, most of them since epoch {trace.collapsed}; end it "
                "earlier with stop=SkipConnections(), or hold out more images",
                CollapseWarning,
                stacklevel=2,
            )
        return Found(space, search.shared, trace)

    def _course(self, search: _Search) -> Trace:
        trace = search.trace()
        for epoch in range(self.epochs):
            search.train(epoch)
            trace = search.trace()
            if self.stop is not None and (reason := self.stop(trace)):
                return replace(trace, stopped=reason)
        return trace


@dataclass(frozen=True, eq=False)
class Found:
    """What a gradient-based search has found.

    Attributes:
        space: that was searched.
        supernet: trained.
        trace: the course of the search.
    """

    space: Space
    supernet: Supernet
    trace: Trace

    def ranked(self) -> Iterator[Configuration]:
        """The configurations by their probability, the highest first."""
        return self.supernet.ranked(np.log(self.trace.probabilities()[-1]))

    def next_unasked(self, history: History) -> Configuration:
        """The most probable configuration whose network was never asked for.

        Raises:
            Exhausted: all of them were.
        """
        asked = history.keys()
        for chosen in self.ranked():
            if trial_key(self.space, chosen) not in asked:
                return chosen
        raise Exhausted("every configuration without 'none' has been asked for")


class _Search:
    """A supernet and architecture parameters in training."""

    def __init__(
        self,
        settings: Bilevel,
        space: Space,
        relaxation: Relaxation,
        hypergradient: Hypergradient,
        device: torch.device,
    ) -> None:
        import torch

        from fidelity.data import split
        from fidelity.placement import place

        self.settings, self.relaxation, self.hypergradient = settings, relaxation, hypergradient
        dataset = settings.dataset
        held_out = round(settings.held_out * len(dataset.train))
        rng = np.random.default_rng(settings.seed)
        train, held = split(dataset.train, held_out, rng)
        self.data = place(replace(dataset, train=train, validation=held), device)
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
        import torch
        from torch.nn.modules.batchnorm import _BatchNorm

        from spaces.sharing import supernet

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
        import torch

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
        import torch

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
        import torch.nn.functional as F

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
        import torch

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
            len(skips[0]),
            tuple(train for train, _ in self._losses),
            tuple(held_out for _, held_out in self._losses),
        )
