"""The example's files for Label Studio, given to a real one as its page gives them: uploaded, by name."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adaptml.tasks.annotating import label_config
from adaptml.tasks.loader import load_task
from example_data.make_annotations import EXPORT, TASKS
from labelstudio.client import LabelStudio

pytestmark = pytest.mark.timeout(1800)
REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def project(owner: LabelStudio) -> Iterator[int]:
    """Number of a project with the example's configuration and no tasks."""
    config = label_config(load_task("example", REPOSITORY / "tasks"))
    number = owner.create_project(title="shipped", label_config=config)["id"]
    yield number
    owner.call("DELETE", f"/api/projects/{number}/")


def upload(owner: LabelStudio, project: int, path: Path) -> Any:
    files = {"file": (path.name, path.read_bytes(), "application/json")}
    return owner.call("POST", f"/api/projects/{project}/import", files=files)


def test_the_task_file_is_imported(owner: LabelStudio, project: int) -> None:
    assert upload(owner, project, TASKS)["task_count"] == 90
    tasks = owner.export(project, [])
    assert {task["data"]["ref_id"] for task in tasks} >= {"001", "004"}


def test_the_export_is_imported_with_its_annotations(owner: LabelStudio, project: int) -> None:
    answer = upload(owner, project, EXPORT)
    annotations = [
        one for task in json.loads(EXPORT.read_text(encoding="utf-8")) for one in task["annotations"]
    ]
    assert (answer["task_count"], answer["annotation_count"]) == (90, len(annotations))
