"""How long a database is waited for, what it is asked through, and what a role without rights is told."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest
import sqlalchemy as sa

from adaptml.database import Database
from adaptml.database.addresses import parse
from adaptml.errors import DatabaseError, DatabaseUnavailableError, SettingsError

SHORT_S = 0.2
POSTS = pd.DataFrame({"id": ["a", "b"], "txt": ["x", "y"]})


@pytest.fixture
def postgresql(postgresql_url: str) -> Iterator[Database]:
    with Database(postgresql_url) as made:
        with made.engine.begin() as connection:
            connection.exec_driver_sql("DROP SCHEMA public CASCADE")
            connection.exec_driver_sql("CREATE SCHEMA public")
        made.create_table("posts", {"id": sa.Text(), "txt": sa.Text()})
        made.upsert("posts", POSTS, ["id"])
        yield made


@pytest.fixture
def url(postgresql_url: str) -> sa.URL:
    return sa.make_url(postgresql_url)


def address(url: sa.URL) -> str:
    return url.render_as_string(hide_password=False)


def test_a_locked_table_is_waited_for_and_who_holds_it_is_said(
    postgresql: Database, postgresql_url: str
) -> None:
    with Database(postgresql_url, SHORT_S) as waiting:
        with postgresql.engine.begin() as holder:
            holder.exec_driver_sql("LOCK TABLE posts IN ACCESS EXCLUSIVE MODE")
            pid = holder.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
            said = rf"lock timeout.*; table posts is locked by process {pid} of \w+.*; see that it runs and is not"
            with pytest.raises(DatabaseUnavailableError, match=said):
                waiting.keys("posts")
            with pytest.raises(DatabaseUnavailableError, match=rf"lock timeout.*process {pid}"):
                waiting.upsert("posts", POSTS, ["id"])
            with pytest.raises(DatabaseUnavailableError, match=rf"lock timeout.*process {pid}"):
                waiting.add_columns("posts", {"more": sa.Text()})
        assert waiting.upsert("posts", POSTS, ["id"]) == 0


def test_a_row_that_another_writes_is_waited_for_as_long(postgresql: Database, postgresql_url: str) -> None:
    with Database(postgresql_url, SHORT_S) as waiting:
        with postgresql.engine.begin() as holder:
            holder.exec_driver_sql("UPDATE posts SET txt = 'z' WHERE id = 'a'")
            with pytest.raises(DatabaseUnavailableError, match=r'lock timeout.*in relation "posts"'):
                waiting.upsert("posts", POSTS, ["id"])
        assert waiting.upsert("posts", POSTS, ["id"]) == 0


def test_a_statement_has_its_time_where_a_limit_is_set_and_all_of_it_elsewhere(postgresql_url: str) -> None:
    said = "does not answer: canceling statement due to statement timeout"
    with (
        Database(postgresql_url, statement_s=SHORT_S) as service,
        pytest.raises(DatabaseUnavailableError, match=said),
        service.translated(),
        service.engine.connect() as connection,
    ):
        connection.exec_driver_sql("SELECT pg_sleep(60)")
    with Database(postgresql_url) as step, step.engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW statement_timeout").scalar_one() == "0"


def test_limits_end_with_the_transaction_as_a_pool_between_needs_it(postgresql_url: str) -> None:
    with Database(postgresql_url, SHORT_S) as database, database.engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW lock_timeout").scalar_one() == "200ms"
        connection.rollback()
        driver = connection.connection.driver_connection
        assert driver.execute("SHOW lock_timeout").fetchone() == ("0",)  # type: ignore[union-attr]


@pytest.mark.parametrize("query", [{}, {"prepare_threshold": "0"}, {"prepare_threshold": "3"}])
def test_no_statement_is_prepared(url: sa.URL, query: dict[str, str]) -> None:
    with Database(address(url.update_query_dict(query))) as database, database.engine.connect() as connection:
        for _ in range(10):
            connection.execute(sa.text("SELECT :x"), {"x": 1})
        prepared = connection.exec_driver_sql("SELECT count(*) FROM pg_prepared_statements").scalar_one()
    assert prepared == 0


def test_no_more_connections_than_are_allowed_are_opened_and_none_is_waited_for_long(url: sa.URL) -> None:
    named = address(url.update_query_dict({"application_name": "two"}))
    mine = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'two'"
    with Database(named, SHORT_S, connections=2) as database:
        with database.engine.connect() as first, database.engine.connect():
            assert first.exec_driver_sql(mine).scalar_one() == 2
            with pytest.raises(DatabaseUnavailableError, match="all of its connections are in use; see"):
                database.tables()
        database.tables()


def test_a_server_that_takes_no_more_connections_is_told_with_the_setting(
    postgresql: Database, url: sa.URL
) -> None:
    with postgresql.engine.begin() as connection:
        connection.exec_driver_sql("CREATE ROLE few LOGIN CONNECTION LIMIT 1")
    with (
        Database(address(url.set(username="few"))) as database,
        database.engine.connect(),
        pytest.raises(DatabaseUnavailableError, match=r"too many connections.*ADAPTML_SERVICE_CONNECTIONS"),
    ):
        database.tables()
    with postgresql.engine.begin() as connection:
        connection.exec_driver_sql("DROP ROLE few")


def test_a_server_that_is_silent_is_not_waited_for(tmp_path: object) -> None:
    import socket

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        with (
            Database(f"postgresql://ada@127.0.0.1:{port}/data", SHORT_S) as database,
            pytest.raises(DatabaseUnavailableError, match="does not answer: connection timeout expired"),
        ):
            database.tables()


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_a_postgresql_is_reached_by_psycopg_however_it_is_written(url: sa.URL, scheme: str) -> None:
    written = address(url).replace("postgresql+psycopg", scheme)
    with Database(written) as database:
        assert database.engine.driver == "psycopg"
        database.tables()


def test_signs_in_a_password() -> None:
    for sign in "/#?%:+&=":
        assert (
            parse(f"postgresql://ada:p{sign}ss@db.example.org:5432/data", "database_url").password
            == f"p{sign}ss"
        )
    assert parse("postgresql://ada:p%40%2F@db/data", "database_url").password == "p@/"
    for password in ("p@qq", "p@q@qq", "p/q@qq"):
        with pytest.raises(SettingsError, match="percent-encode it: %40 for @") as told:
            parse(f"postgresql://ada:{password}@db.example.org/data", "database_url")
        assert "qq" not in str(told.value)


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (
            "CREATE TABLE mine (id text PRIMARY KEY)",
            lambda made: made.create_table("mine", {"id": sa.Text()}),
        ),
        (
            "ALTER TABLE posts ADD COLUMN more text",
            lambda made: made.add_columns("posts", {"more": sa.Text()}),
        ),
    ],
)
def test_what_another_process_makes_at_the_same_moment_is_used(
    postgresql: Database, postgresql_url: str, first: str, then: Callable[[Database], None]
) -> None:
    waits = (
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'second'"
    )
    named = address(sa.make_url(postgresql_url).update_query_dict({"application_name": "second"}))
    with Database(named) as second, ThreadPoolExecutor(1) as thread:
        with postgresql.engine.begin() as other:
            other.exec_driver_sql(first)
            made = thread.submit(then, second)
            with postgresql.engine.connect() as watching:
                while not watching.exec_driver_sql(waits).scalar_one():
                    watching.rollback()
        made.result()


RIGHTS = {
    "CREATE TABLE mine (id text)": "may only be read .*permission denied for schema public.* CREATE on the schema",
    "ALTER TABLE posts ADD COLUMN more text": "must be owner of table posts.*, or give the role the table",
    "INSERT INTO posts VALUES ('c')": "permission denied for table posts.*the rights INSERT, UPDATE and DELETE",
}


def test_a_role_without_rights_is_told_which_it_needs_and_another_place(
    postgresql: Database, url: sa.URL
) -> None:
    with postgresql.engine.begin() as connection:
        connection.exec_driver_sql("CREATE ROLE little LOGIN")
        connection.exec_driver_sql("GRANT USAGE ON SCHEMA public TO little")
        connection.exec_driver_sql("GRANT SELECT ON posts TO little")
    with Database(address(url.set(username="little"))) as database:
        assert database.keys("posts")["id"].tolist() == ["a", "b"]
        for statement, said in RIGHTS.items():
            with (
                pytest.raises(DatabaseError, match=said) as told,
                database.translated(),
                database.engine.begin() as connection,
            ):
                connection.exec_driver_sql(statement)
            assert "ADAPTML_RESULTS_DATABASE_URL names another one" in str(told.value)
    with postgresql.engine.begin() as connection:
        connection.exec_driver_sql("DROP OWNED BY little")
        connection.exec_driver_sql("DROP ROLE little")


def test_a_replica_is_read_and_says_that_it_is_only_read(postgresql: Database, url: sa.URL) -> None:
    replica = url.update_query_dict({"options": "-c default_transaction_read_only=on"})
    with Database(address(replica)) as database:
        assert database.read(database.keys("posts"), ["txt"])["txt"].tolist() == ["x", "y"]
        for write in (
            lambda: database.upsert("posts", POSTS, ["id"]),
            lambda: database.create_table("mine", {"id": sa.Text()}),
        ):
            said = r"may only be read \(cannot execute .* in a read-only transaction\); ADAPTML_RESULTS_DATABASE_URL"
            with pytest.raises(DatabaseError, match=said + ".*, or name the server that may be written to"):
                write()
