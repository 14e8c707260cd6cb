"""A small task and the parts of a Label Studio export, in the shape that Label Studio 1.23 writes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adaptml.tasks import Task

Json = dict[str, Any]


def choices(*names: str, control: str = "label") -> Json:
    value = {"choices": list(names)}
    return {"from_name": control, "to_name": "txt", "type": "choices", "value": value, "origin": "manual"}


@pytest.fixture
def make_task(clean_room: Path) -> Callable[..., Task]:
    def make(setting: str = "multilabel", classes: str = "cat dog left-wing right-wing") -> Task:
        return Task.model_validate(
            {
                "name": "zoo",
                "title": "Which is it about?",
                "setting": setting,
                "classes": [{"name": name} for name in classes.split()],
                "columns": [{"name": "txt"}],
                "lf_features": ["txt"],
                "features": ["txt_vec"],
                "folder": clean_room / "tasks" / "zoo",
            }
        )

    return make


@pytest.fixture
def annotation() -> Callable[..., Json]:
    """`annotation(3, "cat", "dog")`: annotator 3 chose two classes; ids count upwards."""
    made: list[int] = []

    def make(annotator: Any, *names: str, result: list[Json] | None = None, **other: Any) -> Json:
        made.append(1)
        return {
            "id": len(made),
            "completed_by": annotator,
            "updated_by": annotator,
            "result": [choices(*names)] if result is None else result,
            "was_cancelled": False,
            "ground_truth": False,
            "created_at": "2026-11-22T19:52:08.610939Z",
            "updated_at": "2026-11-22T19:52:08.610974Z",
            **other,
        }

    return make


@pytest.fixture
def exported() -> Callable[..., Json]:
    """`exported("07", first, second)`: the task of point 07 with two annotations."""

    def make(key: str, *annotations: Json, task: str = "zoo", table: str = "posts", **other: Any) -> Json:
        data = {"ref_id": key, "meta_info": {"table_name": table, "task": task}, "txt": "text"}
        return {"id": int(key), "annotations": list(annotations), "drafts": [], "data": data, **other}

    return make


@pytest.fixture
def write_export(tmp_path: Path) -> Callable[[list[Json]], Path]:
    def write(tasks: list[Json]) -> Path:
        path = tmp_path / "export.json"
        path.write_text(json.dumps(tasks), encoding="utf-8")
        return path

    return write
