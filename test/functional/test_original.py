"""The original's usage guide, typed from step 1 to step 5, in its own spelling wherever that is accepted."""

import json

import pandas as pd
import pytest
from original_guide import LBFGS, Guide

# MLflow's own use of SQLAlchemy.
pytestmark = [
    pytest.mark.filterwarnings("ignore:The ``noload`` loader:DeprecationWarning"),
    pytest.mark.timeout(600),
]
SETTINGS = ["multiclass", "multilabel"]
# The label model by cross-validation, and the end model of its labels alone on the same gold, which the guide tests on.
FIGURES = {"multiclass": ("accuracy", 1.000, 0.958), "multilabel": ("f1_samples", 0.976, 0.904)}


def test_step_1_frames_of_points_to_label(guide: Guide) -> None:
    for setting in SETTINGS:
        frame = pd.read_pickle(guide.home / "unlabeled_data" / f"{setting}_df.pkl")
        assert list(frame.columns) == ["id", "table_name"]
        assert len(frame) == 175


def test_step_2_gold_labels_from_label_studio(guide: Guide) -> None:
    _, processed, agreement = guide.annotated
    assert [done.exit_code for done in guide.annotated] == [0, 0, 0], guide.annotated
    tasks = json.loads((guide.home / "annotations" / "example" / "example_tasks.json").read_text())
    assert len(tasks) == 30
    assert {"ref_id", "meta_info", "txt"} == set(tasks[0]["data"])
    assert "90 gold labels, chosen by 1" in processed.stdout
    assert "start again" in agreement.stdout


@pytest.mark.parametrize("setting", SETTINGS)
def test_step_3_a_labelled_data_set(guide: Guide, setting: str) -> None:
    run = guide.project.runs.get(guide.labelled(setting))
    measure, figure, _ = FIGURES[setting]
    assert run.data.metrics[f"dev_{measure}"] == pytest.approx(figure, abs=0.0005)
    experiment = guide.project.runs.client.get_experiment(run.info.experiment_id)
    assert (experiment.name, run.info.run_name) == ("eg", f"label {setting}")
    folder = guide.artifacts(run.info.run_id)
    labels = pd.read_parquet(folder / "training_data.parquet")
    assert list(labels.columns) == ["table_name", "id", "label", "label_probs"]
    gold = pd.read_parquet(folder / "development_data.parquet")
    assert {"label", "label_probs", "gold_label"} < set(gold.columns)


@pytest.mark.parametrize("setting", SETTINGS)
def test_step_4_an_end_model(guide: Guide, setting: str) -> None:
    """The setting is nowhere typed: the labels say it."""
    measure, _, figure = FIGURES[setting]
    runs = guide.project.runs
    for_lbfgs = runs.get(guide.trained(setting, "mlp", LBFGS)).data
    assert (for_lbfgs.params["solver"], for_lbfgs.params["random_state"]) == ("lbfgs", "8")
    assert for_lbfgs.metrics[f"gold_{measure}"] > 0.8
    assert for_lbfgs.metrics[f"lm_{measure}"] > 0.8
    usual = runs.get(guide.trained(setting, "logistic_regression", "")).data
    assert usual.metrics[f"gold_{measure}"] == pytest.approx(figure, abs=0.0005)


@pytest.mark.parametrize("setting", SETTINGS)
def test_step_5_the_end_model_deployed(guide: Guide, setting: str) -> None:
    guide.trained(setting, "logistic_regression", "")
    deployed = guide.typed(f"adaptml deploy {setting}_example")
    assert deployed.exit_code == 0, deployed.output
    answer = guide.ask(setting, {"table_name": ["example_data"], "id": ["361"]}).json()
    names = ["cat", "dog", "bird", "horse", "snake"]
    assert list(answer) == ["table_name", "id", *names, *(f"prob_{name}" for name in names)]
    assert (answer["table_name"], answer["id"], answer["cat"]) == (["example_data"], ["361"], [1])


def test_the_guide_on_every_point_annotated(guide: Guide) -> None:
    """The original's own situation: the points to label are those that have gold, all of them."""
    gold = pd.read_parquet(guide.home / "annotations" / "example" / "gold_df.parquet")
    path = guide.home / "unlabeled_data" / "annotated.pkl"
    gold[["id", "table_name"]].to_pickle(path)
    done = guide.typed(
        f"mlflow run dataprogramming -e example --env-manager local --experiment-name eg -P train_data={path} "
        "-P dev_data=1 -P task=multiclass -P seed=8 -P label_model=majority_vote"
    )
    assert done.exit_code == 0, done.output
    run = done.stdout.split("\nrun")[1].split()[0]
    trained = guide.typed(f"adaptml train example --data {run} --gold 1")
    assert trained.exit_code == 0, trained.output
    assert "cross-validation" in trained.stdout
