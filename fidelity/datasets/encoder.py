"""The encoding of a table's columns as numbers, fitted on training rows."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from fidelity.tasks.classes import few
from fidelity.tasks.task import DataError

if TYPE_CHECKING:
    import pandas as pd

NUMERIC = ("integer", "floating", "mixed-integer-float", "boolean")


@dataclass(frozen=True, eq=False)
class Columns:
    """The columns of a table that are inputs.

    Attributes:
        numbers: those of numbers and of booleans.
        categories: those of text and of categories.
    """

    numbers: tuple[Hashable, ...]
    categories: tuple[Hashable, ...]

    def __len__(self) -> int:
        """Return the number of columns."""
        return len(self.numbers) + len(self.categories)


@dataclass(frozen=True, eq=False)
class FrameEncoder:
    """The encoding of a table as the inputs of networks, fitted on the training rows.

    Numbers stay as they are, booleans become 0 and 1. A missing number becomes the median of the
    training rows, and a column of 0 and 1 is added that marks the missing ones. Text and categories
    are one-hot encoded; a category that no training row has is encoded as zeros, a missing value as
    a category of its own if a training row lacks the value too.

    Attributes:
        columns: that are read.
        transformer: the fitted `ColumnTransformer` of scikit-learn.
    """

    columns: Columns
    transformer: Any

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The name of each feature, such as 'numbers__age' or 'categories__city_Rome'."""
        return tuple(map(str, self.transformer.get_feature_names_out()))

    def __call__(self, frame: pd.DataFrame) -> Float[np.ndarray, "rows features"]:
        """Return rows as the inputs of networks, in double precision.

        Args:
            frame: with the same columns as the data set; others are not read.

        Raises:
            DataError: a column is missing, or holds text or infinity where numbers are expected.
        """
        return np.asarray(self.transformer.transform(readable(frame, self.columns)))


def fitted(frame: pd.DataFrame, columns: Columns) -> FrameEncoder:
    """Return the encoding that is fitted on these rows.

    Args:
        frame: the training rows.
        columns: the inputs.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import OneHotEncoder

    numbers = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    categories = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    transformer = ColumnTransformer(
        [
            ("numbers", numbers, [str(name) for name in columns.numbers]),
            ("categories", categories, [str(name) for name in columns.categories]),
        ]
    )
    return FrameEncoder(columns, transformer.fit(readable(frame, columns)))


def sorted_columns(frame: pd.DataFrame, names: Sequence[Hashable]) -> Columns:
    """Return which columns are numbers and which are categories.

    Args:
        frame: all given rows.
        names: of the columns that are inputs.

    Raises:
        DataError: a column has one value only, mixes text and numbers, holds numbers as text, or
            is of a type that is neither number nor category.
    """
    import pandas as pd

    if not names:
        raise DataError(
            "the frame has no column besides the target: there is nothing to learn from"
        )
    constant = [str(name) for name in names if frame[name].nunique(dropna=False) < 2]
    if constant:
        raise DataError(
            f"the column {_listed(constant)} has the same value in every row: leave it out, for "
            f"instance frame.drop(columns={constant})"
        )
    numbers, categories = [], []
    for name in names:
        kind = pd.api.types.infer_dtype(frame[name], skipna=True)
        if kind == "categorical" or (kind == "string" and not _numbers_as_text(frame[name])):
            categories.append(name)
        elif kind in NUMERIC:
            numbers.append(name)
        else:
            raise DataError(_mistyped(frame[name], kind))
    return Columns(tuple(numbers), tuple(categories))


def _numbers_as_text(column: pd.Series) -> bool:
    """Return whether every value of a column of text is the text of a number."""
    import pandas as pd

    return bool(pd.to_numeric(column.dropna(), errors="coerce").notna().all())


def _mistyped(column: pd.Series, kind: str) -> str:
    """Return what is wrong with a column that is neither of numbers nor of categories."""
    name = column.name
    if kind == "string":
        return (
            f"the column {name!r} holds numbers as text, such as {column.dropna().iloc[0]!r}: that "
            f"is pandas.to_numeric(frame[{name!r}]), or .astype('category') for categories"
        )
    if kind in ("mixed", "mixed-integer"):
        text = [value for value in column.dropna() if isinstance(value, str)]
        shown = f", such as {text[0]!r}" if text else ""
        return (
            f"the column {name!r} mixes numbers with something else{shown}: for numbers that is "
            f"pandas.to_numeric(frame[{name!r}], errors='coerce'), for categories .astype(str)"
        )
    return (
        f"the column {name!r} is {kind} ({column.dtype}): expected numbers, booleans, text or "
        "categories; for dates that is the number of days since the first, for instance "
        f"(frame[{name!r}] - frame[{name!r}].min()).dt.days"
    )


def readable(frame: pd.DataFrame, columns: Columns) -> pd.DataFrame:
    """Return the columns as scikit-learn reads them: double precision, and text or NaN.

    Args:
        frame: any rows.
        columns: to read.

    Raises:
        DataError: a column is missing, or holds text or infinity where numbers are expected.
    """
    import pandas as pd

    names = (*columns.numbers, *columns.categories)
    missing = [str(name) for name in names if name not in frame.columns]
    if missing:
        raise DataError(f"the frame lacks the column {_listed(missing)}: the training rows have it")
    read = {}
    for name in columns.numbers:
        try:
            values = _as_floats(frame[name])
        except (TypeError, ValueError) as error:
            raise DataError(
                f"the column {name!r} holds something other than numbers ({error}): the training "
                "rows have numbers there"
            ) from error
        if np.isinf(values).any():
            rows = np.flatnonzero(np.isinf(values)).tolist()
            raise DataError(
                f"the column {name!r} is infinite in row {few(rows)}: repair these rows, or leave "
                "them out"
            )
        read[str(name)] = values
    for name in columns.categories:
        pairs = zip(frame[name].astype(object), frame[name].notna(), strict=True)
        read[str(name)] = np.array([str(v) if known else np.nan for v, known in pairs], object)
    return pd.DataFrame(read, index=frame.index)


def _as_floats(column: pd.Series) -> Float[np.ndarray, " rows"]:
    """Return numbers or booleans in double precision, NaN where they are missing."""
    if column.dtype.kind in "buif":  # of numpy, pandas or Arrow
        return column.to_numpy(np.float64, na_value=np.nan)
    pairs = zip(column.astype(object), column.notna(), strict=True)
    return np.array([float(value) if known else np.nan for value, known in pairs])


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))
