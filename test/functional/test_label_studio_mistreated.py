"""A real Label Studio that is killed, restarted, out of reach, or asked for what it refuses."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from label_studio_people import annotate, choose, delete_project, table, tasks_of

from adaptml.errors import LabelStudioError, LabelStudioUnavailableError
from adaptml.project import Project
from labelstudio import push as pushing
from labelstudio import sample_tasks
from labelstudio.annotate import pull, push, setup
from labelstudio.client import LabelStudio
from labelstudio.local_server import LocalServer
from labelstudio.project import find_project

# The first test of a fresh checkout installs the server.
pytestmark = pytest.mark.timeout(1800)
REPOSITORY = Path(__file__).resolve().parents[2]
CLASSES = ["cat", "dog", "bird"]
_tokens: dict[str, str] = {}


def test_wrong_tokens_addresses_and_projects(
    here: Project,
    make_task: Any,
    label_studio: LocalServer,
    owner: LabelStudio,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    task = make_task()
    url = label_studio.url
    with pytest.raises(LabelStudioError) as error:
        push(here, task, "posts", 1)
    assert str(error.value) == (
        f"Label Studio at {url} has no project of task {task.name!r}, or it was deleted; "
        f"run `adaptml annotate setup {task.name}`"
    )
    table(here, "posts", ["one"])
    number = setup(here, task).project
    push(here, task, "posts", 1)
    delete_project(owner, number)
    with pytest.raises(LabelStudioError, match="or it was deleted; run `adaptml annotate setup"):
        pull(here, task)
    with pytest.raises(LabelStudioError, match=f"has no projects/{number}: was the project deleted"):
        owner.project(number)
    for token in ("wrong", "e30.e30.e30"):
        monkeypatch.setenv("ADAPTML_LABEL_STUDIO_TOKEN", token)
        with pytest.raises(
            LabelStudioError, match=f"^Label Studio at {url} refuses the token: .*; copy a token"
        ) as error:
            setup(Project(), task)
        assert error.value.status == 401
    # A project that was deleted and made anew begins anew.
    monkeypatch.delenv("ADAPTML_LABEL_STUDIO_TOKEN")
    assert setup(here, task).created
    assert push(here, task, "posts", 1)[1].sent == 1


def command(*arguments: str) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    words = [sys.executable, "-m", "adaptml.cli", "annotate", *arguments]
    return subprocess.Popen(
        words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def killed_when(process: subprocess.Popen[str], begun: Callable[[], bool]) -> None:
    """End the process as a power cut would, as soon as it is in the middle of its work."""
    deadline = time.monotonic() + 120
    while process.poll() is None and not begun() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_killed_in_the_middle_and_run_again(
    here: Project, make_task: Any, owner: LabelStudio, people: list[LabelStudio]
) -> None:
    n = 2100
    table(here, "posts", [f"text {i}" for i in range(n)])
    task = make_task()
    project = setup(here, task).project

    def there() -> int:
        return int(owner.project(project)["task_number"])

    for least in (1, 1001):
        killed_when(
            command("push", task.name, "--data", "posts", "--n", str(n)), lambda least=least: there() >= least
        )
    push(here, task, "posts", n)
    assert len(tasks_of(owner, task)) == there() == n

    for number in list(tasks_of(owner, task).values())[:5]:
        annotate(people[0], number, choose("cat"))
    copy = here.settings.annotations(task.name) / "label_studio.sqlite3"
    shutil.rmtree(copy.parent)  # as on another machine: everything is read again

    def rows() -> int:
        if not copy.is_file():
            return 0
        with closing(sqlite3.connect(copy, timeout=60)) as connection:
            made = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'task'").fetchone()[0]
            return int(connection.execute("SELECT count(*) FROM task").fetchone()[0]) if made else 0

    for least in (1, 600):
        killed_when(command("pull", task.name), lambda least=least: rows() >= least)
    before = rows()
    found = pull(here, task)
    assert 0 < before < n
    assert found.read <= n - before + 250
    assert len(found.done.ann_df) == n
    assert len(found.done.gold.frame) == 5


def test_a_server_that_is_away(
    here: Project, make_task: Any, label_studio: LocalServer, people: list[LabelStudio]
) -> None:
    task = make_task()
    table(here, "posts", ["one", "two"])
    setup(here, task)
    label_studio.kill()
    with (
        LabelStudio(label_studio.url, label_studio.token, patience_s=1) as impatient,
        pytest.raises(LabelStudioUnavailableError) as error,
    ):
        impatient.project(1)
    assert str(error.value).startswith(f"Label Studio at {label_studio.url} does not answer (")
    assert str(error.value).endswith(
        "see that it runs and that label_studio_url is its address, then try again"
    )
    restart = threading.Timer(2, label_studio.start)
    restart.start()
    try:
        with LabelStudio(label_studio.url, label_studio.token, patience_s=180) as patient:
            assert any(task.name in (p["description"] or "") for p in patient.projects())
    finally:
        restart.join()
    assert push(here, task, "posts", 2)[1].sent == 2


def test_the_token_file_is_its_owners_alone(label_studio: LocalServer) -> None:
    for name in ("token", "accounts.json"):
        assert (label_studio.home / name).stat().st_mode & 0o777 == 0o600
    passwords = Counter(a.password for a in [label_studio.admin, *label_studio.annotators])
    assert len(passwords) == 3
    with pytest.raises(LabelStudioError, match="is taken; stop what uses it, or give another port"):
        LocalServer(
            REPOSITORY / ".labelstudio", label_studio.home, int(label_studio.url.rsplit(":", 1)[1])
        ).start()


def test_refused_points_are_named_and_the_others_arrive(
    here: Project, make_task: Any, owner: LabelStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = make_task()
    table(here, "posts", [f"post {i}" for i in range(30)])
    setup(here, task)

    def spoilt(*given: Any, **named: Any) -> list[dict[str, Any]]:
        entries = sample_tasks.label_studio_tasks(*given, **named)
        for entry in entries:
            if entry["data"]["ref_id"] in {"00003", "00017"}:
                entry["data"]["txt"] = {"no": "text"}
        return entries

    with monkeypatch.context() as patch:
        patch.setattr(pushing, "label_studio_tasks", spoilt)
        _, done = push(here, task, "posts", 30)
    assert (done.sent, sorted(done.refused)) == (28, ["00003", "00017"])
    assert all("is of type 'dict'" in reason for reason in done.refused.values())
    assert len(tasks_of(owner, task)) == 28
    _, done = push(here, task, "posts", 30)
    assert (done.sent, done.there, done.refused) == (2, 28, {})


def test_a_page_that_shows_what_the_task_does_not_send(
    here: Project, make_task: Any, owner: LabelStudio
) -> None:
    task = make_task()
    table(here, "posts", [f"post {i}" for i in range(30)])
    number = setup(here, task).project
    page = find_project(owner, task)["label_config"]
    more = page.replace("</View>", '<Text name="more" value="$more"/></View>')
    owner.update_project(number, label_config=more)
    with pytest.raises(LabelStudioError, match=r"refuses more than 20 of the points.*more.* key is expected"):
        push(here, task, "posts", 30)
    assert tasks_of(owner, task) == {}
    owner.update_project(number, label_config=page)
    assert push(here, task, "posts", 30)[1].sent == 30
