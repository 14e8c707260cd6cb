"""Files into tables: what is written, what is refused, what a second import does."""

import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from adaptml.database import Database
from adaptml.database.cratedb import DIALECT as CRATEDB
from adaptml.errors import AdaptmlError, DatabaseError, FrameError
from adaptml.importing import target
from adaptml.importing.record import read_records
from adaptml.project import Project

POSTS = "id,txt,likes\na,good morning,3\nb,good night,\nc,,5\n"


@pytest.fixture
def room(clean_room: Path, database: Database) -> Iterator[Project]:
    """A project on each database."""
    url = database.engine.url.render_as_string(hide_password=False)
    with Project(clean_room, database_url=url) as project:
        yield project


def csv(text: str, name: str = "posts.csv") -> Path:
    path = Path(name)
    path.write_text(text, encoding="utf-8")
    return path


def rows(project: Project, table: str) -> list[tuple[Any, ...]]:
    """All rows by id, as the database has them."""
    found = project.database.found_table(table, [])
    with project.database.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.select(found).order_by(found.c.id))]


def refused(project: Project, *arguments: Any, **options: Any) -> str:
    """The one line with which an import is refused; the tables are as they were."""
    before = {
        table: rows(project, table) for table in project.database.tables() if table != "adaptml_imports"
    }
    with pytest.raises(AdaptmlError) as error:
        project.import_table(*arguments, **options)
    after = {table: rows(project, table) for table in project.database.tables() if table != "adaptml_imports"}
    assert before.keys() == after.keys()
    assert all(np.array_equal(str(before[table]), str(after[table])) for table in before)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_file_becomes_a_table_with_a_key(room: Project) -> None:
    done = room.import_table(csv(POSTS), "posts")
    assert str(done) == "posts: 3 rows read: 3 new"
    assert rows(room, "posts") == [("a", "good morning", 3), ("b", "good night", None), ("c", None, 5)]
    key = sa.inspect(room.database.engine).get_pk_constraint("posts")["constrained_columns"]
    assert key == ["id"]
    assert list(room.database.keys("posts")["id"]) == ["a", "b", "c"]


def test_every_kind_of_value_comes_back(room: Project) -> None:
    frame = pd.DataFrame(
        {
            "id": [2, 10],
            "txt": ["ä😀", None],
            "whole": [2**60, -1],
            "share": [0.1, None],
            "seen": [True, False],
            "words": [["a", "b c"], []],
            "vec": [np.array([0.5, -1.0]), np.array([1.0, 2.0])],
            "day": pd.to_datetime(["2020-01-02", "2021-12-31"]),
        }
    )
    done = room.import_table(frame, "posts")
    kinds = {column.name: column.kind for column in done.columns}
    assert kinds == {
        "txt": "text", "whole": "integer", "share": "number", "seen": "boolean", "words": "list", "vec": "vector",
        "day": "text",
    }  # fmt: skip
    (ten, two) = rows(room, "posts")
    assert two[:6] == ("2", "ä😀", 2**60, 0.1, 1, ["a", "b c"])
    assert two[6].tolist() == [0.5, -1.0]
    assert two[7] == "2020-01-02T00:00:00"
    assert ten[:6] == ("10", None, -1, None, 0, [])
    assert str(room.import_table(frame, "posts")) == "posts: 2 rows read: 0 new, 2 unchanged"


def test_a_longer_file_brings_new_and_changed_rows_and_keeps_those_that_are_gone(room: Project) -> None:
    room.import_table(csv(POSTS), "posts")
    longer = POSTS.replace("c,,5", "d,new,1\ne,newer,").replace("good night,", "good night,7")
    done = room.import_table(csv(longer), "posts")
    assert (done.read, done.new, done.changed, done.unchanged, done.gone) == (4, 2, 1, 1, 1)
    assert str(done) == ("posts: 4 rows read: 2 new, 1 changed, 1 unchanged; in the table only: 1 (kept)")
    assert [row[0] for row in rows(room, "posts")] == ["a", "b", "c", "d", "e"]
    assert rows(room, "posts")[1] == ("b", "good night", 7)


