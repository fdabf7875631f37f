"""A data set of a pandas frame."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from fidelity.datasets.dataset import DataError, Dataset
from fidelity.datasets.division import check_fractions, divided, is_fraction
from fidelity.datasets.encoder import fitted, sorted_columns
from fidelity.datasets.inputs import as_tensor, offset_of
from fidelity.datasets.part import Part
from fidelity.datasets.splits import STRATIFIED, Positions, Split
from fidelity.datasets.targets import target_tensor
from fidelity.tasks.classes import few
from fidelity.tasks.regression import Regression
from fidelity.tasks.suited import suited_task
from fidelity.tasks.task import Task

if TYPE_CHECKING:
    import pandas as pd


def from_frame(
    frame: pd.DataFrame,
    target: Hashable | Sequence[Hashable],
    *,
    task: Task | None = None,
    split: Split = STRATIFIED,
    validation: float | pd.DataFrame = 0.2,
    test: float | pd.DataFrame = 0.2,
    name: str = "frame",
    seed: int = 0,
) -> Dataset:
    """Return a data set of the rows of a pandas frame.

    All columns but the target are inputs. Numbers and booleans stay numbers, of which missing ones
    become the median of the training rows, with an additional column that marks them. Text and
    categories are one-hot encoded. `Dataset.encoder`, fitted on the training rows only, encodes new
    rows for the networks.

    Args:
        frame: one row per example.
        target: the name of the target column, or a list of names for several targets. Text,
            categories and booleans become classes, named by `Dataset.class_names`; integers are
            classes counted from 0; floating-point numbers are predicted as such.
        task: what networks are trained for; None takes the one that suits the target.
        split: the way to split, see `from_arrays`.
        validation: the fraction of the rows to split off, or the validation part itself, a frame
            with the same columns.
        test: likewise for the test part.
        name: for reports.
        seed: of the split; the same seed gives the same split.

    Raises:
        DataError: a column is missing, has one value only or holds something that is neither
            number nor category; a target is missing; or there are too few rows for the split.
    """
    names = list(target) if isinstance(target, list | tuple) else [target]
    frames = _frames(frame, validation, test)
    for part_name, part in frames.items():
        _check_frame(part, part_name, names)
    check_fractions(validation, test)
    columns = sorted_columns(frame, [each for each in frame.columns if each not in names])
    class_names = _class_names(frame[names[0]], task) if len(names) == 1 else None
    targets = {key: _targets(part, names, class_names, key) for key, part in frames.items()}
    task = task or suited_task(torch.zeros(1, 1), targets["training"])
    task.check({"training": targets["training"]}, (len(columns),))  # before it is split
    division = divided(split, targets["training"], task, validation, test, seed)
    encoder = fitted(frame.iloc[division.train], columns)
    offset = offset_of(encoder(frame.iloc[division.train]))

    def part_of(key: str, positions: Positions) -> Part:
        if key in frames:
            return Part(as_tensor(encoder(frames[key]), offset), targets[key])
        rows, index = encoder(frame.iloc[positions]), torch.from_numpy(positions)
        return Part(as_tensor(rows, offset), targets["training"][index])

    train = part_of("train", division.train)
    held_out = part_of("validation", division.validation), part_of("test", division.test)
    return Dataset(name, train, *held_out, (), offset, task, class_names, encoder)


def _frames(frame: Any, validation: Any, test: Any) -> dict[str, pd.DataFrame]:
    """Return the given frames by the name of their part; 'training' holds what is split too."""
    held_out = {"validation": validation, "test": test}
    return {"training": frame} | {
        key: part for key, part in held_out.items() if not is_fraction(part)
    }


def _check_frame(frame: Any, name: str, targets: Sequence[Hashable]) -> None:
    """Refuse everything but a frame with rows, a target in each, and columns of different names."""
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        raise DataError(
            f"the {name} part is a {type(frame).__name__}: expected a pandas DataFrame"
            + ("" if name == "training" else ", or a fraction such as 0.2")
        )
    texts = [str(column) for column in frame.columns]
    if repeated := sorted({text for text in texts if texts.count(text) > 1}):
        raise DataError(f"the {name} frame has several columns named {', '.join(repeated)}")
    missing = [column for column in targets if column not in frame.columns]
    if missing or not targets:
        shown = ", ".join(map(repr, missing)) or "of no name"
        raise DataError(
            f"the {name} frame has no target column {shown}: its columns are "
            f"{', '.join(texts[:20])}"
        )
    if not len(frame):
        raise DataError(f"the {name} frame has no rows: each part needs some")
    empty = np.flatnonzero(frame[list(targets)].isna().any(axis=1))
    if empty.size:
        raise DataError(
            f"the target is missing in {empty.size} of {len(frame)} {name} rows (row "
            f"{few(empty.tolist())}): leave them out, that is frame.dropna(subset={list(targets)})"
        )


def _class_names(column: pd.Series, task: Task | None) -> tuple[str, ...] | None:
    """Return the names of the classes in order; None for a column of numbers."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return None
    if isinstance(task, Regression):
        raise DataError(
            f"the target column {column.name!r} holds {column.dtype}, not numbers: regression "
            f"needs numbers, for instance pandas.to_numeric(frame[{column.name!r}])"
        )
    if isinstance(column.dtype, pd.CategoricalDtype):
        counts = column.value_counts()
        absent = [str(name) for name in column.cat.categories if not counts[name]]
        if absent:
            raise DataError(
                f"the class {', '.join(map(repr, absent))} has no row: that is "
                f"frame[{column.name!r}].cat.remove_unused_categories()"
            )
        return tuple(map(str, column.cat.categories))
    return tuple(sorted(set(map(str, column))))


def _targets(
    frame: pd.DataFrame,
    names: Sequence[Hashable],
    class_names: tuple[str, ...] | None,
    part: str,
) -> torch.Tensor:
    """Return the targets of a frame: the positions of their class names, or numbers."""
    if class_names is None:
        arrays = [_numbers(frame[name]) for name in names]
        return target_tensor(arrays[0] if len(names) == 1 else np.stack(arrays, axis=1), part)
    positions = {name: position for position, name in enumerate(class_names)}
    texts = [str(value) for value in frame[names[0]]]
    unknown = sorted(set(texts) - set(class_names))
    if unknown:
        raise DataError(
            f"the {part} rows have the class {', '.join(map(repr, unknown[:5]))}, which no "
            "training row has: leave these rows out"
        )
    return torch.tensor([positions[text] for text in texts])


def _numbers(column: pd.Series) -> np.ndarray:
    """Return a target column as an array: whole numbers and booleans as int64."""
    kinds = {"f": np.float64, "i": np.int64, "u": np.int64, "b": np.int64}
    return column.to_numpy(kinds.get(column.dtype.kind, object))
