"""The few calls of Label Studio's API that we need, with retries, and every failure as one clear line.

Seen working with Label Studio 1.23.2, Community edition.
"""

import json
import time
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, Self

import httpx

from adaptml.errors import LabelStudioError, LabelStudioUnavailableError
from adaptml.masking import remember
from adaptml.settings import Settings

TIMEOUT = httpx.Timeout(300.0, connect=10.0)  # an import or export of thousands of tasks takes a while
PATIENCE_S = 30.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.25, 5.0
_AWAY = {502, 503, 504}
_PAGE = 100

Json = dict[str, Any]


class LabelStudio:
    """One Label Studio, as the owner of a token.

    A call that changes nothing is tried again, with growing pauses, while the server is away or restarting; a
    call that adds something only while it certainly was not received.
    """

    def __init__(self, url: str, token: str, patience_s: float = PATIENCE_S) -> None:
        """Connect on first use.

        Args:
            url: address, such as `http://127.0.0.1:8080`.
            token: a personal access token or a legacy token.
            patience_s: for how long a server that is away is tried again, in seconds.

        Raises:
            LabelStudioError: no token, or no address.
        """
        self.url = url.rstrip("/")
        self._token, self._patience_s = token, patience_s
        self._personal = token.count(".") == 2
        if not token:
            raise LabelStudioError(
                f"no token for Label Studio at {self.url}; put it into the file that label_studio_token_file "
                "names, or set ADAPTML_LABEL_STUDIO_TOKEN"
            )
        if not self.url.startswith(("http://", "https://")) or not token.isascii():
            raise LabelStudioError(
                f"label_studio_url is {url!r}; expected an address such as http://127.0.0.1:8080, and a "
                "token of plain letters and digits"
            )
        headers = {} if self._personal else {"Authorization": f"Token {token}"}
        self._http = httpx.Client(base_url=self.url, timeout=TIMEOUT, headers=headers)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    # projects

    def projects(self) -> Iterator[Json]:
        """All projects that the token can see."""
        page = 1
        while True:
            answer = self._get("/api/projects/", {"page": page, "page_size": _PAGE})
            yield from answer["results"]
            if not answer.get("next"):
                return
            page += 1

    def project(self, project: int) -> Json:
        """One project: label_config, task_number, total_annotations_number, …"""
        return dict(self._get(f"/api/projects/{project}/"))

    def summary(self, project: int) -> Json:
        """Counts of a project's annotations: created_labels by control and label, common_data_columns."""
        return dict(self._get(f"/api/projects/{project}/summary/"))

    def create_project(self, **fields: Any) -> Json:
        """Make a project."""
        return dict(self.call("POST", "/api/projects/", json=fields))

    def update_project(self, project: int, **fields: Any) -> Json:
        """Change a project."""
        return dict(self.call("PATCH", f"/api/projects/{project}/", json=fields, repeatable=True))

    def local_files(self, project: int) -> list[Json]:
        """The folders of the server's machine whose files a project may show."""
        return list(self._get("/api/storages/localfiles/", {"project": project}))

    def add_local_files(self, project: int, path: str, title: str) -> None:
        """Let a project show the files of a folder of the server's machine; nothing is imported from it.

        Raises:
            LabelStudioError: there is no such folder, or it is none that the server may serve.
        """
        fields = {"project": project, "path": path, "title": title, "use_blob_urls": True}
        self.call("POST", "/api/storages/localfiles/", json=fields)

    def users(self) -> dict[int, str]:
        """E-mail addresses of everybody in the organisation, by id."""
        return {int(user["id"]): str(user["email"]) for user in self._get("/api/users/")}

    # tasks

    def import_tasks(self, project: int, tasks: Sequence[Json]) -> list[int]:
        """Add tasks; gives their ids in the same order.

        Raises:
            LabelStudioError: Label Studio refuses them (nothing was added), or added another number.
        """
        params = {"return_task_ids": "true"}
        answer = self.call("POST", f"/api/projects/{project}/import", params=params, json=list(tasks))
        ids = [int(task) for task in answer.get("task_ids", [])]
        if len(ids) != len(tasks):
            raise LabelStudioError(
                f"Label Studio was sent {len(tasks)} tasks and says that it took {len(ids)}; "
                "expected all of them: push again, which sends the missing ones"
            )
        return ids

    def import_predictions(self, project: int, predictions: Sequence[Json]) -> int:
        """Add predictions to tasks; gives how many Label Studio kept, which drops some silently."""
        answer = self.call("POST", f"/api/projects/{project}/import/predictions", json=list(predictions))
        return int(answer["created"])

    def export(self, project: int, task_ids: Sequence[int]) -> list[Json]:
        """Tasks with everybody's annotations; ids of other projects, or of none, are left out."""
        params = {"exportType": "JSON", "download_all_tasks": "true", "ids[]": list(task_ids)}
        found: list[Json] = self._get(f"/api/projects/{project}/export", params)
        return found

    def list_tasks(
        self,
        project: int,
        n: int,
        *,
        after_id: int = 0,
        changed_after: str | None = None,
        only: Sequence[int] | None = None,
        predicted_by: str | None = None,
        order: str = "id",
    ) -> tuple[list[Json], int]:
        """At most n tasks without their annotations, and how many there are in all.

        Args:
            project: the project.
            n: how many to list; listing takes milliseconds a task.
            after_id: only tasks with a higher id.
            changed_after: only tasks that changed, or whose annotations did, after this ISO time.
            only: only tasks with these ids.
            predicted_by: only tasks with a prediction of this model version.
            order: `id` or `updated_at`, backwards with a `-` before it.
        """
        items = [_filter("id", "greater", "Number", after_id)]
        if changed_after is not None:
            items.append(_filter("updated_at", "greater", "Datetime", changed_after))
        if predicted_by is not None:
            items.append(_filter("predictions_model_versions", "contains", "List", predicted_by))
        query: Json = {"filters": {"conjunction": "and", "items": items}}
        query["ordering"] = [f"-tasks:{order[1:]}" if order.startswith("-") else f"tasks:{order}"]
        if only is not None:
            query["selectedItems"] = {"all": False, "included": list(only)}
        params = {"project": project, "page": 1, "page_size": n, "query": json.dumps(query)}
        answer = self._get("/api/tasks/", params)
        return list(answer["tasks"]), int(answer["total"])

    def delete_task(self, task: int) -> None:
        """Delete a task and what was said about it."""
        self.call("DELETE", f"/api/tasks/{task}/", repeatable=True)

    # any call

    def _get(self, path: str, params: Json | None = None) -> Any:
        return self.call("GET", path, params=params, repeatable=True)

    def call(self, method: str, path: str, *, repeatable: bool = False, **options: Any) -> Any:
        """The decoded answer of one call of the API.

        Args:
            method: such as `GET`.
            path: such as `/api/projects/`.
            repeatable: whether the call can be sent again while the server is away, with growing pauses, even
                where it may have been received.
            options: passed to httpx, such as `json`.

        Raises:
            LabelStudioError: Label Studio refuses, or is away for longer than `patience_s`.
        """
        deadline, pause = time.monotonic() + self._patience_s, _FIRST_PAUSE_S
        while True:
            try:
                return self._decoded(self._send(method, path, options), path)
            except LabelStudioUnavailableError as error:
                unreceived = isinstance(error.__cause__, httpx.ConnectError | httpx.ConnectTimeout)
                if not (repeatable or unreceived) or time.monotonic() + pause > deadline:
                    raise
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_S)

    def _send(self, method: str, path: str, options: Json) -> httpx.Response:
        """One request; an access token that has run out is renewed once."""
        answer = self._request(method, path, options)
        if answer.status_code == httpx.codes.UNAUTHORIZED and self._personal:
            renewed = self._request("POST", "/api/token/refresh/", {"json": {"refresh": self._token}})
            access = self._decoded(renewed, "/api/token/refresh/").get("access", "")
            self._http.headers["Authorization"] = f"Bearer {access}"
            answer = self._request(method, path, options)
        return answer

    def _request(self, method: str, path: str, options: Json) -> httpx.Response:
        try:
            answer = self._http.request(method, path, **options)
        except httpx.TransportError as error:
            reason = str(error) or type(error).__name__
            raise LabelStudioUnavailableError(
                f"Label Studio at {self.url} does not answer ({reason}); see that it runs and that "
                "label_studio_url is its address, then try again"
            ) from error
        except httpx.InvalidURL as error:
            raise LabelStudioError(
                f"label_studio_url {self.url!r} is not an address ({error}); expected such as http://127.0.0.1:8080"
            ) from error
        if answer.status_code in _AWAY:
            raise LabelStudioUnavailableError(
                f"Label Studio at {self.url} is away (status {answer.status_code}); try again in a while",
                answer.status_code,
            )
        return answer

    def _decoded(self, answer: httpx.Response, path: str) -> Any:
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            raise LabelStudioError(
                f"Label Studio at {self.url} refuses the token: {_reason(answer)}; copy a token from "
                "Account & Settings in Label Studio into the file that label_studio_token_file names",
                answer.status_code,
            )
        if answer.status_code == httpx.codes.NOT_FOUND and "/projects/" in path:
            raise LabelStudioError(
                f"Label Studio at {self.url} has no {path.strip('/').removeprefix('api/')}: was the project "
                "deleted? run `adaptml annotate setup`",
                answer.status_code,
            )
        if answer.is_error:
            raise LabelStudioError(
                f"Label Studio at {self.url} refuses {answer.request.method} {path} "
                f"(status {answer.status_code}): {_reason(answer)}",
                answer.status_code,
            )
        if answer.status_code == httpx.codes.NO_CONTENT:
            return None
        try:
            return answer.json()
        except ValueError as error:
            raise LabelStudioError(
                f"{self.url} does not answer as Label Studio does (no JSON at {path}); "
                "see that label_studio_url is its address"
            ) from error


def connect(settings: Settings, patience_s: float = PATIENCE_S) -> LabelStudio:
    """The Label Studio that the settings name.

    Args:
        settings: with its address and token.
        patience_s: as for `LabelStudio`.

    Raises:
        LabelStudioError: there is no token.
    """
    token = settings.label_studio_token.get_secret_value()
    path = settings.label_studio_token_file
    if not token and path.is_file():
        token = path.read_text(encoding="utf-8").strip()
        remember(token)
    return LabelStudio(settings.label_studio_url, token, patience_s)


def _filter(column: str, operator: str, kind: str, value: object) -> Json:
    return {"filter": f"filter:tasks:{column}", "operator": operator, "type": kind, "value": value}


def _reason(answer: httpx.Response) -> str:
    """The reason that Label Studio gives for an error, as one line."""
    try:
        content = answer.json()
    except ValueError:
        return answer.reason_phrase or "no reason given"
    if not isinstance(content, dict):
        return json.dumps(content)[:300]
    details = content.get("validation_errors") or content.get("detail") or content
    text = details if isinstance(details, str) else json.dumps(details, ensure_ascii=False)
    return " ".join(text.split())[:300]
