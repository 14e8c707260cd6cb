"""A home folder that is moved or copied keeps its runs, and nothing is written outside of it."""

import logging
import shutil
import tarfile
from pathlib import Path

import pytest
from before import ARCHIVE

from adaptml.addresses import sqlite_address
from adaptml.errors import TrackingError
from adaptml.project import Project
from adaptml.runs.models import on_this_machine
from adaptml.settings import Settings
from modelling.check import check_champions

# MLflow's own use of SQLAlchemy.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader:DeprecationWarning")


def record(project: Project, experiment: str = "eg", **params: str) -> str:
    """One run with one file, which says where the home folder was."""
    with project.runs.run(experiment, "step", params) as run:
        (run.folder / "home.txt").write_text(str(project.settings.home))
    return run.run_id


def place_of(project: Project, run_id: str) -> Path:
    place = on_this_machine(project.runs.get(run_id).info.artifact_uri)
    assert place is not None
    return place


def at(home: Path) -> Project:
    return Project(home.parent, settings=Settings(_env_file=None, root=home.parent, home=home))  # type: ignore[call-arg]


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def old(tracking: Settings) -> Path:
    """A home folder with a run that was given a file of it."""
    (tracking.home / "points.parquet").write_text("points")
    return tracking.home


def test_a_moved_home_keeps_its_runs(old: Path, caplog: pytest.LogCaptureFixture) -> None:
    with at(old) as project:
        run_id = record(project, train_data=str(old / "points.parquet"), other=str(old / "gone.parquet"))
    new = old.with_name("moved #1 50%41 ü?")
    old.rename(new)
    with at(new) as project:
        found = project.runs.artifact(run_id, "home.txt", new)
        params = project.runs.get(run_id).data.params
        second = record(project)
        assert (found.read_text(), found) == (str(old), new / "mlruns" / run_id / "artifacts" / "home.txt")
        assert place_of(project, second).is_relative_to(new)
    assert params["train_data"] == str(new / "points.parquet")
    assert params["other"] == str(old / "gone.parquet")  # neither here nor there
    assert not old.exists()
    assert said(caplog) == [f"the home folder {new} was {old}: its runs are now found here"]


def test_a_copy_leaves_the_original_as_it_is(old: Path, caplog: pytest.LogCaptureFixture) -> None:
    with at(old) as project:
        first = record(project)
    copy = shutil.copytree(old, old.parent / "copies" / "home")
    before = contents(old)
    with at(copy) as project:
        assert place_of(project, first).is_relative_to(copy)
        assert place_of(project, record(project)).is_relative_to(copy)
    assert contents(old) == before
    assert len(said(caplog)) == 1
    with at(old) as project:  # both are at work
        assert place_of(project, first).is_relative_to(old)
        assert place_of(project, record(project)).is_relative_to(old)
    assert len(said(caplog)) == 1


def test_a_home_that_is_reached_by_two_names_is_not_moved(old: Path) -> None:
    with at(old) as project:
        run_id = record(project)
    link = old.with_name("link")
    link.symlink_to(old)
    with at(link) as project:
        assert place_of(project, run_id).is_relative_to(old)


def test_models_and_their_files_follow_the_home_folder(old: Path) -> None:
    with at(old) as project:
        run_id = record(project)
        client = project.runs.client
        client.create_registered_model("m")
        client.create_model_version("m", f"{project.runs.get(run_id).info.artifact_uri}", run_id)
    new = old.with_name("new")
    old.rename(new)
    with at(new) as project:
        uri = project.runs.client.get_model_version_download_uri("m", "1")
    assert uri == (new / "mlruns" / run_id / "artifacts").as_uri()


def test_an_experiment_that_mlflow_made_first_has_its_files_in_the_home_folder(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with at(old) as project:  # where MLflow writes is a folder of the working folder
        number = project.runs.client.create_experiment("theirs")
        opened = project.runs.client.create_run(number).info
        assert not Path(opened.artifact_uri).is_relative_to(old)
    monkeypatch.setenv("MLFLOW_RUN_ID", opened.run_id)
    with at(old) as project:
        assert record(project) == opened.run_id
        assert place_of(project, opened.run_id).is_relative_to(old)
        experiment = project.runs.client.get_experiment(number)
    assert on_this_machine(experiment.artifact_location) == old / "mlruns" / number
    assert sorted(path.name for path in old.parent.iterdir()) == ["tasks", "workspace"]


def test_a_place_that_a_person_named_is_kept_and_said(
    old: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    elsewhere = tmp_path / "big disk"
    with at(old) as project:
        project.runs.client.create_experiment("theirs", artifact_location=elsewhere.as_uri())
        run_id = record(project, "theirs")
        place = place_of(project, run_id)
    assert place.is_relative_to(elsewhere)
    assert said(caplog) == [
        f"files of run {run_id} lie outside the home folder, in {place}: "
        f"use another experiment to have them in {old}"
    ]


def test_a_store_of_several_homes_is_left_as_it_is(old: Path, tmp_path: Path) -> None:
    with at(old) as project:
        run_id = record(project)
    store = tmp_path / "shared" / "mlflow.db"
    store.parent.mkdir()
    shutil.copy(old / "mlflow.db", store)
    other = shutil.copytree(old, tmp_path / "other")
    settings = at(other).settings.replaced(tracking_uri=sqlite_address(store))
    with Project(settings=settings) as project:
        assert place_of(project, run_id).is_relative_to(old)


def test_what_is_missing_is_looked_for_in_a_place_that_is_named(old: Path) -> None:
    with at(old) as project:
        run_id = record(project)
        shutil.rmtree(old / "mlruns")
        with pytest.raises(TrackingError) as caught:
            project.runs.artifact(run_id, "home.txt", old)
    place = old / "mlruns" / run_id / "artifacts"
    assert str(caught.value) == f"run {run_id} has no artifact home.txt in {place}; name another run"


@pytest.mark.xdist_group("postgresql_url")
def test_files_of_runs_in_postgresql_are_in_the_home_folder_or_their_place_is_said(
    postgresql_url: str, project: Project, clean_room: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Project(clean_room, tracking_uri=postgresql_url) as mine:
        ours = place_of(mine, record(mine))
        mine.runs.client.create_experiment("theirs")
        theirs = place_of(mine, record(mine, "theirs"))
    assert ours.is_relative_to(project.settings.home / "mlruns")
    assert not theirs.is_relative_to(project.settings.home)
    (line,) = said(caplog)
    assert str(theirs) in line


def test_a_server_decides_where_files_of_runs_lie(settings: Settings) -> None:
    assert settings.replaced(tracking_uri="http://127.0.0.1:5000").artifact_root is None


def test_a_project_of_an_earlier_version_keeps_its_champions_wherever_it_is_unpacked(tmp_path: Path) -> None:
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    home = tmp_path / "unpacked" / "workspace"
    with at(home) as project:
        found = list(check_champions(project))
        versions = project.runs.client.search_model_versions()
    assert [(one.level, one.text) for one in found] == [
        ("ok", "multiclass_example version 1, 5 classes"),
        ("ok", "multilabel_example version 1, 5 classes"),
    ]
    assert all(str(on_this_machine(version.source)).startswith(f"{home}/") for version in versions)
