"""Training, comparing, deploying and predicting on a small table, with a real store and database."""

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from tolerances import FLOAT32_ATOL
from typer.testing import CliRunner

from adaptml.cli import app
from adaptml.database import Database, Vector
from adaptml.errors import AdaptmlError, FeatureError, ModelError
from adaptml.frames import write_frame
from adaptml.runs.tracking import artifact, connect
from adaptml.settings import Settings
from adaptml.tasks import Task, load_task
from modelling.combine import list_ways
from modelling.compare import compare, point_scores, verdict
from modelling.deploy import deploy
from modelling.predict import predict
from modelling.train import Sources, summary, train

TASK = """
title: Which side?
setting: multiclass
classes: [{name: left}, {name: right}]
positive: right
columns: [{name: txt}]
lf_features: [txt]
features: [vec]
"""
N = 60


@pytest.fixture
def task(tracking: Settings) -> Task:
    """A task whose truth is the sign of the first feature; t0 … t59, odd ones are right."""
    folder = tracking.tasks_dir / "side"
    folder.mkdir()
    (folder / "task.yaml").write_text(TASK)
    with closing(Database(tracking.database_url.get_secret_value())) as database:
        database.create_table(
            "points", {"id": sa.Text(), "txt": sa.Text(), "vec": Vector(), "extra": Vector()}
        )
        rng = np.random.default_rng(0)
        vectors = rng.normal(size=(N, 3)) * 0.3
        vectors[:, 0] += np.where(np.arange(N) % 2, 1, -1)
        rows = {
            "id": [f"t{i}" for i in range(N)],
            "txt": "x",
            "vec": list(vectors),
            "extra": [[i] for i in range(N)],
        }
        database.upsert("points", pd.DataFrame(rows), ["id"])
    return load_task("side")


def write(path: Path, numbers: list[int], **extra: Callable[[int], object]) -> str:
    """A frame of points with true labels and more columns made from their numbers."""
    names = ["left", "right"]
    columns = {
        "label": lambda i: [names[i % 2]],
        "label_probs": lambda i: [1 - i % 2 * 0.8 - 0.1, i % 2 * 0.8 + 0.1],
    } | extra
    rows = [
        {"table_name": "points", "id": f"t{i}"} | {name: make(i) for name, make in columns.items()}
        for i in numbers
    ]
    return str(write_frame(pd.DataFrame(rows), path))


@pytest.fixture
def sources(task: Task, tmp_path: Path) -> Sources:
    """40 points to train on, 20 others and 5 of the same to test on, with gold that disagrees once."""
    test = write(
        tmp_path / "test.parquet",
        list(range(35, 60)),
        gold_label=lambda i: ["left"] if i == 59 else [["left", "right"][i % 2]],
    )
    return Sources(write(tmp_path / "train.parquet", list(range(40))), test)


def test_a_run_is_evaluated_on_points_that_it_did_not_train_on(
    task: Task, sources: Sources, tmp_path: Path
) -> None:
    done = train(task, "logistic_regression", sources)
    assert (done.n_train, done.n_gold, done.n_held_out) == (35, 0, 5)
    assert summary(task, done)[0] == ("trained on", "35 weakly labelled points, 5 more are tested on instead")
    assert done.metrics["lm_accuracy"] == 1.0
    assert done.metrics["gold_accuracy"] == pytest.approx(24 / 25)
    assert {"gold_roc_auc", "gold_average_precision", "gold_log_loss", "gold_mcc", "gold_dcg"} <= set(
        done.metrics
    )
    found = {item.path for item in connect().list_artifacts(done.run_id)}
    assert found == {
        "classifier.skops", "names.json", "log.txt", "training_data.html", "predictions.parquet", "predictions.html",
        "lm_confusion_matrix.png", "gold_confusion_matrix.png",
        "lm_roc_curve.png", "lm_det_curve.png", "gold_roc_curve.png", "gold_det_curve.png",
    }  # fmt: skip
    predicted = pd.read_parquet(artifact(done.run_id, "predictions.parquet", tmp_path))
    assert predicted["id"].tolist() == [f"t{i}" for i in range(35, 60)]
    assert [list(label) for label in predicted["label"]] == [
        [["left", "right"][i % 2]] for i in range(35, 60)
    ]
    names = json.loads(artifact(done.run_id, "names.json", tmp_path).read_text())
    assert names == {
        "setting": "multiclass",
        "classes": ["left", "right"],
        "features": ["vec"],
        "dimensions": 3,
    }


