"""The objective that trains each network on several devices at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import torch
from ConfigSpace import Configuration

from fidelity.datasets.dataset import Dataset
from fidelity.objective import Context
from fidelity.tasks.task import Measure
from fidelity.training.distributed.messages import Call
from fidelity.training.distributed.team import Team
from fidelity.training.resource_counts import ResourceCount
from fidelity.training.training import FinalReport, Training
from spaces.space import Space


@dataclass(frozen=True, eq=False)
class Distributed:
    """A training whose trials each run on several devices of one machine.

    Each device has a process of its own (`DistributedDataParallel`: NCCL between GPUs, gloo between
    CPUs), which stays from one trial to the next. The search sees one trial. Only rank 0 reports
    and saves.

    The result is that of `training` with the same settings, up to rounding: `batch_size` is that of
    all processes together, each takes an equal share of every batch, and the learning rate is not
    scaled. Two things differ. Batch normalisation normalises in each process over its own share,
    and dropout draws other numbers. A checkpoint can be resumed with another number of processes.

    If a process dies the trial is lost, and a runner that retries trials resumes it from its last
    checkpoint. The processes end with this object and with the process that it is in.

    The limit `TrialLimits.memory` counts the worker alone, without these processes.

    Attributes:
        training: of each trial.
        processes: that share a trial, one per device. The devices are those that the context or
            `training` names, separated by commas (`"cuda:0,cuda:1"`), or else the first ones.

    Raises:
        ValueError: there is no process, or a batch has fewer examples than there are processes.
        TypeError: `training` is no `Training`.
    """

    training: Training
    processes: int = 2

    def __post_init__(self) -> None:
        """Check the settings."""
        if not isinstance(self.training, Training):
            raise TypeError(f"training is {self.training!r}: expected a Training")
        batch_size = self.training.plan({}, seed=0).batch_size
        if not 1 <= self.processes <= batch_size:
            raise ValueError(
                f"processes is {self.processes}: expected 1 or more, and at most the examples of a "
                f"batch, {batch_size}"
            )

    @property
    def space(self) -> Space:
        """The space of `training`."""
        return self.training.space

    @property
    def dataset(self) -> Dataset:
        """The data set of `training`."""
        return self.training.dataset

    @property
    def max_budget(self) -> float:
        """The largest budget of `training`."""
        return self.training.max_budget

    @property
    def measure(self) -> Measure:
        """The meaning of the cost."""
        return self.training.measure

    @property
    def computed(self) -> Mapping[str, ResourceCount]:
        """The resources that can be used before a network is trained, see `Training.computed`."""
        return self.training.computed

    def __call__(
        self,
        configuration: Configuration,
        budget: float,
        seed: int = 0,
        context: Context | None = None,
    ) -> dict[str, Any]:
        """Train to `budget` and evaluate on the validation part, see `Training`.

        Args:
            configuration: the network.
            budget: the total number of epochs to train to.
            seed: of everything random.
            context: of the trial.

        Raises:
            ProcessLost: a rank has died.
            ValueError: the devices do not suit the number of processes.
            Exception: that a rank has raised, see `Training`.
        """
        arguments = {"configuration": configuration, "budget": budget, "seed": seed}
        result: dict[str, Any] = self._call("__call__", arguments, context or Context())
        return result

    def final(
        self, configuration: Configuration, seed: int = 0, context: Context | None = None
    ) -> FinalReport:
        """Train to the largest budget and evaluate on the test part, see `Training.final`.

        Args:
            configuration: the network.
            seed: of everything random.
            context: of the trial.

        Raises:
            ProcessLost: a rank has died.
            ValueError: the devices do not suit the number of processes.
            Exception: that a rank has raised, see `Training.final`.
        """
        arguments = {"configuration": configuration, "seed": seed}
        report: FinalReport = self._call("final", arguments, context or Context())
        return report

    def _call(self, method: str, arguments: Mapping[str, Any], context: Context) -> Any:
        answer = self._team(context.device).call(Call(method, arguments, context))
        context.curve += answer.curve
        context.checkpoint.adopt(answer.checkpoint)
        if answer.error is not None:
            raise answer.error
        return answer.result

    def _team(self, device: str | None) -> Team:
        """Return the processes, which are started where there are none on these devices."""
        devices = devices_of(self.processes, device or self.training.device)
        team = _teams.get(self)
        if team is None or not team.alive or team.devices != devices:
            if team is not None:
                team.end()
            team = _teams[self] = Team(self.training, devices)
        return team


# Kept here and not in the objective, which can then be sent to another process without them.
_teams: WeakKeyDictionary[Distributed, Team] = WeakKeyDictionary()


def devices_of(processes: int, names: str | None) -> tuple[str, ...]:
    """Return the device of each rank.

    Args:
        processes: the number of ranks.
        names: as torch names devices, separated by commas; a kind of device means the first ones of
            it, and None means GPUs where there are any, else the CPU.

    Raises:
        ValueError: they are fewer or more than the ranks.
    """
    given = (names or ("cuda" if torch.cuda.is_available() else "cpu")).split(",")
    devices = [torch.device(name.strip()) for name in given]
    if len(devices) == 1 and devices[0].type == "cpu":
        devices *= processes
    elif len(devices) == 1 and devices[0].index is None:
        kind = devices[0].type
        devices = [torch.device(kind, index) for index in range(_available(kind, processes))]
    if len(devices) != processes or (len(set(devices)) < len(devices) and devices[0].type != "cpu"):
        raise ValueError(
            f"{processes} processes need as many different devices, but these are "
            f"{', '.join(map(str, devices))}: name all of them, for instance "
            f"LocalProcesses(devices=('{','.join(f'cuda:{i}' for i in range(processes))}',))"
        )
    return tuple(map(str, devices))


def _available(kind: str, processes: int) -> int:
    return min(processes, torch.cuda.device_count()) if kind == "cuda" else processes
