"""A task's classes change, and everything that names them follows; and back again."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

from adaptml.changing_classes.task_file import TaskText
from adaptml.data import read_gold
from adaptml.database import WritebackKind, write_back
from adaptml.errors import AdaptmlError, FileError, FrameError, TaskError
from adaptml.frames import read_frame
from adaptml.project import Project

TASK = """\
# What is it?
title: Which animal?
setting: multiclass
classes:
  - cat
  - dog  # and hounds
  - bird
columns: [{name: txt}]
lf_features: [txt]
features: [vec]
"""
LFS = 'WORDS = {"cat": ["purr"]}\ndef get_lfs(params):\n    return [params.labels.bird]\n'
GOLD = {"1": "cat", "2": "dog", "3": "bird", "4": "dog"}
ROWS = pd.DataFrame(
    {
        "table_name": "posts",
        "id": ["1", "2", "3"],
        "label": [["cat"], ["dog"], ["bird"]],
        "label_probs": [[0.75, 0.25, 0.0], [0.25, 0.5, 0.25], [0.0, 0.25, 0.75]],
    }
)


@pytest.fixture
def animals(clean_room: Path) -> Iterator[Project]:
    """Four posts with gold, a run's labels of three, what an annotator said of one."""
    folder = clean_room / "tasks" / "animals"
    folder.mkdir()
    (folder / "task.yaml").write_text(TASK)
    (folder / "lfs.py").write_text(LFS)
    with Project(clean_room) as project:
        project.database.create_table("posts", {"id": sa.Text(), "txt": sa.Text()}, ["id"])
        posts = pd.DataFrame({"id": [*GOLD], "txt": [*GOLD.values()]})
        project.database.upsert("posts", posts, ["id"])
        add_gold(project, GOLD)
        task = project.task("animals")
        write_back(project.results, task, WritebackKind.LABELS, ROWS, "run")
        said = ROWS.head(1).assign(annotator="ann")
        write_back(project.results, task, WritebackKind.ANNOTATIONS, said, "export")
        yield project


def add_gold(project: Project, labels: dict[str, str]) -> None:
    """Gold by a spreadsheet."""
    pd.DataFrame({"table_name": "posts", "id": [*labels], "label": [*labels.values()]}).to_csv(
        "g.csv", index=False
    )
    project.gold("animals", "g.csv")


def gold(project: Project) -> dict[str, str]:
    """Gold as steps read it."""
    found = read_gold(project, "task", project.task("animals"))
    assert found is not None
    names = project.task("animals").class_names
    return dict(zip(found.keys["id"], [names[row.argmax()] for row in found.Y], strict=True))


def everything(project: Project) -> dict[str, Any]:
    """The task file, and all tables of the task as they lie in the file of the database."""
    found: dict[str, Any] = {"file": task_file(project).read_bytes()}
    with closing(sqlite3.connect(project.settings.home / "data.db")) as connection:
        for kind in ("gold", "labels", "annotations", "classes"):
            cursor = connection.execute(f"SELECT * FROM animals_{kind}")
            names = [column[0] for column in cursor.description]
            rows = [dict(zip(names, row, strict=True)) for row in cursor]
            found[kind] = sorted(repr({**row, "written_at": "", "made_at": ""}) for row in rows)
    found["export"] = read_frame(project.settings.gold("animals"))["gold_label"].map(list).tolist()
    return found


def task_file(project: Project) -> Path:
    return project.settings.tasks_dir / "animals" / "task.yaml"


def sql(project: Project, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(project.settings.home / "data.db")) as connection:
        return connection.execute(query).fetchall()


