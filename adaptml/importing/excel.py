"""Excel: one sheet of an .xlsx file, whose first row names the columns."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from adaptml.errors import FrameError, SettingsError, listed, one_line
from adaptml.importing.chunks import Chunk, batched
from adaptml.importing.damaged import DAMAGED
from adaptml.importing.delimited import distinct
from adaptml.importing.plain import plain


class Excel:
    """A sheet of an Excel file; formulas give the value that Excel computed last. An empty row is none."""

    typed = True

    def __init__(self, path: Path, sheet: str | None = None) -> None:
        """Find the sheet and its columns.

        Args:
            path: the file.
            sheet: its name; default: the first.

        Raises:
            SettingsError: openpyxl is not installed.
            FrameError: the file cannot be read, or has no such sheet or no columns.
        """
        self.path = path
        self.name = path.name
        with self._opened() as book:
            names = book.sheetnames
        if sheet is not None and sheet not in names:
            raise FrameError(f"{path} has no sheet {sheet!r}; its sheets are {listed(names, 20)}")
        self._sheet = names[0] if sheet is None else sheet
        others = f" (others: {listed([n for n in names if n != self._sheet])})" if len(names) > 1 else ""
        self.said = f"Excel, sheet {self._sheet}{others}"
        header = list(next(self._rows(), ()))
        while header and header[-1] is None:
            header.pop()
        if not header:
            raise FrameError(
                f"sheet {self._sheet!r} of {path} is empty; expected the columns' names in its first row"
            )
        self.columns = distinct(["" if value is None else str(value) for value in header])

    def chunks(self) -> Iterator[Chunk]:
        """All rows."""
        width = len(self.columns)
        rows = self._rows()
        next(rows)
        row = 2
        for found in batched(rows, lambda values: sum(len(str(value)) for value in values)):
            for place, values in enumerate(found):
                if any(value is not None for value in values[width:]):
                    raise FrameError(
                        f"{self.path}, row {row + place} of sheet {self._sheet!r} has a value beside the "
                        f"{width} columns that the first row names; give it a column, or take it out"
                    )
            row += len(found)
            filled = [
                _padded(values, width) for values in found if any(value is not None for value in values)
            ]
            if filled:
                columns = zip(self.columns, zip(*filled, strict=True), strict=True)
                yield Chunk(len(filled), {name: plain(name, values) for name, values in columns})

    def _rows(self) -> Iterator[tuple[Any, ...]]:
        with self._opened() as book:
            yield from book[self._sheet].iter_rows(values_only=True)

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        try:
            from openpyxl import load_workbook
            from openpyxl.utils.exceptions import InvalidFileException
        except ModuleNotFoundError as error:
            raise SettingsError(
                f"{self.path} needs openpyxl, which is not installed: pip install -e '.[excel]', or save the "
                "sheet as CSV"
            ) from error
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about styles that a program left out
                book = load_workbook(self.path, read_only=True, data_only=True)
            try:
                yield book
            finally:
                book.close()
        except (InvalidFileException, *DAMAGED) as error:
            raise FrameError(
                f"{self.path} cannot be read as Excel: {one_line(error)}; save it again as .xlsx"
            ) from error


def _padded(values: Sequence[Any], width: int) -> tuple[Any, ...]:
    return (*values[:width], *[None] * (width - len(values)))
