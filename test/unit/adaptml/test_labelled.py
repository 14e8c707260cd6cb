import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from adaptml import frames
from adaptml.data import read_gold
from adaptml.errors import FrameError, TaskError
from adaptml.frames import check_keys, read_frame
from adaptml.labelled import Labelled, label_set, labelled
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


@pytest.mark.parametrize("kind", [set, frozenset, tuple, np.array])
def test_label_sets_of_every_kind_that_a_pickled_frame_holds(task: Task, tmp_path: Path, kind: Any) -> None:
    given = frame(gold_label=[kind([name]) for name in ("dog", "cat")])
    given.to_pickle(tmp_path / "gold_df.pkl")
    read = read_frame(tmp_path / "gold_df.pkl", typed_by_user=True)
    assert labelled(read, task, "gold_label", "gold").Y.tolist() == [[0, 1], [1, 0]]


def test_a_set_of_several_classes_has_no_order(task: Task) -> None:
    both = frame(label=[{"dog", "cat"}, set()], label_probs=[[0.6, 0.7], [0.1, 0.2]])
    assert labelled(both, task.with_setting("multilabel"), "label", "f").Y.tolist() == [[1, 1], [0, 0]]


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
            {"label": [["cat"], None, float("nan"), " "]},
            r"f has 3 of 4 rows that are not filled in \(label\): t/1, t/2, t/3; fill them in, with NONE for",
        ),
        ({"label": [["cat"]], "label_probs": ["high"]}, "f has label_probs that are not 2 numbers"),
        ({"label": [["cat"]], "label_probs": [None]}, "f has label_probs that are not 2 numbers"),
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


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("cat", ["cat"]),
        (" dog ", ["dog"]),
        ("cat;dog", ["cat", "dog"]),
        ("cat; dog;", ["cat", "dog"]),
        ("['dog']", ["dog"]),
        ("['cat', \"dog\"]", ["cat", "dog"]),
        ('["cat", "dog"]', ["cat", "dog"]),
        ("['cat' 'dog']", ["cat", "dog"]),  # as numpy writes it
        ("('cat',)", ["cat"]),
        ("[]", []),
        ("NONE", []),
        ("n/a", []),
        ("a; b", ["a; b"]),  # a class
        ("[x]", ["[x]"]),  # another
        ("[y]", ["[y]"]),  # neither a class nor a list: refused as it is
        ("", None),
        ("  ", None),
    ],
)
def test_a_label_set_as_text(text: str, names: list[str] | None) -> None:
    assert label_set(text, ["cat", "dog", "a; b", "[x]"]) == names


@given(st.lists(st.text(st.characters(codec="ascii", exclude_characters='<>&"\\'), min_size=1), min_size=1))
def test_a_list_as_python_writes_it_comes_back(names: list[str]) -> None:
    stripped = [name.strip() or "x" for name in names]
    assert label_set(repr(stripped), []) == stripped
    assert label_set(json.dumps(stripped), []) == stripped


def of_gold(data: Path | pd.DataFrame, task: Task) -> Labelled:
    frame = check_keys(data, "f") if isinstance(data, pd.DataFrame) else read_frame(data)
    return labelled(frame, task, "gold_label", "f")


def test_classes_called_like_numbers(tmp_path: Path) -> None:
    task = Task(name="stars", classes=["1", "2", "3"])
    (tmp_path / "gold.csv").write_text("table_name,id,gold_label\nposts,00,3\nposts,01,1\n")
    for data in (tmp_path / "gold.csv", pd.read_csv(tmp_path / "gold.csv")):
        found = of_gold(data, task)
        assert found.Y.tolist() == [[0, 0, 1], [1, 0, 0]]


FLAGS = "table_name,id,cat,dog\n"


