"""What runs said of gold, and two runs beside each other: worked out by hand on five points."""

from typing import Any

import pandas as pd
import pytest

from adaptml.errors import TrackingError
from adaptml.frames import write_frame
from adaptml.project import Project
from adaptml.runs.details import run_details, run_log
from adaptml.runs.judged import judged, predicted_points
from adaptml.runs.side_by_side import runs_side_by_side
from adaptml.settings import Settings
from adaptml.tasks import Task

TASK = """
title: Spam
setting: multiclass
classes: [{name: ham}, {name: spam}]
columns: [{name: text}]
lf_features: [text]
features: [vec]
"""
GOLD = ["ham", "ham", "spam", "spam", "spam"]


@pytest.fixture
def task(tracking: Settings, project: Project) -> Task:
    folder = tracking.tasks_dir / "spam"
    folder.mkdir()
    (folder / "task.yaml").write_text(TASK)
    return project.task("spam")


def frame(spam: list[float], gold: list[str] | None) -> pd.DataFrame:
    """Points p0, p1 …, said to be spam with these probabilities."""
    rows = {
        "table_name": "posts",
        "id": [f"p{i}" for i in range(len(spam))],
        "label": [["spam"] if p > 0.5 else ["ham"] for p in spam],
        "label_probs": [[1 - p, p] for p in spam],
    }
    found = pd.DataFrame(rows)
    return (
        found if gold is None else found.assign(gold_label=pd.Series([[name] for name in gold], dtype=object))
    )


def record(project: Project, name: str, files: dict[str, pd.DataFrame], **params: Any) -> str:
    """A finished run of task spam with these files."""
    shown = {"task": "spam", "setting": "multiclass", **params}
    with project.runs.run("spam", name, shown) as run:
        run.metrics["points"] = 5
        for file, content in files.items():
            said = {"task": "spam", "setting": "multiclass", "classes": ["ham", "spam"]}
            write_frame(content, run.folder / file, said)
    return run.run_id


def test_a_label_run_s_gold_points_with_the_measure_and_its_interval(project: Project, task: Task) -> None:
    run = record(
        project,
        "label multiclass",
        {"development_data.parquet": frame([0.1, 0.9, 0.8, 0.6, 0.3], GOLD)},
        label_model="auto",
        uncovered_gold="predicted from the class balance",
    )
    found = judged(project, run, task)
    assert found is not None
    figure = found.figure()
    assert (figure.name, figure.value, figure.n) == ("accuracy", 0.6, 5)
    assert (round(figure.low, 3), round(figure.high, 3)) == (0.231, 0.882)  # Wilson, 3 of 5
    assert found.wrong.tolist() == [False, True, False, False, True]
    assert [found.keys["id"][i] for i in found.surest(found.wrong)] == ["p1", "p4"]  # 0.9 before 0.7
    behind = {
        ("wrong", "", ""): "p1 p4", ("cell", "ham", "spam"): "p1", ("missed", "spam", ""): "p4",
        ("wrongly", "", "spam"): "p1", ("right", "spam", ""): "p2 p3",
    }  # fmt: skip
    for asked, ids in behind.items():
        assert found.keys["id"][found.rows(*asked)].tolist() == ids.split()
    for asked, message in {
        ("cell", "spam", "eggs"): "no class 'eggs'",
        ("all", "", ""): "no rows 'all'",
    }.items():
        with pytest.raises(TrackingError, match=message):
            found.rows(*asked)
    assert found.frame()["gold_label"].tolist() == [[name] for name in GOLD]
    assert found.policy.endswith("one without votes is predicted from the class balance")


def test_a_run_is_judged_by_the_metric_that_it_names(project: Project, task: Task) -> None:
    """2 of 3 of class spam are found and one of ham is given it: F1 of spam 2 * 2 / (3 + 3), accuracy 3/5."""
    files = {"development_data.parquet": frame([0.1, 0.9, 0.8, 0.6, 0.3], GOLD)}
    better = {"development_data.parquet": frame([0.1, 0.9, 0.8, 0.6, 0.7], GOLD)}  # 2 * 3 / (3 + 4)
    first, second = (
        record(project, "label multiclass", one, label_model="auto", judged_by="f1/spam")
        for one in (files, better)
    )
    found = judged(project, first, task)
    assert found is not None
    figure, plain = found.figure(), found.plain_figure()
    assert (figure.name, figure.value, plain.name, plain.value) == ("F1 of spam", 2 / 3, "accuracy", 0.6)
    assert 0 <= figure.low < figure.value < figure.high <= 1
    gain = runs_side_by_side(project, first, second).gain
    assert gain is not None
    assert (gain.name, round(gain.value, 9)) == ("gain in F1 of spam", round(6 / 7 - 2 / 3, 9))


