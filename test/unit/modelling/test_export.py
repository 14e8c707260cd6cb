"""An exported model is a folder that answers as the registry does; anything else is one line."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import skops.io
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from adaptml.cli.app import app
from adaptml.errors import AdaptmlError, FileError, ModelError
from adaptml.features.catalogue import Reference, Spec
from adaptml.features.points import Points
from adaptml.project import Project
from adaptml.tasks import Task
from modelling.app.main import create_app
from modelling.deploy import deploy
from modelling.export import export_model
from modelling.keyed import KeyedModel
from modelling.model_folder import CARD, checksums, load_model_folder
from modelling.train import TrainResult, train

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader:DeprecationWarning")  # MLflow's own
ASKED = {"table_name": ["points"] * 3, "id": ["t7", "t0", "t7"]}


@pytest.fixture
def trained(project: Project, task: Task, data: str, test: str) -> TrainResult:
    return train(project, task, data, test=test)


@pytest.fixture
def folder(project: Project, trained: TrainResult, tmp_path: Path) -> Path:
    return export_model(project, trained.model_name, tmp_path / "models" / "side").folder


@pytest.fixture
def elsewhere(project: Project, tmp_path: Path) -> Iterator[Project]:
    """A project that has the same data and nothing else: no task, no registry."""
    (tmp_path / "elsewhere").mkdir()
    address = project.settings.database_url.get_secret_value()
    with Project(tmp_path / "elsewhere", database_url=address) as made:
        yield made


def test_it_answers_as_the_registry_does_and_needs_none(
    project: Project, trained: TrainResult, folder: Path, elsewhere: Project, tmp_path: Path
) -> None:
    deploy(project, trained.model_name)
    with TestClient(create_app(project)) as client:
        expected = client.post("/predict_multiclass_side", json=ASKED).json()
    moved = folder.rename(tmp_path / "moved")
    with TestClient(create_app(elsewhere, models=[moved])) as client:
        assert client.post("/predict_multiclass_side", json=ASKED).json() == expected
        (model,) = client.get("/").json()["models"]
        assert (model["name"], model["version"], model["run_id"]) == ("multiclass_side", "1", trained.run_id)
        assert client.get("/health").json()["status"] == "ok"
        assert "/predict_multiclass_side" in client.get("/openapi.json").json()["paths"]
    assert expected["id"] == ["t7", "t0", "t7"]
    assert expected["right"] == [1, 0, 1]
    assert list(elsewhere.settings.root.rglob("*")) == []  # no store was made


def test_the_folder_says_what_it_holds(folder: Path, trained: TrainResult, data: str) -> None:
    card = json.loads((folder / CARD).read_text())
    said = {
        name: card[name] for name in ("format", "name", "version", "task", "setting", "classes", "run_id")
    }
    assert said == {
        "format": 1, "name": "multiclass_side", "version": "1", "task": "side", "setting": "multiclass",
        "classes": ["left", "right"], "run_id": trained.run_id,
    }  # fmt: skip
    assert card["features"] == {"vec": None}
    assert card["dimensions"] == 3
    assert card["trained_on"] == data
    assert card["metrics"]["gold_accuracy"] == trained.metrics["gold_accuracy"]
    assert card["example"] == {"table_name": ["points"] * 2, "id": ["t0", "t1"]}
    assert set(card["files"]) == {"classifier.skops", "names.json"}
    readme = (folder / "README.md").read_text()
    for fact in (
        "# multiclass_side, version 1", "curl -X POST http://127.0.0.1:8000/predict_multiclass_side",
        """'{"table_name": ["points", "points"], "id": ["t0", "t1"]}'""", "left, right", trained.run_id, "vec: 3 numbers",
    ):  # fmt: skip
        assert fact in readme
    assert (folder.stat().st_mode & 0o777, list(folder.parent.iterdir())) == (0o755, [folder])


def test_the_version_is_that_of_the_champion_else_the_latest(
    project: Project, task: Task, data: str, trained: TrainResult, tmp_path: Path
) -> None:
    train(project, task, data)
    found = [export_model(project, trained.model_name, tmp_path / "latest").version]
    deploy(project, trained.model_name, "1")
    found.append(export_model(project, trained.model_name, tmp_path / "champion").version)
    found.append(export_model(project, trained.model_name, tmp_path / "chosen", version="2").version)
    assert found == ["2", "1", "2"]


def card(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    """Change what a folder's card says."""

    def changed(folder: Path) -> None:
        said = json.loads((folder / CARD).read_text())
        change(said)
        (folder / CARD).write_text(json.dumps(said))

    return changed


class Foreign:
    """A type that no model of ours holds."""


def foreign(folder: Path) -> None:
    """Put another type into the classifier, and say so in the card as a careful attacker would."""
    skops.io.dump({"format": 2, "parts": [Foreign()]}, folder / "classifier.skops")
    card(lambda said: said.update(files=checksums(folder)))(folder)


def append(name: str) -> Callable[[Path], None]:
    def changed(folder: Path) -> None:
        with (folder / name).open("ab") as file:
            file.write(b" ")

    return changed


