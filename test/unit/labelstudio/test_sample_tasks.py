"""Task files that Label Studio imports."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from adaptml.database import Vector, open_database
from adaptml.errors import AnnotationError, FrameError, UnknownColumnError, UnknownTableError
from adaptml.sampling import Sample
from adaptml.tasks.annotating import coding_guide, label_config
from labelstudio.sample_tasks import label_studio_tasks, sample_tasks


@pytest.fixture
def posts(clean_room: Path) -> int:
    database = open_database()
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
    database.close()
    return 20


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_the_form_that_label_studio_imports(posts: int, make_task: Any) -> None:
    done = sample_tasks("posts", ["txt", "stars", "txt_vec"], 5, make_task())
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


@pytest.mark.parametrize("name", ["pipe", "zoo_config.xml"])
def test_all_files_are_written_or_none(posts: int, make_task: Any, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    os.mkfifo(folder / name)
    with pytest.raises(FrameError, match=rf"{name} is a device, pipe or socket; expected a file"):
        sample_tasks("posts", ["txt"], 5, make_task(), folder / "pipe")
    assert [path.name for path in folder.iterdir()] == [name]
    assert (folder / name).is_fifo()


def test_where_things_lie_by_default(posts: int, make_task: Any, settings: Any) -> None:
    task = make_task()
    done = sample_tasks("posts", ["txt"], 5, task, seed=7)
    assert done.path == settings.annotations("zoo") / "tasks_posts_5_seed7.json"
    assert done.config.read_text(encoding="utf-8") == label_config(task)
    assert done.guide.read_text(encoding="utf-8") == coding_guide(task)
    assert sorted(p.name for p in done.path.parent.iterdir()) == [
        "tasks_posts_5_seed7.json",
        "zoo_config.xml",
        "zoo_guide.md",
    ]


def test_the_named_file_as_typed(posts: int, make_task: Any, tmp_path: Path) -> None:
    done = sample_tasks("posts", ["txt"], 5, make_task(), filename=tmp_path / "here" / "mine.json")
    assert done.path == tmp_path / "here" / "mine.json"
    assert done.config == tmp_path / "here" / "zoo_config.xml"


def test_the_seed_decides(posts: int, make_task: Any) -> None:
    first, again, other = (
        read(sample_tasks("posts", ["txt"], 5, make_task(), seed=s).path) for s in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_more_than_there_are_takes_all(posts: int, make_task: Any) -> None:
    done = sample_tasks("posts", ["txt"], 1000, make_task())
    assert (done.points, done.empty) == (20, 1)
    assert len({task["id"] for task in read(done.path)}) == 20


@pytest.mark.parametrize("n", [0, -3])
def test_fewer_than_one(n: int, make_task: Any) -> None:
    with pytest.raises(AnnotationError, match=f"^{n} points were asked for; expected at least 1$"):
        sample_tasks("posts", ["txt"], n, make_task())


def test_columns_that_annotators_need(make_task: Any) -> None:
    with pytest.raises(AnnotationError) as error:
        sample_tasks("posts", ["stars"], 3, make_task())
    assert str(error.value) == "task 'zoo' shows txt to annotators, and the columns given are stars; add txt"


def test_columns_named_like_the_key(make_task: Any) -> None:
    with pytest.raises(
        AnnotationError, match=r"^a column cannot be named ref_id, where the key is kept; rename it$"
    ):
        sample_tasks("posts", ["txt", "ref_id"], 3, make_task())


def test_unknown_table_and_column_and_no_rows(posts: int, make_task: Any, settings: Any) -> None:
    with pytest.raises(UnknownTableError, match="no table 'post'"):
        sample_tasks("post", ["txt"], 3, make_task())
    with pytest.raises(UnknownColumnError, match="table 'posts' has no column tags"):
        sample_tasks("posts", ["txt", "tags"], 3, make_task())
    with pytest.raises(AnnotationError, match=r"^table 'empty' has no rows; load some before sampling$"):
        sample_tasks("empty", ["txt"], 3, make_task())
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
