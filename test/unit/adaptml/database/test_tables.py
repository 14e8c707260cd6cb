"""Tables as people have them: in schemas, behind views, with any name, owned by somebody else."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa
from snorkel.labeling import labeling_function
from typer.testing import CliRunner

from adaptml.cli.app import app
from adaptml.data import read_points
from adaptml.database import Database, WritebackKind, write_back
from adaptml.database.facts import table_facts
from adaptml.errors import DatabaseError, DatabaseUnavailableError, UnknownColumnError, UnknownTableError
from adaptml.project import Project
from adaptml.tasks import Task
from adaptml.tasks.check import check_data
from adaptml.tasks.scaffold import new_task

TOPIC = Task(name="topic", classes=["a", "b"])


def run(database: Database, *statements: str) -> None:
    with database.engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


@pytest.fixture
def postgresql(postgresql_url: str) -> Iterator[Database]:
    made = Database(postgresql_url)
    run(
        made,
        "DROP SCHEMA IF EXISTS crm CASCADE",
        "DROP SCHEMA public CASCADE",
        "CREATE SCHEMA public",
        "CREATE SCHEMA crm",
        "CREATE TABLE crm.people (id bigint PRIMARY KEY)",
        "CREATE TABLE crm.tickets (id bigserial PRIMARY KEY, txt text, by_whom bigint REFERENCES crm.people)",
        "INSERT INTO crm.tickets (txt) VALUES ('a'), ('b'), ('c')",
    )
    yield made
    run(made, "DROP SCHEMA crm CASCADE")
    made.close()


def keys(table: str, *ids: str) -> pd.DataFrame:
    return pd.DataFrame({"table_name": table, "id": list(ids)}, dtype=object)


def test_a_table_of_another_schema(postgresql: Database) -> None:
    assert postgresql.keys("crm.tickets").to_dict("list") == {
        "table_name": ["crm.tickets"] * 3, "id": ["1", "2", "3"],
    }  # fmt: skip
    assert postgresql.keys("crm.tickets", "txt > 'a' AND id < 3")["id"].tolist() == ["2"]
    assert postgresql.read(keys("crm.tickets", "3", "1"), ["txt"])["txt"].tolist() == ["c", "a"]
    assert [chunk["txt"].tolist() for chunk in postgresql.scan("crm.tickets", ["txt"])] == [["a", "b", "c"]]
    assert postgresql.count("crm.tickets") == 3
    assert list(postgresql.columns("crm.tickets")) == ["id", "txt", "by_whom"]
    facts = table_facts(postgresql, "crm.tickets", ["txt", "by_whom"])
    assert (facts.rows, facts.indexed, facts.id_problem, facts.missing["by_whom"]) == (3, True, None, 3)
    assert postgresql.tables() == []
    assert postgresql.tables_elsewhere() == ["crm.people", "crm.tickets"]


def test_views_of_every_kind(postgresql: Database) -> None:
    run(
        postgresql,
        "CREATE VIEW seen AS SELECT * FROM crm.tickets",
        "CREATE MATERIALIZED VIEW crm.kept AS SELECT id::text AS id, txt FROM crm.tickets WHERE id <> 2",
        "CREATE MATERIALIZED VIEW kept AS SELECT * FROM crm.tickets",
    )
    assert postgresql.tables() == ["kept", "seen"]
    assert postgresql.tables_elsewhere() == ["crm.kept", "crm.people", "crm.tickets"]
    assert postgresql.keys("seen")["id"].tolist() == ["1", "2", "3"]
    assert postgresql.read(keys("crm.kept", "3", "1"), ["txt"])["txt"].tolist() == ["c", "a"]
    assert table_facts(postgresql, "crm.kept", []).indexed is False  # it can have one
    run(postgresql, "CREATE UNIQUE INDEX kept_id ON crm.kept (id)")
    assert table_facts(postgresql, "crm.kept", []).indexed is True


def test_a_literal_name_with_a_dot_comes_first(postgresql: Database) -> None:
    run(
        postgresql,
        'CREATE TABLE "crm.tickets" (id text PRIMARY KEY, txt text)',
        "INSERT INTO \"crm.tickets\" VALUES ('9', 'literal')",
        'CREATE TABLE crm."a.b" (id text PRIMARY KEY)',
    )
    assert postgresql.keys("crm.tickets")["id"].tolist() == ["9"]
    assert postgresql.count("crm.a.b") == 0


def test_errors_name_schemas_and_their_tables(postgresql: Database) -> None:
    run(postgresql, "CREATE TABLE posts (id text)")
    with pytest.raises(UnknownTableError) as caught:
        postgresql.keys("tickets")
    assert str(caught.value).endswith(
        "; its tables are posts; those of other schemas (crm) are named schema.table"
    )
    with pytest.raises(
        UnknownTableError, match=r"^no table 'crm.nope' in .*; the tables of schema crm are people, tickets$"
    ):
        postgresql.keys("crm.nope")
    for name in ("pg_catalog.pg_class", "information_schema.tables", "pg_class", "nope.tickets", ".", "crm."):
        assert not postgresql.has_table(name)
        with pytest.raises(UnknownTableError):
            postgresql.read(keys(name, "1"), [])
    run(postgresql, *(f"CREATE TABLE crm.t{i:02d} (id text)" for i in range(30)))
    with pytest.raises(UnknownTableError, match=r"t18 and 12 more$"):
        postgresql.keys("crm.nope")


def test_results_say_the_schema(postgresql: Database) -> None:
    frame = postgresql.keys("crm.tickets").assign(label=[["a"], [], ["a"]], label_probs=[[1.0, 0.0]] * 3)
    assert write_back(postgresql, TOPIC, WritebackKind.LABELS, frame, "run") == 3
    assert postgresql.result_keys("topic_labels").sort_values("id").to_dict("list") == {
        "table_name": ["crm.tickets"] * 3, "id": ["1", "2", "3"],
    }  # fmt: skip


@pytest.mark.parametrize("table", ["select", "My Posts", 'odd "name"; --', "ünïcode", "a.b", "%s", "x:y"])
def test_any_name_of_table_and_column(database: Database, table: str) -> None:
    if database.engine.dialect.name == "crate":
        pytest.skip("CrateDB allows no such names")
    columns = {
        "id": sa.Text(),
        "order": sa.Text(),
        "Mixed Case": sa.Text(),
        "%s": sa.Text(),
        'q"q': sa.Text(),
    }
    database.create_table(table, columns)
    database.upsert(table, pd.DataFrame([dict.fromkeys(columns, "1")]), ["id"])
    assert table in database.tables()
    assert database.keys(table, "\"order\" = '1'")["id"].tolist() == ["1"]
    names = list(columns)[1:]
    assert database.read(keys(table, "1"), names)[names].to_numpy().tolist() == [["1"] * 4]
    assert [chunk['q"q'].tolist() for chunk in database.scan(table, names)] == [["1"]]
    with pytest.raises(UnknownColumnError, match="mixed case"):
        database.read(keys(table, "1"), ["mixed case"])


def test_an_attached_file_of_sqlite(database: Database) -> None:
    if database.engine.dialect.name != "sqlite":
        pytest.skip("only SQLite attaches files")

    @sa.event.listens_for(database.engine, "connect")
    def attach(connection: sa.engine.interfaces.DBAPIConnection, _: object) -> None:
        connection.cursor().execute("ATTACH ':memory:' AS crm")
        connection.cursor().execute("CREATE TABLE crm.tickets (id INTEGER PRIMARY KEY, txt TEXT)")
        connection.cursor().execute("INSERT INTO crm.tickets VALUES (1, 'a')")
        connection.commit()

    assert database.read(keys("crm.tickets", "1"), ["txt"])["txt"].tolist() == ["a"]
    with pytest.raises(UnknownTableError, match=r"those of other schemas \(crm\) are named schema\.table$"):
        database.keys("tickets")


def test_rules_vote_on_it_and_their_votes_are_kept(postgresql: Database, postgresql_url: str) -> None:
    @labeling_function()
    def early(row: Any) -> int:
        return 0 if row.txt < "c" else 1

    task = Task(name="topic", classes=["early", "late"], lfs=[early], lf_features=["txt"])
    with Project(database_url=postgresql_url) as project:
        first = project.apply_lfs(task, "crm.tickets")
        assert first.keys["id"].tolist() == ["1", "2", "3"]
        assert first.L.ravel().tolist() == [0, 0, 1]
        again = project.apply_lfs(task, pd.DataFrame({"table_name": "crm.tickets", "id": [3, 1]}))
        assert again.L.ravel().tolist() == [1, 0]
        assert again.reuse is not None
        assert (again.reuse.kept, again.reuse.computed) == (2, 0)


def test_a_role_that_may_only_read(
    postgresql: Database, postgresql_url: str, clean_room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(
        postgresql,
        "CREATE TABLE secrets (id text)",
        "DROP ROLE IF EXISTS reader",
        "CREATE ROLE reader LOGIN",
        "GRANT USAGE ON SCHEMA crm, public TO reader",
        "GRANT SELECT ON crm.tickets TO reader",
    )
    address = sa.make_url(postgresql_url).set(username="reader").render_as_string(hide_password=False)
    new_task(clean_room / "tasks", "topic", ["left", "right"], "multiclass")
    monkeypatch.setenv("ADAPTML_RESULTS_DATABASE_URL", f"sqlite:///{clean_room / 'results.db'}")
    with Project(database_url=address) as project:
        assert sorted(project.sample_points("topic", "crm.tickets", 2).frame["id"]) < ["9"]
        assert project.sample_tasks("topic", "crm.tickets where id > 1", 5).frame["id"].size == 2
        points = read_points(project, "crm.tickets")
        assert project.database.read(points, ["txt"])["txt"].tolist() == ["a", "b", "c"]
        levels = {
            found.what: found.level for found in check_data(project, project.task("topic"), "crm.tickets")[0]
        }
        assert levels["crm.tickets.id"] == "ok"
        points = points.assign(label=[["left"]] * 3, label_probs=[[1.0, 0.0]] * 3)
        assert write_back(project.results, project.task("topic"), WritebackKind.LABELS, points, "run") == 3
        assert project.results.tables() == ["topic_classes", "topic_labels"]
        with pytest.raises(DatabaseError, match="refused: permission denied for table secrets"):
            project.database.keys("secrets")
        with pytest.raises(
            DatabaseError,
            match=r"may only be read \(permission denied for schema public\); ADAPTML_RESULTS_DATABASE_URL names",
        ):
            project.database.create_table("mine", {"id": sa.Text()})
    run(postgresql, "DROP OWNED BY reader", "DROP ROLE reader")


FULL = r"the disk of the database .* takes no more, or fails: {}; free space there, then try again$"


def test_a_file_whose_disk_is_full(tmp_path: Path) -> None:
    with Database(f"sqlite:///{tmp_path / 'data.db'}") as made:
        made.create_table("posts", {"id": sa.Text(), "txt": sa.Text()})

        @sa.event.listens_for(made.engine, "checkout")
        def full(connection: sqlite3.Connection, *_: Any) -> None:
            connection.execute(f"PRAGMA max_page_count = {most_pages}")

        rows, most_pages = pd.DataFrame({"id": ["a"], "txt": ["x" * 100_000]}), 5
        with pytest.raises(DatabaseUnavailableError, match=FULL.format("database or disk is full")):
            made.upsert("posts", rows, ["id"])
        assert made.count("posts") == 0
        most_pages = 1_000
        assert made.upsert("posts", rows, ["id"]) == 1


def test_a_server_whose_disk_is_full(postgresql_url: str) -> None:
    full = "RAISE 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'"
    with (
        Database(postgresql_url) as made,
        pytest.raises(DatabaseUnavailableError, match=FULL.format("could not extend .* left on device.*")),
        made.translated(),
        made.engine.begin() as connection,
    ):
        connection.exec_driver_sql(f"DO $$ BEGIN {full}; END $$")


def test_a_file_that_may_only_be_read(tmp_path: Path) -> None:
    made = Database(f"sqlite:///{tmp_path / 'data.db'}")
    made.create_table("posts", {"id": sa.Text()})
    made.close()
    reading = Database(f"sqlite:///file:{tmp_path / 'data.db'}?mode=ro&uri=true")
    assert reading.tables() == ["posts"]
    with pytest.raises(DatabaseError, match=r"may only be read \(attempt to write a readonly database\)"):
        reading.create_table("mine", {"id": sa.Text()})
    reading.close()


def test_the_command_names_tables_of_other_schemas(
    postgresql: Database, postgresql_url: str, clean_room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADAPTML_DATABASE_URL", postgresql_url)
    shown = CliRunner().invoke(app, ["tables"])
    assert shown.stdout == "in other schemas, used as they are named here: crm.people, crm.tickets\n"
