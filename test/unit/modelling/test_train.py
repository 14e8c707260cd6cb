"""Training on a small table, with a real store and database."""

import json
import re
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from programs import program
from side_task import side, write
from sklearn.naive_bayes import GaussianNB
from tolerances import FLOAT32_ATOL
from typer.testing import CliRunner

from adaptml.cli.app import app
from adaptml.errors import AdaptmlError, FeatureError, FrameError, ModelError
from adaptml.frames import write_frame
from adaptml.project import Project
from adaptml.tasks import Task
from modelling.deploy import deploy
from modelling.predict import predict
from modelling.strategies import list_strategies
from modelling.train import train
from modelling.ways import read_members


def found_runs(project: Project) -> list[str]:
    """Statuses of the task's runs."""
    client = project.runs.client
    experiment = client.get_experiment_by_name("side")
    return (
        []
        if experiment is None
        else [run.info.status for run in client.search_runs([experiment.experiment_id])]
    )


def test_a_run_is_evaluated_on_points_that_it_did_not_train_on(
    project: Project, task: Task, data: str, test: str, tmp_path: Path
) -> None:
    done = train(project, task, data, test=test)
    assert (done.n_train, done.n_gold, done.n_held_out) == (35, 0, 5)
    assert done.lines[0] == (
        "trained on",
        "35 weakly labelled points (5 points of the same data are tested on instead)",
    )
    assert done.metrics["lm_accuracy"] == 1.0
    assert done.metrics["gold_accuracy"] == pytest.approx(24 / 25)
    assert {"gold_roc_auc", "gold_average_precision", "gold_log_loss", "gold_mcc", "gold_dcg"} <= set(
        done.metrics
    )
    found = {item.path for item in project.runs.client.list_artifacts(done.run_id)}
    assert found == {
        "classifier.skops", "names.json", "log.txt", "training_data.html", "predictions.parquet", "predictions.html",
        "lm_confusion_matrix.png", "gold_confusion_matrix.png", "report.html", "model",
        "what_to_fix.json", "lm_roc_curve.png", "lm_det_curve.png", "gold_roc_curve.png", "gold_det_curve.png",
    }  # fmt: skip
    predicted = pd.read_parquet(project.runs.artifact(done.run_id, "predictions.parquet", tmp_path))
    assert predicted["id"].tolist() == [f"t{i}" for i in range(35, 60)]
    assert [list(label) for label in predicted["label"]] == [side(i) for i in range(35, 60)]
    assert [list(label) for label in predicted["gold_label"]][-2:] == [["left"], ["left"]]
    names = json.loads(project.runs.artifact(done.run_id, "names.json", tmp_path).read_text())
    keys = pd.DataFrame({"table_name": "points", "id": [f"t{i}" for i in range(35)]})
    learned_from = np.stack(project.points.read(keys, ["vec"])["vec"])
    assert names == {
        "setting": "multiclass",
        "classes": ["left", "right"],
        "features": ["vec"],
        "dimensions": 3,
        "columns": {"vec": {"scale": pytest.approx(learned_from.var(axis=0).sum() ** 0.5)}},
    }


def test_the_result_holds_the_model_its_predictions_and_its_errors(
    project: Project, task: Task, data: str, test: str
) -> None:
    done = train(project, task, data, test=test)
    assert done.errors()["id"].tolist() == ["t59"]
    assert done.errors()["label"].tolist() == [["right"]]
    X = np.array([[-1, 0, 0], [1, 0, 0]], np.float32)
    assert done.model.predict(X).tolist() == [[1, 0], [0, 1]]
    assert "on 25 points" in done._repr_html_()
    assert done.address == done.artifact_uri == project.runs.get(done.run_id).info.artifact_uri
    assert done.predictions["id"].tolist() == [f"t{i}" for i in range(35, 60)]


@pytest.mark.parametrize("texts", [True, False])
def test_the_report_shows_the_texts_of_errors_unless_they_are_left_out(
    project: Project, task: Task, data: str, test: str, tmp_path: Path, texts: bool
) -> None:
    done = train(project, task, data, test=test, texts=texts)
    page = project.runs.artifact(done.run_id, "report.html", tmp_path).read_text()
    assert ("text number 59" in page) is texts
    assert "text number 3 " not in page  # trained on, not compared with gold
    assert "35 weakly labelled points" in page


def test_a_report_is_written_where_the_table_has_no_texts(
    project: Project, task: Task, data: str, test: str
) -> None:
    blind = task.model_copy(update={"columns": (task.columns[0].model_copy(update={"name": "gone"}),)})
    done = train(project, blind, data, test=test)
    assert "report.html" in {item.path for item in project.runs.client.list_artifacts(done.run_id)}


