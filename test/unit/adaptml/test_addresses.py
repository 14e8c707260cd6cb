"""Addresses of SQLite files: a path of any characters, and where a relative one starts."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from adaptml.addresses import from_folder, sqlite_address, sqlite_file
from adaptml.errors import TrackingError
from adaptml.project import Project
from adaptml.settings import load_settings
from adaptml.settings_text import shown

NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="/"), min_size=1)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@given(NAMES)
def test_the_address_of_any_path_names_it_to_us_and_to_sqlalchemy(name: str) -> None:
    path = Path("/data") / name / "data.db"
    assert sqlite_file(sqlite_address(path)) == path
    assert sa.make_url(sqlite_address(path)).database == str(path)


@pytest.mark.parametrize(
    "other",
    [
        "",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file:x.db?uri=true",
        "postgresql:///x",
        "http://h/x",
        "mlruns",
    ],
)
def test_what_is_no_file_of_sqlite_stays_as_it_is(other: str) -> None:
    assert sqlite_file(other) is None
    assert from_folder(other, Path("/project")) == other


def test_relative_addresses_start_at_the_project_wherever_one_stands(
    clean_room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (clean_room / ".env").write_text(
        "ADAPTML_DATABASE_URL=sqlite:///data/d.db?timeout=5\nADAPTML_RESULTS_DATABASE_URL=sqlite:///data/r.db\n"
    )
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///runs.db")
    deep = clean_room / "dataprogramming"
    deep.mkdir()
    settings = load_settings(deep)
    assert [shown(settings, name) for name in ("database_url", "results_database_url", "tracking_uri")] == [
        f"sqlite:///{clean_room}/data/d.db?timeout=5",
        f"sqlite:///{clean_room}/data/r.db",
        f"sqlite:///{clean_room}/runs.db",
    ]
    monkeypatch.chdir(deep)
    with Project(clean_room, database_url="sqlite:///mine.db") as project:
        assert sqlite_file(project.settings.database_url.get_secret_value()) == clean_room / "mine.db"


# MLflow's own use of SQLAlchemy.
@pytest.mark.filterwarnings("ignore:The ``noload`` loader:DeprecationWarning")
def test_a_home_folder_of_any_name_holds_everything(
    clean_room: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "wörk #1?, 50%41 & more"
    monkeypatch.setenv("ADAPTML_HOME", name)
    (clean_room / name).mkdir()
    shutil.copy(empty_store, clean_room / name / "mlflow.db")
    with Project() as project:
        project.database.create_table("t", {"id": sa.Text()}, ["id"])
        project.database.upsert("t", pd.DataFrame({"id": ["1"]}), ["id"])
        with project.runs.run("eg", "step", {}) as run:
            (run.folder / "file.txt").write_text("x")
        assert project.runs.artifact(run.run_id, "file.txt", clean_room).is_relative_to(clean_room / name)
    assert names_in(clean_room) == ["tasks", name]
    assert names_in(clean_room / name) == ["data.db", "mlflow.db", "mlruns"]


@pytest.mark.parametrize("address", ["sqlite:///{}", "{}", "sqlite:///{}/nowhere/mlflow.db"])
def test_a_store_that_can_be_none_is_told_at_once(clean_room: Path, address: str) -> None:
    with Project(tracking_uri=address.format(clean_room)) as project, pytest.raises(TrackingError) as caught:
        _ = project.runs.client
    assert "cannot be used" in str(caught.value)
    assert "MLFLOW_TRACKING_URI" in str(caught.value)
