"""The training loop: a network, its optimizer and their progress."""

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

from fidelity.augment import Augmentation, Images
from fidelity.datasets.dataset import Part
from fidelity.objective import Diverged, InvalidArchitecture
from fidelity.training.batch_norm import calibrate
from fidelity.training.device_data import DeviceData
from fidelity.training.optimizers import CosineSGD

# Training images that batch normalisation is calibrated on. On digits, with 256 the error in the
# first six epochs differs from that with all images by 0.5 points on average, a third of the
# standard error of 359 validation images; with 64 by 1.8 points, mostly upwards. The split matters
# less: 0.44 to 0.48 points in batches of 32 to 256, 0.56 in batches of 8.
CALIBRATION_IMAGES = 256

# Parts of torch's messages when an image has shrunk to nothing on its way through the network.
COLLAPSED_MESSAGES = ("Output size is too small", "can't be greater than actual input size")


@dataclass(frozen=True)
class Plan:
    """The settings of a training that do not depend on the network.

    Attributes:
        optimisation: the optimizer and its learning rate.
        batch_size: images per step.
        steps_per_epoch: steps in which each training image is seen at most once.
        steps: of a full training run.
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
        """Return the order of the training images in an epoch, on the CPU.

        It depends on seed and epoch alone, so a checkpoint in mid-epoch need not hold it.

        Args:
            epoch: counted from 0.
            images: the number of training images.
        """
        seed = np.random.SeedSequence((self.seed, epoch)).generate_state(1, np.uint64)[0]
        generator = torch.Generator().manual_seed(int(seed) >> 1)
        return torch.randperm(images, generator=generator)


class TrainingLoop:
    """A network in training."""

    def __init__(self, network: nn.Module, data: DeviceData, plan: Plan) -> None:
        """Start at step 0; `network` is on the device of `data`."""
        self.network = network
        self.data = data
        self.plan = plan
        self.step = 0
        self.optimizer = plan.optimisation.optimizer(network)
        self.generator = torch.Generator(data.device).manual_seed(plan.seed)
        self.loss_sum = torch.zeros((), device=data.device)  # over the steps of this epoch

    @property
    def epoch(self) -> float:
        """The number of epochs done."""
        return self.step / self.plan.steps_per_epoch

    @property
    def train_loss(self) -> float:
        """The mean loss over the steps of the current epoch, or of the last if none has begun."""
        per_epoch = self.plan.steps_per_epoch
        return self.loss_sum.item() / ((self.step - 1) % per_epoch + 1)

    def run(self, until: int, after_epoch: Callable[[], None]) -> None:
        """Train to a step.

        Args:
            until: the step, a total.
            after_epoch: is called at the end of each whole epoch.

        Raises:
            Diverged: the loss is not finite.
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
            # The only value read from the device, once per epoch: each read waits for it.
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
            if any(text in str(error) for text in COLLAPSED_MESSAGES):
                raise InvalidArchitecture(f"images shrink to nothing: {error}") from error
            raise
        return logits.float()

    @torch.inference_mode()
    def evaluate(self, part: Part) -> tuple[float, float]:
        """Return mean loss and error rate on `part`, which may lie on another device.

        Raises:
            Diverged: the loss is not finite. (An arg max over NaN would be class 0.)
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
        """Calibrate batch normalisation for the current weights.

        The images are the same each time, so that it makes no difference to a training when and
        how often it is evaluated. The batches are about as large as those of the training, whose
        memory sufficed for gradients as well: a batch size chosen for speed would make the error
        depend on the device, and a batch of one image may have no variance.
        """
        images = self.data.train.images
        index = self.plan.order(0, len(images))[:CALIBRATION_IMAGES].to(self.data.device)
        batches = index.tensor_split(max(1, len(index) // self.plan.batch_size))
        calibrate(self.network, self._logits, (images[batch].float() for batch in batches))

    def state(self) -> dict[str, Any]:
        """Return everything that the next step depends on, as tensors and plain containers."""
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
        """Resume from what `state` returned.

        Raises:
            Exception: `state` is of another network or plan, or damaged. The network is then left
                in an undefined state.
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
        # The random state of another kind of device is of no use: the new one stays.
        self.step = int(state["step"])

    def _fingerprint(self) -> list[float]:
        """Return the settings that a checkpoint must share to resume exactly."""
        plan = self.plan
        size = [plan.seed, plan.batch_size, plan.steps_per_epoch, plan.steps]
        return [*size, *astuple(plan.optimisation)]


def evaluation_batch(device: torch.device, pixels: int) -> int:
    """Return the number of images to evaluate at once: on a CPU, few enough for its caches.

    Args:
        device: where they are evaluated.
        pixels: of one image, the channels not counted.
    """
    return max(1, (2**22 if device.type == "cuda" else 2**18) // pixels)