def test_the_same_inputs_and_seed_give_the_same_model(
    project: Project, task: Task, data: str, test: str
) -> None:
    first, second = (train(project, task, data, test=test, algorithm="mlp", seed=3) for _ in range(2))
    same = pytest.approx(second.metrics, abs=FLOAT32_ATOL, rel=0)
    assert first.metrics == same
    assert (first.version, second.version) == ("1", "2")
    assert train(project, task, data, test=test, algorithm="mlp", seed=4).metrics != same


def test_soft_labels_need_probabilities(
    project: Project, task: Task, data: str, test: str, tmp_path: Path
) -> None:
    hard, soft = (train(project, task, data, test=test, soft_labels=soft) for soft in (False, True))
    assert soft.metrics["lm_log_loss"] > hard.metrics["lm_log_loss"]
    bare = write_frame(pd.read_parquet(data).drop(columns="label_probs"), tmp_path / "bare.parquet")
    with pytest.raises(ModelError, match=r"bare\.parquet has no column label_probs, which soft labels are"):
        train(project, task, bare, soft_labels=True)
    with pytest.raises(ModelError, match=r"^knn takes no sample weights, which soft labels need"):
        train(project, task, data, algorithm="knn", soft_labels=True)


@pytest.mark.parametrize(
    ("strategy", "facts"),
    [
        ("nosuch", "no strategy 'nosuch' .*auto, constant, label_model, gold, weak, union"),
        ("union", "no gold labels to train on; give some"),
    ],
)
def test_a_strategy_is_never_passed_over(
    project: Project, task: Task, data: str, strategy: str, facts: str
) -> None:
    with pytest.raises(ModelError, match=facts):
        train(project, task, data, strategy=strategy)
    # One that there is not is refused before anything is read; what labels lack is seen in a run.
    assert found_runs(project) == ([] if strategy == "nosuch" else ["FAILED"])


@pytest.mark.parametrize(
    ("strategy", "what"),
    [
        ("gold", "30 gold points"),
        ("weak", "30 weakly labelled points"),
        ("union", "30 weakly labelled points and 30 gold points"),
    ],
)
def test_what_was_trained_on_is_what_the_strategy_uses(
    project: Project, task: Task, data: str, tmp_path: Path, strategy: str, what: str
) -> None:
    gold = write(tmp_path / "gold.parquet", list(range(30, 60)), gold_label=side)
    done = train(project, task, data, test=gold, gold=gold, strategy=strategy)
    kept_apart = "(10 points of the same data are gold or tested on instead)"
    assert done.lines[0] == ("trained on", f"{what} {kept_apart}")


def test_gold_that_is_learned_from_is_judged_by_cross_validation(
    project: Project, task: Task, data: str, tmp_path: Path
) -> None:
    gold = write(tmp_path / "gold.parquet", list(range(30, 60)), gold_label=side)
    done = train(project, task, data, test=gold, gold=gold)
    assert (done.n_train, done.n_gold, done.n_held_out) == (30, 30, 10)
    assert dict(done.lines)["on gold"].startswith(
        "F1 of right 1.000 (1.000 to 1.000), accuracy 1.000 (0.886 to 1.000) on 30 points by "
        "cross-validation; always "
    )
    assert done.metrics["gold_constant/f1/right"] < done.metrics["gold_f1/right_low"] == 1
    assert done.metrics["gold_points"] == 30
    assert done.metrics["gold_accuracy"] == 1.0
    assert "lm_points" not in done.metrics
    assert done.strategy.startswith("ensemble (gold")  # which are all right
    params = project.runs.get(done.run_id).data.params
    assert params["strategy_used"] == "ensemble"
    assert {way.strategy for way in read_members(params["ensemble"])} <= {*list_strategies()}
    log = project.runs.artifact(done.run_id, "log.txt", tmp_path).read_text()
    (weights,) = re.findall(r" weights: (.*)$", log, re.MULTILINE)
    told = dict(one.split(": ") for one in weights.split("; "))
    assert [*told] == params["ensemble"].split("; ")
    assert sum(map(float, told.values())) == pytest.approx(1, abs=0.05)
    page = project.runs.artifact(done.run_id, "report.html", tmp_path).read_text()
    shown = re.findall(r"<tr><td>([^<]*)</td>[^/]*</td>[^/]*</td><td[^>]*>([\d.]+)</td></tr>", page)
    assert dict(shown).items() >= told.items()
    kept = pd.read_parquet(project.runs.artifact(done.run_id, "gold_predictions.parquet", tmp_path))
    assert len(kept) == 30
    assert done.errors().empty


