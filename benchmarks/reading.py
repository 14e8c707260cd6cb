"""Vectors, token lists and texts read from SQLite, by key and whole, beside the plainest ways there are.

    python -m benchmarks.reading                  # 100,000 rows: two minutes
    python -m benchmarks.reading --rows 1000000   # vectors take 1.6 GB of disk, and as much memory

References are the standard library alone (`sqlite3`, `json`), and pandas' `read_sql`: by key with 10,000
quoted ids a query. All of a table is read by key in another order than it has, a tenth of it likewise. A
difference between two answers ends it with exit code 1.
"""

import json as json_text
import random
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import sqlalchemy as sa
import typer

from adaptml.database import Database, TextList, Vector
from adaptml.features.points import Points
from adaptml.features.reading import read_features
from benchmarks.form import Json, Measured, Report, Rows, report, sizes
from benchmarks.measuring import measure

ROWS, DIMENSIONS, WORDS, REPEATS = 100_000, 384, 12, 3
WRITTEN_ROWS, QUOTED_IDS, FETCHED_ROWS = 10_000, 10_000, 20_000
ABOUT = (
    "Rows read from SQLite, beside Python's sqlite3 and json, and pandas' `read_sql`, by key with quoted ids."
)
SHOWN = 97  # every so manieth row of two answers is compared

Vectors = npt.NDArray[np.float32]


class Asked(NamedTuple):
    """Which rows of the table `points` of a file are read.

    Attributes:
        path: the file.
        ids: in the order in which they are asked for.
        keys: the same as a frame.
        column: what is read.
    """

    path: str
    ids: list[str]
    keys: pd.DataFrame
    column: str


def fill(path: Path, rows: int) -> None:
    """A table of random vectors, lists of words and texts."""
    numbers, draw = np.random.default_rng(0), random.Random(0)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(draw.choices(letters, k=draw.randint(3, 9))) for _ in range(5_000)]
    columns = {"id": sa.Text(), "vec": Vector(), "words": TextList(), "txt": sa.Text()}
    with closing(Database(f"sqlite:///{path}")) as database:
        database.create_table("points", columns, ["id"])
        for start in range(0, rows, WRITTEN_ROWS):
            n = min(WRITTEN_ROWS, rows - start)
            drawn = [draw.choices(words, k=WORDS) for _ in range(n)]
            made = {
                "id": [f"point-{i}" for i in range(start, start + n)],
                "vec": list(numbers.random((n, DIMENSIONS), dtype=np.float32)),
                "words": drawn,
                "txt": list(map(" ".join, drawn)),
            }
            database.upsert("points", pd.DataFrame(made), ["id"])


def asked(path: str, rows: int, share: float, column: str) -> Asked:
    """A share of the rows, drawn in any order."""
    drawn = np.random.default_rng(1).permutation(rows)[: max(1, int(share * rows))]
    ids = [f"point-{i}" for i in drawn]
    return Asked(path, ids, pd.DataFrame({"table_name": "points", "id": ids}), column)


def vectors(given: Asked) -> Vectors:
    """This project: one matrix."""
    with closing(Database(f"sqlite:///{given.path}")) as database:
        return read_features(Points(database, database), given.keys, [given.column])[::SHOWN]


def cells(given: Asked) -> list[Any]:
    """This project: one column of a frame."""
    with closing(Database(f"sqlite:///{given.path}")) as database:
        return database.read(given.keys, [given.column])[given.column].tolist()[::SHOWN]


def scanned(given: Asked) -> list[Any]:
    """This project: the whole table, chunk by chunk."""
    with closing(Database(f"sqlite:///{given.path}")) as database:
        chunks = database.scan_stored("points", [given.column])
        return [rows.values(given.column)[0] for rows in chunks][:1]


def bare_joined(given: Asked) -> Vectors:
    """The standard library, each row by its key: one matrix."""
    query = "SELECT k.key, vec FROM json_each(?) AS k JOIN points ON points.id = k.value"
    matrix = np.empty((len(given.ids), DIMENSIONS), np.float32)
    with closing(sqlite3.connect(given.path)) as connection:
        for place, vector in connection.execute(query, (json_text.dumps(given.ids),)):
            matrix[place] = np.frombuffer(vector, np.float32)
    return matrix[::SHOWN]


def bare_vectors(given: Asked) -> Vectors:
    """The standard library, from one pass over the table: one matrix."""
    places = {key: place for place, key in enumerate(given.ids)}
    matrix = np.empty((len(given.ids), DIMENSIONS), np.float32)
    with closing(sqlite3.connect(given.path)) as connection:
        for key, vector in connection.execute("SELECT id, vec FROM points"):
            matrix[places[key]] = np.frombuffer(vector, np.float32)
    return matrix[::SHOWN]


