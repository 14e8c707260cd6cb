"""The whole example with its data in a real CrateDB, where the environment names one."""

import io
import os

import pytest
from rich.console import Console

from adaptml.database import Database
from adaptml.project import Project
from adaptml.settings import Settings
from example_data.demo import ASKED, EXPORT, Steps, label_and_train
from example_data.example_data_import import import_example_data
from labelstudio.process_annotations import process_annotations
from modelling.predict import predict

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(
        not os.environ.get("ADAPTML_TEST_CRATEDB"), reason="ADAPTML_TEST_CRATEDB names no CrateDB"
    ),
]


@pytest.mark.parametrize("database", ["cratedb"], indirect=True)
def test_the_example_reaches_its_figures_on_cratedb(
    database: Database, tracking: Settings, repository_tasks: object
) -> None:
    steps = Steps(Console(file=io.StringIO()))
    with Project(database_url=database.engine.url.render_as_string(hide_password=False)) as project:
        data = import_example_data(project)
        assert (data.posts, data.new) == (440, 440)
        task = project.task("example")
        process_annotations(project, task, EXPORT, "1", write=True)
        found = {}
        for setting in ("multiclass", "multilabel"):
            outcome = label_and_train(project, task.with_setting(setting), data.frames[setting], steps)
            found[setting] = (outcome.label_metric, outcome.end_metric)
        predicted = predict(project, task, f"example_data where id = '{ASKED}'", write=True)
        assert (predicted.n_points, predicted.new_rows) == (1, 1)
        again = import_example_data(project)
    assert {name: round(of_labels, 3) for name, (of_labels, _) in found.items()} == {
        "multiclass": 1.0,
        "multilabel": 0.976,
    }
    assert found["multiclass"][1] >= 0.96
    assert found["multilabel"][1] >= 0.93
    assert again.new == 0
    assert database.count("example_gold") > 0