def test_test_points_with_gold_count_before_gold_that_was_trained_on(project: Project, task: Task) -> None:
    trained_on, tested_on = frame([0.1] * 5, GOLD), frame([0.9, 0.9], ["ham", "spam"])
    both = {"gold_predictions.parquet": trained_on, "predictions.parquet": tested_on}
    found = judged(project, record(project, "train mlp multiclass", both, algorithm="mlp"), task)
    assert found is not None
    assert (len(found), found.figure().value) == (2, 0.5)
    both["predictions.parquet"] = frame([0.9, 0.9], None)
    run = record(project, "train mlp multiclass", both, algorithm="mlp")
    found = judged(project, run, task)
    assert found is not None
    assert (len(found), found.policy[:19]) == (5, "by cross-validation")
    plain = record(
        project, "train mlp multiclass", {"predictions.parquet": tested_on.drop(columns="gold_label")}
    )
    assert judged(project, plain, task) is None
    read = predicted_points(project, plain)
    assert read is not None
    assert read[1] == "predictions.parquet"
    assert predicted_points(project, record(project, "train mlp multiclass", {})) is None


def test_two_runs_beside_each_other(project: Project, task: Task) -> None:
    old = record(
        project, "train knn multiclass", {"predictions.parquet": frame([0.1, 0.1, 0.1, 0.9, 0.9], GOLD)},
        algorithm="knn", seed=0,
    )  # fmt: skip
    new = record(
        project, "train mlp multiclass", {"predictions.parquet": frame([0.1, 0.9, 0.9, 0.9], GOLD[:4])},
        algorithm="mlp", seed=0,
    )  # fmt: skip
    found = runs_side_by_side(project, old, new)
    assert [(s.name, s.before, s.after) for s in found.settings] == [("algorithm", "knn", "mlp")]
    assert [figure and figure.value for figure in found.figures] == [0.8, 0.75]
    assert found.gain is not None
    assert (found.gain.value, found.gain.n) == (0, 4)
    assert found.gain.low < 0 < found.gain.high
    assert found.sentence.startswith("The later run is not shown to be better: +0.000, 95 % interval -")
    said = found.changed[["id", "label_before", "label_after", "became"]].to_numpy().tolist()
    assert said == [["p1", ["ham"], ["spam"], "wrong"], ["p2", ["ham"], ["spam"], "right"]]
    without = record(project, "train mlp multiclass", {}, algorithm="mlp")
    alone = runs_side_by_side(project, old, without)
    assert (alone.gain, alone.sentence, len(alone.changed), alone.figures[1]) == (None, "", 0, None)


def test_runs_of_two_steps_are_not_compared(project: Project, task: Task) -> None:
    label = record(project, "label multiclass", {}, label_model="auto")
    train = record(project, "train mlp multiclass", {}, algorithm="mlp")
    with pytest.raises(TrackingError, match=r"of `label` of task spam and run .* of `train` of task spam"):
        runs_side_by_side(project, label, train)


def test_details_of_a_run_that_failed_and_of_one_that_is_not_there(project: Project, task: Task) -> None:
    with (
        pytest.raises(ValueError, match="the reason"),
        project.runs.run("spam", "label multiclass", {}) as run,
    ):
        raise ValueError("the reason")
    found = run_details(project, run.run_id)
    assert (found.status, found.step, found.task, found.error) == (
        "FAILED", "label", "spam", "ValueError: the reason",
    )  # fmt: skip
    assert found.seconds is not None
    assert "ValueError: the reason" in run_log(project, run.run_id)
    with pytest.raises(TrackingError, match="run nothing cannot be read"):
        run_details(project, "nothing")
