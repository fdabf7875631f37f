from __future__ import annotations

import numpy as np
import pytest
from ConfigSpace import (
    Categorical,
    Configuration,
    ConfigurationSpace,
    EqualsCondition,
    Float,
    Integer,
    OrdinalHyperparameter,
)

from spaces.architecture.architecture import Architecture, chain
from spaces.cells.cell import CellSpace
from spaces.encoding import (
    MAX_PATHS,
    Encoder,
    configuration_columns,
    label_counts,
    paths,
    wl_labels,
)
from spaces.space import sample


def ladder(rungs: int) -> Architecture:
    """Two different operations side by side, again and again: 2 ** rungs paths."""
    labels, edges, last = ["input"], [], 0
    for _ in range(rungs):
        first = len(labels)
        labels += ["left", "right", "concat"]
        edges += [(last, first), (last, first + 1), (first, first + 2), (first + 1, first + 2)]
        last = first + 2
    return Architecture.from_edges([*labels, "output"], [*edges, (last, len(labels))])


def test_labels_do_not_depend_on_how_nodes_are_numbered() -> None:
    one = Architecture.from_edges(["input", "a", "b", "output"], [(0, 1), (0, 2), (1, 3), (2, 3)])
    other = Architecture.from_edges(["input", "b", "a", "output"], [(0, 1), (0, 2), (1, 3), (2, 3)])
    assert label_counts(one, 2) == label_counts(other, 2)


def test_depth_0_counts_operations_and_depth_1_sees_their_order() -> None:
    one, other = chain(["a", "b", "b"]), chain(["b", "a", "b"])
    assert label_counts(one, 1)[0] == label_counts(other, 1)[0]
    assert label_counts(one, 1)[1] != label_counts(other, 1)[1]


def test_labels_are_the_same_in_every_process() -> None:
    assert wl_labels(chain(["conv"]), 0)[0][1] == 7068760849415152863


def test_paths_are_the_sequences_of_operations() -> None:
    both = Architecture.from_edges(["input", "a", "b", "output"], [(0, 1), (1, 2), (0, 2), (2, 3)])
    assert set(paths(both)) == {*paths(chain(["a", "b"])), *paths(chain(["b"]))}


def test_the_number_of_paths_is_bounded() -> None:
    assert len(paths(ladder(4))) == 16
    assert len(paths(ladder(20))) <= MAX_PATHS


def test_inactive_values_are_a_category_of_their_own() -> None:
    space = ConfigurationSpace(
        space=[
            Categorical("kind", ["plain", "wide"]),
            Float("rate", (0.0, 1.0)),
            Integer("size", (1, 5)),
        ]
    )
    space.add(OrdinalHyperparameter("level", [1, 2, 4]))
    space.add(EqualsCondition(space["rate"], space["kind"], "wide"))
    low, high = (
        Configuration(space, values={"kind": "wide", "rate": rate, "size": 1, "level": 1})
        for rate in (0.0, 1.0)
    )
    plain = Configuration(space, values={"kind": "plain", "size": 5, "level": 4})
    rows, groups = configuration_columns(space, [c.get_array() for c in (low, high, plain)])
    assert np.isfinite(rows).all()
    by_name = dict(zip(space, groups, strict=True))

    def distance(name: str, a: int, b: int) -> float:
        return float(np.square(rows[a, by_name[name]] - rows[b, by_name[name]]).sum())

    assert distance("kind", 0, 2) == pytest.approx(1.0)
    assert distance("rate", 0, 1) == pytest.approx(1.0)
    assert distance("rate", 0, 2) == distance("rate", 1, 2) == pytest.approx(1.0)
    assert distance("size", 0, 2) == pytest.approx(1.0)
    assert distance("level", 0, 2) == pytest.approx(1.0)


def test_encoding_has_every_column_where_the_layout_says() -> None:
    space = CellSpace()
    drawn = sample(space.configuration_space, 20, np.random.default_rng(0))
    encoding = Encoder(space, depth=1).encode(drawn)
    layout = encoding.layout
    nodes = encoding.rows[:, layout.depths[0]].sum(1)
    assert np.array_equal(nodes, encoding.rows[:, layout.depths[1]].sum(1))
    assert nodes.tolist() == [len(space.architecture(c).canonical().nodes) for c in drawn]
    assert layout.paths.stop == encoding.rows.shape[1]


def test_a_used_encoder_encodes_as_a_fresh_one() -> None:
    space = CellSpace()
    drawn = sample(space.configuration_space, 20, np.random.default_rng(0))
    used = Encoder(space)
    used.encode(drawn[10:])
    assert np.array_equal(used.encode(drawn[:10]).rows, Encoder(space).encode(drawn[:10]).rows)


def test_rows_without_graphs_need_no_architecture(monkeypatch: pytest.MonkeyPatch) -> None:
    space = CellSpace.nasbench201()
    drawn = sample(space.configuration_space, 5, np.random.default_rng(0))
    whole = Encoder(space).encode(drawn)
    monkeypatch.setattr(CellSpace, "architecture", lambda *_: pytest.fail("it was computed"))
    encoding = Encoder(space).encode(drawn, graphs=False)
    columns = whole.layout.configuration
    assert np.array_equal(encoding.rows[:, columns], whole.rows[:, columns])
    assert encoding.rows.shape[1] == columns.stop
