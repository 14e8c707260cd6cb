"""Rows without an id and ids that are there twice: one line at every entrance, and nothing runs for ever."""

from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa
from snorkel.labeling import labeling_function

from adaptml.database import Database
from adaptml.errors import DatabaseError
from adaptml.project import Project
from adaptml.tasks import Featurize, Task
from adaptml.tasks.check import check_data


@labeling_function()
def left(row: Any) -> int:
    """Votes for the first class."""
    return 0 if row.txt == "left" else -1


TASK = Task(
    name="topic",
    classes=["left", "right"],
    lfs=[left],
    lf_features=["txt"],
    columns=[{"name": "txt"}],
    featurize=Featurize(text="txt", lemmas="lemmas"),
)
BAD = {
    "no id": (["1", "2", None], r"table 'posts' has 1 row without an id; give each row an id"),
    "twice": (
        ["1", "2", "2", "2"],
        r"table 'posts' has 1 duplicated id in 3 rows \(2\); keep one row of each",
    ),
    "rounded": (
        ["5.7E+17"] * 3 + ["5.8E+17"] * 2 + [None, None],
        r"table 'posts' has 2 rows without an id and 2 duplicated ids in 5 rows \(5\.7E\+17, 5\.8E\+17\)",
    ),
}
ENTRANCES: dict[str, Callable[[Project], object]] = {
    "sample_tasks": lambda project: project.sample_tasks(TASK, "posts", 2),
    "sample_points": lambda project: project.sample_points(TASK, "posts", 2),
    "stratified": lambda project: project.sample_points(TASK, "posts", 2, sampling="stratified", by="txt"),
    "apply_lfs": lambda project: project.apply_lfs(TASK, "posts"),
    "label": lambda project: project.label(TASK, "posts", dry_run=True),
    "featurize": lambda project: project.featurize(TASK, "posts"),
    "predict": lambda project: project.predict(TASK, "posts"),
}


@pytest.fixture
def project(database: Database) -> Iterator[Project]:
    address = database.engine.url.render_as_string(hide_password=False)
    with Project(database_url=address) as made:
        yield made


def fill(database: Database, ids: list[str | None]) -> None:
    with database.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE posts (id TEXT, txt TEXT)")
        sign = "?, ?" if connection.dialect.name == "sqlite" else "%s, %s"
        connection.exec_driver_sql(f"INSERT INTO posts VALUES ({sign})", [(key, "left") for key in ids])


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_every_entrance_says_so_in_one_line(
    project: Project, database: Database, bad: tuple[list[str | None], str]
) -> None:
    ids, message = bad
    fill(database, ids)
    for enter in ENTRANCES.values():
        with pytest.raises(DatabaseError, match=f"^{message}") as caught:
            enter(project)
        assert "\n" not in str(caught.value)
    findings, _ = check_data(project, TASK, "posts")
    assert [f.text for f in findings if f.what == "posts.id" and f.level == "error"] == [str(caught.value)]


def test_the_rows_that_have_an_id_can_be_used(project: Project, database: Database) -> None:
    fill(database, ["1", "2", None, None])
    assert project.apply_lfs(TASK, "posts where id is not null").L.tolist() == [[0], [0]]
    assert sorted(project.sample_points(TASK, "posts where id is not null", 5).frame["id"]) == ["1", "2"]
    frame = pd.DataFrame({"table_name": "posts", "id": ["2"]})
    assert len(project.apply_lfs(TASK, frame)) == 1


def test_a_view_of_the_rows_that_have_an_id_can_be_used_as_the_message_says(
    project: Project, database: Database
) -> None:
    fill(database, ["1", "2", None])
    with pytest.raises(DatabaseError, match=r"a view of those that have one \(WHERE id IS NOT NULL\)"):
        project.featurize(TASK, "posts")
    with database.engine.begin() as connection:
        connection.exec_driver_sql("CREATE VIEW seen AS SELECT * FROM posts WHERE id IS NOT NULL")
    assert project.featurize(TASK, "seen").rows == 2
    assert project.apply_lfs(TASK, "seen").L.tolist() == [[0], [0]]
    assert len(project.sample_points(TASK, "seen", 5).frame) == 2
    assert not [f for f in check_data(project, TASK, "seen")[0] if f.level == "error"]


def test_pages_end_where_most_rows_have_no_id_or_the_same(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has no index and changes between the check and the reading is read to its end, or refused."""
    monkeypatch.setattr("adaptml.database.reading.Reader.check_ids", lambda *_: None)
    fill(database, ["1", None, None, None, None, "2"])
    assert [chunk["id"].tolist() for chunk in database.scan("posts", [], chunk_rows=1)] == [["1"], ["2"]]
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE posts SET id = '2'")
    with pytest.raises(DatabaseError, match="duplicated ids in table 'posts': 2;"):
        list(database.scan("posts", [], chunk_rows=2))


@pytest.mark.parametrize("key", ["PRIMARY KEY", "UNIQUE NOT NULL"])
def test_what_the_table_itself_forbids_is_not_asked(database: Database, key: str) -> None:
    with database.engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE TABLE posts (id TEXT {key})")
    sent: list[str] = []
    sa.event.listen(database.engine, "before_cursor_execute", lambda *about: sent.append(about[2]))
    database.check_ids("posts")
    assert not [statement for statement in sent if "GROUP BY posts" in statement]


def test_an_index_of_some_rows_does_not_make_ids_unique(database: Database) -> None:
    fill(database, ["1", "1", "2"])
    with database.engine.begin() as connection:
        connection.exec_driver_sql("CREATE UNIQUE INDEX some_of_them ON posts (id) WHERE id = '2'")
    with pytest.raises(DatabaseError, match="1 duplicated id in 2 rows"):
        database.check_ids("posts")
