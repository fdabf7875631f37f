"""One-shot performance estimation: networks inherit the weights of one trained supernet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

import torch
from ConfigSpace import Configuration, ConfigurationSpace
from torch import Tensor, nn

from fidelity.checkpoint import Checkpoint
from fidelity.objective import Context
from fidelity.one_shot.paths import Grouped, Paths, SampledPaths, Sandwich, Uniform
from fidelity.tasks.task import Measure
from fidelity.training.device_data import DeviceData, copy_to_device, resolve_device
from fidelity.training.loop import TrainingLoop
from fidelity.training.networks import check_connected, move_network, trainable_parameters
from fidelity.training.plan import Plan
from fidelity.training.seeding import seeded
from fidelity.training.training import Training
from spaces.architecture.architecture import Architecture
from spaces.keys import trial_key
from spaces.space import InputShape, Space, SpaceError
from spaces.weight_sharing import SharedWeights, Supernet, supernet

# Cached here and not in the objective, so that the objective can be sent to another process.
_trained: WeakKeyDictionary[OneShot, SharedWeights] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class OneShot:
    """An objective that estimates a network's validation cost with inherited weights.

    One supernet is trained once, at the first estimate: in each step the network of one
    configuration. It is the space's own, as that of `CellSpace`, or an `ElasticSupernet`, in which
    networks of any depth and width share weights. After that an estimate takes no training. The
    averages of batch normalisation differ between paths: they are calibrated for each network on a
    few batches of training images, as in `Training`.

    Source: Guo et al. (2020), "Single path one-shot neural architecture search with uniform
    sampling", ECCV; Li and Talwalkar (2020), "Random search and reproducibility for neural
    architecture search", UAI; Cai et al. (2020), "Once-for-all", ICLR.

    An estimate depends on the configuration and not only on the network: two configurations of the
    same network inherit the weights of different edges.

    Attributes:
        training: the training of the supernet: its space, data set and settings; `max_epochs` of
            all paths together, several times those of a single network.
        seed: of initial weights, paths, order and augmentation.
        paths: the rule by which the network of each step is drawn; None is `Uniform()` for a
            supernet of operations, `Grouped(Sandwich())` for an elastic one.
        file: holds the trained supernet for other processes and later runs; None keeps it in this
            process alone.
    """

    training: Training
    seed: int = 0
    paths: Paths | None = None
    file: Path | None = field(default=None, compare=False)  # the seed determines the weights
    resumes: ClassVar[bool] = False

    @property
    def space(self) -> Space:
        """The space of the supernet."""
        return self.training.space

    @property
    def measure(self) -> Measure:
        """The meaning of the cost, which is that of the task."""
        return self.training.measure

    @cached_property
    def _plan(self) -> Plan:
        return self.training.plan({}, self.seed)

    def __call__(
        self, configuration: Configuration, context: Context | None = None
    ) -> dict[str, Any]:
        """Return the validation cost of a network with inherited weights.

        Args:
            configuration: the network, a configuration of the space.
            context: the device.

        Returns:
            'cost', that of the task on the validation part; the metrics of the task;
            'validation_loss', the mean loss; 'parameters', of the network.

        Raises:
            InvalidArchitecture: there is no path from the input to the output.
            SpaceError: the space has no weight sharing.
            Diverged: the loss of the supernet or of the network is not finite.
        """
        loop = self._inherited(configuration, context)
        judgement = loop.evaluate(loop.data.validation)
        return {**judgement.record, "parameters": trainable_parameters(loop.network)}

    def extract(self, configuration: Configuration, context: Context | None = None) -> nn.Module:
        """Return a plain network with its inherited weights, which the supernet does not need.

        Its batch normalisation is calibrated, so that it gives the outputs on which the estimate of
        its cost rests. It can be exported, or trained further; to start a trial from it, see
        `Inherited`.

        Args:
            configuration: the network, a configuration of the space.
            context: the device.

        Raises:
            InvalidArchitecture: there is no path from the input to the output.
            SpaceError: the space has no weight sharing.
            Diverged: the loss of the supernet is not finite.
        """
        loop = self._inherited(configuration, context)
        loop.calibrate()
        return loop.network

    def _inherited(self, configuration: Configuration, context: Context | None) -> TrainingLoop:
        """Return a loop, at its first step, of a network with inherited weights."""
        check_connected(self.space, configuration)
        self._supernet(context.checkpoint.notices if context else [])
        data, dataset = self._data(context), self.training.dataset
        network = Inherited(self).build(configuration, dataset.input_shape, dataset.outputs)
        move_network(network, data.device)
        plain = replace(self._plan, average=None)  # the inherited weights are averages already
        return TrainingLoop(network, data, plain)

    def weights(self, configuration: Configuration) -> dict[str, Tensor]:
        """Return the inherited weights, as a `state_dict` of the network of `configuration`."""
        return self.supernet().stand_alone(configuration)

    def supernet(self) -> SharedWeights:
        """Return the trained supernet; the first call trains it or reads its file.

        Raises:
            SpaceError: the space has no weight sharing.
            Diverged: the training loss is not finite.
        """
        return self._supernet([])

    def _supernet(self, notices: list[str]) -> SharedWeights:
        """See `supernet`; warnings about the file are added to `notices`."""
        if self not in _trained:
            _trained[self] = self._train(notices)
        return _trained[self]

    def _data(self, context: Context | None = None) -> DeviceData:
        device = resolve_device((context.device if context else None) or self.training.device)
        return copy_to_device(self.training.dataset, device)

    def _train(self, notices: list[str]) -> SharedWeights:
        data, dataset = self._data(), self.training.dataset
        with seeded(data.device, self.seed):
            shared = supernet(self.space, dataset.input_shape, dataset.outputs)
            move_network(shared, data.device)
            checkpoint = Checkpoint(self.file, self.file, notices=notices)
            default = Uniform() if isinstance(shared, Supernet) else Grouped(Sandwich())
            sampled = SampledPaths(shared, self.space, self.paths or default, self.seed)
            loop = TrainingLoop(sampled, data, self._plan)
            _fill_momentum(loop.optimizer)
            if not self._restored(loop, checkpoint):
                loop.run(self._plan.steps, lambda: None)
                checkpoint.save(loop.state())
        trained = loop.trained  # with averaged weights, if the training asks for them
        assert isinstance(trained, SampledPaths)
        return trained.shared.eval()

    def _restored(self, loop: TrainingLoop, checkpoint: Checkpoint) -> bool:
        """Return whether the file holds the supernet that would be trained, now in `loop`."""
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


def _fill_momentum(optimizer: torch.optim.Optimizer) -> None:
    """Give every parameter a momentum of zero, which torch otherwise does at its first step.

    Its fused kernel cannot step parameters with and without momentum together, as there are
    while some operations have not yet been on a path.
    """
    for group in optimizer.param_groups:
        for parameter in group["params"] if group.get("momentum") else ():
            optimizer.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)


@dataclass(frozen=True, eq=False)
class Inherited:
    """A space whose networks start from the weights of a supernet.

    `Training(Inherited(one_shot), dataset, ...)` trains them further.

    Attributes:
        one_shot: the supernet, with its space.
    """

    one_shot: OneShot

    @property
    def configuration_space(self) -> ConfigurationSpace:
        """The configuration space of the supernet's space."""
        return self.one_shot.space.configuration_space

    def architecture(self, configuration: Configuration) -> Architecture:
        """Return the graph of a configuration."""
        return self.one_shot.space.architecture(configuration)

    def key(self, configuration: Configuration) -> str:
        """Return the key of the configuration in the space of the supernet."""
        return trial_key(self.one_shot.space, configuration)

    def build(
        self, configuration: Configuration, input_shape: InputShape, outputs: int
    ) -> nn.Module:
        """Return the network with the weights that it inherits.

        Args:
            configuration: a configuration of `configuration_space`.
            input_shape: of one example.
            outputs: of the network.

        Raises:
            SpaceError: the supernet was trained on other input shapes or outputs.
        """
        dataset = self.one_shot.training.dataset
        if (input_shape, outputs) != (dataset.input_shape, dataset.outputs):
            raise SpaceError(
                f"the supernet was trained on {dataset.name}, inputs {dataset.input_shape} and "
                f"{dataset.outputs} outputs: a network for inputs {input_shape} and {outputs} "
                "outputs inherits nothing; use the same data set for both"
            )
        weights: Mapping[str, Tensor] = self.one_shot.weights(configuration)
        with torch.random.fork_rng(devices=[]):  # the initial weights are replaced
            network = self.one_shot.space.build(configuration, input_shape, outputs)
        network.load_state_dict(weights)
        return network
