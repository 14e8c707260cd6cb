import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from adaptml.cli import featurize as cli
from adaptml.cli.support import command_app
from adaptml.database import Database, TextList, Vector
from adaptml.errors import (
    AdaptmlError,
    DatabaseError,
    FeatureError,
    MissingDataPointsError,
    TaskError,
    UnknownColumnError,
    UnknownTableError,
)
from adaptml.features import encoders
from adaptml.features import featurize as module
from adaptml.features.catalogue import Reference
from adaptml.features.encoders import get_encoder
from adaptml.features.featurize import Featurized, featurize
from adaptml.features.uses import note_uses
from adaptml.features.values import FeatureValues
from adaptml.project import Project
from adaptml.tasks import Task
from adaptml.tasks.schema import Featurize
from test.support.statements import sent

TEXTS = {"a": "The kittens purred.", "b": "", "c": None, "d": "Two huskies"}
WORDS = {"text": "txt", "lemmas": "words"}


@pytest.fixture
def posts(database: Database) -> Database:
    columns = {"id": sa.Text(), "txt": sa.Text(), "stars": sa.Integer(), "tags": TextList()}
    database.create_table("posts", columns)
    rows = pd.DataFrame({"id": list(TEXTS), "txt": pd.Series(list(TEXTS.values()), dtype=object)})
    database.upsert("posts", rows, ["id"])
    return database


TASK = Task(classes=("a", "b"))


@pytest.fixture
def here(posts: Database) -> Iterator[Project]:
    with Project(database_url=posts.engine.url.render_as_string(hide_password=False)) as project:
        yield project


def read(project: Project, *columns: str, ids: Sequence[str] = tuple(TEXTS)) -> pd.DataFrame:
    return project.points.read(pd.DataFrame({"table_name": "posts", "id": list(ids)}), columns)


def execute(database: Database, statement: str) -> None:
    """Whatever a person does to her own table."""
    with database.engine.begin() as connection:
        connection.exec_driver_sql(statement)


def counts(done: Featurized) -> tuple[int, int, int, int, int]:
    """New, changed, empty, kept, gone; rows are the first two where nothing else was asked for."""
    return done.new, done.changed, done.empty, done.kept, done.gone


def encoder_of(*numbers: float) -> Any:
    """The maker of an encoder that gives the same numbers for every text."""
    return lambda source: lambda texts: np.tile(np.array(numbers, dtype=np.float32), (len(texts), 1))


def test_lemmas_and_vectors_lie_beside_the_table(posts: Database, here: Project) -> None:
    before = posts.columns("posts").keys()
    done = featurize(here, TASK, "posts", **WORDS, vector="vec")
    assert done == Featurized(
        rows=4, new=4, changed=0, empty=2, kept=0, gone=0, features=("words@1", "vec@1")
    )
    assert posts.columns("posts").keys() == before
    frame = read(here, "words", "vec")
    assert frame["words"].tolist() == [["the", "kitten", "purr"], [], [], ["two", "husky"]]
    expected = get_encoder("hybrid").encode(["The kittens purred.", "Two huskies"])
    for row, vector in zip((0, 3), expected, strict=True):
        assert frame["vec"][row].dtype == np.float32
        cosine = frame["vec"][row] @ vector / np.linalg.norm(frame["vec"][row]) / np.linalg.norm(vector)
        assert cosine > 0.9999
    for row in (1, 2):
        assert frame["vec"][row].shape == expected[0].shape
        assert not frame["vec"][row].any()


