"""The built wheel in an empty environment outside the clone: from rows of one's own to a prediction over HTTP."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import urllib.request
import venv
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pandas as pd
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
ROOMS = ("adaptml", "labelstudio", "dataprogramming", "modelling", "portal")
SPAM = (
    "Subscribe to my channel",
    "Free phones, visit my page",
    "Subscribe and win",
    "Free coins, free gifts",
)
HAM = ("I love this song", "What a voice", "This song is the best", "Her voice makes me cry")
LFS = """\
from adaptml import keyword_lf, labeling_function


def get_lfs(params):
    @labeling_function
    def voice(x):
        return "ham" if "voice" in x.body else None

    return [
        keyword_lf("subscribe", ["subscribe"], "spam", "body_lemmas"),
        keyword_lf("free", ["free"], "spam", "body_lemmas"),
        keyword_lf("song", ["song"], "ham", "body_lemmas"),
        voice,
    ]
"""

STEPS = """\
import pathlib
from adaptml.cli.app import app

app(["featurize", "topic", "--data", "posts", "--encoder", "hashing"], standalone_mode=False)
app(["label", "topic", "--data", "posts"], standalone_mode=False)
(labelled,) = pathlib.Path("workspace", "mlruns").glob("*/artifacts/training_data.parquet")
app(["train", "topic", "--data", labelled.parts[2]], standalone_mode=False)
app(["deploy", "multiclass_topic"], standalone_mode=False)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that holds the wheel alone, and borrows what the wheel needs from this one."""
    folder = tmp_path_factory.mktemp("env")
    venv.create(folder, symlinks=True)
    site = next((folder / "lib").glob("python*/site-packages"))
    borrowed = [path for path in sys.path if Path(path).name == "site-packages"]
    (site / "borrowed.pth").write_text("\n".join(borrowed), encoding="utf-8")
    installed = [
        sys.executable, "-m", "pip", "--python", str(folder), "install", "--quiet", "--no-deps", "--no-index",
        "--disable-pip-version-check", "--ignore-installed", str(wheel),
    ]  # fmt: skip
    subprocess.run(installed, check=True, capture_output=True, cwd=folder)
    return folder / "bin" / "python"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a database that pandas wrote: text ids, no index, no key."""
    folder = tmp_path_factory.mktemp("project")
    rows = [
        (f"{name}-{n}", f"{text}, number {n}")
        for name, texts in (("s", SPAM), ("h", HAM))
        for n, text in enumerate(texts * 4)
    ]
    with closing(sqlite3.connect(folder / "mine.db")) as connection:
        frame = pd.DataFrame(rows, columns=["id", "body"])
        frame.to_sql("posts", connection, index=False)
    return folder


def environment(python: Path, project: Path) -> dict[str, str]:
    """What somebody has who activated the environment, and one setting: where the data are."""
    return {
        "PATH": f"{python.parent}:{os.environ['PATH']}",
        "HOME": str(project),
        "LANG": "C.UTF-8",
        "ADAPTML_DATABASE_URL": f"sqlite:///{project / 'mine.db'}",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }


def run(python: Path, project: Path, *words: str) -> str:
    done = subprocess.run(
        words, cwd=project, env=environment(python, project), capture_output=True, text=True, check=False, timeout=300
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_holds_every_file_of_the_rooms_and_nothing_else(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    tracked = subprocess.run(
        ["git", "ls-files", *ROOMS], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout.split()
    rooms = {name for name in held if ".dist-info/" not in name}
    assert rooms >= set(tracked)
    assert {name.split("/")[0] for name in rooms} == set(ROOMS)
    assert {f"{room}/py.typed" for room in ROOMS} | {
        "dataprogramming/MLproject",
        "modelling/MLproject",
    } <= held
    assert [name for name in held if name.endswith("licenses/LICENSE")]


def test_the_steps_run_from_it_on_rows_that_pandas_wrote(python: Path, project: Path) -> None:
    found = run(
        python, project, "python", "-c", "import adaptml; print(adaptml.__file__, adaptml.__version__)"
    )
    assert found.startswith(str(python.parents[1]))
    assert found.endswith(" 1.0.0\n")
    run(python, project, "adaptml", "task", "new", "topic", "--classes", "spam,ham", "--text", "body")
    (project / "tasks" / "topic" / "lfs.py").write_text(LFS, encoding="utf-8")
    printed = run(python, project, "python", "-c", STEPS)
    assert re.search(r"multiclass_topic version 1\b", printed, re.MULTILINE), printed
    answer = ask(python, project, "multiclass_topic", ["s-1", "h-2"])
    assert (answer["spam"], answer["ham"]) == ([1, 0], [0, 1])


def ask(python: Path, project: Path, model: str, ids: list[str]) -> dict[str, list[int]]:
    """What a service that is started for it answers over HTTP."""
    with serving(python, project) as process:
        line = process.stdout.readline() if process.stdout else ""
        address = re.search(r"http://[\d.:]+", line)
        assert address, line
        body = json.dumps({"table_name": ["posts"] * len(ids), "id": ids}).encode()
        request = urllib.request.Request(
            f"{address[0]}/predict_{model}", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            return dict(json.load(response))


@contextmanager
def serving(python: Path, project: Path) -> Iterator[subprocess.Popen[str]]:
    """`adaptml serve` on a free port, and its end."""
    process = subprocess.Popen(
        ["adaptml", "serve", "--port", "0"], cwd=project, env=environment(python, project), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