def test_names_follow_everywhere_and_come_back(animals: Project) -> None:
    before = everything(animals)
    done = animals.change_classes("animals", rename={"cat": "feline"}, merge={"pet": ["dog", "bird"]})
    assert (done.before, done.after) == (("cat", "dog", "bird"), ("feline", "pet"))
    assert (done.gold.points, done.gold.renamed, done.gold.merged, done.gold.undecided) == (4, 1, 3, 0)
    assert task_file(animals).read_text() == TASK.replace("- cat", "- feline").replace("- dog  #", "- pet  #").replace("  - bird\n", "") + (
        "class_changes:\n"
        f"  - {{date: {done.change.date}, before: [cat, dog, bird], becomes: {{cat: [feline], dog: [pet], bird: [pet]}}}}\n"
    )  # fmt: skip
    now = {"1": "feline", "2": "pet", "3": "pet", "4": "pet"}
    assert gold(animals) == now
    assert sql(animals, "SELECT id, label FROM animals_gold ORDER BY id") == [
        (k, f'["{v}"]') for k, v in now.items()
    ]
    assert everything(animals)["export"] == [[name] for name in now.values()]
    assert sql(animals, "SELECT label, is_cat, prob_cat, is_pet, prob_pet, is_dog FROM animals_labels ORDER BY id") == [
        ('["feline"]', 1, 0.75, 0, 0.25, 0),
        ('["pet"]', 0, 0.25, 1, 0.75, 1),
        ('["pet"]', 0, 0.0, 1, 1.0, 0),
    ]  # fmt: skip
    assert sql(animals, "SELECT label FROM animals_annotations") == [('["feline"]',)]
    assert sql(animals, "SELECT * FROM animals_classes WHERE position IS NOT NULL ORDER BY position") == [
        ("feline", "cat", 0), ("pet", "pet", 1),
    ]  # fmt: skip
    assert animals.change_classes("animals", undo=True).after == ("cat", "dog", "bird")
    after = everything(animals)
    for kind in ("labels", "classes"):  # which keep the columns of what was merged
        del after[kind], before[kind]
    assert after == before
    assert sql(animals, "SELECT label, is_cat, prob_cat, is_dog, is_bird FROM animals_labels ORDER BY id") == [
        ('["cat"]', 1, 0.75, 0, 0), ('["dog"]', 0, 0.25, 1, 0), ('["bird"]', 0, 0.0, 0, 1),
    ]  # fmt: skip
    assert sql(animals, "SELECT * FROM animals_classes ORDER BY position IS NULL, position") == [
        ("cat", "cat", 0), ("dog", "dog", 1), ("bird", "bird", 2), ("pet", "pet", None),
    ]  # fmt: skip


def test_what_is_written_later_goes_into_the_columns_of_now(animals: Project) -> None:
    animals.change_classes("animals", merge={"dog": ["dog", "bird"]}, rename={"cat": "feline"}, add=["fish"])
    task = animals.task("animals")
    more = ROWS.tail(1).assign(label=[["dog"]], label_probs=[[0.25, 0.5, 0.25]])
    write_back(animals.results, task, WritebackKind.LABELS, more, "later")
    slugs = dict(sql(animals, "SELECT name, slug FROM animals_classes WHERE position IS NOT NULL"))
    assert slugs == {"feline": "cat", "dog": "dog_2", "fish": "fish"}
    rows = sql(
        animals,
        "SELECT run_id, label, is_dog_2, prob_dog_2, is_dog, is_fish FROM animals_labels WHERE id = '3'",
    )
    assert sorted(rows) == [("later", '["dog"]', 1, 0.5, None, 0), ("run", '["dog"]', 1, 1.0, 0, None)]
    animals.change_classes("animals", undo=True)
    rows = sql(animals, "SELECT run_id, label FROM animals_labels WHERE id = '3'")
    assert sorted(rows) == [("later", '["dog"]'), ("run", '["bird"]')]
    animals.change_classes("animals", merge={"dog": ["dog", "bird"]})
    assert (
        dict(sql(animals, "SELECT name, slug FROM animals_classes WHERE position IS NOT NULL"))["dog"]
        == "dog_3"
    )


def test_a_class_that_was_split_is_asked_about_again(
    animals: Project, caplog: pytest.LogCaptureFixture
) -> None:
    done = animals.change_classes("animals", split={"dog": ["hound", "pup"]}, drop=["bird"])
    assert (done.gold.undecided, done.gold.renamed) == (3, 0)
    assert "3 to be labelled anew" in str(done)
    assert "adaptml gold animals --changed" in str(done)
    assert gold(animals) == {"1": "cat"}
    assert "3 of 4 points of gold of task 'animals' are left out" in caplog.text
    assert "3 points whose class was split or dropped" in str(animals.gold("animals"))
    sheet = read_frame(animals.gold_template("animals"), typed_by_user=True)
    assert sheet["id"].tolist() == ["2", "3", "4"]
    add_gold(animals, {"2": "pup", "4": "hound"})
    assert gold(animals) == {"1": "cat", "2": "pup", "4": "hound"}
    with pytest.raises(FrameError, match=r"not classes of task 'animals': 'dog' \(now 'hound' or 'pup'\)"):
        add_gold(animals, {"3": "dog"})
    back = animals.change_classes("animals", undo=True)
    assert (back.lost, back.mapped) == (2, 0)
    assert gold(animals) == {"1": "cat", "3": "bird"}
    (file,) = (animals.settings.annotations("animals") / "class_changes").glob("taken_out_*.parquet")
    assert pd.read_parquet(file)["label"].map(list).tolist() == [["pup"], ["hound"]]


