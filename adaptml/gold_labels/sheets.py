"""Spreadsheets that show text and run none of it."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from adaptml.errors import FrameError
from adaptml.files import replacing
from adaptml.frames import KEYS
from adaptml.tasks import NONE_CHOICE

FORMATS = (".csv", ".xlsx")
_MAX_CELL = 32_767  # characters that a cell of Excel holds
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run or compute
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")  # no cell of Excel holds these


def as_cell(label: Sequence[str], classes: Sequence[str]) -> str:
    """A label set as one cell, as it is read again.

    >>> as_cell(["cat", "dog"], ["cat", "dog"]), as_cell([], ["cat", "dog"])
    ('cat;dog', 'NONE')
    """
    if not label:
        return "[]" if NONE_CHOICE in classes else NONE_CHOICE
    plain = all(";" not in name and name[0] not in "[({" and name == name.strip() for name in label)
    return ";".join(label) if plain else json.dumps([*label], ensure_ascii=False)


def write_spreadsheet(frame: pd.DataFrame, path: Path) -> None:
    """Write text cells as .csv or .xlsx, so that a spreadsheet shows them and runs none of them.

    Args:
        frame: columns of text; those other than the key that begin like a formula get an apostrophe before
            them in .csv.
        path: where to.

    Raises:
        FrameError: another kind of file.
    """
    if path.suffix not in FORMATS:
        raise FrameError(f"{path} ends in {path.suffix or 'nothing'!r}; expected {' or '.join(FORMATS)}")
    with replacing(path) as temporary:
        if path.suffix == ".csv":
            shown = frame.assign(
                **{name: frame[name].map(harmless) for name in frame.columns.difference(KEYS)}
            )
            shown.to_csv(temporary, index=False, encoding="utf-8-sig")  # or Excel guesses another encoding
        else:
            _write_excel(frame, temporary)


def harmless(cell: str) -> str:
    """The text of a cell with an apostrophe before it where a spreadsheet would take it for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _write_excel(frame: pd.DataFrame, path: Path) -> None:
    try:
        from openpyxl import Workbook
    except ImportError as error:
        raise FrameError(
            "an .xlsx file needs the package openpyxl; install it with pip install -e '.[excel]', or name "
            "a .csv file"
        ) from error
    book = Workbook()
    sheet = book.active
    for row, cells in enumerate([list(frame.columns), *frame.to_numpy().tolist()], start=1):
        for column, text in enumerate(cells, start=1):
            cell = sheet.cell(row, column, _CONTROL.sub(" ", text)[:_MAX_CELL])
            cell.data_type = "s"  # text, also where it begins like a formula
    sheet.freeze_panes = "A2"
    book.save(path)
