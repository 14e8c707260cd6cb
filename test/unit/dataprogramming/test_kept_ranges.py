"""A second look at a table of a real PostgreSQL reads only ranges of ids in which something changed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adaptml.database import Database, Range, StoredRows
from adaptml.features import ranges
from adaptml.features.ranges import RangedTable
from adaptml.project import Project
from dataprogramming import kept_ranges
from dataprogramming.apply import apply_lfs
from dataprogramming.kept_ranges import FILE, KeptRange, joined, packed, read_ranges, write_ranges
from dataprogramming.votes import Votes

Reads = list[tuple[str | None, str | None]]


@pytest.fixture
def there(database: Database, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Project:
    """The project `pets`, whose posts 1 to 6 are in PostgreSQL, two a range."""
    address = database.engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("ADAPTML_DATABASE_URL", address)
    for module in (ranges, kept_ranges):
        monkeypatch.setattr(module, "RANGE_ROWS", 2)
    pets: Project = request.getfixturevalue("pets")
    return pets


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    """The ranges that were read."""
    found: Reads = []
    read = RangedTable.read

    def noted(table: RangedTable, where: Range) -> Iterator[tuple[Range, tuple[int, ...], StoredRows]]:
        found.append(tuple(where))  # type: ignore[arg-type]
        return read(table, where)

    monkeypatch.setattr(RangedTable, "read", noted)
    return found


def look(project: Project, **options: Any) -> Votes:
    return apply_lfs(project, "pets", "posts", gold=None, **options)


def change(project: Project, *rows: tuple[str, str, list[str]]) -> None:
    project.database.upsert("posts", pd.DataFrame(rows, columns=["id", "txt", "tokens"]), ["id"])


def delete(project: Project, *ids: str) -> None:
    table = project.database.data_table("posts")
    with project.database.engine.begin() as connection:
        connection.execute(sa.delete(table).where(table.c.id.in_(ids)))


on_postgresql = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


@on_postgresql
def test_only_what_changed_is_read(there: Project, reads: Reads) -> None:
    first = look(there)
    assert reads == [(None, None)]
    reads.clear()
    again = look(there)
    assert reads == []
    assert again.L.tolist() == first.L.tolist()
    assert again.keys.equals(first.keys)
    assert again.reuse is not None
    assert (again.reuse.kept, again.reuse.computed) == (18, 0)

    change(there, ("3", "Sun", ["hiss"]))
    changed = look(there)
    assert reads == [("2", "4")]
    assert changed.L[2].tolist() == [0, -1, -1]
    reads.clear()
    change(there, ("2x", "new", ["bark"]), ("9", "new", ["bark"]))
    delete(there, "1")
    last = look(there)
    assert reads == [(None, "2"), ("2", "4"), ("4", None)]
    assert last.keys["id"].tolist() == ["2", "2x", "3", "4", "5", "6", "9"]
    assert last.L.tolist() == look(there, fresh=True).L.tolist()
    reads.clear()
    look(there)
    assert reads == []


@on_postgresql
def test_where_a_vote_is_missing_rows_are_read(there: Project, reads: Reads) -> None:
    look(there)
    rules = there.settings.tasks_dir / "pets" / "lfs.py"
    rules.write_text(rules.read_text().replace("> 2", "> 1"))
    reads.clear()
    assert look(there).L[:, 2].tolist() == [1, 1, 1, -1, 1, -1]
    assert len(reads) == 3
    reads.clear()
    look(there)
    assert reads == []


@on_postgresql
def test_rules_that_are_computed_anew_read_all_as_ever(there: Project, reads: Reads) -> None:
    expected = look(there).L.tolist()
    reads.clear()
    assert look(there, fresh=True).L.tolist() == expected
    rules = there.settings.tasks_dir / "pets" / "lfs.py"
    rules.write_text(rules.read_text().replace("return", "import random; random.random(); return", 1))
    assert look(there).L.tolist() == expected
    assert reads == []


@on_postgresql
@pytest.mark.parametrize("damage", [b"", b"noise"])
def test_a_file_of_ranges_that_is_none_costs_time(there: Project, reads: Reads, damage: bytes) -> None:
    expected = look(there).L.tolist()
    file = there.settings.votes("pets") / "posts" / FILE
    file.write_bytes(damage)
    reads.clear()
    assert look(there).L.tolist() == expected
    assert reads == [(None, None)]
    file.unlink()
    file.mkdir()
    votes = look(there)
    assert votes.L.tolist() == expected
    assert votes.reuse is not None
    assert "these are computed again the next time" in votes.reuse.lines()[-1]


rows = st.tuples(st.sampled_from("abcdefg"), st.lists(st.sampled_from(["purr", "bark", "sun"]), max_size=3))


@on_postgresql
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10)
@given(st.lists(st.lists(st.tuples(st.booleans(), rows), max_size=4), min_size=1, max_size=3))
def test_after_any_edits_the_matrix_is_that_from_nothing(there: Project, reads: Reads, edits: Any) -> None:
    delete(there, *"abcdefg")
    for some in edits:
        for gone, (key, tokens) in some:
            delete(there, key) if gone else change(there, (key, "", tokens))
        kept, anew = look(there), look(there, fresh=True)
        assert kept.keys.equals(anew.keys)
        assert np.array_equal(kept.L, anew.L)
    reads.clear()
    assert np.array_equal(look(there).L, anew.L)
    assert reads == []


def kept(low: str | None, high: str | None, digest: tuple[int, ...], *ids: str) -> KeptRange:
    return KeptRange(Range(low, high), digest, packed(ids), np.arange(len(ids), dtype=np.uint64))


def test_what_was_written_is_read(tmp_path: Any) -> None:
    path = tmp_path / FILE
    written = [kept(None, "b", (2, -(2**70)), "a", "ä\n'"), kept("b", "c", ()), kept("c", None, (1, 5), "d")]
    write_ranges(path, "key", written)
    found = read_ranges(path, "key")
    assert found is not None
    assert [(one.where, one.digest, list(one.ids)) for one in found] == [
        (one.where, one.digest, list(one.ids)) for one in written
    ]
    assert [one.hashes.tolist() for one in found] == [[0, 1], [], [0]]
    assert read_ranges(path, "another") is None
    write_ranges(path, "key", [kept(None, None, (0, 0))])
    found = read_ranges(path, "key")
    assert found is not None
    assert list(found[0].ids) == []


def test_a_file_that_is_cut_short_anywhere_is_none(tmp_path: Path) -> None:
    path = tmp_path / FILE
    write_ranges(path, "key", [kept(None, "b", (2, 1), "a", "b"), kept("b", None, (1, 5), "d")])
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        assert read_ranges(path, "key") is None


def test_small_neighbours_become_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_ranges, "RANGE_ROWS", 3)
    pieces = [
        kept(None, "a", (1, 5, 1, 2), "a"), kept("a", "c", (2, 7, 0, 0), "b", "c"), kept("c", "d", (1, 1, 0, 0), "d"),
        kept("d", "e", (), "e"), kept("e", "f", (0, 0, 0, 0)), kept("f", None, (1, 4, 4, 4), "g"),
    ]  # fmt: skip
    found = [(tuple(one.where), one.digest, list(one.ids), one.hashes.tolist()) for one in joined(pieces)]
    assert found == [
        ((None, "c"), (3, 12, 1, 2), ["a", "b", "c"], [0, 0, 1]),
        (("c", "d"), (1, 1, 0, 0), ["d"], [0]),
        (("d", "e"), (), ["e"], [0]),
        (("e", None), (1, 4, 4, 4), ["g"], [0]),
    ]
