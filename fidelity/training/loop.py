"""The training loop: a network, its optimizer, and how far they have come."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from fidelity.augment import Augmentation
from fidelity.datasets.dataset import Part
from fidelity.objective import Diverged, InvalidArchitecture
from fidelity.training.calibration import calibrate
from fidelity.training.device_data import Placed
from fidelity.training.optimizers import CosineSGD

Images = Float[Tensor, "batch channels height width"]

# How many training images the averages of batch normalisation are measured on. On digits, with 256
# the error in the first six epochs differs from that with all images by 0.5 points on average, a
# third of the standard error of 359 validation images; with 64 by 1.8 points, mostly upwards. How
# they are split matters less: 0.44 to 0.48 points in batches of 32 to 256, 0.56 in batches of 8.
CALIBRATION_IMAGES = 256

# What torch says when an image has shrunk to nothing on its way through the network.
COLLAPSED = ("Output size is too small", "can't be greater than actual input size")


@dataclass(frozen=True)
class Plan:
    """How a network is trained, whatever the network.

    Attributes:
        optimisation: the optimizer and its learning rate.
        batch_size: images a step.
        steps_per_epoch: steps in which each training image is seen at most once.
        steps: of a training to the maximal budget.
        augment: the augmentations of training images, in order.
        seed: of everything random.
    """

    optimisation: CosineSGD
    batch_size: int
    steps_per_epoch: int
    steps: int
    augment: tuple[Augmentation, ...]
    seed: int

    def order(self, epoch: int, images: int) -> Int64[Tensor, " images"]:
        """The order of the training images in this epoch, on the CPU.

        It depends on seed and epoch alone, so a checkpoint in mid-epoch need not hold it.
        """
        seed = np.random.SeedSequence((self.seed, epoch)).generate_state(1, np.uint64)[0]
        generator = torch.Generator().manual_seed(int(seed) >> 1)
        return torch.randperm(images, generator=generator)


class TrainingLoop:
    """A network in training."""

    def __init__(self, network: nn.Module, data: Placed, plan: Plan) -> None:
        """Starts at step 0; `network` is on the device of `data`."""
        self.network = network
        self.data = data
        self.plan = plan
        self.step = 0
        self.optimizer = plan.optimisation.optimizer(network)
        self.generator = torch.Generator(data.device).manual_seed(plan.seed)
        self.loss_sum = torch.zeros((), device=data.device)  # over the steps of this epoch

    @property
    def epoch(self) -> float:
        """How many epochs are done."""
        return self.step / self.plan.steps_per_epoch

    @property
    def train_loss(self) -> float:
        """The mean loss over the steps of the current epoch, or of the last if none has begun."""
        per_epoch = self.plan.steps_per_epoch
        return self.loss_sum.item() / ((self.step - 1) % per_epoch + 1)

    def run(self, until: int, after_epoch: Callable[[], None]) -> None:
        """Trains to the step `until` (a total), and calls `after_epoch` at each whole epoch.

        Raises:
            Diverged: the loss is no finite number.
            InvalidArchitecture: nothing between the images and the loss can be trained.
        """
        size, per_epoch = self.plan.batch_size, self.plan.steps_per_epoch
        while self.step < until:
            epoch, first = divmod(self.step, per_epoch)
            last = min(until - epoch * per_epoch, per_epoch)
            order = self.plan.order(epoch, len(self.data.train)).to(self.data.device)
            if first == 0:
                self.loss_sum.zero_()
            self.network.train()
            for batch in order[first * size : last * size].split(size):
                self._train_on(batch)
            # The only look at a value on the device, once an epoch: each look waits for it.
            if not math.isfinite(self.train_loss):
                raise Diverged(f"the training loss is {self.train_loss} after epoch {self.epoch}")
            if last == per_epoch:
                after_epoch()

    def _train_on(self, index: Int64[Tensor, " batch"]) -> None:
        rate = self.plan.optimisation.rate(self.step, self.plan.steps)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        images = self.data.train.images[index].float()
        for augment in self.plan.augment:
            images = augment(images, self.generator)
        self.optimizer.zero_grad()
        loss = F.cross_entropy(self._logits(images), self.data.train.labels[index])
        if not loss.requires_grad:
            raise InvalidArchitecture("no parameter of the network takes part in its output")
        loss.backward()
        self.optimizer.step()
        self.loss_sum += loss.detach()
        self.step += 1

    def _logits(self, images: Images) -> Float[Tensor, "batch classes"]:
        try:
            with self.data.autocast():
                logits: Tensor = self.network(self.data.normalise(images))
        except RuntimeError as error:
            if any(text in str(error) for text in COLLAPSED):
                raise InvalidArchitecture(f"images shrink to nothing: {error}") from error
            raise
        return logits.float()

    @torch.inference_mode()
    def evaluate(self, part: Part) -> tuple[float, float]:
        """Mean loss and error rate on `part`, which may lie on another device.

        Raises:
            Diverged: the loss is no finite number. (An arg max over NaN would be class 0.)
        """
        self._calibrate()
        device = self.data.device
        loss = torch.zeros((), device=device)
        wrong = torch.zeros((), device=device, dtype=torch.int64)
        size = evaluation_batch(device, part.images.shape[2] * part.images.shape[3])
        for images, labels in zip(part.images.split(size), part.labels.split(size), strict=True):
            logits = self._logits(images.to(device).float())
            targets = labels.to(device)
            loss += F.cross_entropy(logits, targets, reduction="sum")
            wrong += (logits.argmax(1) != targets).sum()
        if not math.isfinite(loss.item()):
            raise Diverged(f"the loss on held-out images is {loss.item()} at epoch {self.epoch}")
        return loss.item() / len(part), wrong.item() / len(part)

    def _calibrate(self) -> None:
        """Measures what batch normalisation subtracts and divides by, for the weights as they are.

        It is measured on the same images each time: when, and how often, networks are evaluated
        makes no difference to their training. The batches are about as large as those of the
        training, whose memory sufficed for its gradients as well: a batch chosen for speed would
        make the error depend on the device, and a batch of one image may have no variance.
        """
        images = self.data.train.images
        chosen = self.plan.order(0, len(images))[:CALIBRATION_IMAGES].to(self.data.device)
        batches = chosen.tensor_split(max(1, len(chosen) // self.plan.batch_size))
        calibrate(self.network, self._logits, (images[batch].float() for batch in batches))

    def state(self) -> dict[str, Any]:
        """Everything that the next step depends on: tensors and plain containers only."""
        random = {"cpu": torch.get_rng_state()}  # what dropout draws from
        if self.data.device.type == "cuda":
            random["cuda"] = torch.cuda.get_rng_state(self.data.device)
        return {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "plan": self._fingerprint(),
            "loss_sum": self.loss_sum,
            "generator": self.generator.get_state(),
            "device": self.data.device.type,
            "random": random,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continues from what `state` returned.

        Raises:
            Exception: `state` is of another network or plan, or damaged. What it has changed of
                the network by then is undefined.
        """
        if state["plan"] != self._fingerprint():
            raise ValueError(f"it belongs to another training: {state['plan']}")
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        for parameter, values in self.optimizer.state.items():
            if values["momentum_buffer"].shape != parameter.shape:
                raise ValueError("its momentum has another shape than the parameters")
        self.loss_sum.copy_(state["loss_sum"])
        if state["device"] == self.data.device.type:
            self.generator.set_state(state["generator"])
            torch.set_rng_state(state["random"]["cpu"])
            if self.data.device.type == "cuda":
                torch.cuda.set_rng_state(state["random"]["cuda"], self.data.device)
        # From another kind of device the random state can't be taken over: go on with a new one.
        self.step = int(state["step"])

    def _fingerprint(self) -> list[float]:
        """What a checkpoint must agree in, to be continued as if it had never stopped."""
        plan = self.plan
        size = [plan.seed, plan.batch_size, plan.steps_per_epoch, plan.steps]
        return [*size, *astuple(plan.optimisation)]


def evaluation_batch(device: torch.device, pixels: int) -> int:
    """How many images to evaluate at once: on a CPU what stays in its caches."""
    return max(1, (2**22 if device.type == "cuda" else 2**18) // pixels)
