"""Training, comparing, deploying and predicting on a small table, with a real store and database."""

import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar

import mlflow
import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from sklearn.naive_bayes import GaussianNB
from tolerances import FLOAT32_ATOL
from typer.testing import CliRunner

from adaptml.cli.app import app
from adaptml.database import Vector
from adaptml.errors import AdaptmlError, DatabaseError, FeatureError, FrameError, ModelError
from adaptml.frames import write_frame
from adaptml.project import Project
from adaptml.settings import Settings
from adaptml.tasks import Task
from modelling.compare import Row, compare, verdict
from modelling.deploy import deploy
from modelling.predict import predict
from modelling.strategies import list_strategies
from modelling.train import train

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
def task(tracking: Settings, project: Project) -> Task:
    """A task whose truth is the sign of the first feature; t0 … t59, odd ones are right."""
    folder = tracking.tasks_dir / "side"
    folder.mkdir()
    (folder / "task.yaml").write_text(TASK)
    database = project.database
    database.create_table("points", {"id": sa.Text(), "txt": sa.Text(), "vec": Vector(), "extra": Vector()})
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(N, 3)) * 0.3
    vectors[:, 0] += np.where(np.arange(N) % 2, 1, -1)
    rows = {
        "id": [f"t{i}" for i in range(N)],
        "txt": [f"text number {i}" for i in range(N)],
        "vec": list(vectors),
        "extra": [[i] for i in range(N)],
    }
    database.upsert("points", pd.DataFrame(rows), ["id"])
    return project.task("side")


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
def data(task: Task, tmp_path: Path) -> str:
    """40 points to train on."""
    return write(tmp_path / "train.parquet", list(range(40)))


@pytest.fixture
def test(task: Task, tmp_path: Path) -> str:
    """20 other points and 5 of the same to test on, with gold that disagrees once."""
    return write(
        tmp_path / "test.parquet",
        list(range(35, 60)),
        gold_label=lambda i: ["left"] if i == 59 else side(i),
    )


def side(i: int) -> list[str]:
    """The true label of a point."""
    return [["left", "right"][i % 2]]


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
        "lm_roc_curve.png", "lm_det_curve.png", "gold_roc_curve.png", "gold_det_curve.png",
    }  # fmt: skip
    predicted = pd.read_parquet(project.runs.artifact(done.run_id, "predictions.parquet", tmp_path))
    assert predicted["id"].tolist() == [f"t{i}" for i in range(35, 60)]
    assert [list(label) for label in predicted["label"]] == [side(i) for i in range(35, 60)]
    assert [list(label) for label in predicted["gold_label"]][-2:] == [["left"], ["left"]]
    names = json.loads(project.runs.artifact(done.run_id, "names.json", tmp_path).read_text())
    assert names == {
        "setting": "multiclass",
        "classes": ["left", "right"],
        "features": ["vec"],
        "dimensions": 3,
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
    project: Project, task: Task, data: str, test: str, caplog: pytest.LogCaptureFixture
) -> None:
    blind = task.model_copy(update={"columns": (task.columns[0].model_copy(update={"name": "gone"}),)})
    done = train(project, blind, data, test=test)
    assert "report.html" in {item.path for item in project.runs.client.list_artifacts(done.run_id)}
    assert "the report shows no texts: " in caplog.text


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


def test_gold_that_is_learned_from_is_judged_by_cross_validation(
    project: Project, task: Task, data: str, tmp_path: Path
) -> None:
    gold = write(tmp_path / "gold.parquet", list(range(30, 60)), gold_label=side)
    done = train(project, task, data, test=gold, gold=gold)
    assert (done.n_train, done.n_gold, done.n_held_out) == (30, 30, 10)
    assert done.lines[0] == (
        "trained on",
        "30 weakly labelled points and 30 gold points (10 points of the same data are gold or tested on instead)",
    )
    assert ("on gold", "accuracy 1.000 on 30 points by cross-validation") in done.lines
    assert done.metrics["gold_points"] == 30
    assert done.metrics["gold_accuracy"] == 1.0
    assert "lm_points" not in done.metrics
    assert done.strategy.split(":")[0] in set(list_strategies())
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
    assert ("on gold", "accuracy 1.000 on 40 points by cross-validation") in done.lines
    assert [text for text in done.warnings if "every point of" in text]
    assert "every point of" in caplog.text
    assert done.strategy.startswith("gold: ")


def test_a_share_is_held_out_alike_in_classes(project: Project, task: Task, data: str) -> None:
    done = train(project, task, data, test=0.25)
    assert (done.n_train, done.n_held_out) == (30, 10)
    held = done.predictions["id"].str[1:].astype(int)
    assert abs(sum(held % 2) - 5) <= 1
    assert done.metrics["lm_points"] == 10
    assert done.lines[-4] == (
        "on gold",
        "no metric: no gold was given to compare with; see --test and --gold",
    )
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
    with pytest.raises(FeatureError, match=r"^feature column 'txt' holds str"):
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


