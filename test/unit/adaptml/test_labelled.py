from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from adaptml.data import read_gold
from adaptml.errors import FrameError, TaskError
from adaptml.labelled import labelled
from adaptml.project import Project
from adaptml.tasks import Task


@pytest.fixture
def task() -> Task:
    """Cats and dogs, in Python alone."""
    return Task(name="animals", classes=["cat", "dog"])


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
        ({"x": [1]}, "f has no column label; expected lists of class names"),
        ({"label": [3]}, "f has the label 3; expected a list of class names"),
        (
            {"label": [[]]},
            "none of the 1 points of f has exactly one class in label, which a multiclass run needs",
        ),
        (
            {"label": [["cat"]], "label_probs": [[1.0]]},
            "f has label_probs that are not 2 numbers",
        ),
        (
            {"label": [["cat"]], "label_probs": [[1.5, 0.0]]},
            "f has label_probs outside 0 … 1",
        ),
    ],
)
def test_frames_that_cannot_be_used(task: Task, columns: dict[str, list[object]], message: str) -> None:
    with pytest.raises(FrameError, match=f"^{message}"):
        labelled(frame(**columns), task, "label", "f")


def test_a_class_that_the_task_does_not_have(task: Task) -> None:
    with pytest.raises(TaskError, match=r"^labels Cat .* its classes are cat, dog"):
        labelled(frame(label=[["Cat"]]), task, "label", "f")


@pytest.mark.parametrize("gold", ["task", "1"])
def test_gold_that_was_not_made_yet(project: Project, task: Task, gold: str) -> None:
    with pytest.raises(
        FrameError,
        match=r"^the task 'animals' has no gold labels: no file .*gold_df\.parquet; make them with",
    ):
        read_gold(project, gold, task)


@pytest.mark.parametrize("gold", ["none", "0", "", None])
def test_no_gold(project: Project, task: Task, gold: str | None) -> None:
    assert read_gold(project, gold, task) is None


def test_gold_as_one_name_a_row(project: Project, task: Task, tmp_path: Path) -> None:
    project.database.create_table("posts", {"id": sa.Text()})
    project.database.upsert("posts", pd.DataFrame({"id": ["00", "01"]}), ["id"])
    (tmp_path / "gold.csv").write_text("table_name,id,gold_label\nposts,00,cat\nposts,01,dog\n")
    from_file = read_gold(project, tmp_path / "gold.csv", task)
    from_frame = read_gold(project, pd.read_csv(tmp_path / "gold.csv", dtype=str), task)
    for found in (from_file, from_frame):
        assert found is not None
        assert found.Y.tolist() == [[1, 0], [0, 1]]
        assert found.keys["id"].tolist() == ["00", "01"]


def test_a_path_is_looked_for_here_then_in_the_project(
    project: Project, clean_room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (clean_room / "data").mkdir()
    (clean_room / "data/f.csv").touch()
    (clean_room / "deep").mkdir()
    monkeypatch.chdir(clean_room / "deep")
    assert project.path("data/f.csv") == clean_room / "data/f.csv"
    assert project.path("nowhere.csv") == Path("nowhere.csv")
