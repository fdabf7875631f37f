from __future__ import annotations

import numpy as np
import pytest
from ConfigSpace import ConfigurationSpace

from spaces.cells.cell import CellSpace
from spaces.configurations.families import MAX_FAMILIES, families
from spaces.encoding import Encoder, Encoding
from spaces.hyperparameter_space import HyperparameterSpace
from spaces.space import configuration
from spaces.transformers.inputs import Tokens
from spaces.transformers.transformer_space import TransformerSpace

SPACE = TransformerSpace(Tokens(50, 16), (32, 64), (2, 3), (2, 4, 8), (1, 2, 4), causal=True)


def encoding(*ratios: int) -> Encoding:
    values: dict[str, object] = {"width": 32, "depth": len(ratios)}
    for number, ratio in enumerate(ratios, start=1):
        values |= {f"layer{number}:ratio": ratio, f"layer{number}:heads": 2}
    return Encoder(SPACE, 1).encode([configuration(SPACE.configuration_space, values)])


def test_the_same_choices_of_all_layers_are_one_family() -> None:
    names = ["depth", "layer1:heads", "layer2:heads", "width", "layer1:ratio", "layer2:ratio"]
    assert families(names) == ((1, 2), (4, 5), (0,), (3,))


def test_names_of_blocks_differ_in_their_numbers() -> None:
    assert families(["block 0", "block 1", "width"]) == ((0, 1), (2,))


@pytest.mark.parametrize("names", [["edge_0_1", "edge_0_2"], ["width", "depth"], []])
def test_a_space_without_repeated_choices_of_several_kinds_has_no_families(
    names: list[str],
) -> None:
    assert families(names) == ()


def test_hyperparameters_of_small_families_are_together() -> None:
    names = ["layer1:heads", "layer2:heads", *(chr(97 + i) for i in range(MAX_FAMILIES + 3))]
    groups = families(names)
    assert len(groups) == MAX_FAMILIES + 1
    assert sorted(i for group in groups for i in group) == list(range(len(names)))


def test_a_cell_is_encoded_without_families() -> None:
    assert not Encoder(CellSpace.nasbench201())._families


def test_a_mean_is_over_the_layers_that_exist() -> None:
    # Ratios 1, 2, 4 are at 0, 1/2 and 1.
    for ratios, mean in [((1, 4), 0.5), ((1, 4, 4), 2 / 3), ((2, 2), 0.5)]:
        encoded = encoding(*ratios)
        means = [f for f in encoded.layout.families if f.size == 1 and len(f.columns) == 1]
        values = [encoded.rows[0, family.columns[0]] for family in means]
        assert any(np.isclose(value, mean) for value in values)
        assert len(values) == 2  # of ratios and of heads


def test_a_family_of_other_kinds_has_no_mean() -> None:
    space = ConfigurationSpace({"a:x1": ["p", "q"], "a:x2": ["p", "q", "r"], "b": (0.0, 1.0)})
    encoder = Encoder(HyperparameterSpace(space))
    encoded = encoder.encode(list(space.sample_configuration(4)))
    assert len(encoded.layout.families) == 2
