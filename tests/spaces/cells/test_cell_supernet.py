from __future__ import annotations

import numpy as np
import pytest
import torch
from ConfigSpace import ConfigurationSpace
from hypothesis import given, settings
from hypothesis import strategies as st

from spaces import operations
from spaces.architecture.labels import edge_name
from spaces.cells.cell import CellSpace
from spaces.hierarchical.macro_space import MacroSpace
from spaces.joint import JointSpace
from spaces.space import SpaceError, sample
from spaces.weight_sharing import most_probable, operation_supernet

SHAPE = (1, 6, 6)
SPACE = CellSpace.nasbench201(channels=4, cells=2, stages=2)
IMAGES = torch.randn(5, *SHAPE, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module", autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def one_hot(space: CellSpace, values: dict[str, str]) -> torch.Tensor:
    weights = torch.zeros(len(space.edges), len(space.operations))
    for edge, ends in enumerate(space.edges):
        weights[edge, list(space.operations).index(values[edge_name(ends)])] = 1
    return weights


class TestPath:
    @settings(max_examples=40, deadline=None)
    @given(seed=st.integers(0, 2**31), nodes=st.integers(2, 5), train=st.booleans())
    def test_it_is_the_network_that_the_space_builds(
        self, seed: int, nodes: int, train: bool
    ) -> None:
        space = CellSpace(SPACE.operations, nodes, channels=4, cells=1, stages=2)
        shared = operation_supernet(space, SHAPE, 3).train(train)
        chosen = sample(space.configuration_space, 1, np.random.default_rng(seed))[0]
        network = space.build(chosen, SHAPE, 3).train(train)
        network.load_state_dict(shared.stand_alone(chosen))
        torch.testing.assert_close(shared.path(IMAGES, chosen), network(IMAGES))

    def test_what_is_exported_is_a_copy(self) -> None:
        shared = operation_supernet(SPACE, SHAPE, 3)
        chosen = SPACE.configuration_space.get_default_configuration()
        before = {name: value.clone() for name, value in shared.state_dict().items()}
        for value in shared.stand_alone(chosen).values():
            value.zero_()
        after = shared.state_dict()
        assert all(torch.equal(after[name], value) for name, value in before.items())

    def test_dead_edges_get_no_gradient(self) -> None:
        shared = operation_supernet(SPACE, SHAPE, 3)
        text = "|nor_conv_3x3~0|+|none~0|none~1|+|nor_conv_1x1~0|none~1|nor_conv_3x3~2|"
        shared.path(IMAGES, SPACE.from_string(text)).sum().backward()
        used = [m for m in shared.candidates() if any(p.grad is not None for p in m.parameters())]
        assert len(used) == SPACE.cells * SPACE.stages


class TestMixture:
    def test_of_one_operation_an_edge_is_the_path(self) -> None:
        shared = operation_supernet(SPACE, SHAPE, 3).eval()
        text = "|nor_conv_3x3~0|+|avg_pool_3x3~0|skip_connect~1|+"
        chosen = SPACE.from_string(text + "|nor_conv_1x1~0|nor_conv_3x3~1|nor_conv_3x3~2|")
        weights = one_hot(SPACE, dict(chosen))
        expected = shared.path(IMAGES, chosen)
        torch.testing.assert_close(shared.mixture(IMAGES, weights), expected)
        active = [[int(row.argmax())] for row in weights]
        torch.testing.assert_close(shared.mixture(IMAGES, weights, active), expected)

    def test_its_weights_have_gradients_but_those_of_zero_operations(self) -> None:
        shared = operation_supernet(SPACE, SHAPE, 3)
        weights = torch.full((6, 5), 0.2, requires_grad=True)
        shared.mixture(IMAGES, weights).square().sum().backward()
        assert weights.grad is not None
        zero = [name == "none" for name in shared.operations]
        assert (weights.grad != 0).all(0).tolist() == [not is_zero for is_zero in zero]

    def test_of_nothing_but_zeros_is_defined(self) -> None:
        shared = operation_supernet(SPACE, SHAPE, 3)
        logits = shared.mixture(IMAGES, one_hot(SPACE, {edge_name(e): "none" for e in SPACE.edges}))
        assert torch.isfinite(logits).all()
        assert shared.mixture(IMAGES, torch.zeros(6, 5), [[0]] * 6).shape == (5, 3)


class TestRanking:
    def test_every_configuration_without_none_comes_once_by_descending_score(self) -> None:
        space = CellSpace(SPACE.operations, nodes=3, channels=4, cells=1)
        shared = operation_supernet(space, SHAPE, 3)
        scores = np.random.default_rng(0).normal(size=(3, 5))
        found = list(shared.ranked(scores))
        totals = [float((one_hot(space, dict(c)).numpy() * scores).sum()) for c in found]
        assert len(set(found)) == len(found) == 4**3
        assert totals == sorted(totals, reverse=True)
        assert not any("none" in dict(c).values() for c in found)

    def test_the_first_ones_of_a_huge_space_come_at_once(self) -> None:
        scores = np.zeros((50, 3))
        scores[:, 1] = 1.0
        first = next(most_probable(scores, [0, 1, 2]))
        assert first == (1,) * 50

    def test_skip_connections(self) -> None:
        shared = operation_supernet(SPACE, SHAPE, 3)
        text = "|skip_connect~0|+|none~0|skip_connect~1|+|none~0|none~1|nor_conv_3x3~2|"
        skips = shared.skips(SPACE.from_string(text))
        assert skips == (True, False, True, False, False, False)
        pooled = "|avg_pool_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|nor_conv_3x3~2|"
        weightless = shared.weightless(SPACE.from_string(pooled))
        assert weightless == (True, True, True, True, True, False)


class TestBadInput:
    def test_a_space_without_weight_sharing(self) -> None:
        with pytest.raises(
            SpaceError, match="MacroSpace has no weight sharing: choose a CellSpace"
        ):
            operation_supernet(MacroSpace.nasbench_macro(), SHAPE, 3)

    def test_continuous_hyperparameters(self) -> None:
        joint = JointSpace(SPACE, ConfigurationSpace({"learning_rate": (0.01, 0.1)}))
        with pytest.raises(SpaceError, match=r"the numbers training:learning_rate .* fix them"):
            operation_supernet(joint, SHAPE, 3)

    def test_all_operations_of_ones_own(self) -> None:
        space = CellSpace(
            {"a-b": operations.relu_conv_bn(3), "pass": operations.identity}, 3, channels=4
        )
        chosen = space.from_string("|a-b~0|+|a-b~0|pass~1|")
        shared, network = (
            operation_supernet(space, SHAPE, 2).eval(),
            space.build(chosen, SHAPE, 2).eval(),
        )
        network.load_state_dict(shared.stand_alone(chosen))
        torch.testing.assert_close(shared.path(IMAGES, chosen), network(IMAGES))
