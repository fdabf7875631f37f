import json
from xml.etree import ElementTree

import numpy as np
import pytest

from spaces import zoo
from spaces.architecture.architecture import Architecture, ArchitectureError, chain
from spaces.cells.cell import CellSpace
from spaces.cells.darts import darts
from spaces.cells.node_cell import nasbench101
from spaces.hierarchical.encoder_decoder import EncoderDecoderSpace
from spaces.hierarchical.macro_space import MacroSpace
from spaces.sequences.sequence_space import NextTokenSpace, SequenceSpace
from spaces.serialisation import (
    architecture_from_json,
    architecture_to_json,
    check_space,
    configuration_space_from_json,
    space_to_json,
)
from spaces.space import Space, SpaceError, configuration, sample, values
from spaces.tabular.residual_perceptrons import ResidualPerceptrons

SPACES = [
    CellSpace.nasbench201(),
    nasbench101(),
    darts(),
    MacroSpace.mobile(),
    zoo.space(),
    EncoderDecoderSpace(),
    NextTokenSpace(vocabulary=9),
    ResidualPerceptrons(),
    SequenceSpace(vocabulary=9),
]


@pytest.mark.parametrize("space", SPACES, ids=lambda space: type(space).__name__)
def test_round_trips(space: Space) -> None:
    again = configuration_space_from_json(space_to_json(space))
    assert again == space.configuration_space
    check_space(space_to_json(space), space)
    for drawn in sample(space.configuration_space, 5, np.random.default_rng(0)):
        graph = space.architecture(drawn)
        assert architecture_from_json(architecture_to_json(graph)) == graph
        assert values(configuration(again, values(drawn))) == values(drawn)


def test_the_format_is_stable() -> None:
    # Written by format 1: later versions still read it, and mean the same network.
    text = (
        '{"kind":"architecture","format":1,"nodes":[["input",[]],'
        '[[["input",[]],["conv3x3",[0]],["output",[1]]],[0]],["output",[0,1]]]}'
    )
    graph = architecture_from_json(text)
    assert architecture_to_json(graph) == text
    assert graph.key == "41ecbdfc71ef40844d1c436d"


def altered(**changes: object) -> str:
    return json.dumps({**json.loads(architecture_to_json(chain(["a"]))), **changes})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (architecture_to_json(chain(["a"]))[:-5], "truncated"),
        ("", "truncated"),
        (altered(format=99), "format 99, and this version of bonas reads format 1"),
        (altered(kind="space"), "no architecture"),
        ("[]", "no architecture"),
        (altered(nodes=None), "are a list"),
        (altered(nodes=[["input"]]), "a node is an operation"),
        (altered(nodes=[["input", []], ["a", ["0"]], ["output", [1]]]), "a node is an operation"),
        (altered(nodes=[["input", []], ["a", [1]], ["output", [1]]]), "earlier"),
    ],
)
def test_what_is_no_architecture_is_refused(text: str, message: str) -> None:
    with pytest.raises(ArchitectureError, match=message):
        architecture_from_json(text)


def test_what_is_no_space_is_refused() -> None:
    text = space_to_json(CellSpace.nasbench201())
    with pytest.raises(SpaceError, match="truncated"):
        configuration_space_from_json(text[:-1])
    with pytest.raises(SpaceError, match="format 2"):
        configuration_space_from_json(text.replace('"format": 1', '"format": 2', 1))
    with pytest.raises(SpaceError, match="no configuration space"):
        configuration_space_from_json('{"kind": "space", "format": 1}')
    with pytest.raises(SpaceError, match="settings"):
        check_space(text, CellSpace.nasbench201(channels=8))


@pytest.mark.parametrize(
    "graph",
    [
        chain(["conv<3>", chain(["a", "b"])]),
        chain(["zero"]).canonical(),
        zoo.space().architecture(zoo.inception_v3()),
        darts().architecture(darts().configuration_space.get_default_configuration()),
    ],
)
def test_pictures_are_well_formed(graph: Architecture) -> None:
    picture = ElementTree.fromstring(graph._repr_svg_())
    assert picture.tag.endswith("svg")
    texts = [element.text for element in picture.iter() if element.tag.endswith("text")]
    assert texts.count("input") >= 1