def test_the_same_inputs_and_seed_give_the_same_model(task: Task, sources: Sources) -> None:
    first, second = train(task, "mlp", sources, seed=3), train(task, "mlp", sources, seed=3)
    same = pytest.approx(second.metrics, abs=FLOAT32_ATOL, rel=0)
    assert first.metrics == same
    assert (first.version, second.version) == ("1", "2")
    assert train(task, "mlp", sources, seed=4).metrics != same


def test_soft_labels_need_probabilities(task: Task, sources: Sources, tmp_path: Path) -> None:
    hard = train(task, "logistic_regression", sources)
    soft = train(task, "logistic_regression", sources, soft_labels=True)
    assert soft.metrics["lm_log_loss"] > hard.metrics["lm_log_loss"]
    frame = pd.read_parquet(sources.train).drop(columns="label_probs")
    bare = str(write_frame(frame, tmp_path / "bare.parquet"))
    with pytest.raises(
        ModelError,
        match=r"bare\.parquet has no column label_probs, which soft labels are; train without them$",
    ):
        train(task, "logistic_regression", Sources(bare), soft_labels=True)
    with pytest.raises(
        ModelError, match=r"^knn takes no sample weights, which soft labels need; train it on hard labels$"
    ):
        train(task, "knn", sources, soft_labels=True)


def test_gold_that_is_learned_from_is_judged_by_cross_validation(task: Task, tmp_path: Path) -> None:
    gold = write(
        tmp_path / "gold.parquet", list(range(30, 60)), gold_label=lambda i: [["left", "right"][i % 2]]
    )
    source = write(tmp_path / "train.parquet", list(range(40)))
    done = train(task, "logistic_regression", Sources(source, gold, gold))
    assert (done.n_train, done.n_gold, done.n_held_out) == (30, 30, 10)
    assert summary(task, done)[0] == (
        "trained on",
        "30 weakly labelled points and 30 gold points, 10 more are gold or tested on",
    )
    assert done.metrics["gold_points"] == 30
    assert done.metrics["gold_accuracy"] == 1.0
    assert "lm_points" not in done.metrics
    assert done.way.split(":")[0] in set(list_ways())


def test_points_that_a_multiclass_run_cannot_use_are_counted(
    task: Task, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = write(
        tmp_path / "both.parquet",
        list(range(40)),
        label=lambda i: ["left", "right"] if i < 3 else [["left", "right"][i % 2]],
    )
    with caplog.at_level("WARNING"):
        assert train(task, "logistic_regression", Sources(source)).n_train == 37
    assert caplog.messages == [f"3 points of {source} are left out: a multiclass run needs exactly one class"]


def test_features_are_concatenated_and_their_names_checked(task: Task, sources: Sources) -> None:
    assert train(task, "logistic_regression", sources, features=["vec", "extra"]).metrics["lm_accuracy"] > 0.9
    with pytest.raises(FeatureError, match=r"^feature column 'txt' holds str"):
        train(task, "logistic_regression", sources, features=["txt"])


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ([0, 2, 4], "the training data hold one class only, expected at least two"),
        (
            list(range(40, 60)),
            "every point of the training data is also tested on; name other training or test data",
        ),
    ],
)
def test_training_data_that_cannot_be_used(
    task: Task, sources: Sources, tmp_path: Path, numbers: list[int], message: str
) -> None:
    bad = write(tmp_path / "bad.parquet", numbers)
    with pytest.raises(ModelError, match=f"^{message}"):
        train(task, "logistic_regression", Sources(bad, sources.test))
    runs = connect().search_runs([connect().get_experiment_by_name("side").experiment_id])
    assert [run.info.status for run in runs] == ["FAILED"]
    assert connect().search_registered_models() == []


