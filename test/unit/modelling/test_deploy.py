"""Deploying: the champion is the version asked for, or the latest; anything else is one line."""

from pathlib import Path

import mlflow
import pytest
from mlflow.tracking import MlflowClient
from programs import program
from served import CODE, Registry

from adaptml.errors import ModelError
from adaptml.project import Project
from adaptml.runs.models import save_model
from adaptml.settings import Settings
from adaptml.tasks import Task
from modelling.deploy import Deployed, deploy
from modelling.versions import model_versions

# MLflow's own use of SQLAlchemy.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader:DeprecationWarning")


@pytest.fixture
def source(project: Project, tmp_path: Path) -> str:
    """The folder of a model that can be loaded."""
    (tmp_path / "made").mkdir()
    save_model(Registry(project).model("animals", tmp_path / "made"), tmp_path / "model")
    return str(tmp_path / "model")


@pytest.fixture
def client(tracking: Settings, project: Project, source: str) -> MlflowClient:
    """A registry with two end models, of two versions and of none, and a label model."""
    made = project.runs.client
    for name, kind in {"animals": "end_model", "empty": "end_model", "votes": "label_model"}.items():
        made.create_registered_model(name, tags={"adaptml.kind": kind})
    for _ in range(11):
        made.create_model_version("animals", source=source)
    return made


def test_versions_say_who_deployed_them_and_what_to_roll_back_to(
    client: MlflowClient, project: Project, source: str
) -> None:
    task = Task(name="animals", classes=["cat", "dog"])
    client.create_registered_model("multiclass_animals", tags={"adaptml.kind": "end_model"})
    for _ in range(2):
        client.create_model_version("multiclass_animals", source=source)
    assert model_versions(project, task)[0].before is None
    deploy(project, "multiclass_animals", "1", by="Ana")
    first = model_versions(project, task)[0]
    assert (first.champion, first.before, first.versions[1].deployed_by) == ("1", None, "Ana")
    deploy(project, "multiclass_animals", by="Ben")
    deploy(project, "multiclass_animals", "2", by="Cem")  # it is that already: Ben did it
    now = model_versions(project, task)[0]
    assert (now.name, now.champion, now.before) == ("multiclass_animals", "2", "1")
    assert [(one.version, one.is_champion, one.deployed_by) for one in now.versions] == [
        ("2", True, "Ben"), ("1", False, "Ana"),
    ]  # fmt: skip
    assert now.versions[0].deployed_at.endswith("+00:00")
    assert model_versions(project, Task(name="others", classes=["cat", "dog"])) == []


def test_the_steps_of_deploying(client: MlflowClient, project: Project) -> None:
    # The latest is the highest number, not the last in the alphabet.
    assert deploy(project, "animals") == Deployed("animals", "11", None)
    assert deploy(project, "animals", "2") == Deployed("animals", "2", "11")
    assert str(client.get_model_version_by_alias("animals", "champion").version) == "2"

    table = [
        ("animols", None, "no end model 'animols' in the registry; it has animals, empty: train it first"),
        ("votes", None, "no end model 'votes' in the registry; it has animals, empty: train it first"),
        (
            "' OR 1=1 --",
            None,
            'no end model "\' OR 1=1 --" in the registry; it has animals, empty: train it first',
        ),
        ("empty", None, "end model 'empty' has no version that is ready; train it first"),
        (
            "animals",
            "12",
            "end model 'animals' has no version '12'; it has 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1: "
            "name one of those",
        ),
        (
            "animals",
            "champion",
            "end model 'animals' has no version 'champion'; it has 11, 10, 9, 8, 7, 6, 5, 4, "
            "3, 2, 1: name one of those",
        ),
    ]
    for model, version, message in table:
        with pytest.raises(ModelError) as raised:
            deploy(project, model, version)
        assert str(raised.value) == message
    assert str(client.get_model_version_by_alias("animals", "champion").version) == "2"


@pytest.mark.usefixtures("client")
def test_the_command_says_what_it_did() -> None:
    done = program("modelling.deploy", "animals", "--version", "3")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "animals version 3 is the champion\nNext: serve, then POST data points to /predict_animals\n"
    )
    wrong = program("modelling.deploy", "nope")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert (
        wrong.stderr == "error: no end model 'nope' in the registry; it has animals, empty: train it first\n"
    )


def test_what_the_service_would_not_load_is_not_deployed(
    client: MlflowClient, project: Project, clean_room: Path
) -> None:
    """A version that somebody registered with MLflow's means, or whose files were changed."""
    deploy(project, "animals", "2")
    mlflow.pyfunc.save_model(clean_room / "code", python_model=str(CODE), pip_requirements=[])
    version = client.create_model_version("animals", source=str(clean_room / "code")).version
    message = rf"^model animals version {version} has no file classifier.skops; expected an end model that"
    with pytest.raises(ModelError, match=message):
        deploy(project, "animals")
    assert str(client.get_model_version_by_alias("animals", "champion").version) == "2"
    done = program("modelling.deploy", "animals")
    assert (done.returncode, done.stdout) == (1, "")
    assert "has no file classifier.skops" in done.stderr
