"""Networks and augmentations for two processes, some of which break."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from ConfigSpace import Configuration
from torch import Tensor, nn

import fidelity.training.training
from fidelity.augment import Images
from spaces.space import InputShape
from tests.fidelity.fakes import TinySpace


class Unused(nn.Module):
    """A parameter that no output depends on, like that of an edge of a cell that leads nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3))

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs


@dataclass(frozen=True)
class Grouped(TinySpace):
    """Group normalisation, which does not depend on how a batch is shared."""

    def build(
        self, configuration: Configuration, input_shape: InputShape, outputs: int
    ) -> nn.Module:
        network = super().build(configuration, input_shape, outputs)
        if configuration["operation"] in ("empty", "frozen"):
            return network
        assert isinstance(network, nn.Sequential)
        network[1] = nn.GroupNorm(2, self.channels)
        network.append(Unused())
        return network


@dataclass(frozen=True)
class Saving(Grouped):
    """Makes its training save after each epoch, in whichever process that is."""

    def build(
        self, configuration: Configuration, input_shape: InputShape, outputs: int
    ) -> nn.Module:
        fidelity.training.training.SAVE_SECONDS = 0.0
        return super().build(configuration, input_shape, outputs)


@dataclass(frozen=True)
class Struck:
    """An augmentation that does something once, in one rank, in the middle of a training.

    Attributes:
        folder: for a file that says it has happened, and in which process.
        rank: in which it happens.
        calls: before it happens.
        number: of the signal; 0 means that the process waits to be killed.
        child: whether a process that it has forked lives on.
    """

    folder: Path
    rank: int
    calls: int = 10
    number: int = signal.SIGKILL
    child: bool = False

    def __call__(self, images: Images, generator: torch.Generator) -> Images:
        if os.environ.get("RANK") != str(self.rank) or (self.folder / "struck").exists():
            return images
        with (self.folder / "calls").open("a", encoding="utf-8") as file:
            file.write("x")
        if len((self.folder / "calls").read_text(encoding="utf-8")) > self.calls:
            (self.folder / "new").write_text(str(os.getpid()), encoding="utf-8")
            (self.folder / "new").rename(self.folder / "struck")
            if self.child and os.fork() == 0:
                time.sleep(60)
                os._exit(0)
            if self.number:
                os.kill(os.getpid(), self.number)
            time.sleep(600)
        return images
