"""A worker of the stack: it claims jobs from the page's container over HTTP, and answers its questions."""

import json
import logging
import threading
import urllib.request
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from adaptml.errors import AdaptmlError, SettingsError, one_line
from adaptml.masking import remember
from portal.asks.core import Ask, AskError
from portal.asks.wire import error_message
from portal.jobs.job import Work

WAIT_S = 5.0  # that the page keeps an idle worker's request
TIMEOUT_S = 60.0
AWAY_S = 5.0
ANSWERERS = 4
log = logging.getLogger("adaptml.worker")


@cache
def _opener() -> urllib.request.OpenerDirector:
    """What asks the page, which is never behind a proxy; making one reads the environment."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


def read_token(folder: Path, room: str) -> str:
    """The token of a room's worker.

    Args:
        folder: of the tokens.
        room: the worker's.

    Raises:
        SettingsError: there is none.
    """
    path = token_path(folder, room)
    try:
        token = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be read: {error.strerror}; expected the token of the room {room}: "
            "start the stack with `adaptml up`, which makes it"
        ) from error
    if not token:
        raise SettingsError(f"{path} is empty; expected the token of the room {room}")
    remember(token)
    return token


def token_path(folder: Path, room: str) -> Path:
    """The file of the token with which a room's worker shows that it is that."""
    return folder / f"worker_{room}_token"


class Page:
    """The page, as a worker asks it."""

    def __init__(self, url: str, token: str) -> None:
        """Nothing is asked yet.

        Args:
            url: the page's address in the stack.
            token: of the worker's room.
        """
        self._url, self._token = url.rstrip("/"), token

    def post(self, path: str, message: Mapping[str, Any]) -> dict[str, Any]:
        """Send a message and wait for its answer; an empty one where there is nothing to say.

        Raises:
            OSError: the page is away, or does not want to hear it.
        """
        request = urllib.request.Request(  # noqa: S310 - an address of the stack
            f"{self._url}/worker/{path}",
            json.dumps(message, ensure_ascii=True).encode(),
            {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"},
        )
        try:
            with _opener().open(request, timeout=TIMEOUT_S) as answer:
                found: dict[str, Any] = json.loads(answer.read() or b"{}")
                return found
        except ValueError as error:
            raise OSError(f"an answer that is no JSON: {one_line(error)}") from error


class RemoteBoard:
    """The jobs of the page's container, for the worker of one room; see `running.Board`."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def claim(self, worker: str, rooms: Sequence[str]) -> Work | None:  # noqa: ARG002
        """As `JobStore.claim`; the token says which room it is, and the page waits a while for a job."""
        found = self._page.post("claim", {"worker": worker, "wait_s": WAIT_S})
        return Work(int(found["id"]), tuple(map(str, found["argv"]))) if found else None

    def beat(
        self, job: int, worker: str, *, pid: int | None = None, events: Sequence[Mapping[str, Any]] = (),
        text: str = "", place: int = 0,
    ) -> bool:  # fmt: skip
        """As `JobStore.beat`."""
        told = {"worker": worker, "pid": pid, "events": [*events], "text": text, "place": place}
        return bool(self._page.post(f"jobs/{job}/beat", told)["goes_on"])

    def finish(self, job: int, worker: str, state: str, error: str = "", answer: str = "") -> None:
        """As `JobStore.finish`."""
        told = {"worker": worker, "state": state, "error": error, "answer": answer}
        self._page.post(f"jobs/{job}/finish", told)


def answer_questions(page: Page, ask: Ask, stop: threading.Event) -> list[threading.Thread]:
    """Answer the page's questions to this room in threads of their own, until `stop` is set.

    Args:
        page: that asks.
        ask: answers, with child processes of this container.
        stop: is set when the worker ends.
    """
    threads = [
        threading.Thread(target=_answer, args=(page, ask, stop), daemon=True) for _ in range(ANSWERERS)
    ]
    for thread in threads:
        thread.start()
    return threads


def _answer(page: Page, ask: Ask, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            question = page.post("asks", {"wait_s": WAIT_S})
            if question:
                page.post(f"asks/{question['id']}", message_of(ask, question["kind"], question["payload"]))
        except OSError as error:  # the page is away or starts: nobody's fault, and it comes back
            log.debug("no questions can be had: %s", error)
            stop.wait(AWAY_S)


def message_of(ask: Ask, kind: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """The message that answers a question, or says why there is no answer; see `wire.result_of`."""
    try:
        return {"answer": ask(kind, **payload)}
    except AdaptmlError as error:
        return error_message(error) | {"printed": [*getattr(error, "printed", ())]}
    except Exception as error:  # the edge of a process: the next question is answered again
        log.exception("%s", kind)
        said = f"{kind} cannot be answered here: {type(error).__name__}: {one_line(error)}"
        return error_message(AskError(f"{said}; build the images anew with `adaptml up --build`"))