class TestProblemType:
    """Which problem a model is trained for."""

    SAID: ClassVar[dict[str, object]] = {
        "task": "side",
        "setting": "multilabel",
        "classes": ["left", "right"],
    }

    def frame(self, path: Path, said: dict[str, object] | None = None) -> str:
        source = write(path, list(range(40)))
        write_frame(pd.read_parquet(source), path, said or self.SAID)
        return source

    def test_a_name_takes_what_the_labels_were_made_for(
        self, project: Project, task: Task, tmp_path: Path
    ) -> None:
        done = train(project, "side", self.frame(tmp_path / "many.parquet"))
        assert (done.model_name, done.task.setting) == ("multilabel_side", "multilabel")
        gold = write(tmp_path / "gold.parquet", list(range(20, 60)), gold_label=side)
        assert compare(project, "side", tmp_path / "many.parquet", gold).measure == "f1_samples"

    def test_a_run_says_it_in_its_parameters_where_the_frame_does_not(
        self, project: Project, task: Task, data: str
    ) -> None:
        with project.runs.run("side", "label multilabel", {"setting": "multilabel"}) as run:
            write_frame(pd.read_parquet(data), run.folder / "training_data.parquet")
        assert train(project, "side", run.run_id).model_name == "multilabel_side"
        with pytest.raises(
            ModelError, match=f"the task is multiclass, and {run.run_id} was labelled as multil"
        ):
            train(project, task, run.run_id)

    def test_a_contradiction_is_one_line(
        self, project: Project, task: Task, tmp_path: Path, data: str
    ) -> None:
        source = self.frame(tmp_path / "many.parquet")
        with pytest.raises(
            ModelError, match=r"^the task is multiclass, and .* was labelled as multilabel; leave"
        ):
            train(project, task, source)
        result = CliRunner().invoke(app, ["train", "side", "--data", source, "--setting", "multiclass"])
        assert result.exit_code == 1
        assert result.stderr.startswith("error: the task is multiclass, and ")
        assert result.stderr.count("\n") == 1
        one = self.frame(tmp_path / "one.parquet", self.SAID | {"setting": "multiclass"})
        with pytest.raises(
            ModelError, match=r"one\.parquet is multilabel|many.parquet is multilabel|labelled as"
        ):
            train(project, "side", source, test=one)

    def test_labels_of_other_classes_are_refused(self, project: Project, task: Task, tmp_path: Path) -> None:
        said = {"setting": "multiclass", "classes": ["right", "left"]}
        with pytest.raises(
            ModelError, match=r"labelled with the classes right, left, and task 'side' has left"
        ):
            train(project, "side", self.frame(tmp_path / "swapped.parquet", said))


