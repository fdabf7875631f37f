"""The training loop: a network, its optimizer and their progress."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from fidelity.augment import Inputs
from fidelity.datasets.part import Batch, Part
from fidelity.mixing import Mixed
from fidelity.objective import Diverged, InvalidArchitecture
from fidelity.ranks import ALONE, Ranks
from fidelity.tasks.distillation import Taught
from fidelity.tasks.task import Criterion, Outputs, Tally
from fidelity.training.batch_norm import calibrate
from fidelity.training.device_data import DeviceData
from fidelity.training.plan import Plan

# Training examples that batch normalisation is calibrated on. On digits, with 256 the error in the
# first six epochs differs from that with all images by 0.5 points on average, a third of the
# standard error of 359 validation images; with 64 by 1.8 points, mostly upwards. The split matters
# less: 0.44 to 0.48 points in batches of 32 to 256, 0.56 in batches of 8.
CALIBRATION_EXAMPLES = 256

# Parts of torch's messages when an input has shrunk to nothing on its way through the network.
COLLAPSED_MESSAGES = ("Output size is too small", "can't be greater than actual input size")

STATE_TENSORS = ("momentum_buffer", "exp_avg", "exp_avg_sq")
"""The state of an optimizer that has the shape of the parameters, which torch does not check."""

Step = Callable[[Batch], None]
"""A training step."""


@dataclass(frozen=True)
class Judgement:
    """A network on one part of the data.

    Attributes:
        loss: the mean loss.
        cost: that of the task.
        tally: all metrics.
    """

    loss: float
    cost: float
    tally: Tally

    @property
    def record(self) -> dict[str, Any]:
        """The metrics, 'cost' and 'validation_loss', as an objective returns them."""
        return {**self.tally.metrics(), "cost": self.cost, "validation_loss": self.loss}


class TrainingLoop:
    """A network in training."""

    def __init__(
        self, network: nn.Module, data: DeviceData, plan: Plan, ranks: Ranks = ALONE
    ) -> None:
        """Start at step 0.

        Args:
            network: on the device of `data`.
            data: the examples.
            plan: the settings.
            ranks: the processes that train the network; each has a loop of its own.
        """
        self.network = network
        self.data = data
        self.plan = plan
        self.ranks = ranks
        self.step = 0
        self.parallel = ranks.parallel(network)
        self.optimizer = plan.optimizer.start(network)
        self.average = None if plan.average is None else _average(network, plan.average)
        self.generator = torch.Generator(data.device).manual_seed(plan.seed)
        self.loss_sum = torch.zeros((), device=data.device)  # over the steps of this epoch

    @property
    def epoch(self) -> float:
        """The number of epochs done."""
        return self.step / self.plan.steps_per_epoch

    @property
    def trained(self) -> nn.Module:
        """The network that is evaluated: with the averaged weights, if there are any."""
        return self.network if self.average is None else self.average.module

    @property
    def train_loss(self) -> float:
        """The mean loss over the steps of the current epoch, or of the last if none has begun."""
        per_epoch = self.plan.steps_per_epoch
        return self.loss_sum.item() / ((self.step - 1) % per_epoch + 1)

    @torch.enable_grad()  # whatever the caller has switched off
    def run(self, until: int, after_epoch: Callable[[], None], update: Step | None = None) -> None:
        """Train to a step.

        Args:
            until: the step, a total.
            after_epoch: is called at the end of each whole epoch.
            update: does what `TrainingLoop.update` does.

        Raises:
            Diverged: the loss is not finite.
            InvalidArchitecture: nothing between the inputs and the loss can be trained.
        """
        size, per_epoch = self.plan.batch_size, self.plan.steps_per_epoch
        update = update or self.update
        while self.step < until:
            epoch, first = divmod(self.step, per_epoch)
            last = min(until - epoch * per_epoch, per_epoch)
            order = self.plan.order(epoch, len(self.data.train)).to(self.data.device)
            if first == 0:
                self.loss_sum.zero_()
            self.network.train()
            for batch in self.data.train.batches(order[first * size : last * size], size):
                set_rate(self.optimizer, self.plan.rate(self.step))
                update(batch)
                self.step += 1
            self.ranks.average(self.loss_sum)
            # The only value read from the device, once per epoch: each read waits for it.
            if not math.isfinite(self.train_loss):
                raise Diverged(f"the training loss is {self.train_loss} after epoch {self.epoch}")
            if last == per_epoch:
                after_epoch()

    def update(self, batch: Batch) -> None:
        """Change the weights by a batch, reading nothing back from the device.

        Raises:
            InvalidArchitecture: nothing between the inputs and the loss can be trained.
        """
        self.optimizer.zero_grad()
        loss = self._loss(batch)
        if not loss.requires_grad:
            raise InvalidArchitecture("no parameter of the network takes part in its output")
        loss.backward()
        if self.plan.clip_norm is not None:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.plan.clip_norm)
        self.optimizer.step()
        if self.average is not None:
            self.average.update_parameters(self.network)
        self.loss_sum += loss.detach()

    def _loss(self, batch: Batch) -> Float[Tensor, ""]:
        """Return the mean loss of training examples, augmented, mixed and weighted.

        Every rank augments and mixes the whole batch and computes its share of it, so that the
        random numbers, the partners and a checkpoint do not depend on the number of ranks.
        """
        targets = batch.targets
        size, share = len(targets), self.ranks.share(len(targets))
        inputs = self.data.number(batch.inputs)
        for augment in self.plan.augment:
            inputs = augment(inputs, self.generator)
        if self.plan.mixing is None:
            outputs = self._outputs(self.parallel, inputs[share])
            each = self._criterion(inputs[share]).losses(outputs, targets[share])
        else:
            mixed: Mixed = self.plan.mixing(inputs, self.generator)
            outputs = self._outputs(self.parallel, mixed.inputs[share])
            losses, partners = self._criterion(mixed.inputs[share]).losses, mixed.partners[share]
            own, other = losses(outputs, targets[share]), losses(outputs, targets[partners])
            each = torch.lerp(other, own, mixed.shares[share])
        if batch.weights is None:
            return self.ranks.mean(each, size)
        # Not divided by the weights of the batch: an example counts the same in every batch.
        return self.ranks.mean(each * batch.weights[share], size) / self.data.mean_weight

    def _criterion(self, inputs: Inputs) -> Criterion:
        """Return the criterion for a batch, which may depend on a teacher."""
        criterion = self.data.criterion
        if not isinstance(criterion, Taught):
            return criterion
        with torch.no_grad():
            return criterion.taught(self._outputs(criterion.teacher, inputs))

    def _outputs(self, network: nn.Module, inputs: Inputs) -> Outputs:
        try:
            with self.data.autocast():
                outputs: Tensor = network(self.data.normalise(inputs))
        except RuntimeError as error:
            if any(text in str(error) for text in COLLAPSED_MESSAGES):
                raise InvalidArchitecture(f"images shrink to nothing: {error}") from error
            raise
        return outputs.float()

    @torch.inference_mode()
    def evaluate(self, part: Part) -> Judgement:
        """Return loss and metrics on `part`, which may lie on another device.

        Raises:
            Diverged: the loss is not finite. (An arg max over NaN would be class 0.)
        """
        self.calibrate()
        device, tally = self.data.device, self.data.criterion.tally()
        loss = torch.zeros((), device=device)
        size = evaluation_batch(device, part)
        for batch in part.batches(None, size):
            outputs = self._outputs(self.trained, self.data.number(batch.inputs.to(device)))
            targets = batch.targets.to(device)
            loss += self.data.criterion.losses(outputs, targets).sum()
            tally.add(outputs, targets)
        if not math.isfinite(loss.item()):
            raise Diverged(f"the loss on held-out examples is {loss.item()} at epoch {self.epoch}")
        return Judgement(loss.item() / len(part), tally.cost(), tally)

    def calibrate(self) -> None:
        """Calibrate batch normalisation for the current weights.

        The examples are the same each time, so that it makes no difference to a training when and
        how often it is evaluated. The batches are about as large as those of the training, whose
        memory sufficed for gradients as well: a batch size chosen for speed would make the cost
        depend on the device, and a batch of one example may have no variance.
        """
        inputs, network = self.data.train.inputs, self.trained
        index = self.plan.order(0, len(inputs))[:CALIBRATION_EXAMPLES].to(self.data.device)
        batches = index.tensor_split(max(1, len(index) // self.plan.batch_size))
        calibrate(
            network,
            lambda batch: self._outputs(network, batch),
            (self.data.number(inputs[batch]) for batch in batches),
        )

    def state(self) -> dict[str, Any]:
        """Return everything that the next step depends on, as tensors and plain containers."""
        random = {"cpu": torch.get_rng_state()}  # what dropout draws from
        if self.data.device.type == "cuda":
            random["cuda"] = torch.cuda.get_rng_state(self.data.device)
        others = self.ranks.gather(random)[1:]
        average = {} if self.average is None else {"average": self.average.state_dict()}
        return {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            **average,
            "step": self.step,
            "plan": self.plan.fingerprint(),
            "loss_sum": self.loss_sum,
            "generator": self.generator.get_state(),
            "device": self.data.device.type,
            "random": random,
            **({"random_of_others": others} if others else {}),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Resume from what `state` returned.

        Raises:
            Exception: `state` is of another network or plan, or damaged. The network is then left
                in an undefined state.
        """
        if state["plan"] != self.plan.fingerprint():
            raise ValueError(f"it belongs to another training: {state['plan']}")
        self.network.load_state_dict(state["network"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        self._restore_optimizer(state["optimizer"])
        self.loss_sum.copy_(state["loss_sum"])
        if state["device"] == self.data.device.type:
            self.generator.set_state(state["generator"])
            self._restore_random([state["random"], *state.get("random_of_others", ())])
        # The random state of another kind of device is of no use: the new one stays.
        self.step = int(state["step"])

    def _restore_optimizer(self, state: dict[str, Any]) -> None:
        groups = self.optimizer.param_groups
        capturable = [group.get("capturable") for group in groups]
        self.optimizer.load_state_dict(state)
        for group, own in zip(self.optimizer.param_groups, capturable, strict=True):
            # Of a captured training these two belong to its device, see `capture.rate_on_device`.
            group["lr"] = float(group["lr"])
            if own is not None:
                group["capturable"] = own
        for parameter, values in self.optimizer.state.items():
            for name in STATE_TENSORS:
                if name in values and values[name].shape != parameter.shape:
                    raise ValueError(f"its {name} has another shape than the parameters")

    def _restore_random(self, states: Sequence[Mapping[str, Tensor]]) -> None:
        """Restore the random state of this rank; one that was not there before keeps its own."""
        if self.ranks.number < len(states):
            own = states[self.ranks.number]
            torch.set_rng_state(own["cpu"])
            if self.data.device.type == "cuda":
                torch.cuda.set_rng_state(own["cuda"], self.data.device)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate; one on a device is written there without waiting for it.

    Args:
        optimizer: of the weights.
        rate: for the next step.
    """
    for group in optimizer.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate


def _average(network: nn.Module, decay: float) -> AveragedModel:
    """Return a moving average of the weights; batch normalisation is calibrated instead."""
    return AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(decay))


def evaluation_batch(device: torch.device, part: Part) -> int:
    """Return the number of examples to evaluate at once: on a CPU, few enough for its caches.

    Args:
        device: where they are evaluated.
        part: the examples, whose positions count: pixels, points of a signal, features or tokens.
    """
    shape, values = part.inputs.shape, 2**22 if device.type == "cuda" else 2**18
    positions = math.prod(shape[2:]) if len(shape) > 2 else shape[1]
    # A token may have as many outputs as there are different tokens.
    tokens = part.inputs.dtype is torch.int64
    return max(1, values // (positions * (16 if tokens else 1)))
