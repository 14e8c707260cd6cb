"""The step `label`, on a real database and a real MLflow store."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from tolerances import FLOAT32_ATOL, FLOAT64_ATOL
from typer.testing import CliRunner

from adaptml.cli.app import app
from adaptml.data import Data
from adaptml.database import TextList, WritebackKind, write_back
from adaptml.errors import AdaptmlError, LabellingError
from adaptml.frames import read_metadata, write_frame
from adaptml.gold_labels.reading import gold_labels
from adaptml.project import Project
from adaptml.rules.of_model import ModelRules
from adaptml.rules.stored_votes import read_votes
from adaptml.tasks import Task
from dataprogramming.apply import apply_lfs
from dataprogramming.keyword_lfs import keyword_lf
from dataprogramming.label import LabelResult, label
from dataprogramming.label_models.config import SnorkelConfig
from dataprogramming.votes import Votes
from portal.runs.answers import read as read_run

# MLflow's own, at its first use
pytestmark = [
    pytest.mark.filterwarnings("ignore:The ``noload`` loader:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*Any type hint:UserWarning"),
    pytest.mark.filterwarnings("ignore:Operation with range is deprecated"),
]

TASK = """
title: Which animal?
setting: SETTING
classes: [{name: cat}, {name: dog}]
columns: [{name: txt}]
lf_features: [tokens]
features: [vec]
"""
LFS = """
from dataprogramming.lfs import LFParams, keyword_lf
from snorkel.labeling import labeling_function
class Params(LFParams):
    many: int = 99
def get_lfs(params: Params):
    cat, dog = params.labels.cat, params.labels.dog
    @labeling_function()
    def long(x):
        return dog if len(x.tokens) >= params.many else None
    @labeling_function()
    def broken(x):
        return "dog" if 1 // ("boom" not in x.tokens) == 2 else "ABSTAIN"
    return [
        keyword_lf("purr", ["purr"], cat, "tokens"), keyword_lf("meow", ["meow"], cat, "tokens"),
        keyword_lf("bark", ["bark"], "dog", "tokens"), keyword_lf("wag", ["wag"], dog, "tokens"), long, broken,
    ]
