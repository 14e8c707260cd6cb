"""Every step of a small project, its service and its page, in this one process; says what each leaves open.

    python -X dev -W error::ResourceWarning every_step.py FOLDER

A line for each step: its name, how it ended, and how many connections to SQLite files it opened and left open. Python
itself warns of those from 3.13 on only.
"""

import os
import shlex
import signal
import socket
import sqlite3
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import typer

import adaptml
from adaptml.cli import main
from portal.asks import persistent
from portal.asks.children import _told
from portal.asks.wire import receive, send
from portal.start import ui

BEFORE_LABELS = (
    "import more.csv more", "tables", "task list", "task new other --classes a,b",
    "task check spam --data comments", "featurize spam --data comments", "features comments", "find comments --condition 'text contains free'",
    "lemmas words", "sample-tasks spam --data comments --n 5", "sample-points spam --data comments --n 5",
    "process-annotations spam annotations.json --choice 1", "annotator-agreement spam", "gold spam",
    "lfs spam --data comments", "label spam --data comments --gold task --write",
)  # fmt: skip
AFTER_LABELS = (
    "runs spam", "settings", "lfs spam --history", "lfs spam --diff {run} {run}",
    "sample-points spam --data comments --n 5 --sampling disagreement --run {run}", "train spam --train {run}",
    "compare spam --train {run} --gold task", "deploy multiclass_spam", "predict spam --data comments --write",
    "watch spam --data comments", "export multiclass_spam out", "jobs",
    "forget comments h1 --yes",
)  # fmt: skip
REFUSED = (
    "label nope --data comments",
    "label spam --data nope",
    "train spam --train 0",
    "predict spam --data nope",
)
PAGES = (
    "/", "/home/tables", "/tasks/spam/standing", "/tasks/spam/rules", "/tasks/spam/rules/table?table=comments", "/data/comments",
    "/data/comments/rows", "/tasks/spam/runs/list", "/tasks/spam/models/list", "/jobs",
)  # fmt: skip
SERVERS = {"serve": "[[200, 200]]", "ui": f"[{[200] * (1 + len(PAGES))}]", "questions of the page": "[True]"}
_opened: list[tuple[sqlite3.Connection, str]] = []


def remember(event: str, about: tuple[Any, ...]) -> None:
    """Python tells of every connection to a SQLite file."""
    if event == "sqlite3.connect/handle":
        _opened.append((about[0], "".join(traceback.format_stack())))


def is_open(connection: sqlite3.Connection) -> bool:
    try:
        connection.total_changes  # noqa: B018 - asked from any thread, it raises where the connection is closed
    except sqlite3.ProgrammingError:
        return False
    return True


@contextmanager
def step(name: str) -> Iterator[list[object]]:
    """A block that is one step; how it ended goes into the list."""
    ended: list[object] = []
    yield ended
    left = [where for connection, where in _opened if is_open(connection)]
    typer.echo("\n".join([f"{name}: {ended}, {len(_opened)} opened, {len(left)} left open", *left]))
    _opened.clear()


def command(words: str) -> None:
    with step(words) as ended:
        sys.argv = ["adaptml", *shlex.split(words)]
        try:
            main()
        except SystemExit as end:
            ended.append(end.code)


def meanwhile(ask: Callable[[str], object], ended: list[object]) -> Callable[[str], None]:
    """What a server is to do when it is ready: be asked, by another thread, and end as by Ctrl-C."""

    def asking(address: str) -> None:
        try:
            ended.append(ask(address))
        finally:
            os.kill(os.getpid(), signal.SIGINT)

    return lambda address: threading.Thread(target=asking, args=(address,)).start()


def asked_service(address: str) -> list[int]:
    with httpx.Client(base_url=address, timeout=60) as client:
        body = {"table_name": ["comments"], "id": ["s1"]}
        return [
            client.get("/health").status_code,
            client.post("/predict_multiclass_spam", json=body).status_code,
        ]


def asked_page(link: str) -> list[int]:
    address, token = link.split("/enter#")
    with httpx.Client(base_url=address, timeout=60) as client:
        own = {"Origin": address, "Sec-Fetch-Site": "same-origin"}
        entered = client.post("/enter", data={"token": token}, headers=own)
        return [entered.status_code, *(client.get(page).status_code for page in PAGES)]


def asked_behind_the_page(settings: adaptml.Settings) -> bool:
    """The process that answers the page's questions, as a thread of this one."""
    ours, theirs = socket.socketpair()
    child = threading.Thread(target=persistent.main, args=(theirs,))
    with ours, theirs:
        child.start()
        send(ours, _told(settings))
        assert receive(ours) == {"ready": True}
        asking, answering = socket.socketpair()
        with asking:
            with answering:
                socket.send_fds(ours, [b"?"], [answering.fileno()])
            send(asking, {"function": "portal.home.answers:modelling", "payload": {"task": "spam"}})
            answer = receive(asking)
        ours.shutdown(socket.SHUT_RDWR)
        child.join()
    return answer is not None and "answer" in answer


def every_step(folder: Path) -> None:
    with step("example"), adaptml.example_project(folder):
        os.chdir(folder)
    Path("more.csv").write_text("id,text\nm1,win a phone now\nm2,lovely song\n", encoding="utf-8")
    for words in BEFORE_LABELS:
        command(words)
    with step("run found"), adaptml.Project() as project:
        client = project.runs.client
        experiments = [each.experiment_id for each in client.search_experiments()]
        run = client.search_runs(experiments, max_results=1)[0].info.run_id
    for words in AFTER_LABELS:
        command(words.format(run=run))
    for words in REFUSED:
        command(words)
    with step("serve") as ended, adaptml.Project() as project:
        project.serve(port=0, on_ready=meanwhile(asked_service, ended))
    with step("ui") as ended, adaptml.Project() as project:
        ui(project, "127.0.0.1", 0, on_ready=meanwhile(asked_page, ended))
    with step("questions of the page") as ended, adaptml.Project() as project:
        ended.append(asked_behind_the_page(project.settings))


if __name__ == "__main__":
    sys.addaudithook(remember)
    every_step(Path(sys.argv[1]))
