from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from adaptml.cli import features as cli
from adaptml.cli.support import command_app
from adaptml.database import Database
from adaptml.errors import FeatureError, UnknownTableError
from adaptml.features import encoders
from adaptml.features.catalogue import Reference
from adaptml.features.featurize import featurize
from adaptml.features.few_vectors import few_vectors
from adaptml.features.on_the_fly import OnTheFly
from adaptml.features.points import Points
from adaptml.features.reading import read_features
from adaptml.features.uses import note_uses
from adaptml.features.versions import compare_features, drop_feature, forget_features, list_features
from adaptml.project import Project
from adaptml.tasks import Task

TASK = Task(classes=("a", "b"))
VEC = {"text": "txt", "vector": "vec"}


def by_length(factor: float) -> Any:
    """The maker of an encoder: (number of characters, factor)."""
    return lambda source: lambda texts: np.array([[len(t), factor] for t in texts], dtype=np.float32)


@pytest.fixture
def here(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    database.create_table("posts", {"id": sa.Text(), "txt": sa.Text()})
    database.upsert("posts", pd.DataFrame({"id": ["a", "b"], "txt": ["abc", ""]}), ["id"])
    monkeypatch.setitem(encoders._MAKERS, "one", by_length(0))
    monkeypatch.setitem(encoders._MAKERS, "two", by_length(4))
    with Project(database_url=database.engine.url.render_as_string(hide_password=False)) as project:
        featurize(project, TASK, "posts", **VEC, encoder="one", lemmas="words")
        featurize(project, TASK, "posts", **VEC, encoder="two")
        yield project


def test_what_there_is(here: Project) -> None:
    here.database.upsert("posts", pd.DataFrame({"id": ["c"], "txt": ["new"]}), ["id"])
    here.database.upsert("posts", pd.DataFrame({"id": ["a"], "txt": ["changed"]}), ["id"])
    note_uses(here.results, "multiclass_task", [Reference("vec", 1)])
    found = list_features(here, "posts").set_index("feature")
    assert found.index.tolist() == ["vec@1", "vec@2", "words@1"]
    assert found["dimensions"].tolist() == [2, 2, 0]
    assert found["rows"].tolist() == [2, 2, 2]
    assert found["stale"].tolist() == [2, 2, 2]
    assert found["stands_for_name"].tolist() == [False, True, True]
    assert found["used_by"].tolist() == [["multiclass_task"], [], []]
    assert (found["bytes"] > 0).all()
    assert list_features(here, "others").empty


def test_the_vectors_of_a_few_points_are_those_of_their_versions(here: Project) -> None:
    vectors = few_vectors(here.points, ["posts"] * 2, ["b", "a"], [Reference("vec", 2), Reference("vec", 1)])
    if here.database.engine.name == "sqlite":
        assert vectors is not None
        assert vectors.tolist() == [[0, 0, 0, 0], [3, 4, 3, 0]]  # of no text, and of "abc"
    else:
        assert vectors is None
    here.database.upsert("posts", pd.DataFrame({"id": ["c"], "txt": ["new"]}), ["id"])
    assert few_vectors(here.points, ["posts"], ["c"], [Reference("vec", 2)]) is None  # it has none yet


def test_two_versions_are_compared(here: Project) -> None:
    done = compare_features(here, "posts", "vec@1", "vec@2")
    # "abc": (3, 0) and (3, 4), whose cosine is 3/5; no text: zeros in both.
    assert (done.rows, done.different) == (2, 1)
    assert done.mean_cosine == pytest.approx((0.6 + 1) / 2, abs=1e-3)
    with pytest.raises(FeatureError, match=r"vec@1 holds vector and words@1 lemmas; compare two of a kind"):
        compare_features(here, "posts", "vec@1", "words@1")
    with pytest.raises(FeatureError, match=r"table 'posts' has no feature vec@9; it has vec@1, vec@2"):
        compare_features(here, "posts", "vec@1", "vec@9")


def test_a_version_is_dropped_and_its_number_not_given_again(here: Project) -> None:
    tables = here.database.tables()
    assert drop_feature(here, "vec@2") == ["posts"]
    assert len(here.database.tables()) == len(tables) - 1
    assert [str(f) for f in here.points.exact(["posts"], ["vec"])] == ["vec@1"]
    encoders._MAKERS["three"] = by_length(3)
    assert featurize(here, TASK, "posts", **VEC, encoder="three").features == ("vec@3",)
    assert featurize(here, TASK, "posts", **VEC, encoder="two").features == ("vec@2",)
    del encoders._MAKERS["three"]


def test_a_version_that_somebody_reads_is_not_dropped(here: Project) -> None:
    note_uses(here.results, "multiclass_task", [Reference("vec", 1)])
    with pytest.raises(
        FeatureError, match=r"^vec@1 is read by the champion multiclass_task and is not dropped"
    ):
        drop_feature(here, "vec@1")
    note_uses(here.results, "multiclass_task", [Reference("vec", 2)])
    folder = here.settings.tasks_dir / "mine"
    folder.mkdir()
    (folder / "task.yaml").write_text(
        "{title: Mine, setting: multiclass, classes: [a, b], columns: [{name: txt}], lf_features: [txt], "
        "features: [vec@1]}"
    )
    with pytest.raises(FeatureError, match=r"^vec@1 is read by the task mine"):
        drop_feature(here, "vec@1")
    with pytest.raises(FeatureError, match=r"^'vec' names no version; expected such as vec@1"):
        drop_feature(here, "vec")
    with pytest.raises(FeatureError, match=r"^there is no feature 'vec@7'"):
        drop_feature(here, "vec@7")


def test_points_are_forgotten_in_every_version(here: Project) -> None:
    assert forget_features(here, "posts", ["a", "zz"]) == 3
    assert list_features(here, "posts")["rows"].tolist() == [1, 1, 1]


def test_rows_without_features_are_computed_on_the_fly_by_the_version_that_is_asked(here: Project) -> None:
    here.database.upsert("posts", pd.DataFrame({"id": ["c"], "txt": ["12345"]}), ["id"])
    keys = pd.DataFrame({"table_name": "posts", "id": ["c", "a"]})
    with pytest.raises(FeatureError, match=r"'vec@1' is empty for 1 of 2 data points \(posts/c\)"):
        read_features(here.points, keys, [Reference("vec", 1)])
    points = Points(here.database, here.results, OnTheFly(here.settings.media))
    assert read_features(points, keys, [Reference("vec", 1)]).tolist() == [[5, 0], [3, 0]]
    assert read_features(points, keys, [Reference("vec", 2)]).tolist() == [[5, 4], [3, 4]]
    here.database.create_table("others", {"id": sa.Text(), "txt": sa.Text()})
    here.database.upsert("others", pd.DataFrame({"id": ["x"], "txt": ["12"]}), ["id"])
    others = pd.DataFrame({"table_name": ["others", "posts"], "id": ["x", "a"]})
    assert read_features(points, others, [Reference("vec", 1)]).tolist() == [[2, 0], [3, 0]]
    assert list_features(here, "others").empty  # nothing is written


def test_another_encoder_of_the_same_name_computes_nothing(
    here: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.database.upsert("posts", pd.DataFrame({"id": ["c"], "txt": ["12345"]}), ["id"])
    monkeypatch.setitem(encoders._CODES, "one", "2")
    keys = pd.DataFrame({"table_name": "posts", "id": ["c"]})
    with pytest.raises(FeatureError, match=r"'vec@1' is empty for 1 of 1 data points"):
        read_features(
            Points(here.database, here.results, OnTheFly(here.settings.media)), keys, [Reference("vec", 1)]
        )


def test_the_command(here: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    address = here.settings.database_url.get_secret_value()
    monkeypatch.setenv("ADAPTML_DATABASE_URL", address)

    def invoke(*words: str) -> str:
        result = CliRunner().invoke(command_app(cli.command), words)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.stdout

    lines = [line.split() for line in invoke().splitlines()]
    assert lines[1][:4] == ["posts", "vec@1", "one", "txt"]
    assert lines[2][:5] == ["posts", "vec@2", "*", "two", "txt"]
    assert invoke("posts", "--compare", "vec@1", "vec@2") == (
        "vec@1 and vec@2 differ in 1 of 2 rows (50.0%), mean cosine 0.8000\n"
    )
    assert invoke("--drop", "vec@1") == "vec@1 of posts dropped\n"
    here.database.create_table("others", {"id": sa.Text(), "txt": sa.Text()})
    assert invoke("others") == (
        "no features of table others yet; make them: `adaptml featurize TASK --data others`\n"
    )


def test_a_table_that_is_not_there_is_said_before_its_features(here: Project) -> None:
    keys = pd.DataFrame({"table_name": ["gone"], "id": ["a"]})
    with pytest.raises(UnknownTableError, match="no table 'gone'"):
        here.points.read(keys, [Reference("vec", 1)])
