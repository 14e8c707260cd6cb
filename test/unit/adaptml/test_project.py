"""A project is what its folder, its arguments and the environment say, and it closes what it opened."""

import inspect
from pathlib import Path

import pytest
import sqlalchemy as sa

import adaptml
from adaptml.errors import AdaptmlError, FileError, SettingsError, TaskError
from adaptml.project import Project
from adaptml.settings import Settings
from adaptml.tasks import Task


def make(folder: Path) -> Path:
    (folder / "tasks").mkdir(parents=True)
    return folder


def test_without_a_folder_it_is_the_nearest_one_with_tasks(
    clean_room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (clean_room / "deep" / "er").mkdir(parents=True)
    monkeypatch.chdir(clean_room / "deep" / "er")
    assert Project().settings.root == clean_room


def test_a_named_folder_is_the_project_whatever_the_environment_says(
    clean_room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = make(clean_room / "elsewhere")
    monkeypatch.setenv("ADAPTML_ROOT", str(make(clean_room / "named_by_the_environment")))
    assert Project(elsewhere).settings.root == elsewhere
    assert Project(elsewhere).settings.home == elsewhere / "workspace"
    assert Project().settings.root == clean_room / "named_by_the_environment"


def test_a_folder_below_another_project_is_not_looked_above(clean_room: Path) -> None:
    inside = clean_room / "inside"
    inside.mkdir()
    assert Project(inside).settings.root == inside


def test_addresses_that_are_given_win(clean_room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADAPTML_DATABASE_URL", "sqlite:////environment.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://environment:5000")
    given = Project(database_url="sqlite:////given.db", tracking_uri="http://given:5000")
    assert given.settings.database_url.get_secret_value() == "sqlite:////given.db"
    assert given.settings.tracking_uri == given.runs.uri == "http://given:5000"
    read = Project()
    assert read.settings.database_url.get_secret_value() == "sqlite:////environment.db"
    assert read.runs.uri == "http://environment:5000"


def test_settings_that_are_given_are_taken_as_they_are(project: Project, clean_room: Path) -> None:
    settings = Project(make(clean_room / "other")).settings
    assert Project(settings=settings).settings is not project.settings
    assert Project(settings=settings).settings == settings


def test_it_closes_what_it_opened_and_opens_it_again(clean_room: Path) -> None:
    with Project() as project:
        first = project.database
        first.create_table("posts", {"id": sa.Text()})
        assert project.database is first
        assert project.runs is project.runs
        closed = []
        sa.event.listen(first.engine, "engine_disposed", closed.append)
    assert closed == [first.engine]
    assert project.database is not first
    assert project.database.tables() == ["posts"]
    project.close()


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="only Linux says which files a process holds")
def test_no_file_stays_open(tracking: Settings) -> None:
    def held() -> set[str]:
        return {str(path.resolve()) for path in Path("/proc/self/fd").iterdir() if path.exists()}

    files = {str(tracking.home / name) for name in ("data.db", "mlflow.db")}
    with Project() as project:
        project.database.tables()
        project.runs.client.search_registered_models()
        assert files <= held()
    assert not files & held()
    assert project.runs.client.search_experiments()  # opened again
    project.close()
    assert not files & held()


def test_closing_what_was_never_opened_opens_nothing(clean_room: Path) -> None:
    with Project() as project:
        project.close()
    assert not project.settings.home.exists()


def test_two_projects_have_their_own_tables(clean_room: Path) -> None:
    with Project(make(clean_room / "a")) as a, Project(make(clean_room / "b")) as b:
        a.database.create_table("posts", {"id": sa.Text()})
        assert a.database.tables() == ["posts"]
        assert b.database.tables() == []


def test_tables_of_the_steps_can_lie_elsewhere(clean_room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Project(make(clean_room / "a")) as project:
        assert project.results is project.database
    monkeypatch.setenv("ADAPTML_RESULTS_DATABASE_URL", f"sqlite:///{clean_room}/results.db")
    with Project(clean_room / "a", database_url=f"sqlite:///{clean_room}/data.db") as project:
        project.results.create_table("made", {"id": sa.Text()})
        assert (project.database.tables(), project.results.tables()) == ([], ["made"])


@pytest.mark.parametrize(
    ("attempt", "kind", "facts"),
    [
        (lambda: Project("nowhere"), SettingsError, "nowhere"),
        (lambda: Project().task("missing"), TaskError, "'missing'"),
        (lambda: Project().task("../task"), TaskError, r"'\.\./task'"),
        (lambda: Project().task(Task(classes=["a", "b"]), "both"), TaskError, "'both'"),
        (lambda: Project(database_url="no address").database, SettingsError, "database_url"),
    ],
)
def test_errors_are_one_line(attempt: object, kind: type[AdaptmlError], facts: str) -> None:
    with pytest.raises(kind, match=facts) as caught:
        attempt()  # type: ignore[operator]
    assert "\n" not in str(caught.value)


def test_a_task_of_the_folder_and_one_made_in_python(project: Project) -> None:
    made = Task(classes=["a", "b"])
    assert project.task(made) is made
    assert project.task(made, "multilabel").setting == "multilabel"
    assert project.task_names() == []


def test_a_path_is_looked_for_here_and_then_in_the_project(
    clean_room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (clean_room / "ids.csv").touch()
    project = Project()
    (clean_room / "deep").mkdir()
    monkeypatch.chdir(clean_room / "deep")
    assert project.path("ids.csv") == clean_room / "ids.csv"
    (clean_room / "deep" / "ids.csv").touch()
    assert project.path("ids.csv").resolve() == clean_room / "deep" / "ids.csv"


def test_steps_are_methods(project: Project) -> None:
    assert project.label.__func__ is adaptml.label is Project.label
    assert project.label.__self__ is project
    assert project.label.__doc__ == adaptml.label.__doc__
    parameters = list(inspect.signature(adaptml.label).parameters)
    assert list(inspect.signature(project.label).parameters) == parameters[1:]
    assert "label" in dir(project)


def test_the_example_is_made_once_in_a_folder_and_goes_with_its_project(clean_room: Path) -> None:
    made = adaptml.example_project(clean_room / "example")
    assert made.database.count("comments") == 24
    made.close()
    with pytest.raises(FileError, match="expected a new folder"):
        adaptml.example_project(clean_room / "example")
    passing = adaptml.example_project()
    folder = passing.settings.root
    assert folder.is_dir()
    passing.close()
    del passing
    assert not folder.exists()


def test_the_example_is_its_own_whatever_the_environment_says(
    clean_room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (
        "ADAPTML_HOME",
        "ADAPTML_TASKS_DIR",
        "ADAPTML_DATABASE_URL",
        "MLFLOW_TRACKING_URI",
        "MLFLOW_RUN_ID",
    ):
        monkeypatch.setenv(name, str(clean_room / "environment"))
    with adaptml.example_project(clean_room / "example") as made:
        assert made.settings.home == clean_room / "example" / "workspace"
        assert made.task_names() == ["spam"]
        assert made.settings.run_id == ""
    assert not (clean_room / "environment").exists()
