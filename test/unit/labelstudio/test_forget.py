"""A point that is forgotten is in no table and no file any more, and the others are as they were."""

import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from adaptml.cli.app import app
from adaptml.database import WritebackKind, write_back
from adaptml.errors import AdaptmlError, FrameError, UnknownTableError
from adaptml.files import write_text
from adaptml.frames import read_frame, write_frame
from adaptml.project import Project
from adaptml.rules.of_model import ModelRules
from adaptml.rules.stored_votes import write_votes
from adaptml.settings import Settings
from adaptml.tasks.scaffold import new_task

TEXTS = {"p1": "a good day", "p2": "Beatrice lost her bag", "p3": "a bad day"}


@pytest.fixture
def room(tracking: Settings, project: Project) -> Path:
    """A task, a table that was imported and featurised, labels, a label run, task files."""
    new_task(tracking.tasks_dir, "days", ["good", "bad"], "multiclass")
    project.import_table(pd.DataFrame({"id": list(TEXTS), "txt": list(TEXTS.values())}), "posts")
    project.featurize("days", "posts", encoder="hashing")
    project.sample_tasks("days", "posts", 3)
    labelled = project.label("days", "posts")
    rules = ModelRules.read(project.runs.artifact(labelled.run_id, "rules.json", tracking.home))
    write_votes(project.points, rules, labelled.votes.keys, labelled.votes.L, labelled.run_id)
    keys = project.database.keys("posts")
    frame = keys.assign(label=[["good"]] * 3, label_probs=[[1.0, 0.0]] * 3)
    write_back(project.results, project.task("days"), WritebackKind.LABELS, frame, "run")
    write_frame(keys, tracking.unlabeled_data / "some.parquet", {"task": "days"})
    write_frame(keys.assign(table_name="others"), tracking.unlabeled_data / "others.parquet")
    uploaded = tracking.uploads / "8e9a" / "posts.csv"
    uploaded.parent.mkdir(parents=True)
    uploaded.write_text("id,txt\np2,Beatrice lost her bag\n", encoding="utf-8")
    write_text(json.dumps({"n_points": 3, "ids": ["p2"]}), tracking.workbench("days") / "sample-posts.json")
    return tracking.home


def holding(home: Path, text: str) -> list[str]:
    """Files of the home folder that hold a text as it is; databases give freed pages back later."""
    files = [path for path in home.rglob("*") if path.is_file() and path.suffix not in (".db", ".sqlite3")]
    return [path.name for path in files if text.encode() in path.read_bytes()]


def test_a_forgotten_point_is_nowhere(room: Path, project: Project) -> None:
    settings = project.settings
    assert holding(room, "Beatrice")
    assert list(room.glob("votes/days/posts"))
    done = project.forget("posts", ["p2", "nobody"])
    assert done.removed["posts"] == 1
    assert (done.removed["days_labels"], done.removed["days_votes"]) == (1, 1)
    assert done.removed["features"] == 2
    assert {"frames", "task files", "pages", "votes", "samples", "uploads"} <= set(done.removed)
    assert not list(room.glob("workbench/*/sample-*"))
    assert holding(room, "Beatrice") == []
    for path in room.rglob("*.parquet"):
        frame = pd.read_parquet(path)
        if {"table_name", "id"} <= set(frame):
            assert ((frame["table_name"] == "posts") & (frame["id"] == "p2")).sum() == 0, path
    assert project.database.keys("posts")["id"].tolist() == ["p1", "p3"]
    assert project.results.result_keys("days_labels")["id"].tolist() == ["p1", "p3"]
    assert read_frame(settings.unlabeled_data / "some.parquet").attrs["adaptml"] == {"task": "days"}
    assert len(read_frame(settings.unlabeled_data / "others.parquet")) == 3
    (tasks,) = (settings.annotations("days")).glob("tasks_*.json")
    assert sorted(task["data"]["ref_id"] for task in json.loads(tasks.read_text())) == ["p1", "p3"]
    assert project.label("days", "posts").metrics["points"] == 2
    assert set(project.forget("posts", ["p2"]).removed) == {"votes"}  # those of the two that are left


def test_a_table_of_somebody_else_is_left_alone(project: Project, room: Path) -> None:
    with project.database.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE theirs (id TEXT PRIMARY KEY, txt TEXT)")
        connection.exec_driver_sql("INSERT INTO theirs VALUES ('p2', 'kept')")
    done = project.forget("theirs", ["p2"])
    assert done.removed == {}
    assert any("theirs was not made by `adaptml import`" in line for line in done.left)
    assert project.database.count("theirs") == 1
    assert project.database.count("posts") == 3


def test_a_name_that_nothing_has_is_refused_and_a_table_that_is_gone_is_not(
    room: Path, project: Project
) -> None:
    with pytest.raises(UnknownTableError, match=r"^no table 'post' in .*; its tables are .*posts"):
        project.forget("post", ["p2"])
    with project.database.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE posts")
    assert project.forget("posts", ["p2"]).removed["days_labels"] == 1


def test_a_task_file_that_is_broken_keeps_nobody_from_being_forgotten(room: Path, project: Project) -> None:
    (project.settings.tasks_dir / "days" / "task.yaml").write_text("[")
    assert project.forget("posts", ["p2"]).removed["posts"] == 1


def test_ids_that_are_whole_numbers(project: Project, tracking: Settings) -> None:
    """Other spellings of a number are no ids, and neither is a text that is no number."""
    new_task(tracking.tasks_dir, "days", ["good", "bad"], "multiclass")
    with project.database.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE posts (id BIGINT PRIMARY KEY, txt TEXT)")
        connection.exec_driver_sql(
            "INSERT INTO posts VALUES (1, 'a good day'), (2, 'a bad day'), (12, 'a day')"
        )
    project.featurize("days", "posts", encoder="hashing")
    assert project.forget("posts", ["1", "x", "01", "99"]).removed == {"features": 2}
    assert project.database.keys("posts")["id"].tolist() == ["1", "2", "12"]


def test_no_ids_are_refused(project: Project) -> None:
    with pytest.raises(FrameError, match="at least one"):
        project.forget("posts", [])


def test_tasks_of_a_server_that_is_away_are_told(
    project: Project, room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (room / "annotations/days/label_studio.sqlite3").touch()
    done = project.forget("posts", ["p2"])
    assert done.removed["posts"] == 1
    assert any("tasks of days in Label Studio are left" in line for line in done.left)


def test_the_command_asks_first(project: Project, room: Path) -> None:
    run = CliRunner()
    refused = run.invoke(app, ["forget", "posts", "p2"], input="n\n")
    assert refused.exit_code == 1
    assert project.database.count("posts") == 3
    done = run.invoke(app, ["forget", "posts", "p2", "--yes"])
    assert done.exit_code == 0, done.output
    assert "removed: " in done.stdout
    assert project.database.count("posts") == 2


def test_a_frame_that_cannot_be_read_is_named(project: Project, room: Path) -> None:
    (room / "unlabeled_data/broken.parquet").write_bytes(b"PAR1")
    with pytest.raises(AdaptmlError, match=r"broken\.parquet cannot be read"):
        project.forget("posts", ["p2"])
    (room / "unlabeled_data/broken.parquet").unlink()
    project.forget("posts", ["p2"])
    assert holding(room, "Beatrice") == []