@pytest.mark.parametrize("way", ["gold", "test"])
def test_where_every_point_is_annotated_gold_is_trained_on_by_cross_validation(
    project: Project, task: Task, data: str, tmp_path: Path, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    everything = write(tmp_path / "all.parquet", list(range(40)), gold_label=side)
    done = train(project, task, data, **{way: everything})
    assert (done.n_train, done.n_gold) == (0, 40)
    assert done.lines[0][1].startswith("40 gold points")
    assert " on 40 points by cross-validation" in dict(done.lines)["on gold"]
    assert [text for text in done.warnings if "every point of" in text]
    assert "every point of" in caplog.text
    assert done.strategy.startswith("gold: ")


def test_a_share_is_held_out_alike_in_classes(project: Project, task: Task, data: str) -> None:
    done = train(project, task, data, test=0.25)
    assert (done.n_train, done.n_held_out) == (30, 10)
    held = done.predictions["id"].str[1:].astype(int)
    assert abs(sum(held % 2) - 5) <= 1
    assert done.metrics["lm_points"] == 10
    assert done.lines[-5:-3] == [
        ("on gold", "no metric: no gold was given to compare with; see --test and --gold"),
        ("column", "vectors that no encoder here made, scaled to a variance of 1: vec"),
    ]
    again = train(project, task, data, test="0.25")
    assert again.predictions["id"].tolist() == done.predictions["id"].tolist()
    assert train(project, task, data, test=0.25, seed=1).predictions["id"].tolist() != held.tolist()
    with pytest.raises(
        ModelError, match=r"^test is 1.5; expected a run, a frame, or a share between 0 and 1"
    ):
        train(project, task, data, test=1.5)
    with pytest.raises(ModelError, match=r"^a share of 0.01 of 40 points leaves none on one side"):
        train(project, task, data, test=0.01)


def test_a_share_of_a_run_is_compared_with_the_runs_gold_too(
    project: Project, task: Task, data: str, test: str
) -> None:
    with project.runs.run("side", "label multiclass", {"setting": "multiclass"}) as run:
        write_frame(pd.read_parquet(data), run.folder / "training_data.parquet")
        write_frame(pd.read_parquet(test), run.folder / "development_data.parquet")  # 35 … 59 are gold
    done = train(project, "side", run, test=0.5)  # the result of a step stands for its run
    held = done.predictions["id"].str[1:].astype(int)
    assert len(held) == done.metrics["lm_points"] == 20
    assert done.metrics["gold_points"] == sum(held >= 35) > 0
    assert done.predictions["gold_label"].notna().sum() == sum(held >= 35)
    assert train(project, "side", run).metrics.keys().isdisjoint({"gold_points", "lm_points"})


def test_a_training_without_a_test_says_that_nothing_was_judged(
    project: Project, task: Task, data: str
) -> None:
    done = train(project, task, data)
    assert dict(done.lines)["on gold"].startswith("no metric: no gold was given")
    assert done.predictions.empty
    assert done.errors().empty


def test_points_that_a_multiclass_run_cannot_use_are_counted(
    project: Project, task: Task, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = write(
        tmp_path / "both.parquet", list(range(40)), label=lambda i: ["left", "right"] if i < 3 else side(i)
    )
    with caplog.at_level("WARNING"):
        assert train(project, task, source).n_train == 37
    assert caplog.messages == [f"3 points of {source} are left out: a multiclass run needs exactly one class"]


def test_features_are_concatenated_and_their_names_checked(
    project: Project, task: Task, data: str, test: str
) -> None:
    both = train(project, task, data, test=test, features=["vec", "extra"])
    assert both.metrics["lm_accuracy"] > 0.9
    with pytest.raises(
        FeatureError,
        match=r"^feature column 'txt' holds text with 40 values in 40 rows; .* make vectors of it",
    ):
        train(project, task, data, features=["txt"])
    assert found_runs(project)[0] == "FAILED"


def test_a_frame_will_do_and_a_table_that_is_no_frame_of_labels_will_not(
    project: Project, task: Task, data: str, test: str
) -> None:
    from_frames = train(project, task, pd.read_parquet(data), test=pd.read_parquet(test))
    from_paths = train(project, task, data, test=test)
    assert from_frames.metrics == pytest.approx(from_paths.metrics, abs=FLOAT32_ATOL, rel=0)
    with pytest.raises(FrameError, match=r"^no run and no file 'points'"):
        train(project, task, "points")


@pytest.mark.parametrize(
    ("numbers", "message", "runs"),
    [
        ([0, 2, 4], "the training data hold one class only, expected at least two", ["FAILED"]),
        (list(range(40, 60)), r"every point of the training data is also tested on; .*--test 0\.2", []),
    ],
)
def test_training_data_that_cannot_be_used(
    project: Project, task: Task, test: str, tmp_path: Path, numbers: list[int], message: str, runs: list[str]
) -> None:
    bad = write(tmp_path / "bad.parquet", numbers)
    without_gold = write_frame(pd.read_parquet(test).drop(columns="gold_label"), tmp_path / "test2.parquet")
    with pytest.raises(ModelError, match=f"^{message}"):
        train(project, task, bad, test=without_gold)
    assert found_runs(project) == runs
    assert project.runs.client.search_registered_models() == []


def test_any_classifier_of_scikit_learn_is_trained_registered_and_served(
    project: Project, task: Task, data: str, test: str
) -> None:
    done = train(project, task, data, test=test, algorithm=GaussianNB(), params={"var_smoothing": 1e-8})
    params = project.runs.get(done.run_id).data.params
    assert (params["algorithm"], params["var_smoothing"]) == ("GaussianNB", "1e-08")
    assert done.metrics["lm_accuracy"] == 1.0
    deploy(project, done.model_name)
    assert predict(project, task, pd.read_parquet(data)).predictions["label"].map(list).tolist() == [
        side(i) for i in range(40)
    ]


def test_an_optimiser_that_stops_early_is_a_warning_of_the_run(
    project: Project, task: Task, data: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    done = train(project, task, data, algorithm="mlp", params={"solver": "sgd", "max_iter": "3"})
    sentence = (
        "mlp stopped after 3 iterations before it converged; raise max_iter (now 3) or learning_rate_init"
    )
    assert [text for text in done.warnings if text.startswith(sentence)]
    assert sentence in caplog.text
    assert f"WARNING {sentence}" in project.runs.artifact(done.run_id, "log.txt", tmp_path).read_text()


def test_the_model_is_loaded_without_pickle_and_answers_in_key_order(
    project: Project, task: Task, data: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = train(project, task, data, algorithm="hist_gradient_boosting", params={"min_samples_leaf": "3"})
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    (project.settings.tasks_dir / "side" / "task.yaml").unlink()
    files = project.runs.client.get_model_version_download_uri(done.model_name, done.version)
    model = mlflow.pyfunc.load_model(files)
    out = model.predict(pd.DataFrame({"table_name": "points", "id": ["t9", "t2", "t9"]}))
    assert list(out.columns) == ["table_name", "id", "left", "right", "prob_left", "prob_right"]
    assert out["id"].tolist() == ["t9", "t2", "t9"]
    assert out["right"].tolist() == [1, 0, 1]
    assert out["prob_right"].iloc[0] == pytest.approx(out["prob_right"].iloc[2], abs=FLOAT32_ATOL)
    assert np.allclose(out["prob_left"] + out["prob_right"], 1)


def test_the_command_line(project: Project, task: Task, data: str, test: str) -> None:
    runner = CliRunner()
    args = ["train", "side", "--data", data, "--test", test, "--algorithm", "mlp"]
    result = runner.invoke(app, [*args, "--hidden-layer-sizes", "8,4", "--max-iter=400"])
    assert result.exit_code == 0, result.stderr
    assert "on gold" in result.stdout
    run_id = next(line.split()[1] for line in result.stdout.splitlines() if line.startswith("run "))
    params = project.runs.get(run_id).data.params
    assert (params["hidden_layer_sizes"], params["max_iter"], params["seed"]) == ("(8, 4)", "400", "0")
    result = runner.invoke(app, [*args, "--alfa", "3"])
    assert result.exit_code == 1
    assert result.stderr.startswith(
        "error: mlp cannot use its parameters: alfa: unknown; its parameters are "
    )
    assert result.stderr.count("\n") == 1
    result = runner.invoke(app, [*args, "loose"])
    assert result.stderr.startswith("error: cannot make sense of 'loose'; expected --name value")


def test_the_command_lines_of_before(project: Project, task: Task, data: str, test: str) -> None:
    """As `mlflow run modelling` writes them: its own names, then what was not declared, as --name value."""
    words = [
        "side",
        "--algorithm",
        "mlp",
        "--train",
        data,
        "--test_data",
        test,
        "--gold",
        "0",
        "--combine",
        "auto",
        "--labels",
        "soft",
    ]
    words += ["--setting", "", "--features", "vec", "--seed", "3", "--verbose", "False", "--max_iter", "50"]
    done = program("modelling.train", *words)
    assert done.returncode == 0, done.stderr
    run_id = next(line.split()[1] for line in done.stdout.splitlines() if line.startswith("run "))
    params = project.runs.get(run_id).data.params
    assert (params["soft_labels"], params["seed"], params["max_iter"]) == ("True", "3", "50")
    assert (params["test_data"], params["combine"]) == (test, "weak")


@pytest.mark.parametrize("source", ["nope.parquet", "0" * 32])
def test_training_data_that_are_not_there(project: Project, task: Task, source: str) -> None:
    with pytest.raises(AdaptmlError, match=r"^(no run and no file .nope\.parquet.|run 0{32} cannot be read)"):
        train(project, task, source)
