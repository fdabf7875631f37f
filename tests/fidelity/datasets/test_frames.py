from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from fidelity.datasets import Fixed, from_frame
from fidelity.datasets.dataset import DataError, Dataset
from fidelity.tasks import Classification, MultiLabel, Regression

COUNT = 60


def frame(count: int = COUNT) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "age": np.where(np.arange(count) % 7 == 0, np.nan, rng.normal(40, 9, count)),
            "rooms": rng.integers(1, 9, count),
            "owner": np.arange(count) % 3 == 0,
            "city": np.array(["Rome", "Oslo", "Bonn"])[np.arange(count) % 3],
            "size": pd.Categorical(np.array(["small", "large"])[np.arange(count) // 2 % 2]),
            "price": rng.normal(100, 10, count),
            "kind": np.array(["flat", "house"])[np.arange(count) % 2],
        }
    )


def fixed(test: slice = slice(50, 60)) -> Fixed:
    every = np.arange(COUNT)
    return Fixed(every[:40], every[40:50], every[test])


def encoded(dataset: Dataset) -> dict[str, list[float]]:
    """The training inputs by the name of the feature."""
    assert dataset.encoder is not None
    columns = dataset.train.inputs.T
    return {
        name: values.tolist()
        for name, values in zip(dataset.encoder.feature_names, columns, strict=True)
    }


def test_text_targets_become_classes_with_names() -> None:
    dataset = from_frame(frame(), "kind", split=fixed())
    assert isinstance(dataset.task, Classification)
    assert dataset.class_names == ("flat", "house")
    assert dataset.train.targets.tolist() == [i % 2 for i in range(40)]
    assert [len(p) for p in (dataset.train, dataset.validation, dataset.test)] == [40, 10, 10]


def test_categories_name_the_classes_in_their_order_and_booleans_do_too() -> None:
    table = frame()
    table["kind"] = pd.Categorical(table["kind"], categories=["house", "flat"])
    assert from_frame(table, "kind").class_names == ("house", "flat")
    assert from_frame(table, "owner").class_names == ("False", "True")


def test_numeric_targets_are_numbers_or_classes_without_names() -> None:
    dataset = from_frame(frame(), "price")
    assert isinstance(dataset.task, Regression)
    assert dataset.class_names is None
    assert dataset.train.targets.dtype is torch.float64
    table = frame().assign(rooms=(np.arange(COUNT) % 4).astype("int64"))
    assert from_frame(table, "rooms").outputs == 4
    table["rooms"] = table["rooms"].astype("Int64")
    assert from_frame(table, "rooms", task=Regression()).outputs == 1


def test_several_targets_are_columns() -> None:
    assert from_frame(frame(), ["price", "rooms"]).outputs == 2
    labels = frame().assign(garden=np.arange(COUNT) % 4 == 0)
    dataset = from_frame(labels, ["owner", "garden"], task=MultiLabel())
    assert dataset.train.targets.shape == (36, 2)


def test_columns_are_encoded_by_their_type() -> None:
    table = frame()
    features = encoded(from_frame(table, "price", split=fixed()))
    train = table[:40]
    assert features["numbers__rooms"] == train["rooms"].tolist()
    assert features["numbers__owner"] == train["owner"].astype(float).tolist()
    assert features["categories__city_Oslo"] == (train["city"] == "Oslo").astype(float).tolist()
    assert features["categories__size_small"] == (train["size"] == "small").astype(float).tolist()
    median = float(np.float32(train["age"].median()))
    filled = train["age"].astype("float32").fillna(np.float32(median)).tolist()
    assert features["numbers__age"] == pytest.approx(filled)
    missing = features["numbers__missingindicator_age"]
    assert missing == train["age"].isna().astype(float).tolist()


def test_only_training_rows_are_fitted() -> None:
    table = frame()
    table.loc[50:, "city"] = "Cork"
    table.loc[50:, "age"] = 1e4
    dataset = from_frame(table, "kind", split=fixed())
    names = list(encoded(dataset))
    assert not [name for name in names if "Cork" in name]
    city = [i for i, name in enumerate(names) if "city" in name]
    assert dataset.test.inputs[:, city].eq(0).all()
    assert dataset.test.inputs[:, names.index("numbers__age")].eq(1e4).all()


def test_missing_categories_are_a_category() -> None:
    table = frame()
    table.loc[::5, "city"] = None
    features = encoded(from_frame(table, "price", split=fixed()))
    assert features["categories__city_nan"] == [float(i % 5 == 0) for i in range(40)]


@pytest.mark.parametrize("kind", ["Int64", "Float64", "boolean", object])
def test_extension_types_with_missing_values_are_numbers(kind: Any) -> None:
    values = pd.Series([1, 0, None] * 20, dtype="Float64")
    table = frame().assign(rooms=values.astype("boolean").astype(kind))
    features = encoded(from_frame(table, "kind", split=fixed()))
    assert features["numbers__rooms"][:2] == [1, 0]
    assert features["numbers__missingindicator_rooms"] == [float(i % 3 == 2) for i in range(40)]