def test_a_longer_file_may_have_another_column(room: Project) -> None:
    room.import_table(csv("id,txt\na,one\nb,two\n"), "posts")
    done = room.import_table(csv("id,lang,txt\na,en,one\nb,,two\n"), "posts")
    assert (done.new, done.changed, done.unchanged) == (0, 1, 1)
    assert rows(room, "posts") == [("a", "one", "en"), ("b", "two", None)]
    with Database("sqlite:///another.db") as another:  # its table is as the one was
        another.create_table("posts", {"id": sa.Text(), "txt": sa.Text()}, ["id"])
        assert [*another.found_table("posts", []).c.keys()] == ["id", "txt"]


def test_columns_keep_their_type_and_values_must_fit_it(room: Project) -> None:
    room.import_table(csv("id,likes,txt\na,1,x\n"), "posts")
    said = refused(room, csv("id,likes,txt\na,1,x\nb,many,y\n"), "posts")
    assert "'likes' of table 'posts' is integer, and row 2 holds 'many'" in said
    room.import_table(csv("id,likes,txt\na,1,x\nb,2,7\n"), "posts")  # text takes numbers
    assert rows(room, "posts")[1] == ("b", 2, "7")


def test_several_files_are_one_table(room: Project) -> None:
    done = room.import_table([csv("id,txt\na,one\n", "1.csv"), csv("txt,id\ntwo,b\n", "2.csv")], "posts")
    assert done.read == 2
    assert rows(room, "posts") == [("a", "one"), ("b", "two")]
    said = refused(room, [csv("id,txt\na,one\n", "1.csv"), csv("id,text\nb,two\n", "2.csv")], "more")
    assert "2.csv has the columns id, text, and 1.csv id, txt" in said


def test_names_of_columns_are_made_usable_and_told(room: Project) -> None:
    done = room.import_table(csv("_id,user.name,a[0],%s,my text\n1,Ann,x,y,z\n"), "posts", id="_id")
    assert [(column.source, column.name) for column in done.columns] == [
        ("user.name", "user_name"), ("a[0]", "a_0"), ("%s", "s"), ("my text", "my_text"),
    ]  # fmt: skip
    assert rows(room, "posts") == [("1", "Ann", "x", "y", "z")]


def test_characters_that_databases_refuse_are_replaced_and_counted(room: Project) -> None:
    done = room.import_table(csv("id,txt\na,one\0two\nb,fine\n"), "posts")
    assert rows(room, "posts") == [("a", "one\ufffdtwo"), ("b", "fine")]
    assert done.replaced == 1
    assert "characters that databases refuse: 1" in str(done)


