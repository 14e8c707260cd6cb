"""Models and labels that were made before a task's classes changed."""

import logging

import pandas as pd
import pytest
from fastapi import FastAPI
from side_task import N, side
from typer.testing import CliRunner

from adaptml.changing_classes.step import change_classes
from adaptml.cli.app import app
from adaptml.errors import ModelError
from adaptml.frames import write_frame
from adaptml.project import Project
from adaptml.runs.class_lists import CLASSES_TAG
from adaptml.tasks import Task
from modelling.app.model_cache import ModelCache
from modelling.app.openapi import describe
from modelling.app.status import health, listing
from modelling.deploy import deploy
from modelling.predict import predict
from modelling.train import train


@pytest.fixture
def labelled(project: Project, task: Task) -> str:
    """A run of `label`, made with the classes left and right."""
    numbers = range(40)
    keys = pd.DataFrame({"table_name": "points", "id": [f"t{i}" for i in numbers]})
    frame = keys.assign(label=[side(i) for i in numbers])
    frame["label_probs"] = [[0.9, 0.1] if i % 2 == 0 else [0.1, 0.9] for i in numbers]
    said = {"task": "side", "setting": "multiclass", "classes": ["left", "right"]}
    with project.runs.run("side", "label multiclass", {"task": "side", "setting": "multiclass"}) as run:
        run.tags[CLASSES_TAG] = '["left", "right"]'
        write_frame(frame, run.folder / "training_data.parquet", said)
    return run.run_id


def noted(cache: ModelCache) -> str | None:
    (model,) = listing(cache).models
    assert (model.loaded, health(cache, {}).status) == (True, "ok")
    return model.note


def test_a_champion_of_before_serves_on_marked_until_it_is_replaced(
    project: Project, labelled: str, caplog: pytest.LogCaptureFixture
) -> None:
    name = deploy(project, train(project, "side", labelled).model_name).model
    cache = ModelCache(project.settings.tracking_uri, project.points)
    cache.refresh()
    assert noted(cache) is None
    change_classes(project, "side", rename={"left": "port"})
    caplog.set_level(logging.INFO)
    cache.refresh()
    note = (
        'model multiclass_side version 1 was made with the classes ["left", "right"]; its task has '
        '["port", "right"] now: train and deploy again'
    )
    assert noted(cache) == note
    cache.refresh()
    assert [record.message for record in caplog.records if record.message == note] == [note]
    (served,) = cache.models
    assert served.champion is not None
    assert note in describe(FastAPI(), [served.champion])["paths"][f"/predict_{name}"]["post"]["description"]
    assert served.champion.predict(["points"], ["t1"])["right"] == [1]
    assert deploy(project, name).note.endswith('its task has ["port", "right"] now: train and deploy again')

    change_classes(project, "side", undo=True)
    cache.refresh()
    assert noted(cache) is None
    change_classes(project, "side", rename={"left": "port"})
    trained = train(project, "side", labelled)
    cache.refresh()
    assert noted(cache) == note
    assert deploy(project, name, trained.version).note == ""
    cache.refresh()
    assert noted(cache) is None
    assert listing(cache).models[0].classes == ["port", "right"]


def test_a_run_of_before_is_trained_on_and_says_it(project: Project, labelled: str) -> None:
    change_classes(project, "side", rename={"left": "port", "right": "starboard"})
    done = train(project, "side", labelled, soft_labels=True)
    assert done.warnings[0] == (
        f"{labelled} was labelled with the classes left, right; its labels are read as those of now, port, starboard"
    )
    assert done.n_train == 40
    deploy(project, done.model_name)
    assert predict(project, "side", "points").counts == {"port": N // 2, "starboard": N // 2}
    assert project.runs.client.get_run(done.run_id).data.tags[CLASSES_TAG] == '["port", "starboard"]'
    result = CliRunner().invoke(app, ["runs", "side"])
    assert result.exit_code == 0, result.output
    assert f"{labelled} *" in result.stdout
    assert f"{done.run_id} *" not in result.stdout
    assert project.list_runs("side").set_index("run_id")["of_before"].to_dict() == {
        labelled: True, done.run_id: False,
    }  # fmt: skip


def test_classes_that_a_run_says_nothing_of_are_named(project: Project, labelled: str) -> None:
    change_classes(project, "side", add=["middle"])
    assert (
        train(project, "side", labelled)
        .warnings[0]
        .endswith("read as those of now, left, right, middle, and it says nothing of middle: label again")
    )


def test_a_champion_that_knows_the_classes_by_other_names_is_asked(
    project: Project, labelled: str, caplog: pytest.LogCaptureFixture
) -> None:
    deploy(project, train(project, "side", labelled).model_name)
    before = predict(project, "side", "points").predictions
    change_classes(project, "side", rename={"left": "port"})
    done = predict(project, "side", "points", write=True)
    assert (
        "version 1 knows the classes left, right; its answers are told under their names of now"
        in caplog.text
    )
    assert done.counts == {"port": N // 2, "right": N // 2}
    names = {"left": "port", "right": "right"}
    assert done.predictions["label"].map(list).tolist() == [
        [names[n] for n in row] for row in before["label"]
    ]
    assert done.predictions["label_probs"].map(list).tolist() == before["label_probs"].map(list).tolist()
    assert done.new_rows == N
    change_classes(project, "side", split={"port": ["fore", "aft"]})
    with pytest.raises(
        ModelError, match="knows the classes left, right and the task file fore, aft, right; train"
    ):
        predict(project, "side", "points")
