"""Votes with their keys: the frame, the rows behind a number, the file."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from adaptml.errors import FrameError, LabellingError
from dataprogramming.votes import Votes

KEYS = pd.DataFrame({"table_name": "t", "id": ["1", "2", "3", "4"]})
L = np.array([[0, -1], [0, 1], [-1, -1], [-1, 1]], np.int8)
Y = np.array([[1, 0], [0, 1], [1, 0], [0, 1]], np.int8)
TEXTS = {"1": "one", "2": "two", "3": "three"}


def read_texts(keys: pd.DataFrame) -> pd.DataFrame:
    """The texts in another order, without the row that is gone."""
    there = keys.iloc[::-1].loc[keys["id"].isin(TEXTS)]
    return there.assign(txt=there["id"].map(TEXTS))


def votes(**more: object) -> Votes:
    return Votes(KEYS, L, ("a", "b"), ("ham", "spam"), "mails", "multiclass", read_texts=read_texts, **more)  # type: ignore[arg-type]


def test_the_frame_has_keys_and_a_column_per_labelling_function() -> None:
    frame = votes().frame
    assert frame.to_dict("list") == {
        "table_name": ["t"] * 4, "id": ["1", "2", "3", "4"], "a": [0, 0, -1, -1], "b": [-1, 1, -1, 1],
    }  # fmt: skip
    assert [str(kind) for kind in frame.dtypes[["a", "b"]]] == ["int8", "int8"]


def test_rows_come_with_their_texts_and_votes_by_name() -> None:
    rows = votes().rows("a")
    assert rows.astype(object).to_dict("records") == [
        {"table_name": "t", "id": "1", "txt": "one", "a": "ham", "b": None},
        {"table_name": "t", "id": "2", "txt": "two", "a": "ham", "b": "spam"},
    ]
    assert votes().rows("b")["id"].tolist() == ["2", "4"]
    assert votes().rows("b", n=1)["id"].tolist() == ["2"]
    assert votes().rows(conflicts=True)["id"].tolist() == ["2"]
    assert votes().uncovered()["id"].tolist() == ["3"]
    assert votes().disagreements()["id"].tolist() == ["2"]


def test_what_is_wrong_is_known_on_gold_alone() -> None:
    judged = votes(Y=Y)
    assert judged.is_wrong().tolist() == [[False, False], [True, False], [False, False], [False, False]]
    assert judged.rows("a", wrong=True)[["id", "gold_label"]].to_numpy().tolist() == [["2", ["spam"]]]
    assert judged.rows("b", wrong=True).empty
    assert judged.rows(wrong=True)["id"].tolist() == ["2"]
    assert judged.summary()[["correct", "incorrect"]].to_numpy().tolist() == [[1, 1], [2, 0]]
    beside = votes(gold=votes(Y=Y))
    assert beside.rows("a", wrong=True)["id"].tolist() == ["2"]
    assert "gold_label" not in beside.rows("a")
    with pytest.raises(LabellingError, match="'mails' has no gold points here"):
        votes().rows("a", wrong=True)
    with pytest.raises(LabellingError, match="no labelling function 'c'; expected one of a, b"):
        votes().rows("c")


def test_the_file_says_task_setting_and_classes(tmp_path: Path) -> None:
    path = votes().save(tmp_path / "votes.parquet")
    schema = pq.read_schema(path)
    assert [(f.name, str(f.type)) for f in schema] == [
        ("table_name", "large_string"), ("id", "large_string"), ("a", "int8"), ("b", "int8"),
    ]  # fmt: skip
    again = Votes.load(path)
    pd.testing.assert_frame_equal(again.frame, votes().frame)
    assert (again.class_names, again.task, again.setting) == (("ham", "spam"), "mails", "multiclass")


def test_a_file_of_something_else(tmp_path: Path) -> None:
    KEYS.to_parquet(tmp_path / "keys.parquet")
    for name in ("keys.parquet", "none.parquet"):
        with pytest.raises(FrameError, match=f"{name} holds no votes"):
            Votes.load(tmp_path / name)


def test_a_notebook_shows_the_table() -> None:
    html = votes()._repr_html_()
    assert "4 points, 2 labelling functions" in html
    assert "<td>ham</td>" in html
