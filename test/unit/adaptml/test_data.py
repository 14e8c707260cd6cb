"""Data in all its forms: a table, a condition, a frame, a file, a run."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

from adaptml import frames
from adaptml.data import (
    described,
    is_run,
    read_gold,
    read_labels,
    read_points,
    split_condition,
)
from adaptml.database import WritebackKind, write_back
from adaptml.errors import (
    AdaptmlError,
    DatabaseError,
    FrameError,
    NothingNewError,
    TrackingError,
    UnknownTableError,
)
from adaptml.frames import read_frame, write_frame
from adaptml.labelled import labelled
from adaptml.project import Project
from adaptml.tasks import Task

FRAME = pd.DataFrame({"table_name": "posts", "id": ["2", "1"], "note": ["x", "y"]})


@pytest.fixture
def zoo() -> Task:
    return Task.model_validate({"name": "zoo", "classes": ["cat", "dog"]})


@pytest.fixture
def filled(project: Project, tracking: Any) -> Project:
    """A project with a table of three posts and files of two of them."""
    project.database.create_table("posts", {"id": sa.Text(), "lang": sa.Text()})
    rows = pd.DataFrame({"id": ["1", "2", "3"], "lang": ["en", "de", "en"]})
    project.database.upsert("posts", rows, ["id"])
    write_frame(FRAME, project.settings.root / "some.parquet")
    FRAME.to_csv(project.settings.root / "some.csv", index=False)
    FRAME.to_json(project.settings.root / "some.jsonl", orient="records", lines=True)
    FRAME.to_pickle(project.settings.root / "some.pkl")
    return project


@pytest.mark.parametrize(
    ("data", "ids"),
    [
        ("posts", ["1", "2", "3"]),
        (" posts ", ["1", "2", "3"]),
        ("posts where lang = 'en'", ["1", "3"]),
        ("posts WHERE lang = 'en' or id = '2'", ["1", "2", "3"]),
        (FRAME, ["2", "1"]),
        ("some.parquet", ["2", "1"]),
        ("some.csv", ["2", "1"]),
        (Path("some.jsonl"), ["2", "1"]),
        ("some.pkl", ["2", "1"]),  # a person typed this very path
    ],
)
def test_every_form(filled: Project, data: Any, ids: list[str]) -> None:
    found = read_points(filled, data)
    assert list(found.columns[:2]) == ["table_name", "id"]
    assert set(found["table_name"]) == {"posts"}
    assert found["id"].tolist() == ids


def test_a_file_is_looked_for_here_and_then_in_the_projects_folder(
    filled: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_points(filled, "some.csv")["id"].tolist() == ["2", "1"]


def test_a_condition_beside_a_table(filled: Project) -> None:
    assert read_points(filled, "posts", where="lang = 'de'")["id"].tolist() == ["2"]


@pytest.mark.parametrize(
    ("data", "where", "error", "facts"),
    [
        ("post", None, UnknownTableError, ["'post'", "posts"]),
        ("nowhere.csv", None, FrameError, ["nowhere.csv"]),
        ("some.csv", "id = '1'", FrameError, ["id = '1'", "some.csv"]),
        (FRAME, "id = '1'", FrameError, ["id = '1'", "a frame of 2 rows"]),
        ("posts where id = '1'", "id = '2'", FrameError, ["id = '1'", "id = '2'"]),
        ("posts where lang = 'fr'", None, FrameError, ["posts where lang = 'fr'"]),
        ("posts where nolang = 'fr'", None, DatabaseError, ["nolang", "id, lang"]),
        ("posts where id = '1'; DROP TABLE posts", None, DatabaseError, ["semicolon"]),
        (FRAME[["note"]], None, FrameError, ["table_name", "id"]),
        (pd.concat([FRAME, FRAME]), None, FrameError, ["posts/2, posts/1"]),
    ],
)
def test_data_that_cannot_be_used_is_one_line(
    filled: Project, data: Any, where: str | None, error: type[AdaptmlError], facts: list[str]
) -> None:
    with pytest.raises(error) as caught:
        read_points(filled, data, where=where)
    assert all(fact in str(caught.value) for fact in facts)
    assert "\n" not in str(caught.value)


def test_only_points_without_a_result(filled: Project, zoo: Task) -> None:
    # Before anything was written back, everything is new.
    assert len(read_points(filled, "posts", not_in="zoo_labels")) == len(read_points(filled, "posts"))
    done = FRAME.iloc[:1].assign(label=[["cat"]], label_probs=[[1.0, 0.0]])
    write_back(filled.database, zoo, WritebackKind.LABELS, done, "run")
    assert read_points(filled, "posts", not_in="zoo_labels")["id"].tolist() == ["1", "3"]
    left = read_points(filled, FRAME, not_in="zoo_labels")
    assert (left["id"].tolist(), left["note"].tolist()) == (["1"], ["y"])
    filled.database.create_table("other", {"id": sa.Text()})
    filled.database.upsert("other", FRAME[["id"]], ["id"])
    other = FRAME.assign(table_name="other")  # a result of the same id in another table is another point's
    assert len(read_points(filled, other, not_in="zoo_labels")) == 2
    with pytest.raises(NothingNewError, match="nothing is new: zoo_labels holds all 1 data points of posts"):
        read_points(filled, "posts where id = '2'", not_in="zoo_labels")
    with pytest.raises(FrameError, match="no data point to work on"):
        read_points(filled, "posts where id = 'nope'")


def test_labels_of_a_run_a_frame_or_a_file(filled: Project) -> None:
    frame = FRAME.assign(label=[["cat"], []])
    with filled.runs.run("zoo", "label", {}) as recorder:
        write_frame(frame, recorder.folder / "training_data.parquet")
    path = write_frame(frame, filled.settings.root / "labelled.parquet")
    for data in (recorder.run_id, frame, path, "labelled.parquet"):
        found = read_labels(filled, data, "training_data.parquet")
        assert [list(names) for names in found["label"]] == [["cat"], []]
    with pytest.raises(TrackingError, match=recorder.run_id):
        read_labels(filled, recorder.run_id, "other.parquet")
    with pytest.raises(FrameError, match="no run and no file 'nothing'"):
        read_labels(filled, "nothing", "training_data.parquet")


def test_labels_are_as_in_the_file_whatever_their_lists_are_kept_as(
    filled: Project, zoo: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    probs = [
        [0.9] + [0.1 / (len(zoo.class_names) - 1)] * (len(zoo.class_names) - 1),
        [0.5] * len(zoo.class_names),
    ]
    path = write_frame(
        FRAME.assign(label=[["cat"], []], label_probs=probs), filled.settings.root / "labelled.parquet"
    )
    found = read_labels(filled, path, "training_data.parquet")
    assert isinstance(found["label"].dtype, pd.ArrowDtype)  # no array for each row
    monkeypatch.setattr(frames, "CELLS", 1)
    task = zoo.with_setting("multilabel")
    ours, plain = (labelled(frame, task, "label", "f") for frame in (found, read_frame(path)))
    assert ours.keys.equals(plain.keys)
    assert (ours.Y == plain.Y).all()
    assert ours.P is not None
    assert ours.P.tolist() == probs
    told: list[int] = []
    read_labels(filled, path, "training_data.parquet", told.append)
    assert told == [2]  # rows, before they were read


def test_labels_of_a_run_whose_artifacts_are_mounted(filled: Project) -> None:
    run = "0" * 32
    write_frame(
        FRAME.assign(label=[["cat"], []]),
        filled.settings.home / "dp_mlruns" / "7" / run / "artifacts" / "training_data.parquet",
    )
    assert read_labels(filled, run, "training_data.parquet")["id"].tolist() == ["2", "1"]


@pytest.mark.parametrize("given", [None, "none", "0", ""])
def test_no_gold(filled: Project, zoo: Task, given: Any) -> None:
    assert read_gold(filled, given, zoo) is None


@pytest.mark.parametrize("given", ["task", "1"])
def test_the_tasks_own_gold(filled: Project, zoo: Task, given: str) -> None:
    with pytest.raises(FrameError, match=r"'zoo' has no gold labels.*process-annotations"):
        read_gold(filled, given, zoo)
    write_frame(FRAME.assign(gold_label=[["cat"], ["dog"]]), filled.settings.gold("zoo"))
    found = read_gold(filled, given, zoo)
    assert found is not None
    assert found.Y.tolist() == [[1, 0], [0, 1]]


def test_gold_of_a_frame_or_a_file(filled: Project, zoo: Task) -> None:
    gold = FRAME.assign(gold_label=[["cat"], ["dog"]])
    for data in (gold, write_frame(gold, filled.settings.root / "gold.parquet"), "gold.parquet"):
        found = read_gold(filled, data, zoo)
        assert found is not None
        assert found.keys["id"].tolist() == ["2", "1"]
    with pytest.raises(FrameError, match="gold_label"):
        read_gold(filled, FRAME, zoo)


def test_what_data_is_called() -> None:
    assert [described(data) for data in (FRAME, "posts", Path("a.csv"), None)] == [
        "a frame of 2 rows", "posts", "a.csv", "none",
    ]  # fmt: skip
    assert [is_run("0" * 32), is_run("0" * 31), is_run("posts"), is_run(FRAME)] == [True, False, False, False]
    assert split_condition("posts where a = 'x where y'") == ("posts", "a = 'x where y'")
