"""Every export that cannot be used: one line that says what was given, expected, and to do."""

import json
from pathlib import Path
from typing import Any

import pytest

from adaptml.errors import AnnotationError
from labelstudio.export import check_task, load_export, parse_export

DATA = {"ref_id": "1", "meta_info": {"table_name": "posts", "task": "zoo"}}
MIN_ROW = {"ref_id": "1", "topic": "NONE", "annotator": 4, "annotation_id": 2}

BAD = {
    "": "is empty; export the project from Label Studio as JSON",
    "  \n": "is empty; export the project from Label Studio as JSON",
    "annotation_id,annotator\n2,4\n": "is not JSON (line 1: Expecting value); export the project as JSON",
    '{"id": 1}': "is not a list of tasks; export the project as JSON",
    "[1, 2]": "is not a list of tasks; export the project as JSON",
    "[]": "holds no tasks; annotate some, then export the project as JSON",
    json.dumps([MIN_ROW]): "is a JSON_MIN export, which loses cancelled annotations; export it as JSON",
    json.dumps([{"id": "1", "data": DATA}] * 2): (
        "holds 2 tasks and no annotations, like a file to import; "
        "annotate them in Label Studio, then export the project as JSON"
    ),
    json.dumps([{"id": 1, "annotations": [], "data": {"txt": "x"}}]): (
        "has 2 places unlike a JSON export of tasks from `sample-tasks`: "
        "[0].data.ref_id: missing, [0].data.meta_info: missing; "
        "import the file that `sample-tasks` wrote and export the project as JSON"
    ),
}


@pytest.mark.parametrize("text", BAD)
def test_unusable_files(text: str, tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(AnnotationError) as error:
        load_export(path)
    assert str(error.value) == f"{path} {BAD[text]}"


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match="cannot be read: No such file or directory; expected a JSON"):
        load_export(tmp_path / "nowhere.json")


def test_not_text(tmp_path: Path) -> None:
    (tmp_path / "export.json").write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(AnnotationError, match="cannot be read: it is not text; expected a JSON"):
        load_export(tmp_path / "export.json")


@pytest.mark.parametrize(
    ("given", "read"), [(3, 3), ({"id": 3, "email": "a@b.c"}, 3), (None, None), ({}, None)]
)
def test_both_forms_of_completed_by(given: Any, read: int | None) -> None:
    annotation = {"id": 1, "completed_by": given, "result": []}
    (task,) = parse_export([{"id": 1, "annotations": [annotation], "data": DATA}], "here")
    assert task.annotations[0].completed_by == read


@pytest.mark.parametrize("name", ["id", {"id": "table_name"}, "majority"])
def test_an_annotator_is_a_number(name: Any) -> None:
    annotation = {"id": 1, "completed_by": name, "result": []}
    with pytest.raises(
        AnnotationError, match=r"\[0\]\.annotations\[0\]\.completed_by: Input should be a valid integer"
    ):
        parse_export([{"id": 1, "annotations": [annotation], "data": DATA}], "here")


def test_numbers_as_keys_are_text() -> None:
    data = {"ref_id": 7, "meta_info": {"table_name": "posts", "task": "zoo"}}
    (task,) = parse_export([{"id": 1, "annotations": [], "data": data}], "here")
    assert task.data.ref_id == "7"


def test_other_tasks_are_named_with_their_counts(exported: Any) -> None:
    tasks = parse_export([exported("1"), exported("2", task="farm"), exported("3", task="farm")], "here")
    with pytest.raises(AnnotationError) as error:
        check_task(tasks, "zoo", "here")
    assert str(error.value) == (
        "here holds annotations of 'farm' (2 points), 'zoo' (1 points); expected only those of 'zoo': "
        "name that task, or export one project at a time"
    )
    with pytest.raises(
        AnnotationError, match=r"annotations of 'farm' \(2 points\); expected only those of 'zoo'"
    ):
        check_task(tasks[1:], "zoo", "here")
    check_task(tasks[:1], "zoo", "here")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "[" * 100_000,
            "is nested too deeply; expected a JSON export of Label Studio: export it again",
        ),
        (
            f'[{{"id": {"9" * 5000}}}]',
            "holds a number of thousands of digits; expected a JSON export of Label Studio: export it again",
        ),
    ],
)
def test_what_the_json_reader_refuses(text: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(AnnotationError) as error:
        load_export(path)
    assert str(error.value) == f"{path} {reason}"


@pytest.mark.parametrize("place", ["ref_id", "table_name"])
def test_half_a_character_in_a_key(place: str, tmp_path: Path) -> None:
    meta = {"table_name": "posts", "task": "zoo"}
    data = {"ref_id": "1", "meta_info": meta}
    (data if place == "ref_id" else meta)[place] = "a\ud83db"
    path = tmp_path / "export.json"
    path.write_text(json.dumps([{"id": 1, "annotations": [], "data": data}]), encoding="utf-8")
    with pytest.raises(AnnotationError) as error:
        load_export(path)
    assert f"{place}: 'a\\ud83db' holds half a character, which is no text" in str(error.value)
    str(error.value).encode()


def test_null_is_absent() -> None:
    annotation = {"id": 1, "completed_by": 3, "result": None, "was_cancelled": None, "ground_truth": None}
    task = {"id": 1, "annotations": [annotation], "drafts": None, "data": DATA}
    result = {"from_name": None, "type": None, "value": None}
    first, second, third = parse_export(
        [task, task | {"annotations": None}, task | {"annotations": [annotation | {"result": [result]}]}],
        "here",
    )
    assert (first.annotations[0].result, first.annotations[0].was_cancelled, first.drafts) == ((), False, ())
    assert second.annotations == ()
    assert third.annotations[0].result[0].chosen is None


def test_exports_of_before_1_0_are_read() -> None:
    made = {"id": 1, "completed_by": 3, "created_at": 1606829893, "result": []}
    (task,) = parse_export([{"id": 1, "completions": [made], "data": DATA}], "here")
    (annotation,) = task.annotations
    assert (annotation.completed_by, annotation.claimed) == (3, True)
    assert annotation.created_at is not None
    assert annotation.created_at.year == 2020
