from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from tolerances import FLOAT32_ATOL
from typer.testing import CliRunner

from adaptml.cli import featurize as cli
from adaptml.cli.support import command_app
from adaptml.database import Database, TextList, Vector
from adaptml.errors import (
    AdaptmlError,
    DatabaseUnavailableError,
    FeatureError,
    TaskError,
    UnknownColumnError,
    UnknownTableError,
)
from adaptml.features import encoders
from adaptml.features import featurize as module
from adaptml.features.encoders import get_encoder
from adaptml.features.featurize import Featurized, featurize
from adaptml.project import Project
from adaptml.tasks import Task
from adaptml.tasks.schema import Featurize

TEXTS = {"a": "The kittens purred.", "b": "", "c": None, "d": "Two huskies"}


@pytest.fixture
def posts(database: Database) -> Database:
    columns = {"id": sa.Text(), "txt": sa.Text(), "words": TextList(), "vec": Vector(), "stars": sa.Integer()}
    database.create_table("posts", columns)
    rows = pd.DataFrame({"id": list(TEXTS), "txt": pd.Series(list(TEXTS.values()), dtype=object)})
    database.upsert("posts", rows, ["id"])
    return database


TASK = Task(classes=("a", "b"))


@pytest.fixture
def here(posts: Database) -> Iterator[Project]:
    with Project(database_url=posts.engine.url.render_as_string(hide_password=False)) as project:
        yield project


def read(database: Database, *columns: str) -> pd.DataFrame:
    keys = pd.DataFrame({"table_name": "posts", "id": list(TEXTS)})
    return database.read(keys, columns)


def test_lemmas_and_vectors_stand_beside_the_text(posts: Database, here: Project) -> None:
    done = featurize(here, TASK, "posts", text="txt", lemmas="words", vector="vec")
    assert done == Featurized(rows=4, empty=2, kept=0)
    frame = read(posts, "words", "vec")
    assert frame["words"].tolist() == [["the", "kitten", "purr"], [], [], ["two", "husky"]]
    expected = get_encoder("hybrid").encode(["The kittens purred.", "Two huskies"])
    for row, vector in zip((0, 3), expected, strict=True):
        assert frame["vec"][row].dtype == np.float32
        np.testing.assert_allclose(frame["vec"][row], vector, rtol=0, atol=FLOAT32_ATOL)
    for row in (1, 2):
        assert frame["vec"][row].shape == expected[0].shape
        assert not frame["vec"][row].any()