def test_new_rows_are_encoded_like_the_data_set() -> None:
    dataset = from_frame(frame(), "kind", split=fixed())
    arrived = pickle.loads(pickle.dumps(dataset))
    for encoder in (dataset.encoder, arrived.encoder):
        assert encoder is not None
        rows = encoder(frame()[50:].drop(columns="kind"))
        np.testing.assert_array_equal(rows.astype(np.float32), dataset.test.inputs.numpy())


def test_the_names_and_the_encoder_stay_with_a_subset() -> None:
    dataset = from_frame(frame(), "kind")
    small = dataset.subset(10)
    assert (small.class_names, small.encoder) == (dataset.class_names, dataset.encoder)


def test_parts_given_as_frames_are_encoded_like_the_training_part() -> None:
    table = frame()
    dataset = from_frame(table[:50], "kind", test=table[50:], validation=0.2)
    assert [len(p) for p in (dataset.train, dataset.validation, dataset.test)] == [40, 10, 10]
    assert dataset.test.targets.tolist() == [i % 2 for i in range(50, 60)]


def test_a_large_number_is_centred_before_it_becomes_single_precision() -> None:
    table = frame().assign(age=1.7e9 + np.random.default_rng(0).uniform(0, 600, COUNT))
    dataset = from_frame(table, "kind", split=fixed())
    assert dataset.offset is not None
    restored = dataset.test.inputs[:, 0].double() + dataset.offset[0, 0].double()
    np.testing.assert_allclose(restored.numpy(), table["age"][50:], atol=1e-4, rtol=0)


def changed(**columns: Any) -> pd.DataFrame:
    return frame().assign(**columns)


BAD: dict[str, tuple[Any, Any, str]] = {
    "no frame": (np.ones((4, 2)), "kind", "ndarray: expected a pandas DataFrame"),
    "no target": (frame(), "rent", "no target column 'rent': its columns are age, rooms"),
    "only a target": (frame()[["kind"]], "kind", "no column besides the target"),
    "no rows": (frame()[:0], "kind", "training frame has no rows"),
    "nan targets": (
        changed(price=np.where(np.arange(COUNT) < 2, np.nan, 1.5)),
        "price",
        r"target is missing in 2 of 60 training rows \(row 0, 1\)",
    ),
    "no class": (
        changed(kind=pd.Categorical(frame()["kind"], categories=["flat", "house", "hut"])),
        "kind",
        "class 'hut' has no row: .*remove_unused_categories",
    ),
    "one class": (changed(kind="flat"), "kind", "two classes or more"),
    "a class of one": (changed(kind=["hut"] + ["flat"] * 59), "kind", "has 1 of them"),
    "one value": (changed(city="Rome", rooms=3), "kind", "column 'rooms', 'city' has the same"),
    "numbers as text": (
        changed(rooms=[str(i) for i in range(COUNT)]),
        "kind",
        "'rooms' holds numbers as text, such as '0'.*to_numeric",
    ),
    "text among numbers": (
        changed(rooms=[*range(59), "n/a"]),
        "kind",
        "'rooms' mixes numbers with something else, such as 'n/a'",
    ),
    "dates": (
        changed(rooms=pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(COUNT), unit="D")),
        "kind",
        "'rooms' is datetime",
    ),
    "infinity": (
        changed(age=np.where(np.arange(COUNT) == 3, np.inf, np.arange(COUNT))),
        "kind",
        "'age' is infinite in row",
    ),
    "whole floats": (
        changed(rooms=np.arange(COUNT) % 3 * 1.0),
        "rooms",
        "3 different whole numbers in floating point",
    ),
    "columns of one name": (
        pd.concat([frame(), frame()[["age"]]], axis=1),
        "kind",
        "several columns named age",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_frame_gets_one_clear_error(case: str) -> None:
    table, target, message = BAD[case]
    with pytest.raises(DataError, match=message):
        from_frame(table, target)


def test_text_targets_are_no_numbers() -> None:
    with pytest.raises(DataError, match=r"'kind' holds .*, not numbers: regression"):
        from_frame(frame(), "kind", task=Regression())


@pytest.mark.parametrize(
    ("test", "message"),
    [
        (frame().assign(kind="hut"), "test rows have the class 'hut'"),
        (frame().drop(columns="age"), "lacks the column 'age'"),
        (frame().assign(age="old"), "'age' holds something other than numbers"),
        (frame().drop(columns="kind"), "test frame has no target column"),
        ((1, 2), "test part is a tuple: expected a pandas DataFrame, or a fraction"),
    ],
)
def test_a_part_that_does_not_match_the_training_rows_is_refused(test: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        from_frame(frame(), "kind", test=test)