class TestIds:
    def test_of_a_column_in_any_case_and_without_point_zero(self, room: Project) -> None:
        room.import_table(csv("ID,txt\n12.0,one\n7.0,two\n"), "posts")
        assert [row[0] for row in rows(room, "posts")] == ["12", "7"]
        room.import_table(csv("version,txt\n1.0,one\n1.1,two\n"), "versions", id="version")
        assert [row[0] for row in rows(room, "versions")] == ["1.0", "1.1"]

    def test_of_a_hash_of_each_row(self, room: Project) -> None:
        done = room.import_table(csv("txt,lang\none,en\ntwo,\n"), "posts")
        made = {row[0] for row in rows(room, "posts")}
        assert all(len(id_) == 16 for id_ in made)
        longer = room.import_table(csv("lang,txt\n,two\nen,zero\nen,one\n"), "posts")  # in another order
        assert (done.new, longer.new, longer.unchanged) == (2, 1, 2)
        assert made < {row[0] for row in rows(room, "posts")}

    def test_of_the_rows_numbers(self, room: Project) -> None:
        room.import_table(csv("txt\none\ntwo\n"), "posts", number_rows=True)
        done = room.import_table(csv("txt\none\ntwo\nthree\n"), "posts", number_rows=True)
        assert (done.new, done.unchanged) == (1, 2)
        assert rows(room, "posts") == [("1", "one"), ("2", "two"), ("3", "three")]

    @pytest.mark.parametrize(
        ("numbered", "text", "fact"),
        [
            (False, "txt\none!\ntwo\nthree\n", "0 with other values and 1 not at all"),
            (False, "txt\ntwo\n", "0 with other values and 1 not at all"),
            (True, "txt\nzero\none\ntwo\n", "2 with other values and 0 not at all"),
            (True, "txt\none\n", "0 with other values and 1 not at all"),
        ],
    )
    def test_that_are_made_need_the_earlier_rows_as_they_were(
        self,
        room: Project,
        numbered: bool,
        text: str,
        fact: str,
    ) -> None:
        room.import_table(csv("txt\none\ntwo\n"), "posts", number_rows=numbered)
        said = refused(room, csv(text), "posts", number_rows=numbered)
        assert fact in said
        assert "of its 2 rows" in said

    @pytest.mark.parametrize(
        ("text", "facts"),
        [
            ("id,txt\na,1\nb,2\na,3\na,4\n", ["rows with a repeated id in column id: 2 ('a' 3 times)", "keep-first"]),
            ("id,txt\na,1\n,2\n  ,3\n", ["2 rows have no id in column id: rows 2, 3", "--id"]),
            ("id,txt\n5.70306E+17,1\n5.70306E+17,2\nc,3\n", ["2 rows have an id", "rounded: 5.70306E+17"]),
            ("id,txt\n" + "".join(f"5703061336777{i:02}000,x\n" for i in range(12)), ["12 rows", "all ending in zeros"]),
            ("txt,n\na,1\nb,2\na,1\n", ["rows equal to an earlier row: 1;", "keep-first"]),
        ],
    )  # fmt: skip
    def test_that_cannot_be_used_are_named_and_counted(
        self, room: Project, text: str, facts: list[str]
    ) -> None:
        said = refused(room, csv(text), "posts")
        assert [fact for fact in facts if fact not in said] == []
        assert room.database.tables() == []

    def test_that_are_repeated_can_be_left_out_or_numbered(self, room: Project) -> None:
        repeated = csv("id,txt\na,1\nb,2\na,3\na,4\n", "repeated.csv")
        done = room.import_table(repeated, "first", on_duplicate="keep-first")
        assert (done.new, done.left_out) == (2, 2)
        assert rows(room, "first") == [("a", 1), ("b", 2)]
        room.import_table(repeated, "all", on_duplicate="number")
        assert rows(room, "all") == [("a", 1), ("a-2", 3), ("a-3", 4), ("b", 2)]
        assert "'a-2' is an id of the file already" in refused(
            room, csv("id,txt\na,1\na,2\na-2,3\n"), "more", on_duplicate="number"
        )
        assert "imported with --on-duplicate keep-first" in refused(
            room, repeated, "first", on_duplicate="number"
        )
        assert "1 not at all" in refused(room, csv("id,txt\na,1\nb,2\na,3\n"), "all", on_duplicate="number")

    def test_go_on_coming_from_where_they_came_from(self, room: Project) -> None:
        room.import_table(csv("key,txt\na,1\n"), "posts", id="key")
        said = refused(room, csv("key,txt\na,1\n"), "posts")
        assert "come from column key, and here from a hash of the row" in said

    def test_are_refused_where_the_column_is_not_there(self, room: Project) -> None:
        assert "no column 'key' for the ids; the columns are id, txt, likes" in refused(
            room, csv(POSTS), "posts", id="key"
        )


class TestOtherTables:
    """Tables that no import made."""

    def make(self, project: Project, *columns: sa.Column[Any], name: str = "posts") -> None:
        sa.Table(name, sa.MetaData(), *columns).create(project.database.engine)

    def test_take_rows_that_fit(self, room: Project) -> None:
        self.make(room, sa.Column("id", sa.String(20)), sa.Column("txt", sa.Text), sa.Column("n", sa.Integer))
        done = room.import_table(csv("id,n,txt\na,1,one\n"), "posts")
        again = room.import_table(csv("id,n,txt\na,2,one\n"), "posts")
        assert (done.new, again.changed) == (1, 1)
        assert rows(room, "posts") == [("a", "one", 2)]

    @pytest.mark.parametrize(
        ("text", "facts"),
        [
            ("id,txt,likes\na,1,2\n", ["was not made by an import and has no column likes", "id, txt"]),
            ("txt\na\n", ["was not made by an import", "hash of the row"]),
        ],
    )
    def test_do_not_get_columns_or_made_ids(self, room: Project, text: str, facts: list[str]) -> None:
        self.make(room, sa.Column("id", sa.Text), sa.Column("txt", sa.Text))
        said = refused(room, csv(text), "posts")
        assert [fact for fact in facts if fact not in said] == []

    def test_of_other_types_are_refused(self, room: Project) -> None:
        self.make(room, sa.Column("id", sa.Text), sa.Column("txt", sa.DateTime))
        assert "column 'txt' of table 'posts' is" in refused(room, csv("id,txt\na,1\n"), "posts")
        self.make(room, sa.Column("id", sa.Integer), sa.Column("txt", sa.Text), name="numbers")
        assert "has the id INTEGER; expected ids of text" in refused(room, csv("id,txt\n1,1\n"), "numbers")
        with room.database.engine.begin() as connection:
            connection.exec_driver_sql("CREATE VIEW seen AS SELECT id, txt FROM numbers")
        assert "'seen' is a view" in refused(room, csv("id,txt\n1,1\n"), "seen")