def test_the_model_is_loaded_without_pickle_and_answers_in_key_order(
    task: Task, sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = train(task, "hist_gradient_boosting", sources, params={"min_samples_leaf": "3"})
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    model = mlflow.pyfunc.load_model(f"models:/{done.model}/{done.version}")
    out = model.predict(pd.DataFrame({"table_name": "points", "id": ["t9", "t2", "t9"]}))
    assert list(out.columns) == ["left", "right", "prob_left", "prob_right"]
    assert out["right"].tolist() == [1, 0, 1]
    assert out["prob_right"].iloc[0] == pytest.approx(out["prob_right"].iloc[2], abs=FLOAT32_ATOL)
    assert np.allclose(out["prob_left"] + out["prob_right"], 1)


def test_predicting_many_points_and_writing_them_back(
    task: Task, sources: Sources, tracking: Settings
) -> None:
    with pytest.raises(
        ModelError, match=r"^no champion 'multiclass_side' in the registry; train it, then `adaptml deploy"
    ):
        predict(task, pd.read_parquet(sources.train))
    deploy(train(task, "logistic_regression", sources).model)
    points = pd.read_parquet(sources.train).iloc[::-1]
    done = predict(task, points, write=True)
    assert done.frame["id"].tolist() == points["id"].tolist()
    assert done.frame["label"].tolist() == [[["left", "right"][int(i[1:]) % 2]] for i in points["id"]]
    assert done.new_rows == 40
    assert pd.read_parquet(done.path)["id"].tolist() == points["id"].tolist()
    assert predict(task, points, write=True).new_rows == 0


def test_a_champion_of_other_classes_is_not_used(task: Task, sources: Sources) -> None:
    deploy(train(task, "logistic_regression", sources).model)
    path = task.folder / "task.yaml"
    path.write_text(
        TASK.replace("{name: right}", "{name: rechts}").replace("positive: right", "positive: rechts")
    )
    with pytest.raises(
        ModelError, match=r"knows the classes left, right and the task file left, rechts; train and deploy"
    ):
        predict(load_task("side"), pd.read_parquet(sources.train))


def test_comparing_ways_to_train(task: Task, tmp_path: Path) -> None:
    gold = write(
        tmp_path / "gold.parquet", list(range(20, 60)), gold_label=lambda i: [["left", "right"][i % 2]]
    )
    wrong = write(tmp_path / "wrong.parquet", list(range(20)), label=lambda i: [["right", "left"][i % 2]])
    done = compare(task, wrong, gold)
    figures = {row.way: row.figure for row in done.rows}
    assert figures["gold"] == 1.0
    assert figures["weak"] == 0.0
    assert (done.n_gold, done.n_weak, done.measure) == (40, 20, "accuracy")
    assert "weak" in done.sentence.lower()
    with pytest.raises(ModelError, match=r"^5 gold points are too few to compare by; expected 10 or more$"):
        compare(task, wrong, write(tmp_path / "few.parquet", list(range(5)), gold_label=lambda i: ["left"]))


def test_the_verdict_rests_on_the_interval_of_the_gain() -> None:
    from modelling.compare import Row

    rows = [Row("gold", 0.6, 0, 1, 1), Row("weak", 0.8, 0, 1, 1)]
    gold = np.full(100, 0.6)
    assert verdict(rows, {"gold": gold, "weak": gold + 0.2}).startswith(
        "Weak supervision is worth it here (label-model labels only"
    )
    assert verdict(rows, {"gold": gold, "weak": gold - 0.2}).startswith("Weak supervision does harm here")
    assert verdict(rows, {"gold": gold, "weak": np.linspace(0, 1, 100)}).startswith(
        "This gold set cannot tell"
    )


def test_points_score_what_they_add_to_the_figure() -> None:
    truth = np.array([[1, 1], [0, 0], [0, 1]], dtype=np.int8)
    flags = np.array([[1, 0], [0, 0], [1, 0]], dtype=np.int8)
    assert point_scores("multilabel", truth, flags).round(4).tolist() == [0.6667, 1.0, 0.0]  # type: ignore[arg-type]


def test_the_command_line(task: Task, sources: Sources) -> None:
    runner = CliRunner()
    args = ["train", "side", "--train", sources.train, "--test", str(sources.test), "--algorithm", "mlp"]
    result = runner.invoke(app, [*args, "--hidden-layer-sizes", "8,4", "--max-iter=400"])
    assert result.exit_code == 0, result.stderr
    assert "on gold" in result.stdout
    run_id = next(line.split()[1] for line in result.stdout.splitlines() if line.startswith("run "))
    params = connect().get_run(run_id).data.params
    assert (params["hidden_layer_sizes"], params["max_iter"], params["seed"]) == ("(8, 4)", "400", "0")
    result = runner.invoke(app, [*args, "--alfa", "3"])
    assert result.exit_code == 1
    assert result.stderr.startswith(
        "error: mlp cannot use its parameters: alfa: unknown; its parameters are "
    )
    assert result.stderr.count("\n") == 1
    result = runner.invoke(app, [*args, "loose"])
    assert (
        result.stderr == "error: cannot make sense of 'loose'; expected --name value for a parameter of mlp\n"
    )


@pytest.mark.parametrize("source", ["nope.parquet", "0" * 32])
def test_training_data_that_are_not_there(task: Task, source: str) -> None:
    with pytest.raises(
        AdaptmlError,
        match=r"^(no run and no file .nope\.parquet.; expected the id|run 0{32} has no artifact)",
    ):
        train(task, "logistic_regression", Sources(source))