def test_a_column_of_flags_per_class(tmp_path: Path, task: Task) -> None:
    (tmp_path / "gold.csv").write_text(FLAGS + "posts,00,1,0\nposts,01,0,1\nposts,02,1,1\nposts,03,0,0\n")
    found = of_gold(tmp_path / "gold.csv", task.with_setting("multilabel"))
    assert found.Y.tolist() == [[1, 0], [0, 1], [1, 1], [0, 0]]
    one = of_gold(tmp_path / "gold.csv", task)
    assert (one.Y.tolist(), one.left_out) == ([[1, 0], [0, 1]], 2)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            FLAGS + "p,1,1,\np,2,1,0\np,3,,\n",
            r"2 of 3 rows that are not filled in \(gold_label\): p/1, p/3; fill",
        ),
        (
            FLAGS + "p,1,1,2\np,2,x,0\n",
            "2 rows with something other than 0 and 1 .*: p/1, p/2; write 1 where",
        ),
        (
            "table_name,id,cat\np,1,1\n",
            "has no column gold_label, and columns of some classes only; expected one of dog too",
        ),
    ],
)
def test_columns_of_flags_that_cannot_be_used(content: str, message: str, tmp_path: Path, task: Task) -> None:
    (tmp_path / "gold.csv").write_text(content)
    with pytest.raises(FrameError, match=message):
        of_gold(tmp_path / "gold.csv", task)


@pytest.mark.parametrize("suffix", [".tsv", ".xlsx"])
def test_gold_in_a_spreadsheet(suffix: str, tmp_path: Path, task: Task) -> None:
    path = tmp_path / f"gold{suffix}"
    frame = pd.DataFrame({"table_name": "p", "id": ["007", "NA"], "gold_label": ["cat", "['dog']"]})
    if suffix == ".tsv":
        frame.to_csv(path, sep="\t", index=False)
    else:
        frame.to_excel(path, index=False)
    found = of_gold(path, task)
    assert found.keys["id"].tolist() == ["007", "NA"]
    assert found.Y.tolist() == [[1, 0], [0, 1]]


def test_probabilities_as_text(task: Task) -> None:
    rows = frame(label=["cat", "dog"], label_probs=["[0.75, 0.25]", "[0.5 0.5]"])
    found = labelled(rows, task, "label", "f").P
    assert found is not None
    assert found.tolist() == [[0.75, 0.25], [0.5, 0.5]]


