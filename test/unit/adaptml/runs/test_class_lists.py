"""Classes of runs and models, and what they are now."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from adaptml.browsing.run_facts import LabelRun
from adaptml.frames import write_frame
from adaptml.project import Project
from adaptml.runs.class_lists import classes_text, same_classes, votes_now
from adaptml.runs.label_run import RunFiles
from adaptml.tasks import Task

THEN = ["cat", "hound", "wolf", "bird", "fish"]
# wolf is a dog now as hound is, bird was split, fish was dropped, owl is one of the parts.
NOW = Task.model_validate(
    {
        "classes": ["dog", "cat", "owl", "duck"],
        "class_changes": [
            {
                "date": "2026-11-26", "before": THEN,
                "becomes": {"hound": ["dog"], "wolf": ["dog"], "bird": ["owl", "duck"], "fish": []},
            }
        ],
    }
)  # fmt: skip


def test_long_lists_are_cut_and_stay_apart() -> None:
    names = [f"class {i:03} {'x' * 60}" for i in range(100)]
    long, other = classes_text(names), classes_text([*names[:-1], "y"])
    assert len(long) < 2_100
    assert long[:2_000] == other[:2_000]
    assert long != other
    assert "(100 classes, " in long


def test_names_of_before_for_the_same_classes() -> None:
    was = {"date": "2026-11-26", "before": ["a", "b"], "becomes": {"a": ["c"]}}
    renamed = Task.model_validate({"classes": ["b", "c"], "class_changes": [was]})
    assert same_classes(renamed, ["a", "b"]) == {"b": "b", "c": "a"}
    added = Task.model_validate({"classes": ["b", "c", "d"], "class_changes": [was]})
    assert same_classes(added, ["a", "b"]) is None
    assert same_classes(NOW, THEN) is None
    assert same_classes(Task(classes=["b", "c"]), ["b", "z"]) is None


def test_votes_are_equal_where_they_are_for_one_class_now() -> None:
    votes = np.array([[0, 1, 2, 3, 4, -1, 7]], np.int8)
    cat, hound, wolf, bird, fish, none, more = votes_now(NOW, THEN, votes)[0].tolist()
    assert hound == wolf
    assert fish == none == -1
    assert len({cat, hound, bird, more, -1}) == 5


@pytest.mark.usefixtures("tracking")
def test_a_run_of_before_is_read_in_the_classes_of_now(project: Project, tmp_path: object) -> None:
    keys = pd.DataFrame({"table_name": "posts", "id": [*"123456"]})
    L = np.array([[1, 2], [0, 1], [4, -1], [3, 3], [-1, -1], [0, 4]], np.int8)
    probs = np.array([[0.1, 0.2, 0.3, 0.3, 0.1], [0.5, 0.5, 0, 0, 0], [0, 0, 0, 0, 1], [0, 0, 0, 1, 0]])
    said = {"task": "t", "setting": "multiclass", "classes": THEN}
    with project.runs.run("t", "label", {"setting": "multiclass"}) as recorder:
        training = keys[:4].assign(label=[["wolf"], ["cat"], ["fish"], ["bird"]], label_probs=probs.tolist())
        write_frame(training, recorder.folder / "training_data.parquet", said)
        write_frame(keys.assign(a=L[:, 0], b=L[:, 1]), recorder.folder / "votes.parquet", said)
    folder = project.settings.root / "files"
    folder.mkdir()
    run = RunFiles(project, recorder.run_id, folder, NOW)
    ((ids, labels, found),) = run.label_sets("posts")
    assert (ids.tolist(), labels) == (["1", "2"], [["dog"], ["cat"]])
    np.testing.assert_allclose(found, [[0.5, 0.1, 0, 0], [0.5, 0.5, 0, 0]])
    ((ids, found),) = run.probabilities("posts")
    np.testing.assert_allclose(found[2:], [[0, 0, 0, 0], [0, 0, 0, 0]])
    assert [key for ids, _ in run.disputed("posts") for key in ids] == ["2"]
    assert [key for ids, _ in run.uncovered("posts") for key in ids] == ["3", "5"]
    as_made = RunFiles(project, recorder.run_id, folder)
    assert [key for ids, _ in as_made.disputed("posts") for key in ids] == ["1", "2", "6"]


@pytest.mark.usefixtures("tracking")
def test_votes_for_sets_are_disputed_where_no_class_fits_both(project: Project, tmp_path: Path) -> None:
    """cat beside "cat or dog"; cat beside "dog or bird"; the two sets; one set alone."""
    keys = pd.DataFrame({"table_name": "posts", "id": [*"1234"]})
    L = np.array([[0, 3], [0, 4], [3, 4], [-1, 4]], np.int8)
    said = {"task": "t", "setting": "multiclass", "classes": ["cat", "dog", "bird"], "sets": [[0, 1], [1, 2]]}
    with project.runs.run("t", "label", {"setting": "multiclass"}) as recorder:
        probs = [[1.0, 0.0, 0.0]] * 4
        training = keys.assign(label=[["cat"]] * 4, label_probs=probs)
        write_frame(training, recorder.folder / "training_data.parquet", said)
        write_frame(keys.assign(a=L[:, 0], b=L[:, 1]), recorder.folder / "votes.parquet", said)
    task = Task(classes=["cat", "dog", "bird"])
    run = RunFiles(project, recorder.run_id, tmp_path, task)
    assert [ids.tolist() for ids, _ in run.disputed("posts")] == [["2"]]
    votes, labels = (
        project.runs.artifact(recorder.run_id, name, tmp_path)
        for name in ("votes.parquet", "training_data.parquet")
    )
    looked = LabelRun(recorder.run_id, "posts", votes, labels)
    assert [mask.tolist() for mask in looked.covered] == [[True] * 4, [False, True, False, False]]
    assert looked.of_rows(["2"])["2"]["votes"] == {"a": "cat", "b": "dog or bird"}
