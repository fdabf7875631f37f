"""The settings of bilevel optimisation: weights on one half of the images, the cell on the other.

Liu et al. (2019), "DARTS: differentiable architecture search", algorithm 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bonas.strategies.gradient.early_stop import StopRule

if TYPE_CHECKING:
    from fidelity.datasets.dataset import Dataset
    from fidelity.training.curves import Curve
    from fidelity.training.optimizers import SGD


def _sgd() -> SGD:
    from fidelity.training.optimizers import SGD

    return SGD()


def _cosine() -> Curve:
    from fidelity.training.curves import Cosine

    return Cosine()


@dataclass(frozen=True)
class Bilevel:
    """The joint training of a supernet and its architecture parameters.

    The defaults suit a few hundred steps, with the learning rate of a `Training`. Liu et al. (2019)
    take 50 epochs of 25,000 images, `optimizer=SGD(0.025, 0.9, 3e-4)` and
    `architecture_rate=3e-4`. With few steps those can leave the weights untrained: on digits the
    loss of GDAS stayed between 1.5 and 2 (guessing gives 2.3), and its cells had no convolution.

    Attributes:
        dataset: only its training part is used; the validation part is for comparing networks.
        epochs: passes over the part of the images that the weights are trained on.
        batch_size: images per step, of either part.
        optimizer: of the weights.
        curve: of their learning rate, which falls to 0.
        clip: the maximal norm of the weights' gradient.
        architecture_rate: the learning rate of Adam for the architecture parameters.
        architecture_decay: their weight decay.
        held_out: the share of the training images for the architecture parameters.
        warm_up: the number of first epochs that train the weights alone.
        stop: ends the search early; None trains to the last epoch.
        device: as torch names devices; None means the GPU where there is one, else the CPU.
        seed: of everything random.

    Raises:
        ValueError: a number is out of its range.
    """

    dataset: Dataset
    epochs: int = 50
    batch_size: int = 64
    optimizer: SGD = field(default_factory=_sgd)
    curve: Curve = field(default_factory=_cosine)
    clip: float = 5.0
    architecture_rate: float = 0.02
    architecture_decay: float = 1e-3
    held_out: float = 0.5
    warm_up: int = 0
    stop: StopRule | None = None
    device: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        from fidelity.datasets.dataset import check_dataset

        check_dataset(self.dataset)
        for name in ("epochs", "batch_size", "clip", "architecture_rate"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}: it must be above 0")
        if not 0 < self.held_out < 1:
            raise ValueError(f"held_out is {self.held_out}: it lies between 0 and 1")
        if not 0 <= self.warm_up < self.epochs:
            raise ValueError(
                f"warm_up is {self.warm_up}: it lies between 0 and the {self.epochs} epochs"
            )