def test_gold_made_since_gets_the_names_of_before_where_each_was_one_class(animals: Project) -> None:
    animals.change_classes("animals", rename={"cat": "feline"}, merge={"pet": ["dog", "bird"]})
    add_gold(animals, {"1": "pet", "2": "feline", "3": "cat"})  # the last one by its name of before
    back = animals.change_classes("animals", undo=True, preview=True)
    assert (back.lost, back.mapped) == (1, 2)
    animals.change_classes("animals", undo=True)
    assert gold(animals) == {"2": "cat", "3": "cat", "4": "dog"}


def test_changes_one_after_the_other(animals: Project) -> None:
    before = everything(animals)["file"]
    animals.change_classes("animals", rename={"cat": "feline"})
    animals.change_classes("animals", split={"dog": ["hound", "pup"]})
    animals.change_classes("animals", merge={"canine": ["hound", "pup"]}, rename={"feline": "cat"})
    assert gold(animals) == {"1": "cat", "2": "canine", "3": "bird", "4": "canine"}
    assert sql(animals, "SELECT name, slug, position FROM animals_classes WHERE position = 0") == [
        ("cat", "cat", 0)
    ]
    animals.change_classes("animals", undo=True)
    assert gold(animals) == {"1": "feline", "3": "bird"}
    animals.change_classes("animals", undo=True)
    animals.change_classes("animals", undo=True)
    assert gold(animals) == GOLD
    assert everything(animals)["file"] == before
    with pytest.raises(TaskError, match="classes of task 'animals' were never changed"):
        animals.change_classes("animals", undo=True)


def test_a_file_that_was_edited_since_keeps_what_was_edited(animals: Project) -> None:
    path = task_file(animals)
    path.write_text(
        TASK.replace("  - bird\n", "  - name: bird\n    description: It flies.\n    examples: [an owl]\n")
    )
    animals.change_classes("animals", merge={"pet": ["dog", "bird"]}, rename={"cat": "feline"})
    path.write_text(
        path.read_text().replace("# What is it?", "# Edited.").replace("# and hounds", "# of people")
    )
    animals.change_classes("animals", undo=True)
    assert path.read_text() == TASK.replace("# What is it?", "# Edited.").replace("# and hounds", "# of people").replace(
        "  - bird\n", "  - name: bird\n    description: It flies.\n    examples: [an owl]\n"
    )  # fmt: skip


def attempt(project: Project, statement: int, **change: Any) -> str:
    """Change classes while the database refuses one of the statements that write, counted from 0.

    Returns what is said; nothing where there are fewer statements.
    """
    count = iter(range(1_000))

    def refuse(*words: Any) -> None:
        if not words[2].lstrip().upper().startswith(("SELECT", "PRAGMA")) and next(count) == statement:
            raise sa.exc.OperationalError(words[2], None, sqlite3.OperationalError("disk is full"))

    sa.event.listen(project.results.engine, "before_cursor_execute", refuse)
    try:
        project.change_classes("animals", **change)
    except AdaptmlError as error:
        return str(error)
    finally:
        sa.event.remove(project.results.engine, "before_cursor_execute", refuse)
    return ""


CHANGE = {"rename": {"cat": "feline"}, "merge": {"dog": ["dog", "bird"]}}


