"""Data points that lack a part: a note in its place, taken out again on reading; nothing at all is not sent."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pandas as pd
import pytest
import sqlalchemy as sa

from adaptml.errors import AnnotationError
from adaptml.gold_labels.core import seen_of
from adaptml.project import Project
from adaptml.tasks import Task
from labelstudio.annotations import collect
from labelstudio.export import parse_export
from labelstudio.sample_tasks import sample_tasks

COLUMNS = {"txt": "text", "photo": "image", "sound": "audio", "price": "number"}
ROWS: dict[str, tuple[str | None, str | None, str | None, float | None]] = {
    "all": ("A cat", "https://pets/cat.png", "https://pets/cat.wav", 3.5),
    "text": ("A dog", None, "", None),
    "photo": (None, "https://pets/dog.png", None, None),
    "none": (None, "", None, None),
}


@pytest.fixture
def pets(project: Project) -> Task:
    types = {"id": sa.Text(), "txt": sa.Text(), "photo": sa.Text(), "sound": sa.Text(), "price": sa.Float()}
    project.database.create_table("pets", types)
    rows = [(key, *cells) for key, cells in ROWS.items()]
    project.database.upsert("pets", pd.DataFrame(rows, columns=["id", *COLUMNS]), ["id"])
    columns = [{"name": name, "type": kind} for name, kind in COLUMNS.items()]
    return Task.model_validate(
        {"name": "zoo", "title": "Which?", "classes": ["cat", "dog"], "columns": columns, "feedback": True}
    )


def test_a_note_stands_where_there_is_nothing(pets: Task, project: Project, tmp_path: Path) -> None:
    done = sample_tasks(project, pets, "pets", 10, to=tmp_path / "tasks.json")
    assert (done.points, done.partial, done.empty) == (3, 2, 1)
    assert sorted(done.frame["id"]) == ["all", "photo", "text"]
    sent = {task["id"]: task["data"] for task in json.loads(done.path.read_text(encoding="utf-8"))}
    assert [sent["all"][name] for name in COLUMNS] == list(ROWS["all"])
    assert "absent" not in sent["all"]["meta_info"]
    assert sent["text"]["meta_info"]["absent"] == ["photo", "sound", "price"]
    assert sent["text"]["photo"].startswith("data:image/svg+xml,")
    assert ">(no photo)</text>" in unquote(sent["text"]["photo"])
    assert (sent["text"]["sound"], sent["text"]["price"]) == ("", "(no price)")
    assert (sent["photo"]["txt"], sent["photo"]["photo"]) == ("(no txt)", "https://pets/dog.png")
    assert "(txt, photo, sound, price); a note" in done.guide.read_text(encoding="utf-8")


def test_reading_takes_the_note_out_again(
    pets: Task, project: Project, tmp_path: Path, annotation: Any
) -> None:
    done = sample_tasks(project, pets, "pets", 10, to=tmp_path / "tasks.json")
    tasks = json.loads(done.path.read_text(encoding="utf-8"))
    mark = {
        "from_name": "words_in_txt", "to_name": "txt", "type": "labels", "value": {"text": "no", "labels": ["dog"]},
    }  # fmt: skip
    choice = {"from_name": "label", "to_name": "txt", "type": "choices", "value": {"choices": ["dog"]}}
    for number, task in enumerate(tasks):
        task |= {"id": number, "annotations": [annotation(3, result=[mark, choice])]}
    read = parse_export(tasks, "here")
    for task in read:  # what counts as seen is what the table holds, so that none looks changed
        table = dict(zip(COLUMNS, ROWS[task.data.ref_id], strict=True))
        assert task.data.meta_info.seen == seen_of(table)
    frame = collect(read, pets, "here").frame().set_index("id")
    assert frame.loc["photo", "3_words"] is None  # it was marked in the note
    assert frame.loc["text", "3_words"] == [{"class": "dog", "column": "txt", "text": "no"}]


def test_nothing_to_show_of_any_point(pets: Task, project: Project) -> None:
    with pytest.raises(AnnotationError, match="none of the 1 points drawn has anything in txt, photo, sound"):
        sample_tasks(project, pets, "pets where id = 'none'", 5)