"""
# What the tokens of point i are, repeated over 63 points: cat, dog, both, neither.
TOKENS = [["purr"], ["bark", "wag"], ["meow", "wag"], ["sun"], ["purr", "meow"], ["bark"], []]
GOLD = [["cat"], ["dog"], ["cat", "dog"], [], ["cat"], ["dog"], []]
N = 63


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('store') / 'mlflow.db'}"


@pytest.fixture
def room(store: str, clean_room: Path) -> Iterator[Project]:
    folder = clean_room / "tasks" / "pets"
    folder.mkdir()
    (folder / "task.yaml").write_text(TASK.replace("SETTING", "multilabel"))
    (folder / "lfs.py").write_text(LFS)
    with Project(clean_room, tracking_uri=store) as project:
        project.database.create_table("posts", {"id": sa.Text(), "tokens": TextList()}, ["id"])
        ids = [f"{i:02}" for i in range(N)]
        tokens = [TOKENS[i % len(TOKENS)] for i in range(N)]
        project.database.upsert("posts", pd.DataFrame({"id": ids, "tokens": tokens}), ["id"])
        keys = pd.DataFrame({"table_name": "posts", "id": ids})
        gold = keys.assign(gold_label=pd.Series(GOLD * 9, dtype=object)).iloc[:42]
        write_frame(gold, project.settings.gold("pets"))
        yield project


Run = Callable[..., LabelResult]


@pytest.fixture
def run(room: Project) -> Run:
    def run(setting: str, gold: Data | None = "task", **options: object) -> LabelResult:
        options.setdefault("config", SnorkelConfig(n_epochs=10))
        return label(room, room.task("pets", setting), "posts", gold, **options)  # type: ignore[arg-type]

    return run


def test_rows_that_are_gone_are_counted_and_left_out(room: Project, run: Run) -> None:
    """Of the gold, points 01, 02 and 40 are deleted; gold is of the first 42 points, all are to be labelled."""
    points = room.database.keys("posts")
    with room.database.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM posts WHERE id IN ('01', '02', '40', '50')")
    done = run("multilabel")
    assert (done.n_points, done.n_gold) == (59, 39)
    assert (done.metrics["points_gone"], done.metrics["dev_gone"]) == (0, 3)
    assert ("gold", "39 points, 3 left out (gone from their table)") in done.lines
    again = label(room, room.task("pets", "multilabel"), points, "task", config=SnorkelConfig(n_epochs=10))
    assert (again.n_points, again.metrics["points_gone"], again.metrics["dev_gone"]) == (59, 4, 3)
    assert again.lines[0][1].endswith(", the others have no votes, 4 left out (gone from their table)")


def test_whoever_writes_rules_does_not_see_the_gold_that_judges(room: Project) -> None:
    gold = gold_labels(room, "pets").frame
    to_tune = gold.loc[gold["part"] == "tune", "id"].tolist()
    seen = apply_lfs(room, "pets", "posts").gold
    assert seen is not None
    assert (seen.keys["id"].tolist(), seen.set_aside) == (to_tune, len(gold) - len(to_tune))
    assert 10 <= len(to_tune) <= 32  # of 42: both parts have enough
    whole = apply_lfs(room, "pets", "posts", gold=gold[["table_name", "id", "gold_label"]]).gold
    assert whole is not None
    assert (len(whole), whole.set_aside) == (42, 0)


def frame(room: Project, done: LabelResult, name: str, folder: Path) -> pd.DataFrame:
    return pd.read_parquet(room.runs.artifact(done.run_id, name, folder))


def test_multilabel_run(room: Project, run: Run, tmp_path: Path) -> None:
    done = run("multilabel", write=True)
    assert done.chosen == "union"
    assert (done.n_points, done.n_covered, done.n_gold, done.n_gold_left_out) == (63, 45, 42, 0)
    assert done.metrics["dev_f1_samples"] == done.metrics["dev_union/f1_samples"] == 1.0
    low, value, high = (done.metrics[f"dev_constant/f1_samples{end}"] for end in ("_low", "", "_high"))
    assert low < value < high
    assert value == pytest.approx((12 * 1 + 6 * 2 / 3) / 42)  # of 42 points, 12 are cat and 6 both
    assert done.metrics["dev_coverage"] == pytest.approx(5 / 7)
    assert done.metrics["points_left_out"] == 18
    assert "labelling functions long, broken never vote: look at what each looks for" in done.warnings
    assert sorted(item.path for item in room.runs.client.list_artifacts(done.run_id)) == [
        "confusion_matrix.png",
        "development_data.parquet",
        "fold_probs.parquet",
        "gold_votes.parquet",
        "label_model.npz",
        "label_models",
        "lf_summary_dev.csv",
        "lf_summary_train.csv",
        "lfs.json",
        "log.txt",
        "model",
        "report.html",
        "rules.json",
        "training_data.parquet",
        "votes.parquet",
    ]
    training = frame(room, done, "training_data.parquet", tmp_path)
    assert training.columns.tolist() == ["table_name", "id", "label", "label_probs"]
    assert training["id"].tolist() == [f"{i:02}" for i in range(N) if GOLD[i % 7]]
    assert [list(names) for names in training["label"]] == [GOLD[i % 7] for i in range(N) if GOLD[i % 7]]
    development = frame(room, done, "development_data.parquet", tmp_path)
    assert [list(names) for names in development["gold_label"]] == [GOLD[i % 7] for i in range(42)]
    votes = Votes.load(room.runs.artifact(done.run_id, "votes.parquet", tmp_path))
    assert votes.frame.columns.tolist() == [
        "table_name",
        "id",
        "purr",
        "meow",
        "bark",
        "wag",
        "long",
        "broken",
    ]
    assert votes.frame.iloc[2].tolist() == ["posts", "02", -1, 0, -1, 1, -1, -1]
    assert (votes.task, votes.setting, votes.class_names) == ("pets", "multilabel", ("cat", "dog"))
    gold_votes = Votes.load(room.runs.artifact(done.run_id, "gold_votes.parquet", tmp_path))
    pd.testing.assert_frame_equal(gold_votes.frame, votes.frame.iloc[:42])
    assert done.new_rows == 45
    assert ("database", "pets_labels, 45 new rows") in done.all_lines()
    rules = ModelRules.read(room.runs.artifact(done.run_id, "rules.json", tmp_path))
    assert (rules.not_data, rules.columns, rules.classes) == (
        ("long", "broken"),
        {"tokens": "tokens"},
        ("cat", "dog"),
    )
    stored, there = read_votes(room.points, rules, "posts", votes.keys["id"].tolist())
    assert there.all()
    assert (stored == votes.L).all()
    log = room.runs.artifact(done.run_id, "log.txt", tmp_path).read_text()
    assert "63 points, 18 without votes are left out of the training data" in log
    assert (
        "42 gold points, of which 12 without votes are predicted from the class balance; 0 without exactly"
        in log
    )


def test_multiclass_run(room: Project, run: Run) -> None:
    done = run("multiclass")
    assert (done.n_gold, done.n_gold_left_out) == (24, 18)
    assert done.metrics["dev_accuracy"] == 1.0
    assert {f"dev_{name}/accuracy" for name in ("majority_vote", "weighted_vote", "snorkel")} <= set(
        done.metrics
    )
    lines = dict(done.all_lines())
    assert lines["points"] == "63, 45 of them labelled, the others have no votes"
    assert lines["gold"] == "24 points, 18 left out (not exactly one class)"
    assert lines["on gold"] == (
        "accuracy 1.000 (0.862 to 1.000) by cross-validation on gold that had no say in the choice; always cat: "
        "accuracy 0.500; gold points without votes (0%) are predicted from the class balance"
    )
    ends = [
        f"dev_{model}accuracy{end}" for model in ("", "constant/", "snorkel/") for end in ("_low", "_high")
    ]
    assert set(ends) <= set(done.metrics)
    params = room.runs.client.get_run(done.run_id).data.params
    assert params["judged_by"] == "accuracy"
    shown = read_run(room, task="pets", run_id=done.run_id)
    rows = [
        (row["name"], row["figures"][0]["name"], row["figures"][0]["value"]) for row in shown["label_models"]
    ]
    assert rows == [
        ("constant", "accuracy", 0.5), ("dawid_skene", "accuracy", 1.0), ("majority_vote", "accuracy", 1.0),
        ("snorkel", "accuracy", 1.0), ("weighted_vote", "accuracy", 1.0), ("", "accuracy", 1.0),
    ]  # fmt: skip
    assert [figure["low"] < 1 for row in shown["label_models"] for figure in row["figures"]] == [True] * 6
    assert shown["gold"]["figure"]["value"] == 1.0  # of the same predictions as the last row
    assert done.warnings[0].startswith("there are only 24 gold points: a figure on them can be off by 0.20 ")
    assert done.model.startswith("multiclass_pets_label_model version ")
    assert (params["label_model"], params["label_model_used"]) == ("auto", done.chosen)


def test_without_gold(room: Project, run: Run) -> None:
    done = run("multiclass", gold=None)
    assert done.reason == "majority_vote is used because there is no gold to compare label models on"
    assert not [name for name in done.metrics if name.startswith("dev_")]
    paths = {item.path for item in room.runs.client.list_artifacts(done.run_id)}
    assert not paths & {"development_data.parquet", "confusion_matrix.png", "lf_summary_dev.csv"}


def test_the_same_seed_gives_the_same_labels(room: Project, run: Run, tmp_path: Path) -> None:
    frames = []
    for i in range(2):
        (tmp_path / str(i)).mkdir()
        frames.append(
            frame(room, run("multiclass", label_model="snorkel"), "training_data.parquet", tmp_path / str(i))
        )
    first, second = (np.array(made["label_probs"].tolist()) for made in frames)
    np.testing.assert_allclose(first, second, rtol=0, atol=FLOAT32_ATOL)
    pd.testing.assert_frame_equal(*(made.drop(columns="label_probs") for made in frames))


def test_parameters_reach_the_labelling_functions(room: Project, run: Run) -> None:
    done = run("multiclass", lf_parameters={"many": "1"}, gold=None)
    assert done.n_covered == 54
    assert room.runs.client.get_run(done.run_id).data.params["many"] == "1"


def test_a_failed_run_is_marked_with_its_error(run: Run, room: Project) -> None:
    room.database.upsert("posts", pd.DataFrame({"id": ["07"], "tokens": [["boom"]]}), ["id"])
    with pytest.raises(
        AdaptmlError,
        match=r"'broken' failed on data point posts/07, at .*lfs.py, line 13: ZeroDivisionError: ",
    ):
        run("multiclass")
    client = room.runs.client
    experiment = client.get_experiment_by_name("pets")
    assert experiment is not None
    last = client.search_runs([experiment.experiment_id], order_by=["start_time DESC"])[0]
    assert last.info.status == "FAILED"
    assert [item.path for item in client.list_artifacts(last.info.run_id)] == ["log.txt"]
    done = run("multiclass", fault_tolerant=True)
    assert done.metrics["lf_failures"] == 2  # the point is in gold too
    assert "labelling function broken failed on 2 points and abstained there" in done.warnings


@pytest.mark.parametrize(
    "label_model", ["majority_vote", "weighted_vote", "snorkel", "dawid_skene", "union", "em", "knee"]
)
def test_the_registered_model_needs_neither_torch_nor_snorkel_nor_this_project(
    room: Project, run: Run, store: str, tmp_path: Path, label_model: str
) -> None:
    setting = "multilabel" if label_model in ("union", "em", "knee") else "multiclass"
    done = run(setting, label_model=label_model)
    assert done.chosen == label_model
    name, version = done.model.split(" version ")
    expected = frame(room, done, "training_data.parquet", tmp_path)
    code = f"""
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "snorkel", "dataprogramming", "adaptml", "sklearn", "scipy"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Refuse())
import json, os
os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] = "false"
import mlflow, numpy as np, pandas as pd
mlflow.set_tracking_uri({store!r})
model = mlflow.pyfunc.load_model("models:/{name}/{version}")
frame = pd.read_parquet(sys.argv[1]).drop(columns=["table_name", "id"]).astype(np.int64)
json.dump(model.predict(frame).to_dict("list"), open(sys.argv[2], "w"))
"""
    votes, out = room.runs.artifact(done.run_id, "votes.parquet", tmp_path), tmp_path / "out.json"
    subprocess.run([sys.executable, "-P", "-c", code, str(votes), str(out)], check=True, cwd=tmp_path)
    told = pd.read_json(out)
    assert told.columns.tolist() == ["cat", "dog", "prob_cat", "prob_dog"]
    told = told[(Votes.load(votes).L >= 0).any(axis=1)]
    np.testing.assert_allclose(
        told[["prob_cat", "prob_dog"]], expected["label_probs"].tolist(), rtol=0, atol=FLOAT64_ATOL
    )
    flags = [[int(c in names) for c in ("cat", "dog")] for names in expected["label"]]
    assert told[["cat", "dog"]].to_numpy().tolist() == flags


def test_keywords_without_a_row_are_named_in_log_result_and_report(
    room: Project, run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    edit = room.settings.tasks_dir / "pets" / "lfs.py"
    edit.write_text(LFS.replace('["wag"]', '["wag", "wags", "woof", "customer service"]'))
    done = run("multilabel", None)
    silent = "2 keywords are in none of 63 rows: customer service (wag), woof (wag)"
    assert [warning for warning in done.warnings if warning.startswith(silent)] != []
    assert silent in caplog.text
    page = room.runs.artifact(done.run_id, "report.html", tmp_path).read_text()
    assert silent in page
    assert "7 keywords, counted on 63 rows" in page


def test_a_dry_run_logs_nothing(pets: Project) -> None:
    done = label(pets, "pets", "posts", "task", dry_run=True, write=True)
    assert (done.run_id, done.model, done.new_rows) == ("", "", None)
    assert done.metrics["dev_accuracy"] == 0.5  # right on 2, and on 5, where the class balance breaks a tie
    assert done.lf_summary["correct"].tolist() == [2, 1, 0]
    assert not (pets.settings.home / "mlflow.db").exists()
    assert "pets_labels" not in pets.database.tables()
    assert dict(done.all_lines())["run"] == "none: nothing was logged"


def test_the_result_has_frames_and_shows_itself(pets: Project) -> None:
    done = label(pets, "pets", "posts", "task", dry_run=True)
    assert done.training_data["id"].tolist() == ["1", "2", "3", "5", "6"]
    assert done.training_data.attrs["adaptml"] == {
        "task": "pets", "setting": "multiclass", "classes": ["cat", "dog"],
    }  # fmt: skip
    assert done.votes.frame["cats"].tolist() == [0, -1, 0, -1, 0, -1]
    assert done.gold_votes is not None
    assert done.gold_votes.keys["id"].tolist() == ["2", "3", "5", "6"]
    assert done.development_data is not None
    assert done.development_data["gold_label"].tolist() == [["dog"], ["cat"], ["cat"], ["cat"]]
    wrong = done.errors()
    assert wrong["id"].tolist() == [
        key
        for key, said, true in done.development_data[["id", "label", "gold_label"]].itertuples(index=False)
        if said != true
    ]
    assert wrong.columns.tolist() == [
        "table_name",
        "id",
        "txt",
        "label",
        "gold_label",
        "cats",
        "dogs",
        "long",
    ]
    assert done.errors("dogs")["id"].tolist() == ["3", "6"]
    assert "<td>cats</td>" in done._repr_html_()
    assert "label model" in repr(done)
    with pytest.raises(LabellingError, match="no gold in this run"):
        label(pets, "pets", "posts", dry_run=True).errors()


def test_a_task_made_in_python_is_labelled(pets: Project) -> None:
    task = Task(
        name="made",
        classes=["cat", "dog"],
        setting="multilabel",
        lfs=[keyword_lf("purr", ["purr"], "cat", "tokens")],
    )
    done = label(pets, task, "posts where id < '4'", dry_run=True)
    assert (done.n_points, done.training_data["id"].tolist()) == (3, ["1", "3"])


def test_only_new_points_are_labelled(pets: Project) -> None:
    every = label(pets, "pets", "posts", new=True, dry_run=True)  # nothing was written yet
    assert every.n_points == len(pets.database.keys("posts"))
    labels = pd.DataFrame(
        {"table_name": "posts", "id": ["1", "2"], "label": [["cat"]] * 2, "label_probs": [[1.0, 0.0]] * 2}
    )
    write_back(pets.database, pets.task("pets"), WritebackKind.LABELS, labels, "a-run")
    done = label(pets, "pets", "posts", where="id <> '6'", new=True, dry_run=True)
    assert done.votes.keys["id"].tolist() == ["3", "4", "5"]


def test_labels_that_cannot_be_written_are_written_later_by_the_command_that_is_named(
    pets: Project, empty_store: Path
) -> None:
    shutil.copy(empty_store, pets.settings.home / "mlflow.db")
    with pets.database.engine.begin() as connection:
        connection.exec_driver_sql("CREATE VIEW pets_labels AS SELECT 1 AS a")
    runner, words = CliRunner(), ["label", "pets", "--data", "posts", "--label-model", "majority_vote"]
    refused = runner.invoke(app, [*words, "--write"])
    (run,) = pets.runs.client.search_runs(["1"])
    run_id, n_covered = run.info.run_id, int(run.data.metrics["points_covered"])
    assert (refused.exit_code, run.info.status) == (1, "FINISHED")
    assert re.search(rf"^run +{run_id}$", refused.stdout, re.MULTILINE)
    assert "registered     multiclass_pets_label_model version 1" in refused.stdout
    assert "database  " not in refused.stdout
    again = f"adaptml label pets --setting multiclass --run {run_id} --write"
    assert f"\nerror: run {run_id} is complete, but not written to pets_labels: " in refused.stderr
    assert refused.stderr.endswith(f"; put that right, then write it: `{again}`\n")
    with pets.database.engine.begin() as connection:
        connection.exec_driver_sql("DROP VIEW pets_labels")
    for new_rows in (n_covered, 0):
        done = runner.invoke(app, again.split()[1:])
        assert done.stdout == f"database       pets_labels, {new_rows} new rows\n", done
    assert len(pets.runs.client.search_runs(["1"])) == 1
    pets.runs.client.delete_run(run_id)
    gone = runner.invoke(app, again.split()[1:])
    assert (gone.exit_code, f"run {run_id} was deleted" in gone.stderr) == (1, True)


@pytest.mark.parametrize(
    "words", ["--run abc", "--run abc --write --data posts", "", "--run abc --write --n-epochs 3"]
)
def test_what_is_wanted_of_label_is_said_whole(pets: Project, words: str) -> None:
    done = CliRunner().invoke(app, ["label", "pets", *words.split()])
    assert done.exit_code == 2, done.output


@pytest.mark.parametrize("texts", [True, False])
def test_the_report_shows_texts_escaped_or_none(
    pets: Project, empty_store: Path, tmp_path: Path, texts: bool
) -> None:
    shutil.copy(empty_store, pets.settings.home / "mlflow.db")
    done = label(pets, "pets", "posts", "task", texts=texts)
    page = pets.runs.artifact(done.run_id, "report.html", tmp_path).read_text()
    assert "Labels of task pets" in page
    assert "<b>bark</b>" not in page
    assert ("Purring and barking!" in page) == texts
    said = read_metadata(pets.runs.artifact(done.run_id, "training_data.parquet", tmp_path))
    assert said == {"task": "pets", "setting": "multiclass", "classes": ["cat", "dog"]}


def test_a_broken_file_is_one_line_and_its_traceback_is_in_the_log(pets: Project, empty_store: Path) -> None:
    shutil.copy(empty_store, pets.settings.home / "mlflow.db")
    (pets.settings.tasks_dir / "pets" / "lfs.py").write_text("import re\nre.compile('(')\n")
    with pytest.raises(LabellingError, match=r"lfs.py, line 2: .*missing \), unterminated subpattern"):
        label(pets, "pets", "posts")
    (run,) = pets.runs.client.search_runs(["1"])
    assert run.info.status == "FAILED"
    log = (pets.settings.home / "mlruns").rglob("log.txt")
    assert "Traceback" in next(iter(log)).read_text()
