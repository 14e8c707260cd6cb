"""Features from text: lemmas for labelling functions, vectors for end models, written beside the text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import sqlalchemy as sa

from adaptml.database import Database, TextList, Vector
from adaptml.errors import FeatureError, TaskError
from adaptml.features.encoders import Encoder, check_encoder, get_encoder
from adaptml.features.lemmas import lemmatize
from adaptml.progress import progress
from adaptml.project import Project
from adaptml.tasks import Featurize, Task

CHUNK_ROWS = 500  # rows in memory, and in one transaction: what an interruption can cost


@dataclass(frozen=True)
class Featurized:
    """The result of `featurize`.

    Attributes:
        rows: rows that got features.
        empty: those of them without text; they got an empty list of lemmas and a vector of zeros.
        kept: rows that had their features already.

    Example:
        >>> project.featurize("spam", "comments")
        Featurized(rows=0, empty=0, kept=24)
    """

    rows: int
    empty: int
    kept: int


def featurize(
    project: Project,
    task: Task | str,
    data: str,
    *,
    text: str | None = None,
    lemmas: str | None = None,
    vector: str | None = None,
    encoder: str | None = None,
    all_rows: bool = False,
    show_progress: bool = False,
) -> Featurized:
    """Compute features of a table's texts and write them into the same rows.

    Rows are read and written in chunks, so memory stays bounded, and an interrupted run loses one chunk
    at most: the next run does the rest. Missing columns for features are added to the table.

    Args:
        project: holds the table.
        task: a task or its name; its section `featurize` says what the arguments below leave open.
        data: name of a data table.
        text: column to read; no text (NULL) counts as empty.
        lemmas: column for the list of lemmas, list[str].
        vector: column for the text's vector, float32 (d,).
        encoder: name of the text encoder that makes the vectors.
        all_rows: compute every row again; otherwise only rows in which a feature is NULL.
        show_progress: draw a progress bar.

    Raises:
        TaskError: no such task, or nothing says which column holds the text.
        FeatureError: no feature asked for, a column of another type, vectors of another length than
            those already there, or an encoder that does not exist.
        UnknownTableError: no such table.
        UnknownColumnError: the table has no such text column.
        DatabaseUnavailableError: the database is away or locked.

    Example:
        >>> project.featurize("spam", "comments", all_rows=True).rows
        24
    """
    task = project.task(task)
    columns = _columns(task, {"text": text, "lemmas": lemmas, "vector": vector, "encoder": encoder})
    database, wanted = project.database, _wanted(columns)
    missing = _missing(database, data, columns.text, wanted)
    total = database.count(data)
    new = total if missing else database.count_null(data, list(wanted))
    # An encoder can take seconds to get ready, so only where it is needed.
    ready = get_encoder(columns.encoder) if columns.vector and (new or all_rows) else None
    if ready and columns.vector and columns.vector not in missing and not all_rows:
        _check_length(database, data, columns.vector, ready)
    if missing:
        database.add_columns(data, missing)
    rows = empty = 0
    where_null = () if all_rows else tuple(wanted)
    chunks = database.scan(data, [columns.text], where_null=where_null, chunk_rows=CHUNK_ROWS)
    with progress("featurising", total if all_rows else new, shown=show_progress) as advance:
        for chunk in chunks:
            texts = [value or "" for value in chunk[columns.text]]
            features = _features(texts, columns.lemmas, task.language, columns.vector, ready)
            database.update(data, pd.DataFrame({"id": chunk["id"]} | features))
            rows += len(texts)
            empty += sum(not value.strip() for value in texts)
            advance(len(texts))
    return Featurized(rows, empty, total - rows)


def _columns(task: Task, given: dict[str, str | None]) -> Featurize:
    """What to read and fill: what was given, and the rest as the task says."""
    said: dict[str, Any] = task.featurize.model_dump() if task.featurize else {}
    said |= {name: value for name, value in given.items() if value is not None}
    if "text" not in said:
        raise TaskError(
            f"task {task.name!r} has no section featurize, so nothing says which column holds the text; "
            "add the section to its file, or name the column (--text)"
        )
    return Featurize.model_validate(said)


def _wanted(columns: Featurize) -> dict[str, TextList | Vector]:
    """The columns to fill and their types.

    Raises:
        FeatureError: there are none, one for both features, or an encoder that does not exist.
    """
    asked = ((columns.lemmas, TextList()), (columns.vector, Vector()))
    wanted: dict[str, TextList | Vector] = {name: kind for name, kind in asked if name}
    if not wanted:
        raise FeatureError("no feature asked for; name a column for lemmas, for vectors or for both")
    if columns.lemmas == columns.vector:
        raise FeatureError(f"column {columns.vector!r} cannot hold lemmas and vectors; name two columns")
    if columns.vector:
        check_encoder(columns.encoder)
    return wanted


def _features(
    texts: Sequence[str], lemmas: str | None, language: str, vector: str | None, encoder: Encoder | None
) -> dict[str, pd.Series]:
    """A column per feature, each value of its own length, so the columns hold objects."""
    columns: dict[str, list[Any]] = {}
    if lemmas:
        columns[lemmas] = [lemmatize(value, language) for value in texts]
    if vector and encoder:
        columns[vector] = list(_encode(encoder, texts))
    return {name: pd.Series(values, dtype=object) for name, values in columns.items()}


def _encode(encoder: Encoder, texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """Vectors (n, d); whatever an encoder makes of no text at all, it counts as zeros here."""
    vectors = encoder.encode(texts)
    vectors[[not value.strip() for value in texts]] = 0.0
    return vectors


def _missing(
    database: Database, table: str, text: str, wanted: dict[str, TextList | Vector]
) -> dict[str, TextList | Vector]:
    """The columns for features that are missing in the table, after a check of the others' types."""
    database.data_table(table, [text])
    present = database.columns(table)
    if not isinstance(present[text], sa.String):
        raise FeatureError(
            f"column {text!r} of table {table!r} is {_type_name(present[text])}; expected a column of text"
        )
    for name, kind in wanted.items():
        if name in present and not _holds(present[name], kind):
            raise FeatureError(
                f"column {name!r} of table {table!r} is {_type_name(present[name])}; expected "
                f"{_type_name(kind)}: name another column, which is made if it is not there"
            )
    return {name: kind for name, kind in wanted.items() if name not in present}


def _holds(present: object, kind: TextList | Vector) -> bool:
    if isinstance(kind, Vector):
        return isinstance(present, Vector)
    return isinstance(present, TextList | sa.JSON)


def _type_name(kind: object) -> str:
    """A column's type for people."""
    if isinstance(kind, Vector):
        return "a real vector"
    if isinstance(kind, TextList | sa.JSON):
        return "a list of text"
    return "text" if isinstance(kind, sa.String) else str(kind)


def _check_length(database: Database, table: str, vector: str, encoder: Encoder) -> None:
    """New vectors must be as long as those that stay."""
    if database.count_null(table, [vector]) == database.count(table):
        return
    there = next(
        len(value)
        for chunk in database.scan(table, [vector], chunk_rows=CHUNK_ROWS)
        for value in chunk[vector]
        if value is not None
    )
    if there != encoder.dimensions:
        raise FeatureError(
            f"column {vector!r} of table {table!r} holds vectors of {there} numbers and the encoder "
            f"{encoder.name!r} makes {encoder.dimensions}; name another column or redo all rows (--all)"
        )