@pytest.mark.parametrize("gold", ["task", "1"])
def test_gold_that_was_not_made_yet(project: Project, task: Task, gold: str) -> None:
    with pytest.raises(
        FrameError,
        match=r"^the task 'animals' has no gold labels: no table .*gold_df\.parquet; make them with",
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


@pytest.fixture
def changed() -> Task:
    """Cats and kittens became felines; what was a canine is now a dog or a wolf; there are no fish any more."""
    was = {
        "date": "2026-11-26",
        "before": ["cat", "kitten", "canine", "fish"],
        "becomes": {"cat": ["feline"], "kitten": ["feline"], "canine": ["dog", "wolf"], "fish": []},
    }
    return Task(name="animals", classes=["feline", "dog", "wolf"], class_changes=[was])


def test_labels_of_before_a_change_are_read_in_the_names_of_now(
    changed: Task, caplog: pytest.LogCaptureFixture
) -> None:
    old = frame(label=[["cat"], "kitten", "feline", "['canine']", ["fish"], "wolf", [], "cat; kitten"])
    found = labelled(old, changed, "label", "f")
    assert found.keys["id"].tolist() == ["0", "1", "2", "5", "7"]
    assert found.Y.tolist() == [[1, 0, 0], [1, 0, 0], [1, 0, 0], [0, 0, 1], [1, 0, 0]]
    assert (found.undecided, found.left_out) == (2, 1)
    (said,) = [record.message for record in caplog.records]
    for fact in ["2 of 8 points of f", "'canine' is now 'dog' or 'wolf'", "'fish' is now no class", "`adaptml label animals`"]:  # fmt: skip
        assert fact in said
    several = labelled(old, changed.with_setting("multilabel"), "label", "f")
    assert several.Y.tolist() == [[1, 0, 0], [1, 0, 0], [1, 0, 0], [0, 0, 0], [0, 0, 1], [0, 0, 0], [1, 0, 0]]
    assert several.undecided == 1
    with pytest.raises(
        FrameError, match=r"^2 of 2 points of f are left out: 'canine' is now 'dog' or 'wolf'"
    ):
        labelled(frame(label=["canine", ["fish"]]), changed, "label", "f")
    with pytest.raises(TaskError, match="labels mouse are no classes"):
        labelled(frame(label=["cat", "mouse"]), changed, "label", "f")


def test_flags_of_before_a_change(changed: Task) -> None:
    flags = {"cat": [1, 0, 0, 0], "kitten": [0, 1, 0, 0], "canine": [0, 0, 1, 0], "fish": [0, 0, 0, 1]}
    found = labelled(frame(**flags), changed, "gold_label", "f")
    assert (found.Y.tolist(), found.undecided) == ([[1, 0, 0], [1, 0, 0]], 2)
    merged = {"date": "2026-11-26", "before": ["cat", "kitten", "dog"], "becomes": {"kitten": ["cat"]}}
    task = Task(classes=["cat", "dog"], class_changes=[merged])
    found = labelled(frame(cat=[0, 0], kitten=[1, 0], dog=[0, 1]), task, "gold_label", "f")
    assert found.Y.tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize("told", [True, False])
def test_probabilities_of_classes_that_were_merged_are_summed(told: bool) -> None:
    merged = {"date": "2026-11-26", "before": ["dog", "cat", "kitten"], "becomes": {"cat": ["pet"], "kitten": ["pet"]}}  # fmt: skip
    task = Task(classes=["dog", "pet"], class_changes=[merged])
    old = frame(label=[["cat"], ["dog"]], label_probs=[[0.25, 0.5, 0.25], "[0.75, 0.25, 0]"])
    if told:
        old.attrs["adaptml"] = {"classes": ["dog", "cat", "kitten"]}
    P = labelled(old, task, "label", "f").P
    assert P is not None
    assert P.tolist() == [[0.25, 0.75], [0.75, 0.25]]
    capped = frame(label=[["cat", "kitten"]], label_probs=[[0.0, 0.75, 0.5]])
    P = labelled(capped, task.with_setting("multilabel"), "label", "f").P
    assert P is not None
    assert P.tolist() == [[0.0, 1.0]]


def test_probabilities_of_other_classes_are_left_out_and_the_labels_are_not(
    changed: Task, caplog: pytest.LogCaptureFixture
) -> None:
    old = frame(label=[["cat"]], label_probs=[[0.7, 0.1, 0.1, 0.1]])
    found = labelled(old, changed, "label", "f")
    assert found.P is None
    assert found.Y.tolist() == [[1, 0, 0]]
    assert "the probabilities of f are of the classes cat, kitten, canine, fish" in caplog.text
    added = Task(
        classes=["cat", "dog", "bird"], class_changes=[{"date": "2026-11-26", "before": ["cat", "dog"]}]
    )
    assert labelled(frame(label=["cat"], label_probs=[[0.5, 0.5]]), added, "label", "f").P is None


@given(
    sets=st.lists(st.lists(st.sampled_from(["cat", "dog"]), unique=True), min_size=1, max_size=9),
    cells=st.integers(1, 4),
    others=st.sets(st.integers(0, 12)),
)
def test_labels_are_the_same_however_many_are_looked_at_at_once(
    sets: list[list[str]], cells: int, others: set[int]
) -> None:
    both = Task(name="animals", classes=["cat", "dog"]).with_setting("multilabel")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frames, "CELLS", cells)
        found = labelled(frame(label=sets), both, "label", "f")
    assert found.Y.tolist() == [[int(name in names) for name in ("cat", "dog")] for names in sets]
    left = found.without(pd.DataFrame({"table_name": "t", "id": [str(i) for i in others]}, dtype=str))
    kept = [i for i in range(len(sets)) if i not in others]
    assert left.keys["id"].tolist() == [str(i) for i in kept]
    assert left.Y.tolist() == [found.Y[i].tolist() for i in kept]


def test_rows_that_are_not_filled_in_are_counted_over_the_whole_frame(
    task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "CELLS", 2)
    with pytest.raises(FrameError, match=r"^f has 2 of 5 rows that are not filled in \(label\): t/1, t/4; "):
        labelled(frame(label=["cat", None, "dog", "cat", None]), task, "label", "f")
    with pytest.raises(FrameError, match=r"^f has label_probs that are not 2 numbers; expected one for each"):
        labelled(frame(label=["cat"] * 3, label_probs=[[0.5, 0.5], [0.5, 0.5], [1.0]]), task, "label", "f")
