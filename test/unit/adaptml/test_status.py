"""`adaptml status` without the stack: what is there, and what is broken."""

from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from adaptml.cli.app import app
from adaptml.project import Project
from adaptml.runs.models import END_MODEL, KIND_TAG
from adaptml.runs.registry import CHAMPION
from adaptml.settings import Settings
from portal.jobs import JobStore

# MLflow's own use of SQLAlchemy.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader:DeprecationWarning")


def status() -> Result:
    return CliRunner().invoke(app, ["status"])


def lines(done: Result) -> dict[str, str]:
    """What was looked at → level and text."""
    found = {}
    for line in done.stdout.splitlines():
        level, rest = line.split(maxsplit=1)
        what, text = rest.split("  ", 1)
        found[what.strip()] = f"{level}: {text.strip()}"
    return found


def test_a_project_in_which_nothing_was_done_yet(clean_room: Path) -> None:
    done = status()
    assert done.exit_code == 0, done.stderr
    found, home = lines(done), clean_room / "workspace"
    assert found.pop("versions").startswith("ok: Python ")
    assert found == {
        "home": f"warning: {home} is not there yet; the first step makes it",
        "data": f"warning: sqlite:///{home}/data.db is not there yet; `adaptml import` makes it",
        "runs": f"warning: sqlite:///{home}/mlflow.db is not there yet; the first `adaptml label` makes it",
        "tasks": "ok: none yet; make one: `adaptml task new TASK`",
        "Label Studio": "ok: not set up: no token",
    }
    assert [path.name for path in clean_room.iterdir()] == ["tasks"]


def test_what_is_there_and_what_is_broken(
    project: Project, tracking: Settings, clean_room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.database.create_table("posts", {"id": sa.Text()}, ["id"])
    project.database.upsert("posts", pd.DataFrame({"id": ["1"]}), ["id"])
    with project.runs.run("eg", "label topic", {"task": "topic", "label_model_used": "m"}) as run:
        (run.folder / "file.txt").write_text("x")
    jobs = JobStore(tracking.home)
    jobs.start(["label", "topic", "--data", "posts"], "ada")
    found = lines(status())
    assert found["data"].startswith(f"ok: sqlite:///{tracking.home}/data.db, ")
    assert found["data"].endswith(" MB: 1 tables: posts")
    assert found["runs"].startswith(f"ok: sqlite:///{tracking.home}/mlflow.db, ")
    assert found["jobs"] == "ok: 1 waiting; `adaptml jobs` lists them"
    assert found["disk"].endswith(f"free at {tracking.home}") or "make room" in found["disk"]

    client = project.runs.client
    client.create_registered_model("m", {KIND_TAG: END_MODEL})
    client.create_model_version("m", f"{run.artifact_uri}/model", run.run_id)
    client.set_registered_model_alias("m", CHAMPION, "1")
    (clean_room / "tasks" / "bad").mkdir()
    (clean_room / "tasks" / "bad" / "task.yaml").write_text("classes: 3\n")
    monkeypatch.setenv("ADAPTML_LABEL_STUDIO_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("ADAPTML_LABEL_STUDIO_TOKEN", "marked-token")
    done = status()
    found = lines(done)
    assert done.exit_code == 1
    place = tracking.home / "mlruns" / run.run_id / "artifacts" / "model"
    assert found["model"].startswith("error: champion m version 1 does not load: ")
    assert str(place) in found["model"]
    assert found["task"].startswith("error: ")
    assert "bad" in found["task"]
    assert found["Label Studio"].startswith("warning: does not answer at http://127.0.0.1:9; ")
    assert "marked-token" not in done.output


@pytest.mark.parametrize("name", ["data.db", "mlflow.db"])
def test_a_store_that_cannot_be_read_is_an_error(clean_room: Path, name: str) -> None:
    path = clean_room / "workspace" / name
    path.parent.mkdir()
    path.write_text("no database" * 1_000)
    done = status()
    assert done.exit_code == 1
    assert lines(done)["data" if name == "data.db" else "runs"].startswith("error: ")
    assert path.read_text() == "no database" * 1_000


def test_a_database_that_is_away_is_an_error_without_its_password(
    clean_room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADAPTML_DATABASE_URL", "postgresql+psycopg://ada:marked-secret@127.0.0.1:9/x")
    done = status()
    assert done.exit_code == 1
    assert lines(done)["data"].startswith("error: the database postgresql+psycopg://ada:***@127.0.0.1:9/x ")
    assert "marked-secret" not in done.output