def test_a_change_that_is_interrupted_is_the_new_one_for_every_step_and_is_finished(animals: Project) -> None:
    """Whatever statement fails: gold is read by the new names, and the next call does the rest."""
    animals.change_classes("animals", **CHANGE)
    finished, now = everything(animals), gold(animals)
    failures = 0
    while True:
        animals.change_classes("animals", undo=True)
        remove_columns(animals)
        said = attempt(animals, failures, **CHANGE)
        if not said:
            break
        for fact in (
            "the task file has the new classes",
            "disk is full",
            "`adaptml task classes animals` does",
        ):
            assert fact in said
        assert gold(animals) == now
        animals.change_classes("animals")
        assert everything(animals) == finished
        failures += 1
    assert failures > 8


def test_taking_back_that_is_interrupted_leaves_the_new_state_until_it_is_finished(animals: Project) -> None:
    before = everything(animals)
    del before["labels"], before["classes"]  # which keep what the columns of the merged class hold
    failures = 0
    while True:
        animals.change_classes("animals", **CHANGE)
        now = gold(animals)
        said = attempt(animals, failures, undo=True)
        if not said:
            break
        assert "disk is full" in said
        assert gold(animals) == now
        animals.change_classes("animals", undo=True)
        after = everything(animals)
        assert {name: after[name] for name in before} == before
        failures += 1
    assert failures > 5


def remove_columns(project: Project) -> None:
    """The columns of classes that are taken back hold something and are kept; here each try begins anew."""
    with project.results.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM animals_classes WHERE position IS NULL")
        for column in ("is_dog_2", "prob_dog_2"):
            connection.exec_driver_sql(f"ALTER TABLE animals_labels DROP COLUMN {column}")


def test_a_task_file_that_cannot_be_written_leaves_everything_as_it_was(
    animals: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything(animals)

    def refuse(file: TaskText) -> None:
        raise FileError(f"{file.path} cannot be written")

    monkeypatch.setattr(TaskText, "write", refuse)
    with pytest.raises(FileError, match="cannot be written"):
        animals.change_classes("animals", **CHANGE)
    assert everything(animals) == before
    assert not [*(animals.settings.annotations("animals") / "class_changes").iterdir()]


def test_a_task_file_that_was_changed_on_another_machine(animals: Project) -> None:
    before = task_file(animals).read_text()
    other = animals.change_classes("animals", preview=True, **CHANGE)
    assert task_file(animals).read_text() == before
    changed = TaskText.read(animals, "animals").with_text(
        before.replace("- cat", "- feline").replace("  - bird\n", "")
        + "class_changes: [{date: 2026-11-26, before: [cat, dog, bird], becomes: {cat: [feline], bird: [dog]}}]\n"
    )
    changed.write()
    assert gold(animals) == {"1": "feline", "2": "dog", "3": "dog", "4": "dog"}
    animals.change_classes("animals")
    assert sql(animals, "SELECT label FROM animals_labels ORDER BY id") == [
        ('["feline"]',),
        ('["dog"]',),
        ('["dog"]',),
    ]
    assert animals.change_classes("animals", undo=True).after == other.before
    assert gold(animals) == GOLD


def test_what_stands_in_the_way_is_said(animals: Project) -> None:
    with pytest.raises(TaskError, match="no task 'plants'"):
        animals.change_classes("plants", drop=["cat"])
    with pytest.raises(TaskError, match="undo takes the last change back, and a change was given too"):
        animals.change_classes("animals", drop=["cat"], undo=True)
    animals.change_classes("animals", drop=["cat"])
    folder = animals.settings.annotations("animals") / "class_changes" / "1"
    folder.rename(folder.with_name("elsewhere"))
    with pytest.raises(
        TaskError, match=r"is not kept in .*animals/class_changes/1; .* change the classes once more"
    ):
        animals.change_classes("animals", undo=True)


def test_code_that_names_a_class_of_before_is_said_with_its_line(animals: Project) -> None:
    done = animals.change_classes("animals", rename={"cat": "feline"}, drop=["bird"], add=["fish"])
    assert [*done.mentions] == [
        "lfs.py:1: 'cat' is now 'feline'",
        "lfs.py:3: 'bird' is now no class",
    ]
    for line in (
        *done.mentions,
        "bird is dropped",
        "cat becomes feline",
        "fish is new",
        "nobody was asked about fish",
    ):
        assert line in str(done)
    found = [(f.level, f.text) for f in animals.check_task("animals") if f.what == "classes"]
    assert [level for level, _ in found] == ["warning", "warning"]
    assert "lfs.py:1: 'cat' is now 'feline'; where the class is meant" in found[0][1]
