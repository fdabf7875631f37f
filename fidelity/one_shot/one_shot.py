"""Performance estimation in one shot: a supernet is trained, its networks inherit the weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import ClassVar
from weakref import WeakKeyDictionary

import numpy as np
import torch
from ConfigSpace import Configuration, ConfigurationSpace
from jaxtyping import Float
from torch import Tensor, nn

from fidelity.checkpoint import Checkpoint
from fidelity.objective import Context, InvalidArchitecture
from fidelity.training.device_data import Placed, choose, place
from fidelity.training.loop import Plan, TrainingLoop
from fidelity.training.seeding import seeded
from fidelity.training.training import Training, trainable_parameters
from spaces.architecture.architecture import Architecture
from spaces.keys import trial_key
from spaces.space import InputShape, Space, SpaceError, draw
from spaces.weight_sharing import Supernet, supernet


class UniformPaths(nn.Module):
    """A supernet that runs another path, drawn uniformly, in each step of its training.

    Paths without a way from the input to the output are drawn anew: they would train nothing.

    Args:
        shared: the supernet.
        space: whose configurations are its paths.
        seed: of the paths.
    """

    def __init__(self, shared: Supernet, space: Space, seed: int) -> None:
        super().__init__()
        self.shared = shared
        self.space = space
        self.rng = np.random.default_rng(seed)

    def forward(
        self, images: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch outputs"]:
        """The logits of a random network."""
        chosen = draw(self.space.configuration_space, self.rng)
        while not self.space.architecture(chosen).connected:
            chosen = draw(self.space.configuration_space, self.rng)
        return self.shared.path(images, chosen)


# Kept here and not in the objective, so that that can be sent to another process without it.
_trained: WeakKeyDictionary[OneShot, Supernet] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class OneShot:
    """An objective that estimates a network's validation error with weights it inherits.

    One supernet is trained once, when the first estimate is asked for: in each step one path,
    drawn uniformly from the space. After that an estimate takes no training. The averages of
    batch normalisation are of no use, since every path has its own: they are measured anew for
    each network, as `Training` does, on a few batches of training images.

    Source: Guo et al. (2020), "Single path one-shot neural architecture search with uniform
    sampling", ECCV; Li and Talwalkar (2020), "Random search and reproducibility for neural
    architecture search", UAI.

    An estimate depends on the configuration and not only on the network: of two configurations
    of equal cells, each inherits the weights of its own edges.

    Attributes:
        training: how the supernet is trained: the space, the data set, and `max_epochs` of all
            paths together, several times those of a single network.
        seed: of initial weights, paths, order and augmentation.
        file: where the trained supernet is kept for other processes and later runs; None keeps
            it in this process alone.
    """

    training: Training
    seed: int = 0
    file: Path | None = field(default=None, compare=False)  # the weights are those of the seed
    resumes: ClassVar[bool] = False

    @property
    def space(self) -> Space:
        """The space of the supernet."""
        return self.training.space

    @cached_property
    def _plan(self) -> Plan:
        return self.training.plan({}, self.seed)

    def __call__(
        self, configuration: Configuration, context: Context | None = None
    ) -> dict[str, float]:
        """The validation error of a network with inherited weights.

        Args:
            configuration: the network, a configuration of the space.
            context: the device.

        Returns:
            'cost', the fraction of validation images that the network gets wrong;
            'validation_loss', the mean cross-entropy in nats; 'parameters', of the network.

        Raises:
            InvalidArchitecture: there is no path from the input to the output.
            SpaceError: the space has no weight sharing.
            Diverged: the loss of the supernet or of the network is no finite number.
        """
        if not self.space.architecture(configuration).connected:
            raise InvalidArchitecture("no path leads from the input to the output")
        self._supernet(context.checkpoint.notices if context else [])
        data = self._data(context)
        network = Inherited(self).build(
            configuration, self.training.dataset.input_shape, self.training.dataset.classes
        )
        network.to(data.device)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # by torch
        loss, error = TrainingLoop(network, data, self._plan).evaluate(data.validation)
        return {
            "cost": error,
            "validation_loss": loss,
            "parameters": trainable_parameters(network),
        }

    def weights(self, configuration: Configuration) -> dict[str, Tensor]:
        """The inherited weights, as a `state_dict` of what the space builds of `configuration`."""
        return self.supernet().stand_alone(configuration)

    def supernet(self) -> Supernet:
        """The trained supernet; trains it, or reads its file, the first time.

        Raises:
            SpaceError: the space has no weight sharing.
            Diverged: the training loss is no finite number.
        """
        return self._supernet([])

    def _supernet(self, notices: list[str]) -> Supernet:
        """See `supernet`; warnings about the file are added to `notices`."""
        if self not in _trained:
            _trained[self] = self._train(notices)
        return _trained[self]

    def _data(self, context: Context | None = None) -> Placed:
        device = choose((context.device if context else None) or self.training.device)
        return place(self.training.dataset, device)

    def _train(self, notices: list[str]) -> Supernet:
        data, dataset = self._data(), self.training.dataset
        with seeded(data.device, self.seed):
            shared = supernet(self.space, dataset.input_shape, dataset.classes)
            shared.to(data.device)
            shared.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            checkpoint = Checkpoint(self.file, self.file, notices=notices)
            loop = TrainingLoop(UniformPaths(shared, self.space, self.seed), data, self._plan)
            _fill_momentum(loop.optimizer)
            if not self._restored(loop, checkpoint):
                loop.run(self._plan.steps, lambda: None)
                checkpoint.save(loop.state())
        return shared.eval()

    def _restored(self, loop: TrainingLoop, checkpoint: Checkpoint) -> bool:
        """Whether the file held the supernet that would be trained."""
        if self.file is None or not self.file.exists():
            return False
        state = checkpoint.load()
        if state is None:
            return False
        try:
            loop.restore(state)
        except Exception as error:  # whatever a foreign or damaged state makes torch raise
            raise SpaceError(
                f"{self.file} holds another supernet ({error}): name another file, or remove it"
            ) from error
        return True


def _fill_momentum(optimizer: torch.optim.SGD) -> None:
    """Begins with a momentum of zero, which is what torch begins with when it has none yet.

    Its fused kernel cannot step parameters with and without momentum together, as there are
    while some operations have not yet been on a path.
    """
    for group in optimizer.param_groups:
        for parameter in group["params"] if group["momentum"] else ():
            optimizer.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)


@dataclass(frozen=True, eq=False)
class Inherited:
    """A space whose networks begin with the weights of a supernet.

    `Training(Inherited(one_shot), dataset, ...)` trains them on from there.

    Attributes:
        one_shot: whose weights are inherited.
    """

    one_shot: OneShot

    @property
    def configuration_space(self) -> ConfigurationSpace:
        """That of the supernet's space."""
        return self.one_shot.space.configuration_space

    def architecture(self, configuration: Configuration) -> Architecture:
        """The graph, whatever the weights."""
        return self.one_shot.space.architecture(configuration)

    def key(self, configuration: Configuration) -> str:
        """Return the key of the configuration in the space of the supernet."""
        return trial_key(self.one_shot.space, configuration)

    def build(
        self, configuration: Configuration, input_shape: InputShape, outputs: int
    ) -> nn.Module:
        """The network with the weights that it inherits.

        Raises:
            SpaceError: the supernet was trained on images of another shape, or other classes.
        """
        dataset = self.one_shot.training.dataset
        if (input_shape, outputs) != (dataset.input_shape, dataset.classes):
            raise SpaceError(
                f"the supernet was trained on {dataset.name}, images {dataset.input_shape} of "
                f"{dataset.classes} classes: a network for images {input_shape} of {outputs} "
                "classes inherits nothing; train both on one data set"
            )
        weights: Mapping[str, Tensor] = self.one_shot.weights(configuration)
        with torch.random.fork_rng(devices=[]):  # the first weights are replaced
            network = self.one_shot.space.build(configuration, input_shape, outputs)
        network.load_state_dict(weights)
        return network
