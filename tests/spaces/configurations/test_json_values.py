from __future__ import annotations

import functools
import json
from typing import Any

import numpy as np
import pytest
from ConfigSpace import (
    CategoricalHyperparameter,
    ConfigurationSpace,
    Constant,
    EqualsCondition,
    Float,
    ForbiddenAndConjunction,
    ForbiddenEqualsClause,
    ForbiddenInClause,
    InCondition,
    Integer,
    OrdinalHyperparameter,
)

from spaces.cells.cell import CellSpace
from spaces.configurations.json_values import read_space, space_record
from spaces.space import configuration, record, sample, values


class Thing:
    def __init__(self, name: str) -> None:
        self.name = name


CHOICES: dict[str, list[Any]] = {
    "texts": ["a", "b"],
    "flags": [True, False],
    "nothing": [None, 1],
    "whole and real numbers": [0, 2.5],
    "a text among numbers": [1, "1", None],
    "whole numbers of numpy": [np.int64(3), np.int64(5)],
    "real numbers of numpy": [np.float32(0.1), np.float64(0.5)],
    "texts of numpy": [np.str_("a"), "b"],
    "tuples": [(3, 3), (5, 5)],
    "tuples of several lengths": [(3,), (5, 5), ()],
    "tuples of texts": [("a", "b"), ("c", "d")],
    "tuples of numbers of numpy": [(np.int64(3), 3), (np.int64(5), 5)],
    "nested tuples": [((1, 2), 3), ((3,), 4)],
    "a tuple among texts": [(3, 3), "same"],
    "lists": [[3, 3], [5, 5]],
    "mappings": [{"a": 1}, {"a": 2}],
    "classes": [int, Thing],
    "functions": [len, sorted],
    "functions without a name": [lambda: 1, lambda: 2],
    "a function and its name": [len, "builtins.len"],
    "partial functions": [functools.partial(int, base=2), functools.partial(int, base=3)],
    "objects": [Thing("a"), Thing("b")],
    "bytes": [b"a", b"b"],
    "sets": [frozenset([1]), frozenset([2])],
    "complex numbers": [1j, 2j],
    "infinity": [float("inf"), 1.0],
}


def conditional(choices: list[Any], kind: Any) -> ConfigurationSpace:
    """The choices, and others that depend on them."""
    space = ConfigurationSpace({"depends": [0, 1], "other": [0, 1], "width": (1, 9)})
    space.add(Constant("one", choices[0]), kind("choice", choices, meta={"unit": np.int64(3)}))
    space.add(EqualsCondition(space["depends"], space["choice"], choices[0]))
    space.add(InCondition(space["width"], space["choice"], list(choices[:2])))
    clauses = (
        ForbiddenInClause(space["choice"], [choices[1]]),
        ForbiddenEqualsClause(space["other"], 1),
    )
    space.add(ForbiddenAndConjunction(*clauses))
    return space


@pytest.mark.parametrize("kind", [CategoricalHyperparameter, OrdinalHyperparameter])
@pytest.mark.parametrize("choices", CHOICES.values(), ids=CHOICES)
def test_whatever_is_a_choice_is_written_and_read_back(choices: list[Any], kind: Any) -> None:
    space = conditional(choices, kind)
    loaded = read_space(json.loads(json.dumps(space_record(space))))
    assert space_record(loaded) == json.loads(json.dumps(space_record(space)))
    for drawn in sample(space, 12, np.random.default_rng(0)):
        written = json.loads(json.dumps(record(drawn)))
        for there in (space, loaded):
            read = configuration(there, written)
            np.testing.assert_array_equal(read.get_array(), drawn.get_array())
            assert json.loads(json.dumps(record(read))) == written
        assert configuration(space, values(drawn)) == drawn


def test_a_loaded_space_has_the_choices_as_they_were() -> None:
    for name in ("tuples", "nested tuples", "lists", "mappings", "whole numbers of numpy"):
        space = ConfigurationSpace()
        space.add(CategoricalHyperparameter("choice", CHOICES[name], weights=[1, 2]))
        loaded = read_space(json.loads(json.dumps(space_record(space))))
        assert loaded["choice"] == space["choice"]


def test_names_of_objects_do_not_depend_on_the_process() -> None:
    space = ConfigurationSpace()
    space.add(CategoricalHyperparameter("choice", CHOICES["partial functions"]))
    assert "0x" not in json.dumps(space_record(space))


def test_reading_a_space_leaves_what_was_read_as_it_is() -> None:
    written = space_record(CellSpace.nasbench201().configuration_space)
    before = json.dumps(written)
    read_space(written)
    assert json.dumps(written) == before


def test_an_ordinary_space_is_written_as_config_space_writes_it() -> None:
    for space in (
        CellSpace.nasbench201().configuration_space,
        conditional(["a", "b"], CategoricalHyperparameter),
        ConfigurationSpace({"x": Float("x", (1e-4, 1.0), log=True), "n": Integer("n", (1, 9))}),
    ):
        for hyperparameter in space.values():
            hyperparameter.meta = None
        assert json.dumps(space_record(space)) == json.dumps(space.to_serialized_dict())


def test_numbers_of_numpy_are_bounds() -> None:
    space = ConfigurationSpace()
    space.add(Integer("n", (np.int64(1), np.int64(9))))
    space.add(Float("x", (np.float32(0.25), np.float64(0.5))))
    loaded = read_space(json.loads(json.dumps(space_record(space))))
    for drawn in sample(space, 9, np.random.default_rng(0)):
        assert configuration(loaded, json.loads(json.dumps(record(drawn)))) is not None
