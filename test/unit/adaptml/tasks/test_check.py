from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

from adaptml.database import TextList, Vector
from adaptml.errors import TaskError
from adaptml.project import Project
from adaptml.tasks import Task
from adaptml.tasks.check import Finding, check_data, check_file, check_task
from adaptml.tasks.scaffold import new_task
from adaptml.tasks.schema import Column, Featurize

ROWS = 3


@pytest.fixture
def task(project: Project) -> Task:
    """A new task with the text column `txt`."""
    return new_task(project.settings.tasks_dir, "topic", ["left", "right"], "multiclass")


def fill(
    project: Project, *, keys: tuple[str, ...] = ("id",), **changed: sa.types.TypeEngine[object]
) -> None:
    """A table `posts` with the task's columns, one text missing, in which some types are changed."""
    columns = {"id": sa.Text(), "txt": sa.Text(), "txt_lemmas": TextList(), "txt_vec": Vector()} | changed
    project.database.create_table("posts", columns, keys)
    rows = pd.DataFrame(
        {"id": ["a", "b", "c"], "txt": ["left wing", None, "right"], "txt_lemmas": [["left"], [], ["x"]], "txt_vec": [[1.0]] * ROWS}
    )  # fmt: skip
    project.database.upsert("posts", rows, list(keys))


def told(findings: list[Finding], level: str) -> dict[str, str]:
    """What was looked at → what was found, of one level."""
    return {finding.what: finding.text for finding in findings if finding.level == level}


def test_a_task_that_is_as_its_table_is(project: Project, task: Task) -> None:
    fill(project)
    findings = check_task(project, "topic", "posts")
    assert told(findings, "error") == {}
    fine = told(findings, "ok")
    assert fine["task file"] == "multiclass, 2 classes: left, right"
    assert fine["posts"] == "3 rows"
    assert fine["posts.id"] == "text, unique"
    assert (fine["posts.txt_lemmas"], fine["posts.txt_vec"]) == ("list of text", "vector")
    assert fine["left_left"] == "left 1, of 3 rows"
    assert fine["right_right"] == "no vote on 3 rows"
    doubtful = told(findings, "warning")
    assert doubtful["posts.txt"] == "text, missing in 1 of 3 rows"
    assert "left, right" not in fine.get("coding guide", "")
    assert doubtful["keywords"].startswith("1 keyword is in none of 3 rows: right (right_right); ")


def test_texts_that_nobody_replaced_are_told(project: Project, task: Task) -> None:
    found = [finding.text for finding in check_file(task) if finding.what == "coding guide"]
    assert len(found) == 2
    assert "left, right" in found[0]
    path = task.folder / "task.yaml"  # type: ignore[operator]
    written = path.read_text().replace("When an annotator should choose it.", "About it.", 1)
    path.write_text(written.replace("What annotators are asked, in a sentence or two.", "Which side?"))
    (left,) = [finding.text for finding in check_file(project.task("topic")) if finding.level != "ok"]
    assert "right" in left
    assert "left," not in left


def test_a_language_without_a_dictionary_is_told(project: Project, task: Task) -> None:
    path = task.folder / "task.yaml"  # type: ignore[operator]
    path.write_text(path.read_text() + "language: yo\n")
    text = told(check_file(project.task("topic")), "warning")["language"]
    assert text.startswith("yo has no dictionary, so its words stay as they are written")
    assert " sw, " in text
    path.write_text(path.read_text().replace("language: yo", "language: sw"))
    assert "language" not in told(check_file(project.task("topic")), "warning")


def test_an_encoder_that_there_is_not(project: Project, task: Task) -> None:
    path = task.folder / "task.yaml"  # type: ignore[operator]
    path.write_text(path.read_text().replace('vector: "txt_vec"}', 'vector: "txt_vec", encoder: bert}'))
    assert "'bert'" in told(check_file(project.task("topic")), "error")["encoder"]


def test_every_fault_of_a_table_is_told_at_once(project: Project, task: Task) -> None:
    with project.database.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE posts (id TEXT, txt INTEGER, txt_vec TEXT)")
        connection.exec_driver_sql("INSERT INTO posts VALUES ('a', 1, ''), ('a', 2, ''), (NULL, 3, NULL)")
    findings = check_task(project, task, "posts")
    ids = [finding.text for finding in findings if finding.what == "posts.id"]
    assert [text.partition(":")[0].partition(";")[0] for text in ids] == [
        "table 'posts' has 1 row without an id and 1 duplicated id in 2 rows (a)",
        "no index, so that every look-up reads the whole table",
    ]
    wrong = told(findings, "error")
    assert "featurize reads text here" in wrong["posts.txt"]
    assert "expected numbers or a vector" in wrong["posts.txt_vec"]
    assert "adaptml featurize topic --data posts" in told(findings, "warning")["posts.txt_lemmas"]
    assert "none tried" in told(findings, "ok")["labelling functions"]
    assert all("\n" not in finding.text for finding in findings)


