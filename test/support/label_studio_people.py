"""What only tests do with a Label Studio: people's tokens, and annotating in their names."""

from collections.abc import Sequence
from typing import Any

import httpx

from labelstudio.client import LabelStudio
from labelstudio.local_accounts import TIMEOUT_S, Account, log_in

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
