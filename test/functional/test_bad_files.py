"""Bad files, addresses and names, by the hundred: each one line on stderr, exit code 1 or 2, and nothing written.

They run in one process, each through the program's own entry, and share a project, which no case may change. One of
each kind runs as a process of its own, too.
"""

import hashlib
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from bad_case import GOOD, ROWS, Case
from bad_data import EXPORTS, FRAMES, labelled
from bad_steps import STEPS
from bad_tasks import RULES, YAML
from bad_words import ADDRESSES, IMPORTS, TYPED

from adaptml.cli import main
from adaptml.database import TextList, Vector
from adaptml.project import Project
from adaptml.tasks.scaffold import new_task

CASES = [*YAML, *RULES, *FRAMES, *EXPORTS, *ADDRESSES, *IMPORTS, *TYPED, *STEPS]


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Path:
    """A small project in which everything is right: a task `topic`, a table `posts`, training data."""
    room = tmp_path_factory.mktemp("bad") / "room"
    (room / "tasks").mkdir(parents=True)
    (room / "workspace").mkdir()
    shutil.copy(empty_store, room / "workspace" / "mlflow.db")
    new_task(room / "tasks", "topic", ["left", "right"], "multiclass")
    (room / "tasks/topic/task.yaml").write_text(GOOD)
    ids = [f"p{i}" for i in range(ROWS)]
    rows = {"id": ids, "txt": "left", "txt_lemmas": [["left"]] * ROWS, "vec": [[i, 1.0] for i in range(ROWS)]}
    with Project(room) as project:
        columns = {"id": sa.Text(), "txt": sa.Text(), "txt_lemmas": TextList(), "vec": Vector()}
        project.database.create_table("posts", columns, ["id"])
        project.database.upsert("posts", pd.DataFrame(rows), ["id"])
    labelled()(room / "labelled.parquet")
    return room


def contents(room: Path) -> dict[str, str]:
    """Every file's hash; votes that were computed before a step failed are kept, and right."""
    left_out = {"votes", "__pycache__", "mlruns"}
    return {
        str(path.relative_to(room)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(room.rglob("*"))
        if path.is_file()
        and not left_out & set(path.parts)
        and path.name not in ("mlflow.db", "run_topic.lock", "run_bad.lock")
    }


@pytest.fixture
def prepared(request: pytest.FixtureRequest, room: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    """A case whose files lie in the room while it runs."""
    case: Case = request.param
    monkeypatch.chdir(room)
    for name, value in case.env.items():
        monkeypatch.setenv(name, value)
    made = []
    for name, content in case.files.items():
        path = room / name
        path.parent.mkdir(parents=True, exist_ok=True)
        made.append(path)
        if callable(content):
            content(path)
        elif isinstance(content, bytes):
            path.write_bytes(content)
        elif content is not None:
            path.write_text(content)
    yield case
    for path in made:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    shutil.rmtree(room / "tasks" / "bad", ignore_errors=True)


def one_line(stderr: str) -> str:
    """The only error among what was said, its last line."""
    lines = stderr.splitlines()
    errors = [line for line in lines if line.startswith("error: ")]
    assert len(errors) == 1, stderr
    assert lines[-1] == errors[0], stderr
    assert "Traceback" not in stderr
    return errors[0]


@pytest.mark.parametrize("prepared", CASES, ids=[case.name for case in CASES], indirect=True)
def test_one_line_and_nothing_written(
    prepared: Case, room: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """What libraries write to the process's own streams is seen as well."""
    before = contents(room)
    monkeypatch.setattr(sys, "argv", ["adaptml", *shlex.split(prepared.command)])
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    with pytest.raises(SystemExit) as ended:
        main()
    said = capfd.readouterr()
    assert ended.value.code in (1, 2), said
    line = one_line(said.err)
    assert re.search(prepared.facts, line), line
    assert len(line) < 1_500, line
    assert contents(room) == before


def test_there_are_many() -> None:
    assert len(CASES) >= 250
    assert len({case.name for case in CASES}) == len(CASES)


def test_a_working_folder_that_was_removed(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    code = "import os, sys; os.rmdir(os.getcwd()); from adaptml.cli.app import main; sys.argv = ['adaptml', 'tables']; main()"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path / "gone", check=False
    )
    assert done.returncode == 1, done.stderr
    assert "the working folder was removed; change into the project's folder" in one_line(done.stderr)


# What a process adds: its imports, how it ends, and what is said meanwhile. Each takes seconds.
PROCESSES = [kind[1] for kind in (YAML, RULES, FRAMES, EXPORTS, ADDRESSES)]


@pytest.mark.parametrize("prepared", PROCESSES, ids=[case.name for case in PROCESSES], indirect=True)
def test_the_same_as_a_process(prepared: Case, room: Path) -> None:
    before = contents(room)
    command = [sys.executable, "-m", "adaptml.cli", *shlex.split(prepared.command)]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=room, env=dict(os.environ), check=False
    )
    assert done.returncode in (1, 2), done.stderr
    assert re.search(prepared.facts, one_line(done.stderr))
    assert contents(room) == before