BROKEN: list[tuple[Callable[[Path], object], list[str]]] = [
        (shutil.rmtree, ["no folder ", "expected a folder that `adaptml export` wrote"]),
        (lambda f: (f / CARD).unlink(), ["holds no model.json", "`adaptml export`"]),
        (lambda f: (f / CARD).write_text("{"), ["model.json is damaged (", "export the model again"]),
        (lambda f: (f / CARD).write_text("[]"), ["model.json is damaged ("]),
        (lambda f: (f / CARD).write_bytes(b"\xff"), ["model.json is damaged ("]),
        (card(lambda said: said.pop("example")), ["model.json is damaged (example: missing"]),
        (card(lambda said: said.update(name="../x")), ["model.json is damaged (name: ", "given '../x'"]),
        (card(lambda said: said["files"].popitem()), ["files: ", "names classifier.skops; expected classifier"]),
        (card(lambda said: said.update(format=3, new=[])), ["of format 3, and this version reads 2: install"]),
        (lambda f: (f / "names.json").unlink(), ["is incomplete: names.json is not there; copy the whole folder"]),
        (append("classifier.skops"), ["classifier.skops was changed: its SHA-256 is ", ", expected "]),
        (append("names.json"), ["names.json was changed: its SHA-256 is "]),
        (foreign, ["holds types that no end model of ours holds: ", "Foreign"]),
]  # fmt: skip


def test_a_folder_that_is_something_else_is_one_line(
    folder: Path, elsewhere: Project, tmp_path: Path
) -> None:
    for place, (change, facts) in enumerate(BROKEN):
        broken = shutil.copytree(folder, tmp_path / f"broken{place}")
        change(broken)
        with pytest.raises(ModelError) as caught:
            create_app(elsewhere, models=[broken])
        assert all(fact in str(caught.value) for fact in facts), str(caught.value)
        assert "\n" not in str(caught.value)


def test_two_folders_of_one_name_are_refused(folder: Path, elsewhere: Project, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "copy")
    with pytest.raises(ModelError, match="are both 'multiclass_side'; serve one of them"):
        create_app(elsewhere, models=[folder, tmp_path / "copy"])


def test_a_place_that_is_taken_is_refused_and_nothing_is_left(
    project: Project, trained: TrainResult, tmp_path: Path
) -> None:
    (tmp_path / "taken").mkdir()
    export_model(project, trained.model_name, tmp_path / "taken")  # it is empty
    (tmp_path / "file").write_text("mine")
    refused: list[tuple[str, str, type[AdaptmlError], str]] = [
        ("multiclass_side", "taken", FileError, "is not empty; name a new folder"),
        ("multiclass_side", "file", FileError, "Not a directory; name a new folder"),
        ("multiclass_side", "file/inside", FileError, "cannot be written: "),
        ("multiclass_nope", "new", ModelError, "no end model 'multiclass_nope' in the registry"),
    ]
    for model, place, kind, message in refused:
        with pytest.raises(kind, match=message):
            export_model(project, model, tmp_path / place)
    assert (tmp_path / "file").read_text() == "mine"
    assert not (tmp_path / "new").exists()


def test_features_are_found_by_what_they_are_computed_from(
    project: Project, folder: Path, trained: TrainResult
) -> None:
    """Another database counts the versions of its features by itself."""
    names = json.loads((folder / "names.json").read_text()) | {"features": ["vec@1"]}
    (folder / "names.json").write_text(json.dumps(names))
    learned = Spec("vector", "txt", "hashing", "c1")
    said = {"features": {"vec@1": vars(learned)}, "files": checksums(folder)}
    card(lambda old: old.update(said))(folder)

    def features() -> tuple[Reference, ...]:
        points = Points(project.database, project.results)
        model = load_model_folder(folder, points).model
        assert isinstance(model, KeyedModel)
        return model.features

    assert features() == (Reference("vec", 1),)  # nothing is computed here yet
    catalogue = project.points.catalogue
    catalogue.add("vec", "points", Spec("vector", "txt", "hybrid", "c0"), 3)
    with pytest.raises(
        ModelError,
        match=r"feature vec@1 of this database comes from txt by hybrid, .* learned it from txt by hashing",
    ):
        features()
    catalogue.add("vec", "points", learned, 3)
    assert features() == (Reference("vec", 2),)


def test_the_commands(project: Project, trained: TrainResult, tmp_path: Path) -> None:
    runner = CliRunner()
    target = tmp_path / "exported"
    done = runner.invoke(app, ["export", "multiclass_side", str(target)])
    assert (done.exit_code, done.stderr) == (0, "")
    assert "multiclass_side version 1 is in" in done.stdout
    assert "Next: adaptml serve --model" in done.stdout
    again = runner.invoke(app, ["export", "multiclass_side", str(target)])
    assert (again.exit_code, again.stdout) == (1, "")
    assert again.stderr.startswith("error: ")
    assert again.stderr.count("\n") == 1
    served = runner.invoke(app, ["serve", "--model", str(tmp_path / "nope")])
    assert (served.exit_code, served.stderr.count("\n")) == (1, 1)
    assert "no folder" in served.stderr