def test_no_text_is_zeros_whatever_the_encoder_makes_of_it(
    here: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(encoders._MAKERS, "ones", encoder_of(1, 1))
    featurize(here, TASK, "posts", text="txt", vector="vec", encoder="ones")
    assert [vector.tolist() for vector in read(here, "vec")["vec"]] == [[1, 1], [0, 0], [0, 0], [1, 1]]


def test_rows_that_are_new_or_changed_are_computed_and_those_that_are_gone_are_dropped(
    posts: Database, here: Project
) -> None:
    assert counts(featurize(here, TASK, "posts", **WORDS)) == (4, 0, 2, 0, 0)
    assert counts(featurize(here, TASK, "posts", **WORDS)) == (0, 0, 0, 4, 0)
    posts.upsert("posts", pd.DataFrame({"id": ["a", "b"], "txt": ["An owl", "now a text"]}), ["id"])
    posts.upsert("posts", pd.DataFrame({"id": ["e"], "txt": ["A mare"]}), ["id"])
    execute(posts, "DELETE FROM posts WHERE id = 'd'")
    assert counts(featurize(here, TASK, "posts", **WORDS)) == (1, 2, 0, 1, 1)
    words = read(here, "words", ids="abce")["words"].tolist()
    assert words == [["a", "owl"], ["now", "a", "text"], [], ["a", "mare"]]
    with pytest.raises(MissingDataPointsError, match="posts/d"):
        read(here, "words", ids="d")
    done = featurize(here, TASK, "posts", **WORDS, all_rows=True)
    assert (done.rows, done.new, done.changed, done.kept) == (4, 0, 0, 0)


def test_a_row_that_was_gone_and_comes_back_is_new(posts: Database, here: Project) -> None:
    featurize(here, TASK, "posts", **WORDS)
    execute(posts, "DELETE FROM posts WHERE id = 'd'")
    assert featurize(here, TASK, "posts", **WORDS).gone == 1
    posts.upsert("posts", pd.DataFrame({"id": ["d"], "txt": ["A fox"]}), ["id"])
    assert counts(featurize(here, TASK, "posts", **WORDS)) == (1, 0, 0, 3, 0)
    assert read(here, "words", ids="d")["words"][0] == ["a", "fox"]


def test_a_row_that_lacks_one_of_two_features_is_new(here: Project) -> None:
    assert featurize(here, TASK, "posts", **WORDS).rows == 4
    assert counts(featurize(here, TASK, "posts", **WORDS, vector="vec", encoder="hashing")) == (4, 0, 2, 0, 0)


def test_after_an_interruption_the_next_run_does_the_rest(
    here: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []
    put = FeatureValues.put

    def stop_at_third(self: FeatureValues, ids: Sequence[str], *values: Any) -> None:
        if len(written) == 2:
            raise KeyboardInterrupt
        put(self, ids, *values)
        written.extend(ids)

    monkeypatch.setattr(module, "CHUNK_ROWS", 1)
    with monkeypatch.context() as patched:
        patched.setattr(FeatureValues, "put", stop_at_third)
        with pytest.raises(KeyboardInterrupt):
            featurize(here, TASK, "posts", **WORDS)
    assert sorted(found is None for found in read(here, "words")["words"]) == [False, False, True, True]
    done = featurize(here, TASK, "posts", **WORDS)
    assert (done.new, done.kept) == (2, 2)
    assert read(here, "words")["words"].tolist() == [["the", "kitten", "purr"], [], [], ["two", "husky"]]


def test_duplicated_ids_are_refused_before_anything_is_written(database: Database, here: Project) -> None:
    execute(database, "CREATE TABLE dup (id TEXT, txt TEXT)")
    execute(database, "INSERT INTO dup VALUES ('a', 'good morning'), ('a', 'terrible delay'), ('b', 'x')")
    message = "^table 'dup' has 1 duplicated id in 2 rows \\(a\\); keep one row of each$"
    with pytest.raises(DatabaseError, match=message):
        featurize(here, TASK, "dup", **WORDS)
    execute(database, "UPDATE dup SET id = NULL WHERE txt = 'terrible delay'")
    with pytest.raises(DatabaseError, match=r"^table 'dup' has 1 row without an id; give each row an id"):
        featurize(here, TASK, "dup", **WORDS)
    assert here.points.catalogue.all() == []
    execute(database, "UPDATE dup SET id = 'c' WHERE id IS NULL")
    assert featurize(here, TASK, "dup", **WORDS).rows == 3


def test_a_view_is_featurised(posts: Database, here: Project) -> None:
    execute(posts, "CREATE VIEW recent AS SELECT id, txt FROM posts WHERE id > 'b'")
    assert featurize(here, TASK, "recent", **WORDS).rows == 2
    keys = here.database.keys("recent")
    assert here.points.read(keys, ["txt", "words"])["words"].tolist() == [[], ["two", "husky"]]


def test_features_of_data_that_may_only_be_read_lie_elsewhere(posts: Database, clean_room: Path) -> None:
    (clean_room / ".env.dev").write_text("ADAPTML_RESULTS_DATABASE_URL=sqlite:///results.db\n")
    before = posts.tables()
    with Project(clean_room, database_url=posts.engine.url.render_as_string(hide_password=False)) as project:
        assert featurize(project, TASK, "posts", **WORDS, vector="vec", encoder="hashing").rows == 4
        assert counts(featurize(project, TASK, "posts", **WORDS)) == (0, 0, 0, 4, 0)
        frame = read(project, "txt", "words", "vec")
    assert frame["words"][3] == ["two", "husky"]
    assert frame["vec"][3].any()
    assert posts.tables() == before


def test_the_data_table_is_read_in_one_pass_however_many_rows_it_has(
    posts: Database, here: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With pages in the order of the ids, a table without an index is read once a page."""
    monkeypatch.setattr(module, "CHUNK_ROWS", 2)
    statements = sent(here.database.engine, monkeypatch)
    asked = []
    for n in (10, 50):
        more = pd.DataFrame({"id": [f"{n}/{i}" for i in range(n)], "txt": "an owl"})
        posts.upsert("posts", more, ["id"])
        statements.clear()
        assert featurize(here, TASK, "posts", **WORDS).new >= n
        asked.append(sum("FROM posts" in statement for statement, _ in statements))
    assert asked == [1, 1]
    assert not any("ORDER BY posts" in statement for statement, _ in statements)


def versions(project: Project) -> list[str]:
    return [str(feature.reference) for feature in project.points.catalogue.of_table("posts")]


def test_another_encoder_makes_another_version(here: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(encoders._MAKERS, "one", encoder_of(1))
    monkeypatch.setitem(encoders._MAKERS, "two", encoder_of(2, 2))
    vec = {"text": "txt", "vector": "vec"}
    assert featurize(here, TASK, "posts", **vec, encoder="one").features == ("vec@1",)
    assert featurize(here, TASK, "posts", **vec, encoder="two").features == ("vec@2",)
    frame = read(here, "vec", "vec@1", "vec@2", ids="a")
    assert [frame[name][0].tolist() for name in ("vec", "vec@1", "vec@2")] == [[2, 2], [1], [2, 2]]
    # What was asked for last is what the name stands for; nothing is computed anew.
    done = featurize(here, TASK, "posts", **vec, encoder="one")
    assert (done.rows, done.features) == (0, ("vec@1",))
    assert read(here, "vec", ids="a")["vec"][0].tolist() == [1]
    assert versions(here) == ["vec@1", "vec@2"]


def test_changed_code_or_files_of_an_encoder_make_another_version(
    here: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(encoders._MAKERS, "own", encoder_of(1))
    model = tmp_path / "model"
    model.mkdir()
    (model / "weights").write_text("1")
    vec = {"text": "txt", "vector": "vec", "encoder": f"own:{model}"}
    assert featurize(here, TASK, "posts", **vec).features == ("vec@1",)
    monkeypatch.setitem(encoders._CODES, "own", "2")
    assert featurize(here, TASK, "posts", **vec).features == ("vec@2",)
    (model / "weights").write_text("2")
    assert featurize(here, TASK, "posts", **vec).features == ("vec@3",)


def test_a_version_stands_for_the_same_in_every_table(
    posts: Database, here: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(posts, "CREATE VIEW others AS SELECT id, txt FROM posts")
    vec = {"text": "txt", "vector": "vec"}
    for name, numbers in (("one", (1,)), ("two", (2,))):
        monkeypatch.setitem(encoders._MAKERS, name, encoder_of(*numbers))
        featurize(here, TASK, "posts", **vec, encoder=name)
    assert featurize(here, TASK, "others", **vec, encoder="two").features == ("vec@2",)
    assert [str(found) for found in here.points.exact(["posts", "others"], ["vec", "txt"])] == [
        "vec@2",
        "txt",
    ]
    featurize(here, TASK, "posts", **vec, encoder="one")
    assert [str(found) for found in here.points.exact(["posts"], ["vec"])] == ["vec@1"]
    # Only version 2 is there for both.
    assert [str(found) for found in here.points.exact(["posts", "others"], ["vec"])] == ["vec@2"]


def test_a_version_that_is_not_filled_yet_is_not_what_the_name_stands_for(
    here: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(encoders._MAKERS, "one", encoder_of(1))

    def breaks(source: str | None) -> encoders.EncodeBatch:
        def encode(texts: Sequence[str]) -> np.ndarray:
            if "Two huskies" in texts:
                raise RuntimeError("out of memory")
            return np.full((len(texts), 1), 2, dtype=np.float32)

        return encode

    monkeypatch.setitem(encoders._MAKERS, "breaks", breaks)
    monkeypatch.setattr(module, "CHUNK_ROWS", 1)
    featurize(here, TASK, "posts", text="txt", vector="vec", encoder="one")
    with pytest.raises(FeatureError, match="out of memory"):
        featurize(here, TASK, "posts", text="txt", vector="vec", encoder="breaks")
    assert versions(here) == ["vec@1", "vec@2"]
    assert read(here, "vec", ids="ad")["vec"].tolist() == [[1], [1]]


def test_versions_that_the_task_or_a_champion_names_are_filled_on(
    posts: Database, here: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, number in (("one", 1), ("two", 2), ("three", 3), ("four", 4)):
        monkeypatch.setitem(encoders._MAKERS, name, encoder_of(number))
        featurize(here, TASK, "posts", text="txt", vector="vec", encoder=name)
    note_uses(here.results, "multiclass_task", [Reference("vec", 2), Reference("stars", 0)])
    task = TASK.model_copy(update={"features": ("vec@1",)})
    posts.upsert("posts", pd.DataFrame({"id": ["e"], "txt": ["A mare"]}), ["id"])
    done = featurize(here, task, "posts", text="txt", vector="vec", encoder="four")
    assert done.features == ("vec@4", "vec@1", "vec@2")
    frame = read(here, "vec", "vec@1", "vec@2", "vec@3", ids="e")
    assert [frame[name][0] for name in ("vec", "vec@1", "vec@2", "vec@3")] == [[4], [1], [2], None]


def test_a_version_that_cannot_be_computed_any_more_is_said(
    posts: Database, here: Project, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(encoders._MAKERS, "own", encoder_of(1))
    featurize(here, TASK, "posts", text="txt", vector="vec", encoder="own")
    monkeypatch.setitem(encoders._CODES, "own", "2")
    note_uses(here.results, "multiclass_task", [Reference("vec", 1)])
    assert featurize(here, TASK, "posts", text="txt", vector="vec", encoder="own").features == ("vec@2",)
    assert caplog.messages == [
        "vec@1, which the champion multiclass_task reads, cannot be computed any more: its encoder 'own' is "
        "another one now, so that new rows lack it: train again"
    ]


class TestTableOfBefore:
    """Earlier versions wrote features into columns of the data table."""

    @pytest.fixture
    def filled(self, posts: Database) -> Database:
        posts.add_columns("posts", {"words": TextList(), "vec": Vector()})
        texts = [text or "" for text in TEXTS.values()]
        vectors = get_encoder("hashing").encode(texts)
        rows = pd.DataFrame({"id": list(TEXTS), "words": [["old"]] * 4})
        rows["vec"] = pd.Series(list(vectors), dtype=object)
        posts.upsert("posts", rows, ["id"])
        return posts

    def test_columns_are_read_as_they_are(self, filled: Database, here: Project) -> None:
        frame = read(here, "words", "vec")
        assert frame["words"].tolist() == [["old"]] * 4
        assert frame["vec"][0].any()
        assert [str(found) for found in here.points.exact(["posts"], ["vec"])] == ["vec"]

    def test_a_model_of_before_is_served_for_new_rows_where_the_encoder_is_the_same(
        self, filled: Database, here: Project
    ) -> None:
        featurize(here, TASK, "posts", **WORDS, vector="vec", encoder="hashing")
        filled.upsert("posts", pd.DataFrame({"id": ["e"], "txt": ["A mare"]}), ["id"])
        featurize(here, TASK, "posts", **WORDS, vector="vec", encoder="hashing")
        keys = pd.DataFrame({"table_name": "posts", "id": ["e", "a"]})
        found = here.points.read(keys, [Reference("vec", 0)])["vec"]
        assert np.allclose(found[0], get_encoder("hashing").encode(["A mare"])[0], atol=1e-2)
        assert read(here, "words", ids="ae")["words"].tolist() == [["the", "kitten", "purr"], ["a", "mare"]]
        assert filled.read(keys, ["vec"])["vec"][0] is None  # the table stays as it is

    def test_and_keeps_its_column_where_the_encoder_is_another(
        self, filled: Database, here: Project, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(encoders._MAKERS, "one", encoder_of(1))
        featurize(here, TASK, "posts", text="txt", vector="vec", encoder="one")
        keys = pd.DataFrame({"table_name": "posts", "id": ["a"]})
        assert len(here.points.read(keys, [Reference("vec", 0)])["vec"][0]) == 4101
        assert read(here, "vec", ids="a")["vec"][0].tolist() == [1]


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
            "table 'posts' has no column body; its columns are id, txt, stars, tags",
        ),
        (
            "posts",
            {"text": "txt"},
            FeatureError,
            "no feature asked for; name a column for lemmas, vectors, answers or scores",
        ),
        (
            "posts",
            {"text": "stars", "lemmas": "words"},
            FeatureError,
            "column 'stars' of table 'posts' is number; expected a column of text",
        ),
        (
            "posts",
            {"text": "tags", "vector": "vec"},
            FeatureError,
            "column 'tags' of table 'posts' is a list of text; expected a column of text",
        ),
        (
            "posts",
            {"text": "txt", "vector": "txt"},
            FeatureError,
            "column 'txt' of table 'posts' is text; expected a real vector: name the feature otherwise",
        ),
        (
            "posts",
            {"text": "txt", "lemmas": "stars"},
            FeatureError,
            "column 'stars' of table 'posts' is number; expected a list of text: name the feature otherwise",
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


@pytest.mark.parametrize(
    ("data", "given"), [("posts where id is not null", "some rows of posts"), ("points.csv", "a file")]
)
def test_features_are_those_of_a_whole_table(here: Project, data: str, given: str) -> None:
    (here.settings.root / "points.csv").write_text("table_name,id\nposts,a\n")
    with pytest.raises(
        FeatureError, match=f"every row of a table, and '{data}' is {given}; expected the name of"
    ):
        featurize(here, TASK, data, text="txt", lemmas="words")


def test_tables_of_features_are_none_that_a_message_offers(here: Project) -> None:
    featurize(here, TASK, "posts", text="txt", lemmas="words")
    with pytest.raises(UnknownTableError, match=r"^no table 'nosuch' in .*; its tables are posts$"):
        featurize(here, TASK, "nosuch", text="txt", lemmas="words")


def test_an_encoder_that_nothing_needs_is_not_made_ready(
    here: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source: str | None) -> encoders.EncodeBatch:
        raise FeatureError("made ready")

    featurize(here, TASK, "posts", text="txt", vector="vec", encoder="hashing")
    monkeypatch.setitem(encoders._MAKERS, "hashing", refuse)
    assert featurize(here, TASK, "posts", text="txt", vector="vec", encoder="hashing").rows == 0
    with pytest.raises(FeatureError, match="made ready"):
        featurize(here, TASK, "posts", text="txt", vector="fresh", encoder="hashing")
    assert versions(here) == ["vec@1"]


def test_an_encoder_that_makes_nan_is_refused(here: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(encoders._MAKERS, "nan", encoder_of(1, np.nan))
    message = "^the encoder 'nan' makes NaN or infinity of 4 of 4 texts; expected finite numbers"
    with pytest.raises(FeatureError, match=message):
        featurize(here, TASK, "posts", text="txt", vector="vec", encoder="nan")


def test_an_unknown_encoder_changes_nothing(here: Project) -> None:
    with pytest.raises(FeatureError, match="'word2vec'"):
        featurize(here, TASK, "posts", text="txt", vector="fresh", encoder="word2vec")
    assert versions(here) == []


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
            "2 rows of posts featurised (2 new, 0 changed, 1 without text), 0 had their features already: "
            "txt_clean_lemma@1, txt_vec@1\n"
        )
        assert table.columns("posts").keys() == {"id", "txt"}
        assert self.invoke("example", "--data", "posts").startswith("0 rows of posts")
        assert self.invoke("example", "--data", "posts", "--all").startswith("2 rows of posts")

    def test_options_win_over_the_task_file(self, table: Database) -> None:
        printed = self.invoke("example", "--data", "posts", "--lemmas", "words", "--encoder", "hashing")
        assert printed.endswith(": words@1, txt_vec@1\n")


def test_the_task_says_what_the_arguments_leave_open(posts: Database, here: Project) -> None:
    task = TASK.model_copy(update={"featurize": (Featurize(text="txt", lemmas="words"),)})
    assert featurize(here, task, "posts").features == ("words@1",)
    assert featurize(here, task, "posts", vector="vec", encoder="hashing").features == ("words@1", "vec@1")
    assert read(here, "words")["words"][3] == ["two", "husky"]


def test_without_a_text_column(posts: Database, here: Project) -> None:
    with pytest.raises(TaskError, match=r"^task 'task' has no section featurize.*name the column"):
        featurize(here, TASK, "posts", lemmas="words")


KILLED = """
import os, sys
import numpy as np
from adaptml.features import encoders, featurize as module
from adaptml.project import Project
from adaptml.tasks import Task

seen = 0


@encoders.encoder("dies")
def dies(source):
    def encode(texts):
        global seen
        seen += len(texts)
        if seen > 60:
            os.kill(os.getpid(), 9)
        return np.array([[len(text), 1] for text in texts], dtype=np.float32)

    return encode


module.CHUNK_ROWS = 10
with Project(database_url=sys.argv[1]) as project:
    module.featurize(project, Task(classes=("a", "b")), "posts", text="txt", vector="vec", encoder="dies")
"""


def test_what_was_written_before_a_process_was_killed_stays_and_the_next_does_the_rest(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.create_table("posts", {"id": sa.Text(), "txt": sa.Text()})
    texts = {f"{i:03d}": "x" * i for i in range(1, 101)}
    database.upsert("posts", pd.DataFrame({"id": list(texts), "txt": list(texts.values())}), ["id"])
    address = database.engine.url.render_as_string(hide_password=False)
    done = subprocess.run([sys.executable, "-c", KILLED, address], capture_output=True, text=True)
    assert done.returncode == -9, done.stderr
    monkeypatch.setitem(
        encoders._MAKERS,
        "dies",
        lambda source: lambda t: np.array([[len(x), 1] for x in t], dtype=np.float32),
    )
    with Project(database_url=address) as project:
        before = FeatureValues(project.results, project.points.catalogue.all()[0]).count()
        assert 0 < before < 100
        again = featurize(project, TASK, "posts", text="txt", vector="vec", encoder="dies")
        assert (again.new, again.kept, again.features) == (100 - before, before, ("vec@1",))
        found = project.points.read(project.database.keys("posts"), ["vec"])
    assert [vector.tolist() for vector in found["vec"]] == [[i, 1] for i in range(1, 101)]


EDITS = st.lists(
    st.dictionaries(st.sampled_from("abcdef"), st.none() | st.sampled_from(["", "x", "yy", "zzz"])),
    max_size=4,
)


@given(tables=EDITS, together=st.booleans())
@hypothesis.settings(max_examples=25)
def test_whatever_becomes_of_a_table_its_features_are_those_of_its_texts(
    tables: list[dict[str, str | None]], together: bool
) -> None:
    """Each table is what is left of the one before it; now and then two changes lie between two runs."""
    with tempfile.TemporaryDirectory() as folder, Project(database_url=f"sqlite:///{folder}/d.db") as project:
        project.database.create_table("posts", {"id": sa.Text(), "txt": sa.Text()})
        before: dict[str, str | None] = {}
        for number, table in enumerate(tables):
            execute(project.database, "DELETE FROM posts")
            rows = pd.DataFrame({"id": list(table), "txt": pd.Series(list(table.values()), dtype=object)})
            if len(rows):
                project.database.upsert("posts", rows, ["id"])
            if together and number % 2:
                continue
            done = featurize(project, TASK, "posts", **WORDS)
            same = {key for key in table.keys() & before.keys() if (table[key] or "") == (before[key] or "")}
            assert done.kept == len(same)
            assert done.new == len(table.keys() - before.keys())
            assert done.changed == len(table) - done.kept - done.new
            assert done.gone == len(before.keys() - table.keys())
            found = project.points.read(project.database.keys("posts"), ["words"]) if before or table else []
            if len(found):
                expected = {key: [text] if text else [] for key, text in table.items()}
                assert dict(zip(found["id"], found["words"], strict=True)) == expected
            before = table
