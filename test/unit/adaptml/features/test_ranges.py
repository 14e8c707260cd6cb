"""Ranges of ids on a real PostgreSQL: whatever changes in one, its digest changes, and no other's."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adaptml.database import Database, Range
from adaptml.features import ranges
from adaptml.features.points import Points
from adaptml.features.ranges import Digest, RangedTable, ranged
from adaptml.project import Project
from adaptml.tasks import Task

pytestmark = pytest.mark.parametrize("database", ["postgresql"], indirect=True)
# A type, and values of which each is another to a labelling function, as SQL writes them.
CELLS = {
    "text": ["NULL", "''", "' '", "'a'", "'A'", "'NULL'", r"E'\\x'"],
    "real": ["NULL", "0", "-0.0::real", "0.1", "0.10000001", "'NaN'", "'inf'"],
    "double precision": ["NULL", "0.1", "0.10000000000000002", "1e300"],
    "numeric": ["NULL", "1", "1.0", "1.00"],
    "bigint": ["NULL", "0", "1", "-1"],
    "boolean": ["NULL", "true", "false"],
    "json": ["NULL", "'null'", "'{}'", "'{ }'", """'{"a": [1]}'"""],
    "jsonb": ["NULL", "'null'", "'{}'", """'{"a": [1]}'"""],
    "text[]": ["NULL", "'{}'", "'{a,b}'", """'{"a,b"}'""", "'{NULL}'", "'{\"NULL\"}'"],
    "real[]": ["NULL", "'{}'", "'{0.1}'", "'{0.10000001}'", "'{0.1,0}'"],
    "bytea": ["NULL", "''", r"'\x00'", r"'\x0000'"],
    "timestamptz": ["NULL", "'2026-11-26 10:00:00+00'", "'2026-11-26 10:00:00.000001+00'"],
    "date": ["NULL", "'2026-11-26'", "'1999-12-31'"],
    "interval": ["NULL", "'1 day'", "'24:00:00'"],
    "uuid": ["NULL", "'00000000-0000-0000-0000-000000000000'"],
}
KINDS = list(CELLS)


def run(database: Database, *statements: str) -> None:
    with database.engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement.replace("%", "%%"))


@dataclass
class Table:
    """The rows of a table, beside itself: id → a cell of each column, as SQL writes it."""

    database: Database
    rows: dict[str, list[str]]

    def write(self) -> None:
        rows = ", ".join(f"('{key}', {', '.join(cells)})" for key, cells in self.rows.items())
        run(self.database, "DELETE FROM t", *([f"INSERT INTO t VALUES {rows}"] if rows else []))

    def within(self, where: Range) -> dict[str, list[str]]:
        low, high = where.low or "", where.high or "~"
        return {key: list(cells) for key, cells in self.rows.items() if low < key <= high}


@pytest.fixture
def table(database: Database) -> RangedTable:
    columns = ", ".join(f"c{i} {kind}" for i, kind in enumerate(KINDS))
    run(database, f"CREATE TABLE t (id text PRIMARY KEY, {columns})")
    found = ranged(Points(database, database), "t", [f"c{i}" for i in range(len(KINDS))])
    assert found is not None
    return found


keys = st.sampled_from("abcdefgh")
cells = st.tuples(*[st.sampled_from(values) for values in CELLS.values()]).map(list)
rows = st.dictionaries(keys, cells, max_size=6)
one_cell = st.integers(0, len(KINDS) - 1).flatmap(
    lambda place: st.tuples(st.just(place), st.sampled_from(CELLS[KINDS[place]]))
)
WHERE = [Range(None, "b"), Range("b", "d"), Range("d", None)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(rows, st.lists(st.tuples(keys, st.none() | one_cell | cells), max_size=3), st.booleans())
def test_a_digest_is_another_just_where_something_is(
    database: Database, table: RangedTable, before: dict[str, list[str]], edits: list[Any], swap: bool
) -> None:
    held = Table(database, before)
    held.write()
    first, content = table.digests(WHERE), [held.within(where) for where in WHERE]
    for key, edit in edits:
        if edit is None:
            held.rows.pop(key, None)
        elif isinstance(edit, list):
            held.rows[key] = edit
        elif key in held.rows:
            held.rows[key][edit[0]] = edit[1]
    if swap and len(held.rows) > 1:  # as many cells of each kind as before, in other rows
        one, other = list(held.rows)[:2]
        held.rows[one][0], held.rows[other][0] = held.rows[other][0], held.rows[one][0]
    held.write()
    for where, was, is_now, digest in zip(WHERE, content, table.digests(WHERE), first, strict=True):
        assert (is_now == digest) == (held.within(where) == was)
    seen = [piece for where in WHERE for piece in table.read(where)]
    assert [key for _, _, read in seen for key in read.ids] == sorted(held.rows)
    assert added([digest for _, digest, _ in seen]) == added(table.digests(WHERE))


def added(digests: Sequence[Digest]) -> list[int]:
    return [sum(numbers) for numbers in zip(*digests, strict=True)]


def test_each_value_has_a_text_of_its_own(database: Database, table: RangedTable) -> None:
    """One row for each value of each type, all other cells NULL: no two have the same hash."""
    values = [(place, value) for place, kind in enumerate(KINDS) for value in CELLS[kind][1:]]
    held = Table(database, {"row": ["NULL"] * len(KINDS)})
    found = set()
    for place, value in [(0, "NULL"), *values]:
        held.rows["row"] = [value if i == place else "NULL" for i in range(len(KINDS))]
        held.write()
        found |= set(table.digests([Range(None, None)]))
    assert len(found) == len(values) + 1


def test_rows_are_those_of_a_scan_and_fill_their_range(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranges, "RANGE_ROWS", 2)
    database.create_table("t", {"id": sa.BigInteger(), "txt": sa.Text(), "row_hash": sa.Text()}, ["id"])
    rows = pd.DataFrame({"id": [10, 9, 100, 1, 2], "txt": list("abcde"), "row_hash": list("vwxyz")})
    database.upsert("t", rows, ["id"])
    table = ranged(Points(database, database), "t", ["txt", "row_hash"])
    assert table is not None
    pieces = list(table.read(Range("1", None)))
    assert [where for where, _, _ in pieces] == [Range("1", "9"), Range("9", "100"), Range("100", None)]
    assert [list(read.ids) for _, _, read in pieces] == [["2", "9"], ["10", "100"], []]
    assert [list(read.columns()["txt"]) for _, _, read in pieces[:2]] == [["e", "b"], ["a", "c"]]
    assert list(pieces[0][2].columns()["row_hash"]) == ["z", "w"]
    assert [digest for _, digest, _ in pieces] == table.digests([where for where, _, _ in pieces])


LEMMAS = Task(classes=("a", "b"))


@pytest.fixture
def featurized(database: Database) -> Iterator[Project]:
    with Project(database_url=database.engine.url.render_as_string(hide_password=False)) as project:
        project.import_table(pd.DataFrame({"id": list("abc"), "txt": ["cats", "dogs", "owls"]}), "posts")
        project.featurize(LEMMAS, "posts", text="txt", lemmas="lemmas", encoder="none")
        yield project


def test_a_feature_that_changes_is_seen(featurized: Project) -> None:
    points = featurized.points
    table = ranged(points, "posts", ["lemmas", "txt"])
    assert table is not None
    ((where, digest, read),) = table.read(Range(None, None))
    (scanned,) = points.scan_stored("posts", ["lemmas", "txt"])
    assert {name: list(cells) for name, cells in read.columns().items()} == {
        name: list(cells) for name, cells in scanned.columns().items()
    }
    assert list(read.cells) == list(scanned.cells)
    assert table.digests([where]) == [digest]
    feature = points.resolved("posts", ["lemmas"])["lemmas"]
    assert feature is not None
    run(featurized.database, f"UPDATE \"{feature.values_table}\" SET run = 'another' WHERE id = 'b'")
    assert table.digests([where]) == [digest]
    run(featurized.database, f"UPDATE \"{feature.values_table}\" SET value = '{{x}}' WHERE id = 'b'")
    assert table.digests([Range(None, "a"), Range("b", None)]) != [digest]
    assert table.digests([where]) != [digest]


@pytest.mark.parametrize(
    "made",
    [
        "CREATE TABLE t (id text, txt text)",
        "CREATE TABLE t (id text NOT NULL, txt text)",
        "CREATE TABLE s (id text PRIMARY KEY, txt text); CREATE VIEW t AS SELECT * FROM s",
        "CREATE TABLE t (id char(3) PRIMARY KEY, txt text)",
        "CREATE TABLE t (id text PRIMARY KEY, txt tsvector)",
    ],
)
def test_where_digests_say_too_little_there_are_none(database: Database, made: str) -> None:
    run(database, *made.split(";"))
    assert ranged(Points(database, database), "t", ["txt"]) is None


def test_settings_that_round_numbers_or_write_dates_otherwise(database: Database) -> None:
    run(database, "CREATE TABLE t (id text PRIMARY KEY, txt text)")
    url = database.engine.url
    found = {}
    for option in ("extra_float_digits=0", "DateStyle=German", "TimeZone=Asia/Tokyo", "TimeZone=UTC"):
        address = url.update_query_dict({"options": f"-c {option}"}).render_as_string(hide_password=False)
        with Database(address) as other:
            table = ranged(Points(other, other), "t", ["txt"])
            found[option] = None if table is None else table.key
    rounded, german, tokyo, utc = found.values()
    assert (rounded, german) == (None, None)
    assert tokyo != utc
    assert utc is not None


def test_a_column_of_another_type_has_another_key(database: Database) -> None:
    seen = []
    for kind in ("text", "bigint"):
        run(database, "DROP TABLE IF EXISTS t", f"CREATE TABLE t (id text PRIMARY KEY, n {kind})")
        table = ranged(Points(database, database), "t", ["n"])
        assert table is not None
        seen.append(table.key)
    assert seen[0] != seen[1]


def test_features_elsewhere_or_in_another_order(featurized: Project, clean_room: Any) -> None:
    points = featurized.points
    assert ranged(points, "posts", ["lemmas"]) is not None
    run(featurized.database, 'ALTER TABLE posts ALTER COLUMN id TYPE text COLLATE "POSIX"')
    featurized.database.data_table("posts", fresh=True)
    assert ranged(points, "posts", ["lemmas"]) is None
    assert ranged(points, "posts", ["txt"]) is not None


@pytest.mark.parametrize(
    ("kind", "made"),
    [("text", "'k' || chr(64 + n)"), ("bigint", "n - 3"), ("uuid", "md5(n::text)::uuid")],
    ids=["text", "bigint", "uuid"],
)
def test_many_ranges_at_once_have_the_digests_of_each_alone(
    database: Database, monkeypatch: pytest.MonkeyPatch, kind: str, made: str
) -> None:
    monkeypatch.setattr(ranges, "ASKED_RANGES", 2)
    run(database, f"CREATE TABLE t (id {kind} PRIMARY KEY, txt text)")
    run(database, f"INSERT INTO t SELECT {made}, 'text ' || n FROM generate_series(1, 9) AS n")
    found = ranged(Points(database, database), "t", ["txt"])
    assert found is not None
    bounds = [None, *database.keys("t")["id"].tolist()[::2], None]
    where = [Range(low, high) for low, high in pairwise(bounds)]
    digests = found.digests(where)
    assert [n for n, _ in digests] == [1, 2, 2, 2, 2, 0]
    assert digests == [found.digests([one])[0] for one in where]
    assert digests[::-1] == found.digests(where[::-1])
    assert len({hashed for _, hashed in digests}) == 6
    assert found.digests([]) == []