@pytest.mark.parametrize(
    ("options", "fact"),
    [
        ({"types": {"txt": "integer"}}, "column 'txt' cannot be integer: row 1 holds 'good morning'"),
        ({"types": {"txt": "date"}}, "type 'date' of column 'txt' is none; expected boolean, integer"),
        ({"types": {"text": "text"}}, "no column 'text' to be text; the columns are txt, likes"),
        ({"on_duplicate": "first"}, "'first' is none; expected refuse, keep-first, number"),
        ({"id": "id", "number_rows": True}, "name one of both"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: dict[str, Any], fact: str, project: Project) -> None:
    assert fact in refused(project, csv(POSTS), "posts", **options)


def test_a_type_that_is_asked_for_is_taken(project: Project) -> None:
    project.import_table(csv(POSTS), "posts", types={"likes": "text"})
    assert [row[2] for row in rows(project, "posts")] == ["3", None, "5"]


@pytest.mark.parametrize("name", ["my posts", "adaptml_imports"])
def test_a_name_that_does_not_work_is_refused(name: str, project: Project) -> None:
    assert name.split()[0] in refused(project, csv(POSTS), name)


def test_a_failure_in_the_middle_leaves_nothing(room: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    if room.database.engine.dialect.name == CRATEDB:
        pytest.skip("CrateDB has no transactions")
    path = csv("id,txt\n" + "".join(f"{i},text {i}\n" for i in range(20_000)))
    insert = target.Target.insert

    def fails(self: target.Target, new: Any) -> None:
        if any(row[0] == "15000" for row in new):
            raise FrameError("no more")
        insert(self, new)

    monkeypatch.setattr(target.Target, "insert", fails)
    with pytest.raises(FrameError, match="no more"):
        room.import_table(path, "posts")
    assert room.database.tables() == []


def test_a_file_that_changes_while_it_is_read_is_refused(room: Project) -> None:
    path = csv(POSTS)
    with pytest.raises(FrameError, match=r"posts\.csv changed while it was read; nothing is written"):
        room.import_table(path, "posts", on_plan=lambda plan: path.write_text(POSTS + "d,late,1\n") and None)
    assert room.database.tables() == []


def test_without_transactions_the_same_import_goes_on_where_it_was_cut_off(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on CrateDB: what was written stays, and is not written again."""
    monkeypatch.setattr(target, "has_transactions", lambda connection: False)
    path = csv("txt\n" + "".join(f"text {i}\n" for i in range(20_000)))
    upsert = Database.upsert

    def fails(self: Database, table: str, frame: pd.DataFrame, *arguments: Any) -> int:
        if "text 15000" in set(frame.get("txt", [])):
            raise DatabaseError("no more")
        return upsert(self, table, frame, *arguments)

    with monkeypatch.context() as broken, pytest.raises(DatabaseError, match="no more"):
        broken.setattr(Database, "upsert", fails)
        project.import_table(path, "posts")
    written = project.database.count("posts")
    assert 5_000 <= written < 20_000
    # The ids are made from the rows: a second import needs to know so, and that the earlier rows are as they were.
    done = project.import_table(path, "posts")
    assert (done.new, done.unchanged, done.gone) == (20_000 - written, written, 0)
    csv("txt,n\n" + "".join(f"text {i},1\n" for i in range(20_000)))
    assert "20,000 not at all" in refused(project, path, "posts")
    csv("id,txt\na,x\n")
    project.import_table(path, "more")
    csv("id,txt\na,y\nb,z\n")
    assert (changed := project.import_table(path, "more")).changed == 1
    assert changed.new == 1
    assert rows(project, "more") == [("a", "y"), ("b", "z")]


@pytest.mark.parametrize("name", ["x" * 300 + ".csv", "a\0b.csv", "", "tasks", "/dev/null"])
def test_what_is_no_file_is_refused(name: str, project: Project) -> None:
    refused(project, name, "posts")


KILLED = """
import sys
from adaptml.importing import target
from adaptml.project import Project
insert = target.Target.insert
def noticed(self, rows):
    insert(self, rows)
    if any(row[0] == "45000" for row in rows):
        print("here", flush=True)
        sys.stdin.read()
target.Target.insert = noticed
with Project(sys.argv[1]) as project:
    project.import_table(sys.argv[2], "posts")
"""


def test_an_import_that_is_killed_leaves_nothing(project: Project) -> None:
    """By SIGKILL, when SQLite has written to the file already: more than fits its cache."""
    path = csv("id,txt\n" + "".join(f"{i},{'some text ' * 10}{i}\n" for i in range(60_000)))
    command = [sys.executable, "-c", KILLED, str(project.settings.root), str(path.resolve())]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        process.kill()
    database = project.settings.home / "data.db"
    assert database.stat().st_size > 1_000_000
    assert project.database.tables() == []
    assert project.import_table(path, "posts").new == 60_000


def test_memory_does_not_grow_with_the_file(project: Project) -> None:
    """But for 8 bytes an id."""
    peaks = []
    for n in (12_000, 36_000):
        path = csv("id,txt\n" + "".join(f"{i},{'some words ' * 50}\n" for i in range(n)))
        tracemalloc.start()
        project.import_table(path, f"posts_{n}")
        peaks.append(tracemalloc.get_traced_memory()[1] / 1e6)
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 3, peaks  # the files have 7 and 20 MB


def test_what_was_imported_is_noted(room: Project) -> None:
    room.import_table([csv("id,txt\na,one\n", "1.csv"), csv("id,txt\nb,two\n", "2.csv")], "posts")
    (record,) = read_records(room.database).values()
    assert (record.table_name, record.files, record.ids, record.file_rows) == (
        "posts",
        "1.csv, 2.csv",
        "column id",
        2,
    )
    found = room.tables()
    assert found["table"].tolist() == ["posts"]
    assert found.loc[0, ["rows", "columns", "id", "indexed", "imported_from"]].tolist() == [
        1 + 1, "txt (text)", "text", True, "1.csv, 2.csv",
    ]  # fmt: skip


def test_a_table_of_other_origin_has_no_file_beside_one_that_has(room: Project) -> None:
    room.import_table([csv("id,txt\na,one\n", "1.csv")], "posts")
    with room.database.engine.begin() as connection:
        connection.exec_driver_sql("CREATE VIEW seen AS SELECT id FROM posts")
    found = room.tables().set_index("table")
    assert found.loc["seen", ["indexed", "imported_from", "imported_at"]].tolist() == [None] * 3


def test_tables_that_no_import_made_are_listed_with_what_is_wrong(project: Project) -> None:
    with project.database.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE loose (id text, n int)")
        connection.exec_driver_sql("INSERT INTO loose VALUES ('a', 1), ('a', 2), (NULL, 3)")
        connection.exec_driver_sql("CREATE VIEW seen AS SELECT n FROM loose")
    found = project.tables().set_index("table")
    assert found.loc["loose", ["rows", "id", "indexed"]].tolist() == [
        3, "text, 1 row without an id and 1 duplicated id in 2 rows (a)", False,
    ]  # fmt: skip
    assert found.loc["seen", "id"] == "none"
    assert found.loc["loose", "imported_from"] is None


def test_what_no_import_made_is_none_beside_what_one_made(project: Project) -> None:
    project.import_table(pd.DataFrame({"id": ["a"], "txt": ["one"]}), "notes")
    with project.database.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE notes_labels (table_name text, id text, label text)")
        connection.exec_driver_sql(
            "INSERT INTO notes_labels VALUES ('notes', 'a', '[]'), ('more', 'a', '[]')"
        )
    found = project.tables().set_index("table")
    assert found.loc["notes", "imported_from"] == "the frame"
    assert found.loc["notes_labels", ["id", "imported_from", "imported_at"]].tolist() == [
        "with table_name", None, None,
    ]  # fmt: skip
