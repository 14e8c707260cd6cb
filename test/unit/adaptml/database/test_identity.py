"""Which database it is: the same by every address and in every role, another for a copy."""

import pickle
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from cratedb_server import Recorder
from cratedb_sqlparse import sqlparse
from toy_chunks import toy

from adaptml.database import Database
from adaptml.database.identity import identity
from adaptml.errors import DatabaseUnavailableError
from adaptml.project import Project
from adaptml.scale.work import Work, run_chunk
from adaptml.tasks import Task

POSTS = pd.DataFrame({"id": ["a"]})


def of(url: str) -> str:
    with Database(url) as database:
        known = identity(database)
        assert identity(database) == known
    return known


def run(url: str, *statements: str) -> None:
    with Database(url) as database, database.engine.connect() as connection:
        at_once = connection.execution_options(isolation_level="AUTOCOMMIT")  # as CREATE DATABASE wants it
        for statement in statements:
            at_once.exec_driver_sql(statement)


def test_a_database_is_the_same_whatever_is_written(database: Database) -> None:
    before = identity(database)
    assert len(before) == 64
    database.create_table("posts", {"id": sa.Text()})
    database.upsert("posts", POSTS, ["id"])
    assert identity(database) == before == of(database.engine.url.render_as_string(hide_password=False))


def test_a_sqlite_file_is_the_same_by_every_path_and_a_copy_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "data.db"
    with Database(f"sqlite:///{file}") as database:
        database.create_table("posts", {"id": sa.Text()})
        known = identity(database)
        (tmp_path / "folder").symlink_to(tmp_path)
        shutil.copy(file, tmp_path / "copy.db")
        monkeypatch.chdir(tmp_path)
        assert of(f"sqlite:///{tmp_path / 'folder' / 'data.db'}") == known
        assert of("sqlite:///data.db") == of("sqlite:///file:data.db?uri=true") == known
        copied = of("sqlite:///copy.db")
        assert copied != known
        (tmp_path / "copy.db").replace(file)
        assert identity(database) == copied
        file.unlink()
        with pytest.raises(DatabaseUnavailableError, match="there is no file"):
            identity(database)


def test_one_in_memory_is_nobody_elses() -> None:
    with Database("sqlite://") as database:
        assert identity(database) != identity(database)


@pytest.fixture
def url(postgresql_url: str) -> sa.URL:
    return sa.make_url(postgresql_url)


def address(url: sa.URL) -> str:
    return url.render_as_string(hide_password=False)


@contextmanager
def role(url: sa.URL) -> Iterator[str]:
    """The address by which a role `reader`, which may only read, reaches a database."""
    run(
        address(url),
        "CREATE ROLE reader LOGIN",
        "ALTER ROLE reader SET default_transaction_read_only = on",
        "GRANT USAGE ON SCHEMA public TO reader",
    )
    try:
        yield address(url.set(username="reader"))
    finally:
        run(address(url), "DROP OWNED BY reader", "DROP ROLE reader")


def test_a_postgresql_is_the_same_by_another_address_and_in_another_role(url: sa.URL, tmp_path: Path) -> None:
    known = of(address(url))
    folder = str(url.query["host"])
    (tmp_path / "s").symlink_to(folder)
    assert of(address(url.update_query_dict({"host": str(tmp_path / "s")}))) == known
    with role(url) as reader:
        assert of(reader) == known


def test_two_databases_and_two_schemas_of_one_server_are_others(url: sa.URL) -> None:
    schema = {"options": "-csearch_path=elsewhere"}
    run(address(url), "CREATE DATABASE other", "CREATE SCHEMA elsewhere")
    try:
        found = [of(address(one)) for one in (url, url.set(database="other"), url.update_query_dict(schema))]
    finally:
        run(address(url), "DROP DATABASE other", "DROP SCHEMA elsewhere")
    assert len(set(found)) == 3


def test_workers_are_asked_all_the_same_where_a_postgresql_does_not_tell(
    url: sa.URL, clean_room: Path, caplog: pytest.LogCaptureFixture
) -> None:
    task = Task(classes=["a", "b"])  # type: ignore[arg-type]
    run(address(url), "REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC")
    try:
        with role(url) as reader, Project(database_url=reader) as project:
            assert of(reader) == ""
            work = Work.of(toy, project, task, {})
            name = project.database.name
            assert run_chunk(work, "square 2", project.settings, "here", pickle.dumps(task)) == 4
    finally:
        run(address(url), "GRANT EXECUTE ON FUNCTION pg_control_system() TO PUBLIC")
    said = f"the database {name} does not tell which one it is: workers may have another"
    assert [record.getMessage() for record in caplog.records] == [said]


def test_a_cratedb_is_asked_for_its_cluster(crate: Database, recorder: Recorder) -> None:
    found = []
    for cluster, schema in (("one", "doc"), ("one", "doc"), ("one", "mine"), ("two", "doc")):
        recorder.answers["SELECT id"] = [[cluster, schema]]
        found.append(identity(crate))
    assert found[0] == found[1]
    assert len(set(found)) == 3
    assert sqlparse(recorder.statements[-1], raise_exception=True)