def bare_cells(given: Asked) -> list[Any]:
    """The standard library, from one pass over the table: a list."""
    places = {key: place for place, key in enumerate(given.ids)}
    found: list[Any] = [None] * len(given.ids)
    with closing(sqlite3.connect(given.path)) as connection:
        for key, cell in connection.execute(f"SELECT id, {given.column} FROM points"):
            found[places[key]] = cell
    return _decoded(found, given.column)[::SHOWN]


def bare_scan(given: Asked) -> list[Any]:
    """The standard library: the whole table, chunk by chunk, in the order of its ids."""
    seen = []
    with closing(sqlite3.connect(given.path)) as connection:
        cursor = connection.execute(f"SELECT id, {given.column} FROM points ORDER BY id")
        while chunk := cursor.fetchmany(FETCHED_ROWS):
            seen.append(_decoded([cell for _, cell in chunk], given.column)[0])
    return seen[:1]


def pandas_vectors(given: Asked) -> Vectors:
    """The matrix by `read_sql` with quoted ids."""
    found = _with_pandas(given).loc[given.ids, "vec"]
    return np.stack([np.frombuffer(vector, np.float32) for vector in found])[::SHOWN]


def pandas_cells(given: Asked) -> list[Any]:
    """A list by `read_sql` with quoted ids."""
    found = _with_pandas(given).loc[given.ids, given.column].tolist()
    return (list(map(json_text.loads, found)) if given.column == "words" else found)[::SHOWN]


def pandas_scan(given: Asked) -> list[Any]:
    """The whole table by `read_sql`, chunk by chunk, in the order of its ids."""
    seen = []
    with closing(sqlite3.connect(given.path)) as connection:
        query = f"SELECT id, {given.column} FROM points ORDER BY id"
        for chunk in pd.read_sql(query, connection, chunksize=FETCHED_ROWS):
            found = chunk[given.column].tolist()
            seen.append((list(map(json_text.loads, found)) if given.column == "words" else found)[0])
    return seen[:1]


def _with_pandas(given: Asked) -> pd.DataFrame:
    def parts() -> Iterator[pd.DataFrame]:
        with closing(sqlite3.connect(given.path)) as connection:
            for start in range(0, len(given.ids), QUOTED_IDS):
                quoted = ", ".join(f"'{key}'" for key in given.ids[start : start + QUOTED_IDS])
                query = f"SELECT id, {given.column} FROM points WHERE id IN ({quoted})"
                yield pd.read_sql(query, connection)

    return pd.concat(parts()).set_index("id")


def _decoded(found: list[Any], column: str) -> list[Any]:
    """Cells of lists, which are JSON, by one call."""
    return list(json_text.loads(f"[{','.join(found)}]")) if column == "words" else found


Work = Callable[[Asked], Any]
BARE, PANDAS = "sqlite3", "pandas"
# What is read, which share of the table, the column, this project's way, and the others'.
CASES: Sequence[tuple[str, float, str, Work, dict[str, Work]]] = [
    ("vectors, a tenth by key", 0.1, "vec", vectors, {BARE: bare_joined, PANDAS: pandas_vectors}),
    ("vectors, all by key", 1, "vec", vectors, {BARE: bare_vectors, PANDAS: pandas_vectors}),
    ("token lists by key", 1, "words", cells, {BARE: bare_cells, PANDAS: pandas_cells}),
    ("texts by key", 1, "txt", cells, {BARE: bare_cells, PANDAS: pandas_cells}),
    ("token lists, whole table", 1, "words", scanned, {BARE: bare_scan, PANDAS: pandas_scan}),
    ("texts, whole table", 1, "txt", scanned, {BARE: bare_scan, PANDAS: pandas_scan}),
]


def compare(found: Report, path: Path, rows: int) -> None:
    """All cases on a table of so many rows."""
    for what, share, column, ours, others in CASES:
        given = (str(path), rows, share, column)
        mine, cost = measure(ours, *given, prepare=asked, repeats=REPEATS)
        for name, theirs in others.items():
            other, its_cost = measure(theirs, *given, prepare=asked, repeats=REPEATS)
            found.check(np.array_equal(mine, other), f"{what}: the answer of {name} differs")
            readme = what.startswith("vectors, all") and name == BARE
            found.add(Measured(what, max(1, int(share * rows)), cost, name, its_cost, readme=readme))


def main(rows: Rows = ROWS, json: Json = None) -> None:
    """Measure and compare."""
    with report("reading", ABOUT, json, rows) as found:
        for size in sizes(rows)[1:] or [rows]:
            with tempfile.TemporaryDirectory() as folder:
                fill(Path(folder) / "data.db", size)
                compare(found, Path(folder) / "data.db", size)


if __name__ == "__main__":
    typer.run(main)