def test_an_id_of_another_type(project: Project, task: Task) -> None:
    project.database.create_table("posts", {"id": sa.DateTime(), "txt": sa.Text()})
    assert "expected text" in told(check_task(project, task, "posts"), "error")["posts.id"]


def test_ids_that_are_numbers(project: Project, task: Task) -> None:
    fill(project, id=sa.BigInteger())
    with project.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE posts SET id = rowid")
    assert told(check_task(project, task, "posts"), "ok")["posts.id"] == "number, unique"
    assert told(check_task(project, task, "main.posts"), "ok")["main.posts.id"] == "number, unique"


def test_a_column_that_is_not_there(project: Project) -> None:
    new_task(project.settings.tasks_dir, "topic", ["left", "right"], "multiclass", [Column(name="body")])
    fill(project)
    findings = check_task(project, "topic", "posts")
    wrong = told(findings, "error")
    assert "id, txt, txt_lemmas, txt_vec" in wrong["posts.body"]
    assert "body" in wrong["labelling functions"]


def test_a_table_that_is_not_there_or_empty(project: Project, task: Task) -> None:
    assert "no table 'posts'" in told(check_task(project, task, "posts"), "error")["data"]
    project.database.create_table("posts", {"id": sa.Text(), "txt": sa.Text()})
    findings = check_task(project, task, "posts")
    assert "no rows" in told(findings, "error")["posts"]


def test_points_of_a_frame_and_of_a_condition(project: Project, task: Task, clean_room: Path) -> None:
    fill(project)
    some = pd.DataFrame({"table_name": "posts", "id": ["a", "c"]})
    for data in (some, "posts where id <> 'b'"):
        findings, points = check_data(project, task, data)
        assert points is not None
        assert sorted(points["id"]) == ["a", "c"]
        assert told(findings, "ok")["posts"] == "3 rows"
    absent = some.assign(table_name="nope")
    findings, _ = check_data(project, task, absent)
    assert "no table 'nope'" in told(findings, "error")["data"]
    assert "nowhere.csv" in told(check_task(project, task, "nowhere.csv"), "error")["data"]


def test_a_version_that_the_table_does_not_have_is_an_error(project: Project, task: Task) -> None:
    fill(project)
    named = task.model_copy(update={"features": ("txt_vec@3",)})
    assert (
        "table 'posts' has no feature txt_vec@3"
        in told(check_task(project, named, "posts"), "error")["features"]
    )


def test_a_task_that_cannot_be_read_is_an_error(project: Project) -> None:
    with pytest.raises(TaskError, match="no task 'nope'"):
        check_task(project, "nope")


def test_without_snorkel_labelling_functions_are_left_out(
    project: Project, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The container for annotation has none."""
    monkeypatch.setattr("adaptml.tasks.check.find_spec", lambda name: None)
    found = told(check_task(project, task), "warning")
    assert "Snorkel is not installed" in found["labelling functions"]


def test_the_public_name(project: Project, task: Task) -> None:
    import adaptml

    assert adaptml.check_task(project, task) == check_task(project, task)


@pytest.mark.parametrize(
    ("encoder", "column", "expected"),
    [
        ("pictures", "txt", ""),
        ("numbers", "price", ""),
        ("numbers", "txt", "text; featurize reads number here: name another column"),
        ("hashing", "price", "number; featurize reads text here: name another column"),
    ],
)
def test_the_column_is_what_the_encoder_reads(
    project: Project, task: Task, encoder: str, column: str, expected: str
) -> None:
    made = Featurize(text=column, vector="vec", encoder=encoder)
    asked = task.model_copy(
        update={"featurize": (made,), "features": ("price", "txt"), "lf_features": ("price",)}
    )
    project.database.create_table("posts", {"id": sa.Text(), "txt": sa.Text(), "price": sa.Float()})
    findings = check_task(project, asked, "posts")
    assert told(findings, "error").get(f"posts.{column}", "") == expected
    if encoder == "numbers" and column == "price":
        assert told(findings, "ok")["posts.txt"] == "text, a category where it has few values"


def test_the_column_holds_what_its_type_says(project: Project) -> None:
    types = {"txt": "text", "price": "text", "photo": "image", "sound": "audio", "film": "number"}
    columns = [Column.model_validate({"name": name, "type": kind}) for name, kind in types.items()]
    project.database.create_table(
        "wares", {"id": sa.Text(), "price": sa.Float(), "sound": sa.Float()} | dict.fromkeys(["txt", "photo", "film"], sa.Text())
    )  # fmt: skip
    findings = check_task(project, Task(classes=["dear", "cheap"], columns=columns, lfs=()), "wares")
    found = {finding.what: finding.text for finding in findings if finding.level == "warning"}
    assert found == {
        "wares.sound": "number; expected text in a column of type audio: correct the task file, or name another column",
        "wares.film": "text; expected number in a column of type number: correct the task file, or name another column",
    }  # fmt: skip
