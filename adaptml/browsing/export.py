"""What a page shows of a table, all of it, as CSV or Parquet; written as it is read."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from adaptml.browsing.known import Known, known_of
from adaptml.browsing.paging import shown_columns
from adaptml.browsing.search import Query, every_page
from adaptml.database import TextList
from adaptml.database.facts import kind
from adaptml.errors import DatabaseError, one_line
from adaptml.files import replacing
from adaptml.frames import KEYS
from adaptml.gold_labels.sheets import harmless
from adaptml.project import Project

MAX_ROWS = 1_000_000
CHUNK_ROWS = 2_000
OF_TASK = ("gold", "label", "label_prob", "prediction", "prediction_prob")
_TEXT = pa.large_string()
_TEXTS = pa.list_(pa.large_string())
_BOM = "\ufeff"  # or Excel guesses another encoding


def export_csv(project: Project, query: Query, task: str | None = None) -> Iterator[str]:
    """The rows as CSV in UTF-8, some thousand at a time; at most `MAX_ROWS`.

    Texts that a spreadsheet would take for a formula get an apostrophe before them. Lists are JSON.

    Args:
        project: holds what is known of the rows.
        query: which rows; its texts are written whole, vectors are left out.
        task: adds its gold label, label and prediction to each row, with the probabilities of the latter two.

    Raises:
        DatabaseError: the database refuses.
    """
    first = True
    for names, rows in _chunks(project, query, task):
        text = io.StringIO()
        writer = csv.writer(text)
        if first:
            text.write(_BOM)
            writer.writerow(names)
            first = False
        writer.writerows([_csv_cell(cell) for cell in row] for row in rows)
        yield text.getvalue()


def export_parquet(project: Project, query: Query, path: Path, task: str | None = None) -> int:
    """The rows as a Parquet file, a frame that every step takes as its data; returns how many there are.

    Args as `export_csv`.

    Raises:
        DatabaseError: the database refuses, or a cell is not what its column is.
    """
    n = 0
    schema = _schema(query, task)
    with replacing(path) as temporary, pq.ParquetWriter(temporary, schema) as writer:
        for _, rows in _chunks(project, query, task):
            cells = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
            arrays = [_array(cells[place], schema.field(place), query.table) for place in range(len(schema))]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            n += len(rows)
    return n


def _chunks(project: Project, query: Query, task: str | None) -> Iterator[tuple[list[str], list[list[Any]]]]:
    """Names of the columns and some rows; at least once, and then maybe without rows."""
    left, first = MAX_ROWS, True
    for page in every_page(query, CHUNK_ROWS):
        known = {} if task is None else known_of(project, task, query.table, page.ids)
        rows = [
            [query.table, key, *cells, *([] if task is None else _of_task(known[key]))]
            for key, cells in zip(page.ids[:left], page.cells[:left], strict=True)
        ]
        left, first = left - len(rows), False
        yield _names(page.columns, task), rows
        if left <= 0:
            return
    if first:
        yield _names(_columns(query), task), []


def _columns(query: Query) -> Sequence[str]:
    return shown_columns(query.database, query.table) if query.columns is None else query.columns


def _names(columns: Sequence[str], task: str | None) -> list[str]:
    """The key, the columns, and what is known; a column of the same name as the latter keeps it."""
    added = [] if task is None else [f"{task}_{name}" if name in columns else name for name in OF_TASK]
    return [*KEYS, *columns, *added]


def _of_task(known: Known) -> list[Any]:
    found: list[Any] = [known.gold]
    for result in (known.label, known.prediction):
        found += [None, None] if result is None else [result.label, max(result.probs.values(), default=None)]
    return found


def _csv_cell(cell: Any) -> Any:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return harmless(cell)
    if isinstance(cell, list | dict):
        return harmless(json.dumps(cell, ensure_ascii=False, default=str))
    return cell.isoformat() if isinstance(cell, date | datetime) else cell


def _schema(query: Query, task: str | None) -> pa.Schema:
    """The types of the file's columns, as the catalogue says them."""
    columns, types = _columns(query), query.database.columns(query.table)
    names = _names(columns, task)
    of_task = [] if task is None else [_TEXTS, _TEXTS, pa.float64(), _TEXTS, pa.float64()]
    kinds = [
        _TEXT,
        _TEXT,
        *(_arrow_type(types[name], query.database.engine.dialect.name) for name in columns),
        *of_task,
    ]
    return pa.schema(list(zip(names, kinds, strict=True)))


def _arrow_type(type_: TypeEngine[Any], dialect: str) -> pa.DataType:
    """SQLite's lists are JSON; elsewhere JSON can be anything, and is written as text."""
    if isinstance(type_, sa.Boolean):
        return pa.bool_()
    if isinstance(type_, sa.DateTime):
        return pa.timestamp("us", "UTC" if type_.timezone else None)
    if isinstance(type_, sa.Date):
        return pa.date32()
    what = kind(type_)
    if what == "number":
        return pa.int64() if isinstance(type_, sa.Integer) else pa.float64()
    lists = what == "list of text" and (dialect == "sqlite" or isinstance(type_, TextList))
    return _TEXTS if lists else _TEXT


def _array(cells: Sequence[Any], field: pa.Field, table: str) -> pa.Array:
    """Cells in the type of their column; what is neither text nor of another type is written as text."""
    if field.type == _TEXT:
        cells = [cell if cell is None or isinstance(cell, str) else _as_text(cell) for cell in cells]
    elif field.type == pa.float64():
        cells = [float(cell) if isinstance(cell, Decimal) else cell for cell in cells]
    try:
        return pa.array(cells, field.type)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
        raise DatabaseError(
            f"column {field.name!r} of table {table!r} holds something else than {field.type} "
            f"({one_line(error)}); export it as CSV"
        ) from error


def _as_text(cell: Any) -> str:
    return json.dumps(cell, ensure_ascii=False, default=str) if isinstance(cell, list | dict) else str(cell)
