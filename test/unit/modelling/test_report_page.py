"""The page of a training run: what the model gets wrong on gold, by class, with text."""

import json
import re
from typing import Any

import numpy as np
import pandas as pd

from modelling.report_page import train_report

CLASSES = ["cat", "dog"]
KEYS = pd.DataFrame({"table_name": "posts", "id": ["g0", "g1", "g2", "g3"]})
GOLD = np.array([[1, 0], [1, 0], [1, 0], [0, 1]], np.int8)
PREDICTED = np.array([[1, 0], [0, 1], [0, 1], [0, 1]], np.int8)
PROBS = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0.3, 0.7]])
TRAINING = np.array([[1, 0], [1, 0], [0, 1]], np.int8)


def texts(asked: pd.DataFrame) -> pd.DataFrame:
    return asked.assign(text="text of " + asked["id"])


def report(**options: Any) -> str:
    given = {"multilabel": False, "read_texts": texts} | options
    return train_report("End model", CLASSES, TRAINING, KEYS, GOLD, PREDICTED, PROBS, **given)


def rows(page: str, anchor: str) -> list[list[Any]]:
    (found,) = re.findall(r'id="rows">(.*?)</script>', page, re.DOTALL)
    (numbers,) = re.findall(rf'<details id="{anchor}" class="bucket" data-rows="([\d ]*)"', page)
    return [json.loads(found)["rows"][int(number)] for number in numbers.split()]


def test_what_is_wrong_by_class_the_surest_first() -> None:
    page = report()
    assert [row[1] for row in rows(page, "class-0-missed")] == ["g2", "g1"]
    assert rows(page, "class-1-wrongly")[0] == [
        "posts",
        "g2",
        ["text of g2"],
        None,
        [0],
        [1],
        [1, 0.8, 0, 0.2],
    ]
    assert [row[1] for row in rows(page, "cell-0-1")] == ["g2", "g1"]


def test_counts_intervals_and_distribution() -> None:
    page = report(policy="By cross-validation.", metrics={"gold_accuracy": 0.5})
    assert (
        "2 of 4 gold points have their gold class by the end model: 0.500 (95 % interval 0.150 to 0.850)"
        in page
    )
    assert "By cross-validation." in page
    assert "0.333 [0.061, 0.792]" in page  # recall of cat, 1 of 3
    assert "cat, training labels, 3 points: 2 (66.7%)" in page
    assert "dog, predicted, 4 points: 3 (75.0%)" in page
    assert "gold_accuracy" in page
    assert "Trained on 3 points; compared with 4 gold points" in page


def test_without_gold_the_page_says_that_nothing_is_known() -> None:
    page = train_report("End model", CLASSES, TRAINING, multilabel=False)
    assert "how good the model is, is not known" in page
    assert 'class="bucket"' not in page


def test_without_texts_none_is_in_the_page() -> None:
    assert "text of" in report()
    assert "text of" not in report(read_texts=None)


def test_multilabel() -> None:
    page = report(multilabel=True)
    assert "2 of 4 gold points have exactly their gold classes by the end model" in page
    assert "cell-0-1" not in page


def test_names_are_escaped() -> None:
    evil = "</script><b>\"'&"
    page = train_report(
        evil, [evil, "dog"], TRAINING, KEYS, GOLD, PREDICTED, PROBS, multilabel=False, metrics={evil: 1.0}
    )
    assert evil not in page
    assert "<b>" not in page
    assert page == train_report(
        evil, [evil, "dog"], TRAINING, KEYS, GOLD, PREDICTED, PROBS, multilabel=False, metrics={evil: 1.0}
    )
