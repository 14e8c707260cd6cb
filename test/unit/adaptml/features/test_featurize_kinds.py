"""`featurize` on columns that hold no text: paths and bytes of pictures, and numbers."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from tiny_encoders import picture, png, write_classifier

from adaptml.database import Database
from adaptml.database.facts import kind
from adaptml.errors import FeatureError
from adaptml.features.encoders import get_encoder
from adaptml.features.featurize import Featurized, featurize
from adaptml.features.on_the_fly import OnTheFly
from adaptml.features.points import Points
from adaptml.features.versions import compare_features
from adaptml.project import Project
from adaptml.tasks import Task

TASK = Task(classes=("a", "b"))
RED, BLUE = png(picture(255, 0, 0)), png(picture(0, 0, 255, (7, 5)))


@pytest.fixture
def here(database: Database, tmp_path: Path) -> Iterator[Project]:
    """Three rows with a picture as a path and as bytes, and a number; the third has none of them."""
    types = {"id": sa.Text(), "photo": sa.Text(), "bytes": sa.LargeBinary(), "price": sa.Float()}
    database.create_table("posts", types)
    posts = sa.table("posts", *(sa.column(name, kind) for name, kind in types.items()))
    rows = [("a", "red.png", RED, 0.0), ("b", "sub/blue.png", BLUE, -2.5), ("c", None, None, None)]
    with database.engine.begin() as connection:
        connection.execute(sa.insert(posts), [dict(zip(types, row, strict=True)) for row in rows])
    with Project(tmp_path, database_url=database.engine.url.render_as_string(hide_password=False)) as project:
        media = project.settings.media
        (media / "sub").mkdir(parents=True)
        (media / "red.png").write_bytes(RED)
        (media / "sub" / "blue.png").write_bytes(BLUE)
        yield project


def done(project: Project, column: str, encoder: str) -> Featurized:
    return featurize(project, TASK, "posts", text=column, vector="vec", encoder=encoder)


def vectors(points: Points) -> np.ndarray:
    keys = pd.DataFrame({"table_name": "posts", "id": ["a", "b", "c"]})
    return np.vstack(points.read(keys, ["vec"])["vec"].tolist())


@pytest.mark.parametrize("column", ["photo", "bytes"])
def test_pictures_are_read_from_the_media_folder_or_the_column(here: Project, column: str) -> None:
    assert done(here, column, "pictures") == Featurized(3, 3, 0, 1, 0, 0, ("vec@1",))
    found = vectors(here.points)
    np.testing.assert_allclose(found, get_encoder("pictures").encode([RED, BLUE, None]), atol=1e-3)
    assert not found[2].any()
    assert done(here, column, "pictures").kept == 3


def test_a_row_with_another_picture_is_computed_again(here: Project) -> None:
    done(here, "photo", "pictures")
    here.database.upsert("posts", pd.DataFrame({"id": ["a"], "photo": ["sub/blue.png"]}), ["id"])
    again = done(here, "photo", "pictures")
    assert (again.changed, again.kept) == (1, 2)
    found = vectors(here.points)
    np.testing.assert_array_equal(found[0], found[1])


def test_the_answers_of_a_classifier_are_text_and_a_number(here: Project, tmp_path: Path) -> None:
    """Nothing stands where there is no picture; other names of the classes are another version."""
    folder = write_classifier(tmp_path / "model")

    def read() -> list[list[object]]:
        keys = pd.DataFrame({"table_name": "posts", "id": ["a", "b", "c"]})
        frame = here.points.read(keys, ["class", "score"])
        return [frame["class"].tolist(), [None if pd.isna(x) else round(x, 3) for x in frame["score"]]]

    asked = {"text": "photo", "answer": "class", "score": "score", "encoder": f"onnx:{folder}"}
    assert featurize(here, TASK, "posts", **asked).features == ("class@1", "score@1")
    assert read() == [["red", "blue", None], [0.787, 0.787, None]]
    assert featurize(here, TASK, "posts", **asked).kept == 3
    assert {n: kind(here.points.columns("posts")[n]) for n in ("class", "score")} == {
        "class": "text",
        "score": "number",
    }
    (folder / "labels.txt").write_text("rouge\nvert\nbleu\n")
    assert featurize(here, TASK, "posts", **asked).features == ("class@2", "score@2")
    assert read()[0] == ["rouge", "bleu", None]
    compared = compare_features(here, "posts", "class@1", "class@2")
    assert (compared.rows, compared.different) == (2, 2)  # rows that have both
    with pytest.raises(
        FeatureError, match="'id' of table 'posts' is text; expected a number: name the feature"
    ):
        featurize(here, TASK, "posts", **asked | {"score": "id"})
    with pytest.raises(FeatureError, match=r"^column 'x' cannot hold answers and scores; name two columns$"):
        featurize(here, TASK, "posts", **asked | {"answer": "x", "score": "x"})


def test_a_folder_behind_the_colon_wins(here: Project) -> None:
    folder = here.settings.media / "sub"
    here.database.upsert("posts", pd.DataFrame({"id": ["a", "b"], "photo": ["blue.png", "blue.png"]}), ["id"])
    done(here, "photo", f"pictures:{folder}")
    assert vectors(here.points)[:2].any(axis=1).all()


def test_pictures_that_are_not_there_are_named_and_nothing_is_written(here: Project) -> None:
    (here.settings.media / "red.png").unlink()
    with pytest.raises(FeatureError, match=r"^1 of 3 pictures cannot be read: 'red.png' \(no such file in "):
        done(here, "photo", "pictures")
    keys = pd.DataFrame({"table_name": "posts", "id": ["a", "b", "c"]})
    assert here.points.read(keys, ["vec"])["vec"].isna().all()


def test_numbers(here: Project) -> None:
    done(here, "price", "numbers")
    np.testing.assert_allclose(vectors(here.points), [[0, 0], [-np.log(3.5), 0], [0, 1]], atol=1e-3)


@pytest.mark.parametrize("column", ["photo", "bytes", "price"])
def test_a_row_without_features_is_encoded_when_it_is_asked_for(here: Project, column: str) -> None:
    done(here, column, "numbers" if column == "price" else "pictures")
    before = vectors(here.points)
    with here.database.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO posts SELECT 'd', photo, bytes, price FROM posts WHERE id = 'a'"
        )
    points = Points(here.database, here.results, OnTheFly(here.settings.media))
    keys = pd.DataFrame({"table_name": "posts", "id": ["d", "b", "d"]})
    found = np.vstack(points.read(keys, ["vec"])["vec"].tolist())
    np.testing.assert_allclose(found, before[[0, 1, 0]], atol=1e-3)


@pytest.mark.parametrize(
    ("column", "encoder", "expected"),
    [
        ("price", "hashing", "'price' of table 'posts' is (number|.*); expected a column of text$"),
        ("price", "pictures", "expected a column of paths or bytes of pictures$"),
        ("photo", "numbers", "'photo' of table 'posts' is text; expected a column of numbers$"),
        ("bytes", "hybrid", "expected a column of text$"),
    ],
)
def test_a_column_that_the_encoder_cannot_read_is_refused(
    here: Project, column: str, encoder: str, expected: str
) -> None:
    with pytest.raises(FeatureError, match=expected):
        done(here, column, encoder)