def test_no_text_is_zeros_whatever_the_encoder_makes_of_it(
    posts: Database, here: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ones(texts: Sequence[str]) -> np.ndarray:
        return np.ones((len(texts), 2), dtype=np.float32)

    monkeypatch.setitem(encoders._MAKERS, "ones", lambda source: ones)
    featurize(here, TASK, "posts", text="txt", vector="vec", encoder="ones")
    assert [vector.tolist() for vector in read(posts, "vec")["vec"]] == [[1, 1], [0, 0], [0, 0], [1, 1]]


def test_missing_columns_are_added(posts: Database, here: Project) -> None:
    featurize(here, TASK, "posts", text="txt", lemmas="new words", vector="new vec")
    frame = read(posts, "new words", "new vec")
    assert frame["new words"][3] == ["two", "husky"]
    assert frame["new vec"][3].any()


def test_only_new_rows_unless_told_otherwise(posts: Database, here: Project) -> None:
    columns = {"text": "txt", "lemmas": "words", "vector": "vec"}
    featurize(here, TASK, "posts", **columns)
    posts.update("posts", pd.DataFrame({"id": ["a"], "txt": ["An owl"]}))
    posts.upsert("posts", pd.DataFrame({"id": ["e"], "txt": ["A mare"]}), ["id"])
    assert featurize(here, TASK, "posts", **columns) == Featurized(rows=1, empty=0, kept=4)
    assert read(posts, "words")["words"][0] == ["the", "kitten", "purr"]
    assert featurize(here, TASK, "posts", **columns) == Featurized(rows=0, empty=0, kept=5)
    assert featurize(here, TASK, "posts", **columns, all_rows=True) == Featurized(rows=5, empty=2, kept=0)
    assert read(posts, "words")["words"][0] == ["a", "owl"]


def test_a_row_that_lacks_one_of_two_features_is_new(posts: Database, here: Project) -> None:
    assert featurize(here, TASK, "posts", text="txt", lemmas="words").rows == 4
    assert read(posts, "vec")["vec"].tolist() == [None] * 4
    assert featurize(here, TASK, "posts", text="txt", lemmas="words", vector="vec").rows == 4


def test_after_an_interruption_the_next_run_does_the_rest(
    posts: Database, here: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []
    update = Database.update

    def stop_at_third(self: Database, table: str, frame: pd.DataFrame) -> None:
        if len(written) == 2:
            raise KeyboardInterrupt
        update(self, table, frame)
        written.extend(frame["id"])

    monkeypatch.setattr(module, "CHUNK_ROWS", 1)
    with monkeypatch.context() as patched:
        patched.setattr(Database, "update", stop_at_third)
        with pytest.raises(KeyboardInterrupt):
            featurize(here, TASK, "posts", text="txt", lemmas="words")
    assert read(posts, "words")["words"].tolist() == [["the", "kitten", "purr"], [], None, None]
    assert featurize(here, TASK, "posts", text="txt", lemmas="words") == Featurized(2, 1, 2)
    assert read(posts, "words")["words"].tolist() == [["the", "kitten", "purr"], [], [], ["two", "husky"]]


@pytest.mark.parametrize(
    ("table", "columns", "kind", "message"),
    [
        (
            "nosuch",
            {"text": "txt", "lemmas": "words"},
            UnknownTableError,
            "no table 'nosuch' in .*; its tables are posts",
        ),
        (
            "posts",
            {"text": "body", "lemmas": "words"},
            UnknownColumnError,
            "table 'posts' has no column body; its columns are id, txt, words, vec, stars",
        ),
        (
            "posts",
            {"text": "txt"},
            FeatureError,
            "no feature asked for; name a column for lemmas, for vectors or for both",
        ),
        (
            "posts",
            {"text": "stars", "lemmas": "words"},
            FeatureError,
            "column 'stars' of table 'posts' is INTEGER; expected a column of text",
        ),
        (
            "posts",
            {"text": "words", "vector": "vec"},
            FeatureError,
            "column 'words' of table 'posts' is a list of text; expected a column of text",
        ),
        (
            "posts",
            {"text": "txt", "vector": "txt"},
            FeatureError,
            "column 'txt' of table 'posts' is text; expected a real vector: name another column, "
            "which is made if it is not there",
        ),
        (
            "posts",
            {"text": "txt", "lemmas": "vec"},
            FeatureError,
            "column 'vec' of table 'posts' is a real vector; expected a list of text: name another column, "
            "which is made if it is not there",
        ),
        (
            "posts",
            {"text": "txt", "lemmas": "both", "vector": "both"},
            FeatureError,
            "column 'both' cannot hold lemmas and vectors; name two columns",
        ),
    ],
)
def test_what_cannot_be_featurised(
    here: Project, table: str, columns: dict[str, str], kind: type[AdaptmlError], message: str
) -> None:
    with pytest.raises(kind, match=f"^{message}$"):
        featurize(here, TASK, table, **columns)


def test_vectors_of_one_column_are_of_one_length(posts: Database, here: Project) -> None:
    posts.update("posts", pd.DataFrame({"id": ["d"], "vec": [np.ones(3, dtype=np.float32)]}))
    made = get_encoder("hybrid").dimensions
    message = (
        f"column 'vec' of table 'posts' holds vectors of 3 numbers and the encoder 'hybrid' makes {made}; "
        r"name another column or redo all rows \(--all\)"
    )
    with pytest.raises(FeatureError, match=f"^{message}$"):
        featurize(here, TASK, "posts", text="txt", vector="vec")
    assert featurize(here, TASK, "posts", text="txt", vector="vec", all_rows=True).rows == 4


def test_an_encoder_that_nothing_needs_is_not_made_ready(
    posts: Database, here: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source: str | None) -> encoders.EncodeBatch:
        raise FeatureError("made ready")

    featurize(here, TASK, "posts", text="txt", vector="vec", encoder="hashing")
    monkeypatch.setitem(encoders._MAKERS, "hashing", refuse)
    assert featurize(here, TASK, "posts", text="txt", vector="vec", encoder="hashing").rows == 0
    with pytest.raises(FeatureError, match="made ready"):
        featurize(here, TASK, "posts", text="txt", vector="fresh", encoder="hashing")
    assert "fresh" not in posts.columns("posts")


def test_an_unknown_encoder_changes_nothing(posts: Database, here: Project) -> None:
    with pytest.raises(FeatureError, match="'word2vec'"):
        featurize(here, TASK, "posts", text="txt", vector="fresh", encoder="word2vec")
    assert "fresh" not in posts.columns("posts")


def test_a_locked_database_loses_nothing(project: Project) -> None:
    url = project.settings.database_url.get_secret_value()
    database = Database(url, patience_s=0.1)
    database.create_table("posts", {"id": sa.Text(), "txt": sa.Text(), "words": TextList()})
    database.upsert("posts", pd.DataFrame({"id": ["a"], "txt": ["owls"]}), ["id"])
    with database.engine.connect() as other:
        other.exec_driver_sql("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseUnavailableError, match="locked"):
            database.update("posts", pd.DataFrame({"id": ["a"], "words": [["x"]]}))
        other.rollback()
    assert featurize(project, TASK, "posts", text="txt", lemmas="words").rows == 1
    database.close()


class TestCommand:
    """The command on SQLite, in a project with the shipped tasks."""

    @pytest.fixture
    def table(self, repository_tasks: Path, project: Project) -> Database:
        database = project.database
        database.create_table("posts", {"id": sa.Text(), "txt": sa.Text()})
        database.upsert("posts", pd.DataFrame({"id": ["a", "b"], "txt": ["The owls", ""]}), ["id"])
        return database

    def invoke(self, *arguments: str) -> str:
        result = CliRunner().invoke(command_app(cli.command), arguments)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.stdout

    def test_a_task_says_which_columns(self, table: Database) -> None:
        assert self.invoke("example", "--data", "posts") == (
            "2 rows of posts featurised (1 without text), 0 had their features already\n"
        )
        assert {"txt_clean_lemma", "txt_vec"} <= set(table.columns("posts"))
        assert self.invoke("example", "--data", "posts").startswith("0 rows of posts")
        assert self.invoke("example", "--data", "posts", "--all").startswith("2 rows of posts")

    def test_options_win_over_the_task_file(self, table: Database) -> None:
        self.invoke("example", "--data", "posts", "--lemmas", "words", "--encoder", "hashing")
        assert {"words", "txt_vec"} <= set(table.columns("posts"))
        assert "txt_clean_lemma" not in table.columns("posts")


def test_the_task_says_what_the_arguments_leave_open(posts: Database, here: Project) -> None:
    task = TASK.model_copy(update={"featurize": Featurize(text="txt", lemmas="words")})
    assert featurize(here, task, "posts").rows == 4
    assert featurize(here, task, "posts", vector="vec", encoder="hashing").rows == 4
    assert read(posts, "words")["words"][3] == ["two", "husky"]


def test_without_a_text_column(posts: Database, here: Project) -> None:
    with pytest.raises(TaskError, match=r"^task 'task' has no section featurize.*name the column"):
        featurize(here, TASK, "posts", lemmas="words")
