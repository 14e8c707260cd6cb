"""The local copy of a project: what is in it after each page, and after a page that was cut short."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from adaptml.errors import AnnotationError
from labelstudio.local_copy import LocalCopy


def task(number: int, key: str, *, annotations: int = 0, drafts: int = 0) -> dict[str, Any]:
    made = [
        {"id": 10 * number + i, "completed_by": i, "updated_by": i, "lead_time": 3}
        for i in range(annotations)
    ]
    data = {"ref_id": key, "meta_info": {"table_name": "posts", "task": "zoo"}, "txt": "long " * 1000}
    return {"id": number, "data": data, "annotations": made, "drafts": [{"id": i} for i in range(drafts)]}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "copy.sqlite3"


def test_a_page_replaces_its_range(path: Path) -> None:
    with LocalCopy(path, "http://a", 1) as copy:
        copy.put_range(1, 3, [task(1, "a"), task(2, "b", annotations=2), task(3, "c")], next_id=4)
        copy.put_range(1, 3, [task(2, "b", annotations=1)], next_id=4)
        assert copy.counts() == (1, 1)
        assert copy.note("next_id") == "4"
        assert copy.find("posts", ["a", "b"]) == {"b": 2}
        assert copy.find("other", ["b"]) == {}
        (found,) = copy.tasks("here")
        assert (found.id, found.data.ref_id, len(found.annotations)) == (2, "b", 1)
    assert path.stat().st_size < 50_000  # texts are not kept


def test_a_page_that_fails_leaves_no_trace(path: Path) -> None:
    with LocalCopy(path, "http://a", 1) as copy:
        copy.put([task(1, "a")], next_id=2)
        with pytest.raises(KeyError):
            copy.put_range(1, 9, [task(2, "b"), {"data": {}}], next_id=10)
        assert copy.counts() == (1, 0)
        assert copy.note("next_id") == "2"


def test_another_project_begins_anew(path: Path) -> None:
    with LocalCopy(path, "http://a", 1) as copy:
        copy.put([task(1, "a")], read_until="now")
        digest = copy.digest()
    with LocalCopy(path, "http://a", 1) as copy:
        assert copy.counts() == (1, 0)
        assert copy.digest() == digest
    with LocalCopy(path, "http://a", 2) as copy:
        assert copy.counts() == (0, 0)
        assert copy.note("read_until") is None
        assert copy.digest() != digest


def test_of_a_point_with_two_tasks_the_untouched_one_is_a_duplicate(path: Path) -> None:
    with LocalCopy(path, "http://a", 1) as copy:
        copy.put([task(1, "a"), task(2, "a"), task(3, "b"), task(4, "b", annotations=1)])
        copy.put([task(5, "c", drafts=1), task(6, "c", annotations=1), task(7, "d")])
        assert sorted(copy.untouched_duplicates()) == [2, 3]


def test_tasks_that_push_did_not_make(path: Path) -> None:
    with LocalCopy(path, "http://a", 1) as copy:
        copy.put([{"id": 1, "data": {"txt": "by hand"}, "annotations": []}])
        with pytest.raises(AnnotationError, match="places unlike a JSON export of tasks from `sample-tasks`"):
            list(copy.tasks("project 1"))


def test_a_task_for_another_purpose_is_no_duplicate(path: Path) -> None:
    settling = task(2, "a")
    settling["data"]["meta_info"]["purpose"] = "adjudication"
    with LocalCopy(path, "http://a", 1) as copy:
        copy.put([task(1, "a", annotations=2), settling, task(3, "a")])
        assert copy.untouched_duplicates() == [3]
        assert copy.find("posts", ["a"]) == {"a": 1}
        assert copy.find("posts", ["a"], "adjudication") == {"a": 2}


def test_a_copy_of_an_earlier_version_is_read_anew(path: Path) -> None:
    with closing(sqlite3.connect(path)) as before, before:
        before.execute("CREATE TABLE task (id INTEGER PRIMARY KEY, ref_id TEXT)")
        before.execute("CREATE TABLE note (name TEXT PRIMARY KEY, value TEXT)")
        before.execute("INSERT INTO task VALUES (1, 'a')")
        before.execute("INSERT INTO note VALUES ('of', 'http://a 1'), ('read_until', 'now')")
    with LocalCopy(path, "http://a", 1) as copy:
        assert (copy.counts(), copy.note("read_until")) == ((0, 0), None)
        copy.put([task(1, "a")])
    with LocalCopy(path, "http://a", 1) as copy:
        assert copy.counts() == (1, 0)


def test_half_a_character_of_the_server_is_kept_as_a_question_mark(path: Path) -> None:
    with LocalCopy(path, "http://a", 1) as copy:
        copy.put([task(1, "a\ud83d")])
        assert copy.find("posts", ["a?"]) == {"a?": 1}


def test_what_decides_whether_an_annotation_counts_is_kept(path: Path) -> None:
    made = {"id": 1, "completed_by": 3, "updated_by": 4, "import_id": 7, "ground_truth": True, "result": []}
    with LocalCopy(path, "http://a", 1) as copy:
        copy.put([task(1, "a") | {"annotations": [made]}])
        (found,) = copy.tasks("here")
    (annotation,) = found.annotations
    assert (annotation.updated_by, annotation.import_id, annotation.ground_truth) == (4, 7, True)
