"""What holds for every axis, and what each lowers."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from ConfigSpace import Configuration, ConfigurationSpace
from hypothesis import given, settings
from hypothesis import strategies as st

from fidelity.augment import PadCrop
from fidelity.axes import Axis, AxisError, Depth, Epochs, Images, Resolution, Width
from fidelity.axes.images import stratified_order
from fidelity.datasets import digits, from_arrays
from fidelity.training.training import Training
from spaces.cells.cell import CellSpace
from spaces.cells.darts import DartsSpace
from spaces.cells.node_cell import nasbench101
from spaces.hierarchical.macro_space import MacroSpace
from spaces.joint import JointSpace
from spaces.resources.resources import cost
from spaces.space import Space, configuration
from tests.fidelity.trained import stripes

SPACE = CellSpace(channels=4, cells=2, stages=2)
WHOLE = digits()
DIGITS = replace(
    WHOLE.subset(160),
    validation=WHOLE.validation.select(torch.arange(80)),
    test=WHOLE.test.select(torch.arange(80)),
)
TRAINING = Training(SPACE, DIGITS, max_epochs=2, batch_size=64, device="cpu")
AXES: list[Axis] = [Epochs(), Images(), Resolution(), Width(), Depth()]
names = pytest.mark.parametrize("axis", AXES, ids=lambda axis: type(axis).__name__)


class TestEveryAxis:
    @names
    def test_at_full_size_the_training_is_itself(self, axis: Axis) -> None:
        assert axis.apply(TRAINING, axis.size(TRAINING)) is TRAINING

    @names
    def test_lowers_its_own_size_and_no_other(self, axis: Axis) -> None:
        half = axis.apply(TRAINING, axis.size(TRAINING) / 2)
        for other in AXES:
            factor = 0.5 if other == axis else 1.0
            assert other.size(half) == pytest.approx(factor * other.size(TRAINING), rel=1e-3)
        assert axis.size(TRAINING) == axis.size(TRAINING)

    @names
    def test_trials_share_the_reduced_training(self, axis: Axis) -> None:
        size = axis.size(TRAINING) / 2
        assert axis.apply(TRAINING, size).dataset is axis.apply(TRAINING, size).dataset

    @names
    def test_only_the_size_may_differ(self, axis: Axis) -> None:
        half = axis.apply(TRAINING, axis.size(TRAINING) / 2)
        assert half.dataset.outputs == DIGITS.outputs
        assert len(half.dataset.validation) == len(DIGITS.validation)
        assert half.dataset.augment == DIGITS.augment
        assert half.batch_size == TRAINING.batch_size
        assert half.space.configuration_space == SPACE.configuration_space


class TestImages:
    @settings(max_examples=60, deadline=None)
    @given(
        counts=st.lists(st.integers(1, 40), min_size=2, max_size=6),
        seed=st.integers(0, 99),
        data=st.data(),
    )
    def test_beginnings_are_in_proportion(
        self, counts: list[int], seed: int, data: st.DataObject
    ) -> None:
        labels = np.repeat(np.arange(len(counts)), counts)
        order = stratified_order(labels, np.random.default_rng(seed))
        assert sorted(order) == list(range(len(labels)))
        first = data.draw(st.integers(len(counts), len(labels)))
        chosen = np.bincount(labels[order[:first]], minlength=len(counts))
        assert (chosen >= 1).all()
        exact = np.array(counts) * first / len(labels)
        assert (abs(chosen - exact) <= len(counts) + 1).all()

    def test_smaller_sets_are_nested_in_larger_ones(self) -> None:
        def chosen(images: int) -> set[bytes]:
            part = Images().apply(training, images).dataset.train
            return {image.numpy().tobytes() for image in part.inputs}

        training = Training(SPACE, stripes(), max_epochs=1)
        sets = [chosen(images) for images in (2, 7, 30, 31, 90, 110)]
        assert [len(s) for s in sets] == [2, 7, 30, 31, 90, 110]
        for smaller, larger in pairwise(sets):
            assert smaller < larger

    def test_another_seed_is_another_subset(self) -> None:
        one, other = (Images(seed).apply(TRAINING, 100).dataset.train for seed in (0, 1))
        assert not torch.equal(one.inputs, other.inputs)

    def test_fewer_images_than_classes_are_refused(self) -> None:
        with pytest.raises(AxisError, match="9 training images are too few: each of the 10"):
            Images().apply(TRAINING, 9)


class TestResolution:
    def test_each_pixel_is_a_mean(self) -> None:
        images = Resolution().apply(TRAINING, 4).dataset.test.inputs
        whole = DIGITS.test.inputs.float()
        assert images.shape[1:] == (1, 4, 4)
        assert torch.allclose(images[:, :, 0, 0], whole[:, :, :2, :2].mean((2, 3)))

    def test_the_shorter_side_keeps_its_proportion(self) -> None:
        rng = np.random.default_rng(0)
        for height, lowered in ((1, 1), (4, 2), (6, 3)):
            data = from_arrays(rng.random((40, 1, height, 12)), np.arange(40) % 2)
            small = Resolution().apply(Training(SPACE, data, max_epochs=1), 6)
            assert small.dataset.input_shape == (1, lowered, 6)
            assert Resolution().exponent(small) == (1 if height == 1 else 2)

    def test_never_less_than_a_pixel(self) -> None:
        assert Resolution().apply(TRAINING, 0.1).dataset.input_shape == (1, 1, 1)

    def test_augmentation_is_in_pixels(self) -> None:
        assert Resolution().apply(TRAINING, 4).dataset.augment == (PadCrop(1),)


class TestSize:
    @pytest.mark.parametrize("space", [DartsSpace(), nasbench101(), SPACE], ids=lambda s: type(s))
    def test_configurations_stay_what_they_are(self, space: Space) -> None:
        training = Training(space, DIGITS, max_epochs=1)
        chosen = space.configuration_space.get_default_configuration()
        for axis in (Width(), Depth()):
            small = axis.apply(training, 1)
            assert axis.size(small) == 1
            assert small.space.architecture(chosen) == space.architecture(chosen)

    def test_inside_a_joint_space(self) -> None:
        joint = JointSpace(SPACE, ConfigurationSpace({"learning_rate": (0.01, 1.0)}))
        training = replace(TRAINING, space=joint)
        assert Width().size(training) == 4
        small = Width().apply(training, 2)
        assert small.space == JointSpace(replace(SPACE, channels=2), joint.hyperparameters)
        rate = {"training:learning_rate": 0.1}
        edges = {f"architecture:{edge}": "nor_conv_3x3" for edge in SPACE.configuration_space}
        chosen = configuration(joint.configuration_space, {**rate, **edges})
        assert 0 <= small(chosen, 1)["cost"] <= 1

    def test_a_space_without_the_field_is_refused(self) -> None:
        training = Training(MacroSpace.nasbench_macro(), DIGITS, max_epochs=1)
        with pytest.raises(AxisError, match=r"MacroSpace has no field 'channels' .* another axis"):
            Width().size(training)
        with pytest.raises(AxisError, match="name one of nodes, channels, cells, stages"):
            Depth("layers").size(TRAINING)

    def test_a_field_that_changes_the_choices_is_refused(self) -> None:
        with pytest.raises(AxisError, match="'nodes' of CellSpace changes what there is to choose"):
            Depth("nodes").apply(TRAINING, 2)

    def test_any_field_of_ones_own_space(self) -> None:
        assert Depth("stages").apply(TRAINING, 1).space == replace(SPACE, stages=1)

    @pytest.mark.parametrize("channels", [0.2, 1.4])
    def test_sizes_are_rounded(self, channels: float) -> None:
        assert Width().size(Width().apply(TRAINING, channels)) == 1


class TestCostModel:
    """The share of multiply-adds that half the size really needs, against the model's."""

    CELL = "|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|nor_conv_3x3~2|"

    def multiply_adds(self, training: Training, chosen: Configuration) -> int:
        shape = training.dataset.input_shape
        return cost(training.space.build(chosen, shape, 10), shape).multiply_adds

    @pytest.mark.parametrize(
        ("axis", "model"), [(Resolution(), 0.25), (Width(), 0.25), (Depth(), 0.5)]
    )
    def test_half_the_size(self, axis: Axis, model: float) -> None:
        space = CellSpace(channels=8, cells=4, stages=2)
        training = Training(space, DIGITS, max_epochs=1)
        chosen = space.from_string(self.CELL)
        half = axis.apply(training, axis.size(training) / 2)
        share = self.multiply_adds(half, chosen) / self.multiply_adds(training, chosen)
        assert 0.5 ** axis.exponent(training) == model
        assert share == pytest.approx(model, abs=0.1)
