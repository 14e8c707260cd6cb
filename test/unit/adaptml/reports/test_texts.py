"""Texts are read for the rows that are asked for, once, and cut."""

import numpy as np
import pandas as pd

from adaptml.reports.texts import BATCH_ROWS, Texts


def frame(*ids: str) -> pd.DataFrame:
    return pd.DataFrame({"table_name": "posts", "id": list(ids)})


def test_values_missing_values_and_rows_that_are_gone() -> None:
    table = pd.DataFrame(
        {
            "id": ["b", "a", "d"],  # in another order than asked, and without c
            "table_name": "posts",
            "title": ["B" * 12, None, "short"],
            "tags": [["x", "y"], np.array(["z"]), float("nan")],
        }
    )
    texts = Texts(lambda _: table)
    assert texts.of(frame("a", "b", "c", "d"), 10) == [
        [None, "z"],
        [["B" * 10, 12], "x, y"],
        None,
        ["short", None],
    ]
    assert texts.columns == ["title", "tags"]


def test_a_row_is_read_once_and_many_rows_in_batches() -> None:
    asked: list[int] = []

    def read(keys: pd.DataFrame) -> pd.DataFrame:
        asked.append(len(keys))
        return keys.assign(text="t" * 600)

    texts, many = Texts(read), frame(*map(str, range(BATCH_ROWS + 3)))
    texts.of(many, 500)
    assert texts.of(many, 20)[-1] == [["t" * 20, 600]]
    assert asked == [BATCH_ROWS, 3]


def test_numbers_are_text() -> None:
    assert Texts(lambda keys: keys.assign(n=3.5)).of(frame("a"), 10) == [["3.5"]]
