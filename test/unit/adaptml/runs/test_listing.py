from pathlib import Path
from typing import Any

import pytest
from before import contents, open_workspace
from typer.testing import CliRunner

from adaptml.cli.app import app
from adaptml.errors import TrackingError
from adaptml.project import Project
from adaptml.runs.listing import COLUMNS, list_runs
from adaptml.settings import Settings


def record(project: Project, name: str, params: dict[str, Any], metrics: dict[str, float]) -> str:
    """One finished run in the experiment of the task."""
    with project.runs.run(params["task"], name, params) as run:
        run.metrics |= metrics
    return run.run_id


def adaptml(*words: str) -> str:
    done = CliRunner().invoke(app, list(words))
    assert done.exit_code == 0, done.output
    return done.stdout


def test_each_step_s_run_is_listed_with_its_metrics_the_newest_first(
    tracking: Settings, project: Project
) -> None:
    spam = {"task": "spam", "setting": "multiclass"}
    labelled = record(
        project,
        "label multiclass",
        spam | {"label_model": "auto", "label_model_used": "snorkel"},
        {"points": 1686, "dev_accuracy": 0.958, "dev_points": 120},
    )
    trained = record(
        project,
        "train mlp multiclass",
        spam | {"algorithm": "mlp"},
        {"train_points": 1622, "gold_accuracy": 0.984, "lm_accuracy": 0.9},
    )
    compared = record(
        project,
        "compare mlp multilabel",
        {"task": "topics", "setting": "multilabel", "algorithm": "mlp"},
        {"gold_f1_samples": 0.7, "union_f1_samples": 0.8, "union_log_loss": 0.9},
    )
    with pytest.raises(ZeroDivisionError), project.runs.run("spam", "label multiclass", spam):
        raise ZeroDivisionError
    record(project, "something else", spam, {})
    found = list_runs(project)
    assert list(found.columns) == COLUMNS
    assert found["status"].tolist() == ["FAILED", "FINISHED", "FINISHED", "FINISHED"]
    assert found["run_id"].tolist()[1:] == [compared, trained, labelled]
    assert found["step"].tolist() == ["label", "compare", "train", "label"]
    assert found["task"].tolist() == ["spam", "topics", "spam", "spam"]
    assert found["setting"].tolist() == ["multiclass", "multilabel", "multiclass", "multiclass"]
    assert found["metric"].tolist() == ["accuracy", "f1_samples", "accuracy", "accuracy"]
    assert found["model"].tolist() == ["", "mlp", "mlp", "snorkel"]
    assert found["on_gold"].fillna(-1).tolist() == [-1, 0.8, 0.984, 0.958]
    assert found["on_labels"].fillna(-1).tolist() == [-1, -1, 0.9, -1]
    assert found["points"].fillna(-1).tolist() == [-1, -1, 1622, 1686]
    assert str(found["started"].dt.tz) == "UTC"
    assert list_runs(project, "topics")["run_id"].tolist() == [compared]
    printed = adaptml("runs", "spam").splitlines()
    assert [line.split()[-1] for line in printed[1:]] == [found["run_id"][0], trained, labelled]
    for fact in ("label", "multiclass", "finished", "snorkel", "1686", "0.958", "accuracy"):
        assert fact in printed[3].split()


def test_a_run_s_figure_is_that_of_its_metric(tracking: Settings, project: Project) -> None:
    said = {"task": "spam", "setting": "multiclass", "label_model": "auto", "judged_by": "f1/spam"}
    record(project, "label multiclass", said, {"dev_accuracy": 0.9, "dev_f1/spam": 0.7, "dev_f1/ham": 0.95})
    found = list_runs(project)
    assert (found["metric"][0], found["on_gold"][0]) == ("f1/spam", 0.7)


def test_a_project_without_runs(project: Project, tracking: Settings) -> None:
    assert list_runs(project).empty
    assert list(list_runs(project).columns) == COLUMNS
    assert "no runs yet" in adaptml("runs")
    assert "adaptml label" in adaptml("runs")


def test_a_name_that_is_no_task_s(project: Project, tracking: Settings) -> None:
    done = CliRunner().invoke(app, ["runs", "spma"])
    assert done.exit_code == 1
    assert "no task 'spma'" in done.stderr


def test_a_server_that_is_away(clean_room: Path) -> None:
    with pytest.raises(TrackingError, match="no-such-scheme"):
        list_runs(Project(tracking_uri="no-such-scheme://x"))


def test_runs_that_mlflow_opened_are_known_by_what_they_were_given(
    project: Project, tracking: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`mlflow run` names them after animals, and of the example records the setting under `task`."""
    client = project.runs.client
    experiment = client.create_experiment("eg")
    tags = {"mlflow.project.entryPoint": "example"}
    for params, own_tags in (
        ({"task": "multilabel", "setting": "multilabel", "label_model": "auto"}, tags),
        ({"task": "spam", "setting": "multiclass", "algorithm": "knn"}, {}),
    ):
        run = client.create_run(experiment, run_name="bold-owl-12", tags=own_tags)
        for name, value in params.items():
            client.log_param(run.info.run_id, name, value)
    found = list_runs(project)
    assert set(zip(found["task"], found["step"], strict=True)) == {("example", "label"), ("spam", "train")}


@pytest.mark.filterwarnings("ignore:The ``noload`` loader:DeprecationWarning")
def test_the_runs_of_a_project_of_before_are_listed(tmp_path: Path) -> None:
    folder = open_workspace(tmp_path / "project")
    made = contents(folder)
    with Project(folder) as project:
        found = list_runs(project, "example").set_index("run_id")
    for setting, metric in (("multiclass", "accuracy"), ("multilabel", "f1_samples")):
        for step, prefix in (("label", "dev"), ("train", "gold")):
            run = made[f"{step}_runs"][setting]
            row = found.loc[run]
            assert (row["step"], row["setting"], row["metric"]) == (step, setting, metric)
            assert row["on_gold"] == pytest.approx(made["metrics"][run][f"{prefix}_{metric}"])
