"""Training hyperparameters that the configuration chooses."""

import numpy as np
import pytest
from ConfigSpace import ConfigurationSpace

from fidelity.datasets import from_arrays
from fidelity.training.training import Training
from spaces.cells.cell import CellSpace
from spaces.joint import JointSpace
from spaces.space import SpaceError, configuration


def joint(hyperparameters: dict[str, tuple[float, float]]) -> JointSpace:
    space = CellSpace(nodes=2, channels=2, cells=1, stages=1)
    return JointSpace(space, ConfigurationSpace(hyperparameters))


def training(space: JointSpace) -> Training:
    rng = np.random.default_rng(0)
    labels = np.arange(120) % 2
    images = rng.normal(labels[:, None, None], 1.0, (120, 4, 4))
    return Training(space, from_arrays(images, labels), max_epochs=2, batch_size=16)


def test_the_configuration_chooses_how_it_is_trained() -> None:
    space = joint({"learning_rate": (1e-6, 1.0), "weight_decay": (0.0, 0.1)})
    losses = []
    for rate in (1e-6, 0.1):
        chosen = configuration(
            space.configuration_space,
            {
                "architecture:edge_0_1": "nor_conv_3x3",
                "training:learning_rate": rate,
                "training:weight_decay": 0.0,
            },
        )
        losses.append(training(space)(chosen, 2, seed=0)["train_loss"])
    assert losses[1] < losses[0] - 0.05  # the same network, the same seed


def test_a_choice_that_training_does_not_have_is_refused() -> None:
    space = joint({"temperature": (0.0, 1.0)})
    with pytest.raises(ValueError, match="chooses temperature, but a training has only"):
        training(space)(space.configuration_space.get_default_configuration(), 2)


def test_a_joint_space_of_nothing_is_refused() -> None:
    with pytest.raises(SpaceError, match="at least 1 hyperparameter"):
        joint({})
