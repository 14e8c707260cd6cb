"""Waiting for somebody else's lock: a person knows of it, and Ctrl-C ends it."""

import logging
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

from adaptml.database import Database, sqlite_waiting
from adaptml.errors import DatabaseUnavailableError

WRITE = """
import signal, sys
import pandas as pd
from adaptml.cli.support import run_command
from adaptml.database import Database
from adaptml.database.unwritten import complete_already
signal.signal(signal.SIGINT, signal.default_int_handler)  # tests that run in the background inherit none
ADDRESS = sys.argv.pop()
def command() -> None:
    with Database(ADDRESS, 300.0) as database:
        database.columns("posts")
        print("ready", flush=True)
        with complete_already(database, "run 1f", "posts", "adaptml again"):
            database.upsert("posts", pd.DataFrame({"id": ["b"]}), ["id"])
run_command(command)
"""
LOCKS = {"sqlite": "BEGIN IMMEDIATE", "postgresql": "LOCK TABLE posts IN EXCLUSIVE MODE"}


def test_ctrl_c_ends_the_wait_for_a_lock_and_says_what_is_complete(database: Database) -> None:
    kind = database.engine.dialect.name
    if kind not in LOCKS:
        pytest.skip("it has no locks")
    database.create_table("posts", {"id": sa.Text()})
    address = database.engine.url.render_as_string(hide_password=False)
    words = [sys.executable, "-c", WRITE, address]
    with (
        database.engine.connect() as connection,
        subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as waits,
    ):
        connection.exec_driver_sql(LOCKS[kind])
        try:
            assert waits.stdout is not None
            assert waits.stdout.readline() == "ready\n"
            assert waits.stderr is not None
            assert waits.stderr.readline().startswith("warning: ")  # once a person would wonder
            waits.send_signal(signal.SIGINT)
            _, said = waits.communicate(timeout=100)
        finally:
            waits.kill()
    assert waits.returncode == 130
    last = said.splitlines()[-1]
    assert last == "interrupted; run 1f is complete, but not written to posts; write it: `adaptml again`"


@pytest.fixture
def held(tmp_path: Path) -> Path:
    path = tmp_path / "data.db"
    with Database(f"sqlite:///{path}") as made:
        made.create_table("posts", {"id": sa.Text()})
    return path


def test_a_lock_of_sqlite_is_waited_for_as_long_as_was_said(
    held: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sqlite_waiting, "WONDER_S", 0.1)
    holder = sqlite3.connect(held, isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN IMMEDIATE")
    rows = pd.DataFrame({"id": ["a"]})
    with (
        Database(f"sqlite:///{held}", 0.5) as database,
        pytest.raises(DatabaseUnavailableError, match="locked"),
    ):
        database.upsert("posts", rows, ["id"])
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "waiting for another process that writes into" in caplog.text
    with Database(f"sqlite:///{held}", 300.0) as database:
        timer = threading.Timer(0.5, holder.rollback)
        timer.start()
        assert database.upsert("posts", rows, ["id"]) == 1
        timer.join()
    holder.close()


def test_a_reader_holds_a_commit_up_until_it_has_read(held: Path) -> None:
    reader = sqlite3.connect(held, isolation_level=None, check_same_thread=False)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM posts").fetchone()
    with Database(f"sqlite:///{held}", 300.0) as database:
        timer = threading.Timer(0.5, reader.rollback)
        timer.start()
        assert database.upsert("posts", pd.DataFrame({"id": ["a", "b"]}), ["id"]) == 2
        timer.join()
    reader.close()


def test_two_that_wait_for_each_other_are_told_at_once(held: Path) -> None:
    writer = sqlite3.connect(held, isolation_level=None)
    with Database(f"sqlite:///{held}", 300.0) as database, database.engine.connect() as connection:
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql("SELECT count(*) FROM posts").fetchall()
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO posts VALUES ('a')")
        writer.execute("PRAGMA busy_timeout = 0")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            writer.execute("COMMIT")
        with pytest.raises(sa.exc.OperationalError, match="locked"):
            connection.exec_driver_sql("INSERT INTO posts VALUES ('b')")
    writer.close()
