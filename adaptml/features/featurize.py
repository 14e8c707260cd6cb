"""Features from text: lemmas for labelling functions, vectors for end models, written beside the text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import sqlalchemy as sa
import typer
from rich.console import Console

from adaptml.cli.support import EXIT_INTERRUPTED, run_command
from adaptml.database import Database, TextList, Vector
from adaptml.errors import FeatureError, TaskError
from adaptml.features.encoders import Encoder, check_encoder, get_encoder
from adaptml.features.lemmas import lemmatize
from adaptml.progress import progress
from adaptml.project import Project
from adaptml.tasks import Featurize

CHUNK_ROWS = 500  # rows in memory, and in one transaction: what an interruption can cost


@dataclass(frozen=True)
class Featurized:
    """What was done.

    Attributes:
        rows: rows that got features.
        empty: those of them without text; they got an empty list of lemmas and a vector of zeros.
        kept: rows that had their features already.
    """

    rows: int
    empty: int
    kept: int


def featurize(
    project: Project,
    table: str,
    *,
    text: str,
    lemmas: str | None = None,
    vector: str | None = None,
    encoder: str = "hybrid",
    all_rows: bool = False,
    show_progress: bool = False,
) -> Featurized:
    """Compute features of a table's texts and write them into the same rows.

    Rows are read and written in chunks, so memory stays bounded, and an interrupted run loses one chunk
    at most: the next run does the rest. Columns for features that the table lacks are added.

    Args:
        project: holds the table.
        table: name of a data table.
        text: column to read; no text (NULL) counts as empty.
        lemmas: column for the list of lemmas, list[str]; None for no lemmas.
        vector: column for the text's vector, float32 (d,); None for no vectors.
        encoder: name of the text encoder that makes the vectors.
        all_rows: compute every row again; otherwise only rows in which a feature is NULL.
        show_progress: draw a progress bar.

    Raises:
        FeatureError: no feature asked for, a column of another type, vectors of another length than
            those already there, or an encoder that does not exist.
        UnknownTableError, UnknownColumnError, DatabaseUnavailableError: as they say.
    """
    wanted = {name: kind for name, kind in ((lemmas, TextList()), (vector, Vector())) if name}
    if not wanted:
        raise FeatureError("no feature asked for; name a column for lemmas, for vectors or for both")
    if lemmas == vector:
        raise FeatureError(f"column {vector!r} cannot hold lemmas and vectors; name two columns")
    if vector:
        check_encoder(encoder)
    database = project.database
    missing = _missing(database, table, text, wanted)
    total = database.count(table)
    new = total if missing else database.count_null(table, list(wanted))
    # An encoder can take seconds to get ready, so only where it is needed.
    maker = get_encoder(encoder) if vector and (new or all_rows) else None
    if maker and vector and vector not in missing and not all_rows:
        _check_length(database, table, vector, maker)
    if missing:
        database.add_columns(table, missing)
    empty = rows = 0
    where_null = () if all_rows else tuple(wanted)
    chunks = database.scan(table, [text], where_null=where_null, chunk_rows=CHUNK_ROWS)
    with progress("featurising", total if all_rows else new, shown=show_progress) as advance:
        for chunk in chunks:
            texts = [value or "" for value in chunk[text]]
            features = _features(texts, lemmas, vector, maker)
            database.update(table, pd.DataFrame({"id": chunk["id"]} | features))
            rows += len(texts)
            empty += sum(not value.strip() for value in texts)
            advance(len(texts))
    return Featurized(rows, empty, total - rows)


def _features(
    texts: Sequence[str], lemmas: str | None, vector: str | None, encoder: Encoder | None
) -> dict[str, pd.Series]:
    """A column per feature, each value of its own length, so the columns hold objects."""
    columns: dict[str, list[Any]] = {}
    if lemmas:
        columns[lemmas] = [lemmatize(value) for value in texts]
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
    """See that the columns can be read and written; give those for features that the table lacks."""
    database.data_table(table, [text])
    present = database.columns(table)
    if not isinstance(present[text], sa.String):
        raise FeatureError(
            f"column {text!r} of table {table!r} is {_named(present[text])}; expected a column of text"
        )
    for name, kind in wanted.items():
        if name in present and not _holds(present[name], kind):
            raise FeatureError(
                f"column {name!r} of table {table!r} is {_named(present[name])}; expected {_named(kind)}: "
                "name another column, which is made if it is not there"
            )
    return {name: kind for name, kind in wanted.items() if name not in present}


def _holds(present: object, kind: TextList | Vector) -> bool:
    if isinstance(kind, Vector):
        return isinstance(present, Vector)
    return isinstance(present, TextList | sa.JSON)


def _named(kind: object) -> str:
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


def command(
    table: Annotated[str, typer.Argument(help="Data table that holds the texts.")],
    task: Annotated[
        str | None, typer.Argument(help="Task whose file says which columns and which encoder.")
    ] = None,
    text: Annotated[str | None, typer.Option(help="Column to read.")] = None,
    lemmas: Annotated[str | None, typer.Option(help="Column for the lists of lemmas.")] = None,
    vector: Annotated[str | None, typer.Option(help="Column for the vectors.")] = None,
    encoder: Annotated[str | None, typer.Option(help="Text encoder of the vectors.")] = None,
    all_rows: Annotated[
        bool, typer.Option("--all", help="Every row again, not only those without features.")
    ] = False,
) -> None:
    """Compute lemmas and vectors of a table's texts and store them in the same table.

    Only rows that have no features yet are computed, so run it whenever the table has grown. Options
    win over what the task file says.

    Examples: `featurize example_data example`, `featurize posts --text body --vector body_vec`
    """
    try:
        with Project() as project:
            columns = _columns(project, task, text, lemmas, vector, encoder)
            done = featurize(project, table, **columns.model_dump(), all_rows=all_rows, show_progress=True)
    except KeyboardInterrupt:
        typer.echo("interrupted; the rows done so far are kept, run it again for the rest", err=True)
        raise typer.Exit(EXIT_INTERRUPTED) from None
    console = Console(soft_wrap=True, highlight=False, markup=False)
    console.print(
        f"{done.rows} rows of {table} featurised ({done.empty} without text), "
        f"{done.kept} had their features already"
    )


def _columns(
    project: Project,
    task: str | None,
    text: str | None,
    lemmas: str | None,
    vector: str | None,
    encoder: str | None,
) -> Featurize:
    """What to read and fill: the options, and where they say nothing the task file."""
    given = {"text": text, "lemmas": lemmas, "vector": vector, "encoder": encoder}
    said: dict[str, Any] = {}
    if task is not None:
        section = project.task(task).featurize
        if section is None and text is None:
            raise TaskError(f"the file of task {task!r} has no section featurize; add it, or name --text")
        said = section.model_dump() if section else {}
    said |= {name: value for name, value in given.items() if value is not None}
    if "text" not in said:
        raise FeatureError("no text column named; give a task, or --text with --lemmas or --vector")
    return Featurize.model_validate(said)


if __name__ == "__main__":
    run_command(command)
