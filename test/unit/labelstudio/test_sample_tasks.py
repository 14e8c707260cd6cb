"""Task files that Label Studio imports."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from adaptml.database import Vector
from adaptml.errors import AnnotationError, FileError, UnknownColumnError, UnknownTableError
from adaptml.project import Project
from adaptml.sampling import Sample
from adaptml.tasks import Task
from adaptml.tasks.annotating import coding_guide, label_config
from labelstudio.sample_tasks import label_studio_tasks, sample_tasks


@pytest.fixture
def posts(project: Project) -> int:
    database = project.database
    database.create_table(
        "posts", {"id": sa.Text(), "txt": sa.Text(), "stars": sa.Float(), "txt_vec": Vector()}
    )
    frame = pd.DataFrame(
        {"id": [f"{i:02}" for i in range(20)], "txt": [f"text {i} é" for i in range(20)], "stars": 1.5}
    )
    frame["txt_vec"] = pd.Series([np.array([0.5, i], dtype=np.float32) for i in range(20)], dtype=object)
    frame.loc[3, "txt"] = None
    database.upsert("posts", frame, ["id"])
    database.create_table("empty", {"id": sa.Text(), "txt": sa.Text()})
    return 20


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_the_form_that_label_studio_imports(posts: int, make_task: Any, project: Project) -> None:
    done = sample_tasks(project, make_task(), "posts", 5, columns=["txt", "stars", "txt_vec"])
    tasks = read(done.path)
    assert done.points == len(tasks) == 5
    for task in tasks:
        n = int(task["id"])
        assert task == {
            "id": f"{n:02}",
            "data": {
                "ref_id": f"{n:02}",
                "meta_info": {
                    "table_name": "posts",
                    "task": "zoo",
                    "sampling": "random n=5 seed=0",
                    "inclusion_prob": 0.25,
                },
                "txt": f"text {n} é" if n != 3 else "",
                "stars": 1.5,
                "txt_vec": [0.5, n],
            },
        }


@pytest.mark.parametrize("name", ["pipe.json", "zoo_config.xml"])
def test_all_files_are_written_or_none(
    posts: int, make_task: Any, tmp_path: Path, name: str, project: Project
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    os.mkfifo(folder / name)
    with pytest.raises(FileError, match=rf"{name} is a device, pipe or socket; expected a file"):
        sample_tasks(project, make_task(), "posts", 5, to=folder / "pipe.json")
    assert [path.name for path in folder.iterdir()] == [name]
    assert (folder / name).is_fifo()


def test_where_things_lie_by_default(posts: int, make_task: Any, settings: Any, project: Project) -> None:
    task = make_task()
    done = sample_tasks(project, task, "posts", 5, seed=7)
    assert done.path == settings.annotations("zoo") / "tasks_posts_5_seed7.json"
    assert done.config.read_text(encoding="utf-8") == label_config(task)
    assert done.guide.read_text(encoding="utf-8") == coding_guide(task)
    assert sorted(p.name for p in done.path.parent.iterdir()) == [
        "tasks_posts_5_seed7.json",
        "zoo_config.xml",
        "zoo_guide.md",
    ]


def test_the_named_file_as_typed(posts: int, make_task: Any, tmp_path: Path, project: Project) -> None:
    done = sample_tasks(project, make_task(), "posts", 5, to=tmp_path / "here" / "mine.json")
    assert done.path == tmp_path / "here" / "mine.json"
    assert done.config == tmp_path / "here" / "zoo_config.xml"


def test_the_seed_decides(posts: int, make_task: Any, project: Project) -> None:
    first, again, other = (
        read(sample_tasks(project, make_task(), "posts", 5, seed=s).path) for s in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_more_than_there_are_takes_all(posts: int, make_task: Any, project: Project) -> None:
    done = sample_tasks(project, make_task(), "posts", 1000)
    assert (done.points, done.partial, done.empty) == (19, 0, 1)
    assert len({task["id"] for task in read(done.path)}) == 19


@pytest.mark.parametrize("n", [0, -3])
def test_fewer_than_one(n: int, make_task: Any, project: Project) -> None:
    with pytest.raises(AnnotationError, match=f"^{n} points were asked for; expected at least 1$"):
        sample_tasks(project, make_task(), "posts", n)


def test_columns_that_annotators_need(make_task: Any, project: Project) -> None:
    with pytest.raises(AnnotationError) as error:
        sample_tasks(project, make_task(), "posts", 3, columns=["stars"])
    assert str(error.value) == "task 'zoo' shows txt to annotators, and the columns given are stars; add txt"


def test_columns_named_like_the_key(make_task: Any, project: Project) -> None:
    with pytest.raises(
        AnnotationError, match=r"^a column cannot be named ref_id, where the key is kept; rename it$"
    ):
        sample_tasks(project, make_task(), "posts", 3, columns=["txt", "ref_id"])


def test_unknown_table_and_column_and_no_rows(
    posts: int, make_task: Any, settings: Any, project: Project
) -> None:
    with pytest.raises(UnknownTableError, match="no table 'post'"):
        sample_tasks(project, make_task(), "post", 3)
    with pytest.raises(UnknownColumnError, match="table 'posts' has no column tags"):
        sample_tasks(project, make_task(), "posts", 3, columns=["txt", "tags"])
    with pytest.raises(AnnotationError, match="finds no point in table 'empty'; load rows"):
        sample_tasks(project, make_task(), "empty", 3)
    assert not settings.annotations("zoo").exists()


def test_values_that_json_lacks(make_task: Any) -> None:
    rows = pd.DataFrame({"table_name": ["t"], "id": ["1"], "txt": ["x"], "a": [float("nan")], "b": [pd.NaT]})
    rows["c"] = [np.int64(3)]
    rows["e"] = [pd.Timestamp("2026-11-22")]
    rows["d"] = [["one", "two"]]
    sample = Sample(rows[["table_name", "id"]].assign(inclusion_prob=np.nan), "diverse", 1, 0)
    ((task),) = label_studio_tasks(rows, make_task(), sample, [float("nan")])
    assert task["data"]["meta_info"]["inclusion_prob"] is None
    assert {k: task["data"][k] for k in "abcd"} == {"a": "", "b": "", "c": 3, "d": ["one", "two"]}
    assert task["data"]["e"] == "2026-11-22 00:00:00"


def test_a_condition_a_frame_and_another_sampling(posts: int, make_task: Any, project: Project) -> None:
    some = sample_tasks(project, make_task(), "posts where id < '03'", 5, seed=1)
    assert {task["id"] for task in read(some.path)} == {"00", "01", "02"}
    assert some.frame["inclusion_prob"].tolist() == [1.0] * 3
    keys = pd.DataFrame({"table_name": "posts", "id": ["07", "05"]})
    assert {task["id"] for task in read(sample_tasks(project, make_task(), keys, 5).path)} == {"05", "07"}
    diverse = sample_tasks(project, make_task(), "posts", 4, sampling="diverse")
    assert diverse.path.name == "tasks_posts_diverse_4_seed0.json"
    meta = [task["data"]["meta_info"] for task in read(diverse.path)]
    assert {(m["sampling"], m["inclusion_prob"]) for m in meta} == {("diverse n=4 seed=0", None)}


def test_a_task_without_columns(posts: int, project: Project) -> None:
    with pytest.raises(AnnotationError, match=r"task 'topic' has no columns to show .*; name them"):
        sample_tasks(project, Task(name="topic", classes=("a", "b")), "posts", 3)


@pytest.mark.parametrize(
    ("named", "written"),
    [("mine.json", "mine.json"), ("mine", "mine.json"), ("mine.txt", "mine.txt.json"), ("mine.JSON", "mine.JSON.json")],
)  # fmt: skip
def test_label_studio_imports_json_alone(
    named: str, written: str, posts: int, make_task: Any, tmp_path: Path, project: Project
) -> None:
    assert sample_tasks(project, make_task(), "posts", 2, to=tmp_path / named).path == tmp_path / written
    assert len(read(tmp_path / written)) == 2