def test_the_model_is_loaded_without_pickle_and_answers_in_key_order(
    project: Project, task: Task, data: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = train(project, task, data, algorithm="hist_gradient_boosting", params={"min_samples_leaf": "3"})
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    (project.settings.tasks_dir / "side" / "task.yaml").unlink()
    files = project.runs.client.get_model_version_download_uri(done.model_name, done.version)
    model = mlflow.pyfunc.load_model(files)
    out = model.predict(pd.DataFrame({"table_name": "points", "id": ["t9", "t2", "t9"]}))
    assert list(out.columns) == ["left", "right", "prob_left", "prob_right"]
    assert out["right"].tolist() == [1, 0, 1]
    assert out["prob_right"].iloc[0] == pytest.approx(out["prob_right"].iloc[2], abs=FLOAT32_ATOL)
    assert np.allclose(out["prob_left"] + out["prob_right"], 1)


def test_predicting_many_points_and_writing_them_back(
    project: Project, task: Task, data: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = pd.read_parquet(data).iloc[::-1]
    with pytest.raises(ModelError, match=r"^no champion 'multiclass_side' in the registry; train it, then"):
        predict(project, task, points)
    deploy(project, train(project, task, data).model_name)
    with pytest.raises(DatabaseError, match="nothing was written back yet"):
        predict(project, task, points, new=True)
    monkeypatch.setattr("modelling.predict.CHUNK_ROWS", 7)  # 40 points in six chunks
    done = predict(project, task, points, write=True)
    assert done.predictions["id"].tolist() == points["id"].tolist()
    assert done.predictions["label"].map(list).tolist() == [side(int(i[1:])) for i in points["id"]]
    assert done.predictions["label_probs"].map(sum).tolist() == pytest.approx([1.0] * 40)
    assert (done.new_rows, done.n_points, done.counts) == (40, 40, {"left": 20, "right": 20})
    assert predict(project, task, points, write=True).new_rows == 0
    rest = predict(project, task, "points", new=True, to="rest.parquet")
    assert sorted(rest.predictions["id"]) == sorted(f"t{i}" for i in range(40, 60))
    one = predict(project, task, "points", where="id = 't7'")
    assert one.predictions["label"].map(list).tolist() == [["right"]]
    assert "right" in one._repr_html_()


def test_a_prediction_that_fails_leaves_no_file(project: Project, task: Task, data: str) -> None:
    deploy(project, train(project, task, data).model_name)
    gone = pd.DataFrame({"table_name": ["points"], "id": ["nobody"]})
    with pytest.raises(AdaptmlError, match="1 of 1 data points are not in their table"):
        predict(project, task, gone)
    assert list((project.settings.home / "predictions").iterdir()) == []


def test_predictions_of_the_same_second_are_files_of_their_own(
    project: Project, task: Task, data: str
) -> None:
    deploy(project, train(project, task, data).model_name)
    conditions = ["id = 't7'", "id <> 't7'"] * 3
    with ThreadPoolExecutor(len(conditions)) as pool:
        written = list(pool.map(lambda where: predict(project, task, "points", where=where), conditions))
    assert len({done.path for done in written}) == 6
    assert [len(pd.read_parquet(done.path)) for done in written] == [1, 59] * 3


def test_a_champion_of_other_classes_is_not_used(project: Project, task: Task, data: str) -> None:
    deploy(project, train(project, task, data).model_name)
    other = Task(name="side", classes=["left", "rechts"], features=["vec"])
    with pytest.raises(
        ModelError, match=r"knows the classes left, right and the task file left, rechts; train"
    ):
        predict(project, other, pd.read_parquet(data))


def test_comparing_strategies(project: Project, task: Task, tmp_path: Path) -> None:
    gold = write(tmp_path / "gold.parquet", list(range(20, 60)), gold_label=side)
    wrong = write(tmp_path / "wrong.parquet", list(range(20)), label=lambda i: side(i + 1))
    done = compare(project, task, wrong, gold)
    found = {row.strategy: row.metric for row in done.rows}
    assert found["gold"] == 1.0
    assert found["weak"] == 0.0
    assert (done.n_gold, done.n_weak, done.measure) == (40, 20, "accuracy")
    assert done.frame.columns.tolist() == ["strategy", "trained_on", "accuracy", "low", "high", "log_loss"]
    assert done.sentence in done._repr_html_().replace("&#x27;", "'")
    with pytest.raises(ModelError, match=r"^5 gold points are too few to compare by; expected 10 or more$"):
        compare(project, task, wrong, write(tmp_path / "few.parquet", list(range(5)), gold_label=side))


def test_comparing_where_every_point_is_gold(project: Project, task: Task, data: str, tmp_path: Path) -> None:
    gold = write(tmp_path / "gold.parquet", list(range(40)), gold_label=side)
    done = compare(project, task, data, gold)
    assert [(row.strategy, row.metric) for row in done.rows] == [("gold", 1.0)]
    assert done.n_weak == 0
    assert done.sentence.startswith(
        "Every weakly labelled point is gold, so there is nothing to compare: gold alone"
    )


def test_the_verdict_rests_on_the_interval_of_the_gain() -> None:
    rows = [Row("gold", 0.6, 0, 1, 1), Row("weak", 0.8, 0, 1, 1)]
    gold = np.full(100, 0.6)
    table = [
        (gold + 0.2, "Weak supervision is worth it here (label-model labels only"),
        (gold - 0.2, "Weak supervision does harm here"),
        (np.linspace(0, 1, 100), "This gold set cannot tell"),
    ]
    for weak, beginning in table:
        assert verdict(rows, {"gold": gold, "weak": weak}).startswith(beginning)
    perfect = [Row("gold", 1.0, 1, 1, 1), Row("weak", 1.0, 1, 1, 1)]
    assert verdict(perfect, {"gold": gold, "weak": gold}).startswith("Gold is enough here")


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
    words = [sys.executable, "-W", "ignore", "-P", "-m", "modelling.train", "side", "--algorithm", "mlp"]
    words += ["--train", data, "--test_data", test, "--gold", "0", "--combine", "auto", "--labels", "soft"]
    words += ["--setting", "", "--features", "vec", "--seed", "3", "--verbose", "False", "--max_iter", "50"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    run_id = next(line.split()[1] for line in done.stdout.splitlines() if line.startswith("run "))
    params = project.runs.get(run_id).data.params
    assert (params["soft_labels"], params["seed"], params["max_iter"]) == ("True", "3", "50")
    assert (params["test_data"], params["combine"]) == (test, "weak")


def test_predicting_and_comparing_from_the_command_line(
    project: Project, task: Task, data: str, tmp_path: Path
) -> None:
    runner = CliRunner()
    deploy(project, train(project, task, data).model_name)
    result = runner.invoke(app, ["predict", "side", "--data", "points", "--where", "id < 't3'", "--write"])
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("23 data points predicted by multiclass_side version 1\n")
    assert "side_predictions, 23 new rows" in result.stdout
    gold = write(tmp_path / "gold.parquet", list(range(20, 60)), gold_label=side)
    result = runner.invoke(app, ["compare", "side", "--data", data, "--gold", gold])
    assert result.exit_code == 0, result.stderr
    assert "Gold is enough here" in result.stdout
    assert "slightly optimistic" in result.stdout


@pytest.mark.parametrize("source", ["nope.parquet", "0" * 32])
def test_training_data_that_are_not_there(project: Project, task: Task, source: str) -> None:
    with pytest.raises(AdaptmlError, match=r"^(no run and no file .nope\.parquet.|run 0{32} cannot be read)"):
        train(project, task, source)
