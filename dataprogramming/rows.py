"""A data point as labelling functions see it."""

from collections.abc import Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pandas as pd

from adaptml.rules.keywords import is_missing


class Row(SimpleNamespace):
    """One data point, used as a row of pandas is: `x.txt`, `x["txt"]`, `x.get("txt")`, `"txt" in x`."""

    def __getattr__(self, name: str) -> Any:
        """Called where there is no such column."""
        raise AttributeError(self._no_column(name))

    def __getitem__(self, column: str) -> Any:
        """The value of a column, whatever its name.

        Raises:
            KeyError: no such column.
        """
        if column in self.__dict__:
            return self.__dict__[column]
        raise KeyError(self._no_column(column))

    def __contains__(self, column: object) -> bool:
        """Whether there is such a column."""
        return column in self.__dict__

    def __iter__(self) -> Iterator[Any]:
        """The values."""
        return iter(self.__dict__.values())

    def get(self, column: str, default: Any = None) -> Any:
        """The value of a column, or a default where there is no such column."""
        return self.__dict__.get(column, default)

    def keys(self) -> list[str]:
        """Names of the columns."""
        return list(self.__dict__)

    def _no_column(self, name: object) -> str:
        known = ", ".join(key for key in self.__dict__ if key not in ("table_name", "id"))
        return f"no column {name!r} among {known or 'none'}: name it under lf_features in the task file"


def rows_of(columns: Mapping[str, Sequence[Any]], n: int) -> list[Row]:
    """The rows of a table, whose columns hold n values each."""
    rows = [Row() for _ in range(n)]
    for name, values in columns.items():
        for row, value in zip(rows, values, strict=True):
            row.__dict__[name] = value
    return rows


def values_of(column: pd.Series) -> list[Any]:
    """A column of a frame as Python objects; a missing text or list is None, a missing number stays nan."""
    values: list[Any] = column.tolist()
    if float not in set(map(type, values)) or pd.api.types.is_numeric_dtype(column.dtype):
        return values
    return [None if is_missing(value) else value for value in values]
