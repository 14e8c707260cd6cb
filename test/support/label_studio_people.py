"""What only tests do with a Label Studio: people's tokens, and annotating in their names."""

from collections.abc import Sequence
from typing import Any

import httpx
import pandas as pd
import sqlalchemy as sa

from adaptml.project import Project
from adaptml.tasks import Task
from labelstudio.client import LabelStudio
from labelstudio.local_accounts import TIMEOUT_S, Account, log_in
from labelstudio.project import find_project

Json = dict[str, Any]


def personal_token(url: str, account: Account) -> str:
    """A new personal access token of an account that has none."""
    with httpx.Client(base_url=url, timeout=TIMEOUT_S) as browser:
        log_in(browser, account)
        headers = {"X-CSRFToken": str(browser.cookies.get("csrftoken")), "Referer": url}
        answer = browser.post("/api/token/", headers=headers)
    assert answer.status_code in (httpx.codes.OK, httpx.codes.CREATED), answer.text
    return str(answer.json()["token"])


def annotate(person: LabelStudio, task: int, result: Sequence[Json], **fields: Any) -> Json:
    """Annotate a task in the name of the token's owner."""
    made = person.call("POST", f"/api/tasks/{task}/annotations/", json={"result": list(result)} | fields)
    return dict(made)


def delete_project(owner: LabelStudio, project: int) -> None:
    """Delete a project and everything in it."""
    owner.call("DELETE", f"/api/projects/{project}/", repeatable=True)


def table(here: Project, name: str, texts: list[str], ids: list[str] | None = None) -> None:
    here.database.create_table(name, {"id": sa.Text(), "txt": sa.Text()})
    keys = ids or [f"{i:05d}" for i in range(len(texts))]
    here.database.upsert(name, pd.DataFrame({"id": keys, "txt": texts}), ["id"])


def choose(*names: str) -> list[dict[str, Any]]:
    value = {"choices": list(names)}
    return [{"from_name": "label", "to_name": "txt", "type": "choices", "value": value}]


def tasks_of(owner: LabelStudio, task: Task) -> dict[str, int]:
    """Task numbers by the id of their data point."""
    project = int(find_project(owner, task)["id"])
    listed, total = owner.list_tasks(project, 5000)
    found = {str(entry["data"]["ref_id"]): int(entry["id"]) for entry in listed}
    assert len(found) == total == len(listed)
    return found


def cells(frame: pd.DataFrame, column: str) -> list[Any]:
    return [None if cell is None else list(cell) for cell in frame[column]]
