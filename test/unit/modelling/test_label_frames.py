from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from adaptml.errors import FrameError, TaskError
from adaptml.tasks import Setting, Task, load_task
from modelling.decisions import decide
from modelling.label_frames import gold_source, labelled, read_labelled

TASK = """
title: Animals
setting: multiclass
classes: [{name: cat}, {name: dog}]
columns: [{name: txt}]
lf_features: [txt]
features: [vec]
"""


@pytest.fixture
def task(clean_room: Path) -> Task:
    (clean_room / "tasks/animals").mkdir()
    (clean_room / "tasks/animals/task.yaml").write_text(TASK)
    return load_task("animals")


def frame(**columns: list[object]) -> pd.DataFrame:
    n = len(next(iter(columns.values())))
    keys = {"table_name": ["t"] * n, "id": [str(i) for i in range(n)]}
    return pd.DataFrame(keys | {name: pd.Series(values, dtype=object) for name, values in columns.items()})


def test_a_multiclass_task_takes_rows_with_exactly_one_class_and_counts_the_rest(task: Task) -> None:
    found = labelled(frame(label=[["dog"], [], ["cat", "dog"], "cat", np.array(["dog"])]), task, "label", "f")
    assert found.keys["id"].tolist() == ["0", "3", "4"]
    assert found.Y.tolist() == [[0, 1], [1, 0], [0, 1]]
    assert found.left_out == 2
    assert found.P is None
    both = labelled(frame(label=[["dog"], []]), task.with_setting("multilabel"), "label", "f")
    assert both.Y.tolist() == [[0, 1], [0, 0]]


def test_points_are_told_apart_by_table_and_id(task: Task) -> None:
    found = labelled(
        frame(label=[["dog"], ["cat"]], label_probs=[[0.2, 0.8], [0.9, 0.1]]), task, "label", "f"
    )
    others = pd.DataFrame({"table_name": ["t", "u"], "id": ["0", "1"]})
    left = found.without(others)
    assert left.keys["id"].tolist() == ["1"]
    assert left.P is not None
    assert left.P.tolist() == [[0.9, 0.1]]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"x": [1]}, "f has no column label; expected lists of class names: name another frame"),
        ({"label": [3]}, "f holds 3 in column label; expected a list of class names"),
        ({"label": [[]]}, "f has no row with exactly one class in label; a multiclass task needs some"),
        (
            {"label": [["cat"]], "label_probs": [[1.0]]},
            "f has label_probs that are not 2 numbers; expected one for each class of the task",
        ),
        (
            {"label": [["cat"]], "label_probs": [[1.5, 0.0]]},
            "f has label_probs outside 0 … 1; expected probabilities: label the data again",
        ),
    ],
)
def test_frames_that_cannot_be_used(task: Task, columns: dict[str, list[object]], message: str) -> None:
    with pytest.raises(FrameError) as caught:
        labelled(frame(**columns), task, "label", "f")
    assert str(caught.value) == message


def test_a_class_that_the_task_does_not_have(task: Task) -> None:
    with pytest.raises(TaskError, match=r"^labels Cat are no classes of the task; its classes are cat, dog$"):
        labelled(frame(label=[["Cat"]]), task, "label", "f")


def test_gold_that_was_not_made_yet(task: Task) -> None:
    assert gold_source("some/path.csv", task) == "some/path.csv"
    with pytest.raises(
        FrameError, match=r"^no gold labels of task 'animals' at .*gold_df\.parquet; run process-annotations"
    ):
        gold_source("1", task)


def test_a_file_is_read_where_the_source_is_no_run(tmp_path: Path) -> None:
    frame(label=["cat"]).to_csv(tmp_path / "f.csv", index=False)
    assert read_labelled(str(tmp_path / "f.csv"), "training_data.parquet")["label"].tolist() == ["cat"]


def test_decisions() -> None:
    probs = np.array([[0.5, 0.5], [0.1, 0.2]])
    assert decide(Setting.MULTICLASS, probs).tolist() == [[1, 0], [0, 1]]
    assert decide(Setting.MULTILABEL, probs).tolist() == [[1, 1], [0, 0]]
