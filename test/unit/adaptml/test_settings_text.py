import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from adaptml.errors import SettingsError
from adaptml.project import Project
from adaptml.settings import Settings
from adaptml.settings_text import ARTIFACT_ROOT_VARIABLE, export_lines, exports, shown

BIN = Path(sys.executable).parent
WITH_PASSWORD = "postgresql+psycopg://me:secret@db/x"


def test_where_things_are_is_exported_and_read_back(
    project: Project, clean_room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = exports(project)
    assert found == {
        "ADAPTML_ROOT": str(clean_room),
        "ADAPTML_HOME": f"{clean_room}/workspace",
        "ADAPTML_TASKS_DIR": f"{clean_room}/tasks",
        "ADAPTML_DATABASE_URL": f"sqlite:///{clean_room}/workspace/data.db",
        "MLFLOW_TRACKING_URI": f"sqlite:///{clean_room}/workspace/mlflow.db",
        ARTIFACT_ROOT_VARIABLE: f"file://{clean_room}/workspace/mlruns",
    }
    monkeypatch.chdir("/")
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    assert Project().settings == project.settings


@pytest.mark.parametrize("url", [WITH_PASSWORD, "postgresql+psycopg://db/x?user=me&password=secret"])
def test_an_address_with_a_password_is_not_exported(url: str) -> None:
    project = Project(database_url=url, tracking_uri="https://me:secret@mlflow.example.org")
    lines = export_lines(project)
    assert "secret" not in "\n".join(lines)
    assert [line for line in lines if line.startswith("# ADAPTML_DATABASE_URL")]
    assert [line for line in lines if line.startswith("# MLFLOW_TRACKING_URI")]
    assert {"ADAPTML_DATABASE_URL", "MLFLOW_TRACKING_URI"}.isdisjoint(exports(project))


def test_a_server_decides_itself_where_artifacts_lie() -> None:
    found = exports(Project(tracking_uri="http://127.0.0.1:5000"))
    assert found["MLFLOW_TRACKING_URI"] == "http://127.0.0.1:5000"
    assert ARTIFACT_ROOT_VARIABLE not in found


def test_values_are_shown_without_passwords() -> None:
    settings = Project(database_url=WITH_PASSWORD, tracking_uri="https://me:secret@mlflow").settings
    assert shown(settings, "database_url") == "postgresql+psycopg://me:***@db/x"
    assert shown(settings, "tracking_uri") == "https://me:***@mlflow"
    assert shown(settings, "port") == "8000"
    assert shown(settings.replaced(tracking_uri="databricks"), "tracking_uri") == "databricks"
    with pytest.raises(SettingsError, match=r"'prot'; .*port"):
        shown(settings, "prot")


# MLflow's own use of SQLAlchemy.
@pytest.mark.filterwarnings("ignore:The ``noload`` loader:DeprecationWarning")
def test_an_experiment_that_mlflow_run_makes_has_its_artifacts_where_ours_have(
    project: Project, tracking: Settings, clean_room: Path
) -> None:
    """With a folder name that a shell has to quote, and relative addresses; `true` stands for a step."""
    (clean_room / ".env").write_text(
        "ADAPTML_DATABASE_URL=sqlite:///workspace/data.db\nMLFLOW_TRACKING_URI=sqlite:///workspace/mlflow.db\n"
    )
    folder = clean_room / "it's a step"
    folder.mkdir()
    (folder / "MLproject").write_text("name: s\nentry_points: {main: {command: 'true'}}\n")
    script = (
        f'set -e; eval "$({shlex.quote(str(BIN / "adaptml"))} settings --export)"\n'
        f"{shlex.quote(str(BIN / 'mlflow'))} run {shlex.quote(str(folder))} --env-manager local --experiment-name NEW"
    )
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    subprocess.run(["bash", "-c", script], check=True, capture_output=True, env=environment)
    client = project.runs.client
    experiment = client.get_experiment_by_name("NEW")
    assert experiment is not None
    (run,) = client.search_runs([experiment.experiment_id])
    with project.runs.run("eg", "step", {}) as ours:
        pass
    root = tracking.artifact_root
    assert run.info.artifact_uri.startswith(f"{root}/")
    assert ours.artifact_uri.startswith(f"{root}/")
    assert [path.relative_to(clean_room) for path in clean_room.rglob("*.db")] == [
        Path("workspace/mlflow.db")
    ]
