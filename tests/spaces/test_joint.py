import numpy as np
import pytest
from ConfigSpace import Categorical as Choose
from ConfigSpace import ConfigurationSpace, EqualsCondition, Float, Integer

from spaces.cells.cell import CellSpace
from spaces.hierarchical.stage_space import StageSpace
from spaces.joint import JointSpace
from spaces.keys import trial_key
from spaces.space import Space, SpaceError, configuration, sample, values
from tests.spaces.contract import SpaceContract


def hyperparameters() -> ConfigurationSpace:
    space = ConfigurationSpace()
    rate = Float("learning_rate", (1e-3, 1.0), log=True)
    kind = Choose("optimiser", ["sgd", "adam"])
    momentum = Float("momentum", (0.5, 0.99))
    space.add(rate, kind, momentum, Integer("batch_size", (16, 256), log=True))
    space.add(EqualsCondition(momentum, kind, "sgd"))
    return space


class TestJointCells(SpaceContract):
    builds = 5

    @staticmethod
    def make_space() -> Space:
        return JointSpace(CellSpace.nasbench201(channels=4, cells=1), hyperparameters())


class TestJointStages(SpaceContract):
    builds = 3

    @staticmethod
    def make_space() -> Space:
        return JointSpace(StageSpace(stages=(1, 2), depth=(1, 2)), hyperparameters())


def test_a_trial_is_network_and_training() -> None:
    space = JointSpace(CellSpace.nasbench201(), hyperparameters())
    one = sample(space.configuration_space, 1, np.random.default_rng(0))[0]
    chosen = values(one)
    rate = 0.5 if chosen["training:learning_rate"] != 0.5 else 0.25
    other = configuration(space.configuration_space, {**chosen, "training:learning_rate": rate})
    assert space.architecture(one).key == space.architecture(other).key
    assert trial_key(space, one) != trial_key(space, other)
    again = configuration(space.configuration_space, chosen)
    assert trial_key(space, one) == trial_key(space, again)
    assert space.training(other)["learning_rate"] == pytest.approx(rate)
    assert set(space.training(one)) <= {"learning_rate", "optimiser", "momentum", "batch_size"}


def test_the_key_of_other_spaces_is_that_of_the_architecture() -> None:
    space = CellSpace.nasbench201()
    default = space.configuration_space.get_default_configuration()
    assert trial_key(space, default) == space.architecture(default).key


def test_the_parts_stay_as_they_were() -> None:
    training = hyperparameters()
    space = JointSpace(StageSpace(stages=(1, 2), depth=(1, 2)), training)
    assert len(space.configuration_space) == len(training) + len(space.space.configuration_space)
    assert "momentum" in training
    assert str(training.conditions[0]) == "momentum | optimiser == 'sgd'"


def test_without_hyperparameters() -> None:
    with pytest.raises(SpaceError, match="at least 1 hyperparameter"):
        JointSpace(CellSpace.nasbench201(), ConfigurationSpace())
